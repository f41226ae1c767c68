"""What clips lead to under the best of several policies, and chains that begin at every peak."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agents.feedback.choices import Choice, Future, Option, pack_choices
from agents.rewards.best_future import BestFuture, best_future_worth
from agents.rewards.slice_sampler import annealed_start, sample_chains
from envs.trajectory import Trajectory


def clip(*terms: float) -> Trajectory:
    """One step in which these terms are counted."""
    return Trajectory(
        task="toy",
        states=np.zeros((2, 1), np.int16),
        rng=np.zeros(2, np.uint64),
        observations=np.zeros((2, 1), np.float32),
        actions=np.zeros(1, np.int64),
        terms=np.array([terms], np.float32),
        driver="person",
    )


def two_policies() -> Future:
    """At the end one policy meets (3, 0) and the other (0, 2); at the start (1, 0) and (0, 1)."""
    end, start = np.array([[3.0, 0.0], [0.0, 2.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    return Future(np.zeros(2, np.float32), by_policy=(end.astype(np.float32), start.astype(np.float32)))


def test_the_best_policy_depends_on_the_reward() -> None:
    weights = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], np.float32)
    # by hand: 3 - 1; 2 - 1; the best of (-3, -2) less the best of (-1, -1)
    assert best_future_worth(two_policies(), weights).tolist() == [2.0, 1.0, -1.0]
    assert best_future_worth(None, weights).tolist() == [0.0, 0.0, 0.0]


def test_options_count_it_by_the_share_of_who_answers() -> None:
    ahead, plain = Option(clip(0.0, 0.0), future=two_policies()), Option(clip(1.0, 0.0))
    choice = Choice("comparison", (ahead, plain), rater="ann")
    packed = pack_choices([choice, replace(choice, options=(plain, ahead), rater="ben")])
    best = BestFuture(packed, np.array([2.0, 1.0], np.float32))
    assert best
    worth = best(np.array([[2.0, 0.0]], np.float32), np.array([[0.5, 0.25]], np.float32))
    # a weight of 2 per usual amount 2 is 1 for each; the option counts for whom it was packed last
    assert worth.tolist() == [[pytest.approx(0.25 * 2.0), 0.0, 0.0]]
    assert not BestFuture(pack_choices([Choice("comparison", (plain, plain))]), np.ones(2, np.float32))


def test_annealed_chains_find_the_greater_of_two_peaks() -> None:
    def log_likelihood(x):  # peaks at -2 and at 3, the second far out and exp(12) times as likely
        near = -0.5 * ((x[:, 0] + 2.0) / 0.1) ** 2
        far = 12.0 - 0.5 * ((x[:, 0] - 3.0) / 0.1) ** 2
        return np.logaddexp(near, far).astype(np.float32)

    def found(start, random):
        return float((sample_chains(log_likelihood, start, 40, 2, random)[0][:, 0] > 0.0).mean())

    random = np.random.default_rng(0)
    plain = found(random.standard_normal((48, 1), np.float32), random)
    particles = random.standard_normal((320, 1), np.float32)
    annealed = found(annealed_start(log_likelihood, particles, 6, random), random)
    # by hand: exp(12) times the ratio of the prior's densities, exp(-4.5 + 2), leaves the near peak nothing
    assert annealed > 0.99
    assert annealed > plain
