"""A world in several units: the same point on a line, seen plainly, at an offset, or in mixed units."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

UNITS = {
    "plain": (np.array([1.0, 1.0, 1.0]), np.zeros(3)),
    "offset": (np.array([1.0, 1.0, 1.0]), np.array([1000.0, 1000.0, 1000.0])),
    "mixed": (np.array([1000.0, 0.001, 1.0]), np.zeros(3)),
}
"""By name: the factor and the offset of each number observed."""


class Units(gymnasium.Env[NDArray[np.float32], np.int64]):
    """A point between -1 and 1 is to be brought to a goal by pushing it left or right, or by waiting.

    It sees where it is, where the goal is, and how fast it goes; the reward is minus the distance.
    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(self, unit: str = "plain", pay: float = 1.0) -> None:
        """pay: what a unit of distance costs."""
        self.factor, self.offset = UNITS[unit]
        self.pay = pay
        self.observation_space = spaces.Box(-np.inf, np.inf, (3,), np.float32)
        self.action_space = spaces.Discrete(3)

    def _obs(self) -> NDArray[np.float32]:
        seen = np.array([self.at, self.goal, self.speed])
        return np.asarray(seen * self.factor + self.offset, np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[NDArray[np.float32], Any]:
        super().reset(seed=seed)
        self.at, self.goal = self.np_random.uniform(-1, 1, 2)
        self.speed, self.clock = 0.0, 0
        return self._obs(), {}

    def step(self, action: np.int64) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        self.speed = 0.6 * self.speed + 0.04 * (int(action) - 1)
        self.at = float(np.clip(self.at + self.speed, -1.5, 1.5))
        self.clock += 1
        return self._obs(), -self.pay * abs(self.at - self.goal), False, self.clock >= 60, {}


def drive(obs: NDArray[Any], unit: str) -> int:
    """A good driver of it: towards the goal, braking near it."""
    factor, offset = UNITS[unit]
    at, goal, speed = (np.asarray(obs[:3], np.float64) - offset) / factor
    wanted = goal - at - 1.5 * speed
    return int(1 + (wanted > 0.04) - (wanted < -0.04))


for unit in UNITS:
    gymnasium.register(
        f"units/{unit.title()}-v0", entry_point=Units, max_episode_steps=60, kwargs={"unit": unit}
    )
