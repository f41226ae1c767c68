"""Makes a task of any Gymnasium id: opens it, flattens its spaces, and checks its keys."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, cast

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from envs.external.external_errors import ExternalWorldError
from envs.external.external_hooks import EXTERNAL_HOOKS
from envs.external.external_task import (
    REWARD,
    ActionTable,
    ExternalTask,
    ObservationPart,
    env_keywords,
)
from envs.external.extra_terms import extra_terms, term_reward
from envs.external.key_map import KeyMap, action_bounds, key_map
from envs.world import Array, Kernel, TaskOption, Term, World

TERMS = (
    Term("reward", "points", "paid by the world: its own reward for the step"),
    Term("ended", "times", "the episode is over: ended in this step, before the horizon"),
)
DEFAULT_HORIZON = 500
MAX_ACTIONS = 64
MAX_OBS_SIZE = 100_000


def env_reward(before: Array, terms: Array, after: Array) -> NDArray[np.float32]:
    """The true reward in a world of somebody else's: the world's own reward [T]."""
    return np.asarray(terms[:, REWARD], np.float32)


def _done_unknown(states: Array) -> NDArray[np.bool_]:
    """No state is kept, so nobody can say from it whether the task was done."""
    return np.zeros(len(states), np.bool_)


def _no_kernel(*_: Any) -> None:
    raise TypeError("an external world has no kernel: run it with ExternalSimulation, not Simulation")


def _text(options: Mapping[str, TaskOption], name: str) -> str | None:
    """An option that is a text, None where it isn't given; ExternalWorldError where it is something else."""
    value = options.get(name)
    if value is not None and not isinstance(value, str):
        raise ExternalWorldError(f"the option {name} is {value!r}: it must be a text")
    return value


def make_external_task(id: str, *, keys_file: Path | None = None, **options: TaskOption) -> ExternalTask:
    """Any Gymnasium id ("CartPole-v1"; "module:Id" imports the module first) as a Task.

    keys_file: a JSON file of keys, see `envs.external.key_map`. Options go to the environment, but for
    info_terms and true_reward: see `envs.external.extra_terms`.
    Raises ExternalWorldError for ids that Gymnasium doesn't know and for spaces that can't be made flat.
    """
    env, has_frames = _open(id, env_keywords(options))
    try:
        extra = extra_terms(id, env, _text(options, "info_terms"), _text(options, "true_reward"))
        its_obs, its_actions = env.observation_space, env.action_space
        horizon = env.spec.max_episode_steps if env.spec is not None else None
        horizon = horizon or _env_step_limit(env)
        fps = env.metadata.get("render_fps")
    finally:
        env.close()
    keymap = key_map(env.spec.id if env.spec is not None else id, its_actions, keys_file)
    action_space, choices = _flat_actions(id, its_actions, keymap.actions)
    leaves = _checked_obs_parts(id, its_obs)
    named = [name for leaf in leaves for name in leaf.names()]
    names = (*(keymap.observations if len(keymap.observations) == len(named) else named), "ended")
    keys, idle = _checked_keys(id, keymap, action_space)
    action_names = choices.names if choices is not None else _axes(cast(spaces.Box, action_space), keymap)
    world = World(
        name="foreign",
        params=np.zeros(0),
        kernel=Kernel(_no_kernel, _no_kernel, _no_kernel, _no_kernel),
        state_size=0,
        state_dtype=np.float32,
        aux_size=0,
        aux_dtype=np.float32,
        obs_names=names,
        terms=(*TERMS, *extra.terms),
        action_space=action_space,
        action_names=action_names,
        idle_action=idle,
        clock=0,
        steps_per_second=keymap.steps_per_second or int(np.clip(fps or 15, 5, 30)),
        placements=lambda state: (np.zeros((0, 0), np.float32), np.zeros((0, 2))),
        agent_position=lambda states: np.zeros((len(states), 2)),
        hooks=EXTERNAL_HOOKS,
    )
    return ExternalTask(
        id=id,
        title=id,
        about=keymap.about or f"{id}, a world of somebody else's; its own reward is the wish.",
        world=world,
        horizon=keymap.horizon or horizon or DEFAULT_HORIZON,
        proxy_reward={"reward": 1.0},
        true_reward=env_reward if extra.judge is None else partial(term_reward, len(TERMS + extra.terms) - 1),
        done=_done_unknown,
        keys=keys,
        options=options,
        factory=partial(make_external_task, id, keys_file=keys_file),
        env_id=id,
        obs_parts=leaves,
        env_action_space=its_actions,
        action_table=choices,
        can_render=has_frames,
        info_terms=extra.info_terms,
        judge=extra.judge,
    )


def _env_step_limit(env: gymnasium.Env[Any, Any]) -> int | None:
    """The number of steps after which a world ends by itself, where it says so."""
    inner = env.unwrapped
    config = getattr(inner, "config", None)
    if isinstance(config, dict) and "duration" in config:  # highway-env: seconds and decisions a second
        return int(config["duration"] * config.get("policy_frequency", 1))
    steps = getattr(inner, "max_steps", None)  # MiniGrid
    return steps if isinstance(steps, int) and steps > 0 else None


