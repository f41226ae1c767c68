"""What is meant in a flat, as a weighted sum of terms and of what the last state is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.rooms.rooms_state_layout import BROKEN, DIRTIED, FORCED_DOORS, T_HOME
from envs.world import Array


@dataclass(frozen=True)
class RoomsTrueReward:
    """The wish of a task in Rooms: weights on terms, and a bonus that no sum of terms expresses.

    flawless is paid on coming to the end with nothing broken, dirtied or forced in the whole episode.
    """

    weights: NDArray[np.float32]
    flawless_bonus: float

    def __call__(self, before: Array, terms: Array, after: Array) -> NDArray[np.float32]:
        bonus = self.flawless_bonus * terms[:, T_HOME] * unspoiled(after)
        return np.asarray(terms @ self.weights + bonus, np.float32)


def unspoiled(states: Array) -> NDArray[np.bool_]:
    """Where nothing was broken, dirtied or forced so far; shape [N]."""
    return np.asarray(
        (states[:, BROKEN] == 0) & (states[:, DIRTIED] == 0) & (states[:, FORCED_DOORS] == 0), np.bool_
    )
