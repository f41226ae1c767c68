"""Numbers that only tell how long it has been make no difference between moments."""

from __future__ import annotations

import numpy as np

from agents.imitation.dataset import elapsing_inputs, limit_idle_steps, static_steps
from envs.trajectory import Trajectory


def test_numbers_that_only_tell_the_time_are_no_difference() -> None:
    time, place = np.arange(11) / 60, np.array([0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3], float)
    seen = np.stack([time, place], 1).astype(np.float32)
    drive = Trajectory(
        task="toy",
        states=np.zeros((11, 1), np.int16),
        rng=np.zeros(11, np.uint64),
        observations=seen,
        actions=np.array([1, 1, 1, 0, 0, 2, 2, 0, 0, 0]),
        terms=np.zeros((10, 1), np.float32),
        driver="person",
    )
    shown = ~elapsing_inputs([drive])
    assert shown.tolist() == [False, True]
    static = static_steps([drive], shown)
    assert static.tolist() == [False] * 3 + [True] * 7
    kept = limit_idle_steps(seen[:-1, shown], drive.actions, idle_action=0, is_static=static)
    assert kept.tolist() == [True] * 6 + [False] * 4  # who leans on a wall rests too
