"""The mean of a Gaussian clipped to a box, against sampling it and against cases known by hand."""

from __future__ import annotations

import numpy as np

from agents.evaluation.oracle import act_function
from agents.policies.clipped_gaussian import clipped_mean
from agents.policies.policy_arrays import PolicyArrays

LOW, HIGH = np.array([-1.0, -2.0], np.float32), np.array([1.0, 0.5], np.float32)


def test_it_is_the_mean_of_clipped_samples() -> None:
    random = np.random.default_rng(0)
    mean = np.array([[0.0, 0.0], [0.9, 0.4], [-3.0, 1.5], [0.2, -1.9]], np.float32)
    deviation = np.array([0.9, 0.6], np.float32)
    drawn = np.clip(mean + deviation * random.standard_normal((400_000, 1, 2)), LOW, HIGH).mean(axis=0)
    np.testing.assert_allclose(clipped_mean(mean, deviation, LOW, HIGH), drawn, atol=0.006)


def test_by_hand() -> None:
    one = np.ones(1, np.float32)
    zero = clipped_mean(0 * one[None], one, -one, one)
    assert abs(float(zero[0, 0])) < 1e-6, "even about the middle of the box"
    at_edge = float(clipped_mean(one[None], one, -one, one)[0, 0])
    # Z standard normal: P(Z > 0) - P(Z < -2) + P(-2 < Z < 0) - (density(0) - density(-2))
    assert abs(at_edge - (0.5 - 0.02275 + 0.47725 - (0.39894 - 0.05399))) < 1e-4
    assert float(clipped_mean(9 * one[None], one, -one, one)[0, 0]) == 1.0
    assert abs(float(clipped_mean(0.3 * one[None], 1e-3 * one, -one, one)[0, 0]) - 0.3) < 1e-6


def test_the_surest_action_of_a_gaussian_policy_is_that_mean() -> None:
    layer = np.zeros((3, 2), np.float32), np.array([2.0, 0.0], np.float32)
    policy = PolicyArrays((layer,), "gaussian", np.zeros(2, np.float32), LOW, HIGH)
    obs = np.zeros((5, 3), np.float32)
    wanted = clipped_mean(np.tile(layer[1], (5, 1)), np.ones(2, np.float32), LOW, HIGH)
    assert np.array_equal(act_function(policy, deterministic=True)(obs), wanted)
    assert (policy.act(obs)[:, 0] == 1.0).all()
    assert (wanted[:, 0] < 0.95).all()
