"""A grid of somebody else's: four rooms, a far goal, a carpet that costs, and nothing named."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

MAP = (
    "#########",
    "#S..#...#",
    "#.......#",
    "#..c#...#",
    "##.###.##",
    "#..c#...#",
    "#..c....#",
    "#...#..G#",
    "#########",
)
MOVES = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))


class FourRooms(gymnasium.Env[NDArray[np.float32], np.int64]):
    """200 steps always; +1 at the goal, then back to the start; a carpet costs 0.1.

    It sees a one-hot row and column [18], what lies around [8], carpet here, two numbers of the way to the
    goal, and the time: 30 numbers.
    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(self) -> None:
        self.observation_space = spaces.Box(-np.inf, np.inf, (30,), np.float32)
        self.action_space = spaces.Discrete(5)

    def _obs(self) -> NDArray[np.float32]:
        row, column = self.at
        around = [MAP[row + r][column + c] == "#" for r in (-1, 0, 1) for c in (-1, 0, 1) if r or c]
        seen = np.zeros(30, np.float32)
        seen[row], seen[9 + column] = 1.0, 1.0
        seen[18:26], seen[26] = around, MAP[row][column] == "c"
        seen[27:29], seen[29] = np.array([7 - row, 7 - column]) / 8, self.clock / 200
        return seen

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[NDArray[np.float32], Any]:
        super().reset(seed=seed)
        self.at, self.clock = (1, 1), 0
        return self._obs(), {}

    def step(self, action: np.int64) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        row, column = (a + b for a, b in zip(self.at, MOVES[int(action)], strict=True))
        if MAP[row][column] != "#":
            self.at = row, column
        self.clock += 1
        kind = MAP[self.at[0]][self.at[1]]
        reward = float(kind == "G") - 0.1 * (kind == "c")
        if kind == "G":
            self.at = (1, 1)
        return self._obs(), reward, False, self.clock >= 200, {}


gymnasium.register("rooms/FourRooms-v0", entry_point=FourRooms, max_episode_steps=200)
