"""Which key does what in worlds of other people: known worlds, a default for the rest, a person's file.

The person's file is JSON, at ``$TEACHBOX_KEYS`` or ``keys.json`` in the user's configuration folder::

    {"CartPole-v1": {"keys": {"left": 0, "right": 1}, "actions": ["push left", "push right"],
                     "steps_per_second": 20, "horizon": 300}}

Key names are pygame's ("left", "space", "a"); "" is no key, and a world in which that stands for no
action waits for the person. An action is a number for finite action spaces and a list of numbers for
Box. Every field may be left out.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from platformdirs import user_config_dir

from envs.world import Array


@dataclass(frozen=True)
class KeyMap:
    """keys: key name -> action. The rest may stay empty: names are then made up from the spaces."""

    keys: dict[str, Any] = field(default_factory=dict)
    actions: tuple[str, ...] = ()
    observations: tuple[str, ...] = ()
    about: str = ""
    steps_per_second: int = 0
    horizon: int = 0


_CAR_KEYS = KeyMap(
    {"left": 0, "": 1, "right": 2},
    ("push left", "coast", "push right"),
    ("position", "velocity"),
    "Rock the car out of the valley, up to the flag.",
    25,
)
_LANDER_KEYS = KeyMap(
    {"": 0, "left": 1, "up": 2, "right": 3},
    ("coast", "left engine", "main engine", "right engine"),
    ("x", "y", "x speed", "y speed", "angle", "turning", "left leg down", "right leg down"),
    "Land softly between the flags.",
    25,
    400,
)
_LANDER_BOX_KEYS = replace(
    _LANDER_KEYS,
    keys={"": [0.0, 0.0], "up": [1.0, 0.0], "left": [0.0, -1.0], "right": [0.0, 1.0]},
    actions=("main engine", "side engines"),
)
KNOWN_KEY_MAPS: dict[str, KeyMap] = {  # by the name without module and version
    "CartPole": KeyMap(
        {"left": 0, "right": 1},
        ("push left", "push right"),
        ("cart position", "cart speed", "pole angle", "pole turning"),
        "Keep the pole upright.",
        20,
    ),
    "MountainCar": _CAR_KEYS,
    "MountainCarContinuous": replace(
        _CAR_KEYS, keys={"left": [-1.0], "": [0.0], "right": [1.0]}, actions=("push",)
    ),
    "Acrobot": KeyMap(
        {"left": 0, "": 1, "right": 2},
        ("twist left", "let go", "twist right"),
        about="Swing the tip above the line.",
        steps_per_second=15,
    ),
    "Pendulum": KeyMap(
        {"left": [2.0], "": [0.0], "right": [-2.0]},
        ("torque",),
        ("tip height", "tip side", "turning"),
        "Swing the pendulum up and keep it there.",
        20,
    ),
    "LunarLander": _LANDER_KEYS,
    "LunarLanderContinuous": _LANDER_BOX_KEYS,
    "FrozenLake": KeyMap({"left": 0, "down": 1, "right": 2, "up": 3}, steps_per_second=4),
    "Taxi": KeyMap(
        {"down": 0, "up": 1, "right": 2, "left": 3, "p": 4, "d": 5},
        ("down", "up", "right", "left", "pick up", "drop"),
        steps_per_second=4,
    ),
    "CliffWalking": KeyMap({"up": 0, "right": 1, "down": 2, "left": 3}, steps_per_second=4),
    "Blackjack": KeyMap({"left": 0, "right": 1}, ("stick", "hit"), steps_per_second=2),
    "CarRacing": KeyMap(
        {
            "": [0.0, 0.0, 0.0],
            "left": [-1.0, 0.0, 0.0],
            "right": [1.0, 0.0, 0.0],
            "up": [0.0, 1.0, 0.0],
            "down": [0.0, 0.0, 0.8],
        },
        ("steer", "gas", "brake"),
        steps_per_second=25,
    ),
}
KEY_MAPS_BY_PREFIX: tuple[tuple[str, KeyMap], ...] = (  # by how the name begins
    (
        "MiniGrid-",
        KeyMap(
            {"left": 0, "right": 1, "up": 2, "p": 3, "d": 4, "space": 5},
            ("turn left", "turn right", "forward", "pick up", "drop", "open", "done"),
            steps_per_second=6,
        ),
    ),
    (
        "highway",
        KeyMap(
            {"up": 0, "": 1, "down": 2, "right": 3, "left": 4},
            ("lane left", "go on", "lane right", "faster", "slower"),
            steps_per_second=3,
        ),
    ),
)
_DISCRETE_KEYS = ("left", "right", "up", "down", "space", *"123456789", *"qwertyuiopasdfghjkl")
_BOX_KEYS = (
    ("left", "right"),
    ("down", "up"),
    ("a", "d"),
    ("s", "w"),
    ("j", "l"),
    ("k", "i"),
    ("f", "h"),
    ("g", "t"),
)


def action_bounds(space: spaces.Box) -> tuple[Array, Array]:
    """Lowest and highest [C] of what a Box is driven with; an endless side ends one or two off the other."""
    low, high = space.low.ravel().astype(np.float64), space.high.ravel().astype(np.float64)
    bottom = np.where(np.isfinite(low), low, np.where(high > -1.0, -1.0, high - 2.0))
    return bottom, np.where(np.isfinite(high), high, np.where(low < 1.0, 1.0, low + 2.0))


def default_keys(space: spaces.Space[Any]) -> dict[str, Any]:
    """Keys for a space that nobody has set: arrows first; two keys for each axis of a Box."""
    if isinstance(space, spaces.Box):
        low, high = action_bounds(space)
        idle = np.clip(np.zeros(len(low)), low, high)
        keys = {"": idle.tolist()}
        for axis, pair in enumerate(_BOX_KEYS[: len(low)]):
            for key, end in zip(pair, (low, high), strict=True):
                pushed = idle.copy()
                pushed[axis] = end[axis]
                keys[key] = pushed.tolist()
        return keys
    count = 1.0
    if isinstance(space, spaces.Discrete):
        count = float(space.n)
    elif isinstance(space, spaces.MultiDiscrete):
        count = float(np.prod(space.nvec.astype(np.float64)))
    elif isinstance(space, spaces.MultiBinary):
        count = 2.0 ** float(np.prod(space.shape))
    enough = int(min(count, len(_DISCRETE_KEYS)))
    return {"": 0} | {key: action for action, key in enumerate(_DISCRETE_KEYS[:enough])}


def keys_path() -> Path:
    """Where the person's own keys are read from."""
    given = os.environ.get("TEACHBOX_KEYS")
    return Path(given) if given else Path(user_config_dir("teachbox")) / "keys.json"