def _open(id: str, options: Mapping[str, TaskOption]) -> tuple[gymnasium.Env[Any, Any], bool]:
    """One environment to ask about its spaces, and whether it can draw itself."""
    try:
        keywords: dict[str, Any] = dict(options)  # Gymnasium hands them on to the environment unseen
        env = gymnasium.make(id, disable_env_checker=True, **keywords)
    except gymnasium.error.DependencyNotInstalled as error:
        raise ExternalWorldError(f"{id} needs a package that is not installed here: {error}") from error
    except (gymnasium.error.Error, ModuleNotFoundError) as error:
        missing = getattr(error.__cause__ or error, "name", None)
        if missing and not id.startswith(missing):
            raise ExternalWorldError(
                f"{id} needs the package {missing!r}, which is not installed here"
            ) from error
        known = [name for name in gymnasium.registry if name != id]
        close = difflib.get_close_matches(id.split(":")[-1], known, n=1, cutoff=0.6)
        reason = f"did you mean {close[0]!r}?" if close else " ".join(str(error).split())
        raise ExternalWorldError(f"there is no world {id!r}: {reason}") from error
    except Exception as error:
        reason = " ".join(str(error).split())
        raise ExternalWorldError(f"{id} raised {type(error).__name__} when it was made: {reason}") from error
    return env, "rgb_array" in (env.metadata.get("render_modes") or ())


def _flat_actions(
    id: str, space: spaces.Space[Any], given: tuple[str, ...]
) -> tuple[spaces.Discrete[Any] | spaces.Box, ActionTable | None]:
    """Our action space for the world's: a count through finite ones, a flat Box for Box."""
    if isinstance(space, spaces.Box):
        low, high = action_bounds(space)
        return spaces.Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32), None
    table: list[Any]
    if isinstance(space, spaces.Discrete):
        start = int(space.start)
        table = list(range(start, start + int(space.n)))
    elif isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary):
        sizes, start_at = np.full(space.shape, 2), np.zeros(space.shape, np.int64)
        if isinstance(space, spaces.MultiDiscrete):
            sizes, start_at = space.nvec, space.start
        _check_action_count(id, int(np.prod(sizes.astype(np.float64))))
        every = itertools.product(*(range(int(n)) for n in sizes.ravel()))
        table = [(np.reshape(one, space.shape) + start_at).astype(space.dtype) for one in every]
    else:
        raise ExternalWorldError(
            f"{id} takes actions of {type(space).__name__}, which keys can't give: "
            "wrap it so that its actions are Discrete, MultiDiscrete, MultiBinary or Box"
        )
    _check_action_count(id, len(table))
    named = given if len(given) == len(table) else tuple(str(one) for one in table)
    return spaces.Discrete(len(table)), ActionTable(tuple(table), named)


def _check_action_count(id: str, count: int) -> None:
    if count > MAX_ACTIONS:
        raise ExternalWorldError(
            f"{id} has {count} different actions, more than the {MAX_ACTIONS} that can be taught here: "
            "wrap it so that fewer are offered"
        )


def _obs_parts(space: spaces.Space[Any], path: tuple[str | int, ...] = ()) -> list[ObservationPart]:
    """The parts that can be laid flat; others (texts, graphs) are left out."""
    if isinstance(space, spaces.Dict):
        return [leaf for key, part in space.spaces.items() for leaf in _obs_parts(part, (*path, key))]
    if isinstance(space, spaces.Tuple):
        return [leaf for i, part in enumerate(space.spaces) for leaf in _obs_parts(part, (*path, i))]
    flat: spaces.Space[Any] = space
    with suppress(NotImplementedError):
        flat = spaces.flatten_space(space)
    if not isinstance(flat, spaces.Box) or isinstance(space, spaces.Text):
        return []
    picture = isinstance(space, spaces.Box) and space.dtype == np.uint8 and _is_picture(space.shape)
    return [ObservationPart(path, space, int(np.prod(flat.shape)), 1 / 255 if picture else 1.0)]


def _is_picture(shape: tuple[int, ...]) -> bool:
    """As Stable-Baselines3 tells pictures from small grids of codes: at least 36 pixels each way."""
    return len(shape) in (2, 3) and sorted(shape)[-2] >= 36


def _checked_obs_parts(id: str, space: spaces.Space[Any]) -> tuple[ObservationPart, ...]:
    leaves = tuple(_obs_parts(space))
    size = sum(leaf.size for leaf in leaves)
    if size == 0:
        raise ExternalWorldError(
            f"{id} shows observations of {type(space).__name__}, which can't be laid flat into numbers: "
            "wrap it so that they are Box, Discrete, MultiDiscrete, or Dict or Tuple of these"
        )
    if size > MAX_OBS_SIZE:
        raise ExternalWorldError(
            f"{id} shows {size} numbers a step, more than the {MAX_OBS_SIZE} taken here: "
            "wrap it so that it shows features or small pictures"
        )
    return leaves


def _axes(space: spaces.Box, keymap: KeyMap) -> tuple[str, ...]:
    size = int(np.prod(space.shape))
    return keymap.actions if len(keymap.actions) == size else tuple(f"axis {i}" for i in range(size))


def _checked_keys(
    id: str, keymap: KeyMap, space: spaces.Discrete[Any] | spaces.Box
) -> tuple[Mapping[str, Any], int]:
    """The keys, if each stands for an action that exists; and the action of no key."""
    keys: dict[str, Any] = {}
    for key, action in keymap.keys.items():
        if isinstance(space, spaces.Discrete):
            fits = isinstance(action, int) and 0 <= action < int(space.n)
            wanted = f"a number from 0 to {int(space.n) - 1}"
        else:
            fits = isinstance(action, list | tuple) and len(action) == int(np.prod(space.shape))
            wanted = f"a list of {int(np.prod(space.shape))} numbers"
        if not fits:
            raise ExternalWorldError(f"key {key!r} of {id} is set to {action!r}: it must be {wanted}")
        keys[key] = tuple(float(x) for x in action) if isinstance(action, list | tuple) else action
    idle = keys.get("", 0)
    return keys, idle if isinstance(idle, int) else 0
