"""Actions by chance, for an agent that has no policy yet."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.world import Task


def random_actions(task: Task, rows: int, random: np.random.Generator) -> NDArray[Any]:
    """Uniform actions [N] or [N, C]; where a bound is infinite, from -1 to 1."""
    space = task.world.action_space
    if hasattr(space, "n"):
        return random.integers(0, int(space.n), rows)
    low = np.where(np.isfinite(space.low), space.low, -1.0)
    high = np.where(np.isfinite(space.high), space.high, 1.0)
    return random.uniform(low, high, (rows, *low.shape)).astype(np.float32)
