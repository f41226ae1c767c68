"""A Gymnasium id of somebody else's as a Task: its spaces made flat, its own reward as the true reward.

Episodes that end early would teach a learned reward that ending is good or bad in itself. So every
episode lasts the horizon: after an early end the world stays in an absorbing moment, in which the
observation is all zeros but for one extra number, `ended`, that is 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from envs.external.external_errors import call_external
from envs.world import OBS_BOUND, Task

REWARD, HAS_ENDED = 0, 1
TRUE_TERM = "true reward"
"""The name of the term that holds what is truly wanted, where that isn't the world's own reward."""
Judge = Callable[[dict[str, Any], Any, Any, Any], float]
"""(info, obs, action, next obs) of a step, all as the world gives them -> its true reward."""
OWN_OPTIONS = ("info_terms", "true_reward")
"""Options of a task of somebody else's world that aren't keywords of the environment."""
ORDER_ONE, MAX_TOLD_RANGE = OBS_BOUND, 1_000.0
"""Bounds within which numbers are left as they are; wider ones than the second tell nothing of a scale."""


def env_keywords(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a task's options that go to the environment."""
    return {name: value for name, value in options.items() if name not in OWN_OPTIONS}


@dataclass(frozen=True)
class ActionTable:
    """A finite action space counted through: number i stands for the space's own action table[i]."""

    actions: tuple[Any, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class ObservationPart:
    """A part of an observation that is neither Dict nor Tuple, and how to come to it."""

    path: tuple[str | int, ...]
    space: spaces.Space[Any]
    size: int
    scale: float = 1.0

    def flat(self, obs: Any) -> NDArray[np.float32]:
        """Its numbers, float32 [size]; pictures come as 0..1."""
        for step in self.path:
            obs = obs[step]
        numbers = np.asarray(spaces.flatten(self.space, obs), np.float32).ravel()
        return numbers if self.scale == 1.0 else numbers * np.float32(self.scale)

    def ranges(self) -> NDArray[np.float32]:
        """How far each number may vary [size]: 0 if it is of order one, infinity if nobody says."""
        if not isinstance(self.space, spaces.Box) or self.scale != 1.0:
            return np.zeros(self.size, np.float32)  # one-hot, counted from 0, or a picture
        low, high = (np.asarray(b, np.float64).ravel() for b in (self.space.low, self.space.high))
        apart = high - low
        small = (np.abs(low) <= ORDER_ONE) & (np.abs(high) <= ORDER_ONE) & (apart > 0.1)
        told = np.where(apart <= MAX_TOLD_RANGE, apart, np.inf)
        return np.where(small, 0.0, told).astype(np.float32)

    def names(self) -> list[str]:
        """A name for each number."""
        head = ".".join(str(step) for step in self.path)
        if self.size == 1 and head:
            return [head]
        return [f"{head}.{i}" if head else f"o{i}" for i in range(self.size)]


@dataclass(frozen=True, kw_only=True)
class ExternalTask(Task):
    """A Task whose world has no kernel and no states (K = 0): `envs.external.external_simulation` runs it.

    env_id: its name in Gymnasium's registry. obs_parts: the parts of its observation that are laid flat, in
    order. env_action_space: the space as the world declares it. action_table: for finite actions, what each
    number means to the world; None for Box. can_render: whether it can draw itself.
    """

    env_id: str
    obs_parts: tuple[ObservationPart, ...]
    env_action_space: spaces.Space[Any]
    action_table: ActionTable | None
    can_render: bool
    info_terms: tuple[str, ...] = ()
    """Numbers of `info` that are named terms beside its reward and its end."""
    judge: Judge | None = None
    """What is truly wanted of a step; None: its own reward."""

    @property
    def names_terms(self) -> bool:
        """Only where numbers of `info` are: else its one term is its own reward."""
        return bool(self.info_terms)

    @property
    def default_prior(self) -> Literal["written", "none"]:
        """Nothing: else a learner would know what it is to be taught."""
        return "none"

    @property
    def hidden_terms(self) -> frozenset[str]:
        return frozenset() if self.judge is None else frozenset({TRUE_TERM})

    @property
    def is_costly(self) -> bool:
        return True

    @property
    def ends_early(self) -> bool:
        return True

    @property
    def draws_itself(self) -> bool:
        return True

    @property
    def can_be_shown(self) -> bool:
        return self.can_render

    @property
    def obs_images(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        starts = np.cumsum([0, *(part.size for part in self.obs_parts)])
        return tuple(
            (int(start), part.space.shape)
            for start, part in zip(starts, self.obs_parts, strict=False)
            if part.space.dtype == np.uint8 and part.space.shape is not None and len(part.space.shape) == 3
        )

    @property
    def obs_ranges(self) -> NDArray[np.float32] | None:
        ranges = np.concatenate([*(part.ranges() for part in self.obs_parts), np.zeros(1, np.float32)])
        return ranges if ranges.any() else None

    def make_env(self) -> gymnasium.Env[Any, Any]:
        """A fresh environment, able to draw itself if it ever can."""
        mode: dict[str, Any] = {"render_mode": "rgb_array"} if self.can_render else {}
        env = call_external(
            self.id,
            "when it was made",
            lambda: gymnasium.make(
                self.env_id, disable_env_checker=True, **mode, **env_keywords(self.options)
            ),
        )
        config = getattr(env.unwrapped, "config", None)
        if isinstance(config, dict) and "offscreen_rendering" in config:
            config["offscreen_rendering"] = True  # else highway-env takes over the window that is open
        return env

    def env_action(self, action: Any) -> Any:
        """Our action (a number, or float32 [C]) as the world wants it."""
        if self.action_table is not None:
            return self.action_table.actions[int(action)]
        box = cast(spaces.Box, self.env_action_space)
        flat = np.clip(np.asarray(action, np.float64), box.low.ravel(), box.high.ravel())
        whole = np.issubdtype(box.dtype, np.integer)
        return (np.rint(flat) if whole else flat).reshape(box.shape).astype(box.dtype)

    def flat_observations(self, observation: Any) -> tuple[NDArray[np.float32], bool]:
        sizes = [part.space.shape for part in self.obs_parts]
        batch = len(sizes) == 1 and np.ndim(observation) == len(sizes[0] or ()) + 1
        rows = list(observation) if batch else [observation]
        flat = np.stack([np.append(self.flat_obs(row), np.float32(0.0)) for row in rows])
        return flat.astype(np.float32), not batch

    def flat_obs(self, obs: Any) -> NDArray[np.float32]:
        """The world's observation as float32 [D - 1], without our `ended`."""
        return np.concatenate([leaf.flat(obs) for leaf in self.obs_parts])
