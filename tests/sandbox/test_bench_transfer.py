"""A reward moves to other layouts: what trains there is paid by it and by nothing else."""

from __future__ import annotations

import numpy as np

from agents.evaluation import scores
from agents.rewards.reward_arrays import RewardArrays
from sandbox.bench.learning.transfer import measure, trained
from tests.agents.toy import toy


def _by(*weights: float) -> float:
    """The wish per episode of a policy trained from nothing by a reward that is linear in the terms."""
    reward = RewardArrays(np.array([weights], np.float32))
    return scores.evaluate_policy(toy(), trained(toy(), reward, 4_000, seed=0)).mean


def test_a_fresh_policy_does_what_the_reward_says() -> None:
    wished, nothing, opposite = _by(1, -1, 0, 0), _by(0, 0, 0, 0), _by(-1, 1, 0, 0)
    assert wished > nothing + 5.0
    assert opposite < nothing - 1.0


def test_the_command_teaches_moves_and_scores() -> None:
    told: list[str] = []
    (line,) = measure(
        "teachbox/RoomsTidy-v0",
        "preferences",
        "net",
        8,
        1,
        quick=True,
        tell=lambda _, text: told.append(text),
    )
    assert told == ["seed 0: teaching", "seed 0: a fresh policy"]
    assert (line.comparisons, line.fresh_steps) == (8, 40 * 60)
    assert line.taught_score > line.fresh_score  # forty episodes teach nothing yet