def key_map(id: str, space: spaces.Space[Any], file: Path | None = None) -> KeyMap:
    """The keys of a world: the person's file over the known ones over the default.

    Raises ValueError, with a sentence, for a file that is no JSON or has unknown fields.
    """
    path = file or keys_path()
    name = id.split(":")[-1].rsplit("-v", 1)[0]
    family = next((keys for head, keys in KEY_MAPS_BY_PREFIX if name.startswith(head)), KeyMap())
    known = KNOWN_KEY_MAPS.get(name, family)
    if not are_valid_keys(known, space):  # made with other actions than usual
        boxed = KNOWN_KEY_MAPS.get(f"{name}Continuous", KeyMap())
        known = boxed if are_valid_keys(boxed, space) else replace(known, keys={}, actions=())
    own: Any = _read(path).get(id, {}) if path.is_file() else {}
    allowed = {f.name for f in fields(KeyMap)}
    if not isinstance(own, dict) or set(own) - allowed:
        raise ValueError(f"{path} has {own!r} for {id}: use an object with {', '.join(sorted(allowed))}")
    listed: dict[str, Any] = {str(k): tuple(v) if isinstance(v, list) else v for k, v in own.items()}
    chosen = replace(known, **listed)
    return chosen if chosen.keys else replace(chosen, keys=default_keys(space))


def are_valid_keys(keys: KeyMap, space: spaces.Space[Any]) -> bool:
    """Whether each key stands for an action of such a space."""
    if isinstance(space, spaces.Box):
        size = int(np.prod(space.shape))
        return all(isinstance(one, list | tuple) and len(one) == size for one in keys.keys.values())
    return all(isinstance(one, int) for one in keys.keys.values())


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"the keys in {path} can't be read: {error}") from error
    if not isinstance(data, dict):
        raise ValueError(f"the keys in {path} must be an object of world ids, not {type(data).__name__}")
    return data
