"""What practice is paid by: the mean of what is believed, less what is not sure; by hand."""

from __future__ import annotations

import numpy as np
import pytest

from agents.reward_model import RewardConfig, RewardModel
from agents.robust import excess, sure_return, sure_weights

ONE = np.array([[1.3], [-0.3]])  # mean 0.5, deviation 0.8
NOTHING = np.zeros(1)


def test_little_of_what_is_unsure_still_pays_and_much_of_it_costs() -> None:
    # mean 0.5, variance 0.64; with n of it: 0.5 - 0.64 n / sqrt(0.64 n^2 + 0.5^2)
    assert sure_weights(ONE, np.array([0.0]), NOTHING, 1.0)[0] == pytest.approx(0.5)
    assert sure_weights(ONE, np.array([1.0]), NOTHING, 1.0)[0] == pytest.approx(0.5 - 0.64 / np.sqrt(0.89))
    assert sure_weights(ONE, np.array([10.0]), NOTHING, 1.0)[0] == pytest.approx(0.5 - 6.4 / np.sqrt(64.25))
    assert sure_return(ONE, np.array([10.0]), NOTHING, 1.0) == pytest.approx(5.0 - np.sqrt(64.25))
    assert sure_weights(ONE, np.array([10.0]), NOTHING, 0.0)[0] == pytest.approx(0.5)


def test_more_of_what_people_chose_is_no_cause_for_doubt() -> None:
    covariance = np.diag([4.0, 1.0])
    np.testing.assert_allclose(excess([6.0, 2.0], [3.0, 1.0], covariance), 0.0)
    # the multiple c of (1, 0) nearest to (6, 2) is 6: what is left is the second term
    np.testing.assert_allclose(excess([6.0, 2.0], [1.0, 0.0], covariance), [0.0, 2.0])
    np.testing.assert_allclose(excess([-6.0, 2.0], [1.0, 0.0], covariance), [-6.0, 2.0])
    np.testing.assert_allclose(excess([6.0, 2.0], [0.0, 0.0], covariance), [6.0, 2.0])


def test_the_weights_are_the_slope_of_the_sure_return() -> None:
    random = np.random.default_rng(0)
    samples, counts, usual = random.normal(size=(40, 3)), random.normal(size=3), np.array([1.0, 0.5, 0.0])
    weights, small = sure_weights(samples, counts, usual, 1.0), 1e-5
    for term in range(3):
        step = small * np.eye(3)[term]
        rise = [sure_return(samples, counts + side * step, usual, 1.0) for side in (1, -1)]
        assert weights[term] == pytest.approx((rise[0] - rise[1]) / (2 * small), abs=1e-4)


def test_on_terms_an_agent_is_judged_by_the_mean_and_shuns_no_doubt() -> None:
    model = RewardModel(np.array([1.0, 0.0], np.float32), np.ones(2, np.bool_), 5, RewardConfig())
    often, nothing = np.array([0.0, 40.0], np.float32), np.zeros(2, np.float32)
    assert model.sure_return(often, nothing) is None
    model.samples = np.repeat([[1.0, 0.5], [1.0, -0.3]], 5, 0).astype(np.float32)
    model.weights = model.samples.copy()
    assert model.sure_return(often, nothing) == pytest.approx(4.0)
    np.testing.assert_array_equal(model.sure(often, nothing).weights, model.arrays().weights)
