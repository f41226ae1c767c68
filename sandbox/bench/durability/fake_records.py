"""Records of a busy person, made of made-up numbers: nothing here learns from them or draws them."""

from __future__ import annotations

import numpy as np

from agents.feedback.records import Comparison, Correction, Demonstration, Evaluation, Record, Undo
from envs.trajectory import Trajectory
from sandbox.store import Provenance

ORIGIN = Provenance("rater-1", "0.1")


def trajectory(
    steps: int = 12, seed: int = 0, task: str = "teachbox/RoomsTidy-v0", wide: int = 4
) -> Trajectory:
    """Made-up numbers in the shape of a trajectory; `wide` observations, a little wider states."""
    random = np.random.default_rng(seed)
    return Trajectory(
        task=task,
        states=random.integers(0, 100, (steps + 1, wide + 3)).astype(np.int32),
        rng=random.integers(0, 2**63, steps + 1).astype(np.uint64),
        observations=random.random((steps + 1, wide), np.float32),
        actions=random.integers(0, 4, steps),
        terms=random.random((steps, 3), np.float32),
        driver="policy:3",
        options={"size": 9},
    )


def fake_record(number: int, target: str) -> Record:
    """The records of a busy person, of every kind in turn."""
    one, two = trajectory(20, seed=number), trajectory(30, seed=number + 1)
    kinds = (Demonstration(two), Evaluation(one, 1.0), Comparison((one, two), (0, 1)), Correction(one, two))
    return Undo(target) if number % 5 == 4 and target else kinds[number % 4]


def trajectory_count(record: Record) -> int:
    """How many trajectories belong to a record."""
    if isinstance(record, Undo):
        return 0
    return 1 if isinstance(record, Demonstration | Evaluation) else 2
