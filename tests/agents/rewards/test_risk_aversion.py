"""What practice is paid by: the mean of what is believed, less what is not sure; by hand."""

from __future__ import annotations

import numpy as np
import pytest

from agents.rewards.linear import LinearReward
from agents.rewards.linear_prior import LinearRewardConfig
from agents.rewards.risk_aversion import (
    RiskAversion,
    counts_beyond_usual,
    is_credibly_better,
    risk_adjusted_return,
    risk_adjusted_weights,
)

ONE = np.array([[1.3], [-0.3]])  # mean 0.5, deviation 0.8
NOTHING = np.zeros(1)
ALL, MORE = RiskAversion(), RiskAversion(penalise_deficits=False)


def test_little_of_what_is_unsure_still_pays_and_much_of_it_costs() -> None:
    # mean 0.5, variance 0.64; with n of it: 0.5 - 0.64 n / sqrt(0.64 n^2 + 0.5^2)
    assert risk_adjusted_weights(ONE, np.array([0.0]), NOTHING, ALL)[0] == pytest.approx(0.5)
    assert risk_adjusted_weights(ONE, np.array([1.0]), NOTHING, ALL)[0] == pytest.approx(
        0.5 - 0.64 / np.sqrt(0.89)
    )
    assert risk_adjusted_weights(ONE, np.array([10.0]), NOTHING, ALL)[0] == pytest.approx(
        0.5 - 6.4 / np.sqrt(64.25)
    )
    assert risk_adjusted_return(ONE, np.array([10.0]), NOTHING, ALL) == pytest.approx(5.0 - np.sqrt(64.25))
    assert risk_adjusted_weights(ONE, np.array([10.0]), NOTHING, RiskAversion(deviations=0.0))[
        0
    ] == pytest.approx(0.5)
    at_ease = RiskAversion(tolerance=6.0)  # 6.4 / sqrt(64 + 36)
    assert risk_adjusted_weights(ONE, np.array([10.0]), NOTHING, at_ease)[0] == pytest.approx(0.5 - 0.64)
    assert risk_adjusted_return(ONE, np.array([10.0]), NOTHING, at_ease) == pytest.approx(5.0 - 10.0)


def test_what_is_surely_better_gains_half_a_deviation() -> None:
    # one more is worth 0.5 +- 0.8 = 0.625 deviations more, whatever both have of it
    for both in (0.0, 50.0):
        more, less = np.array([both + 1.0]), np.array([both])
        assert is_credibly_better(ONE, more, less, 0.5)
        assert not is_credibly_better(ONE, more, less, 0.7)
        assert not is_credibly_better(ONE, less, more, 0.5)
        assert not is_credibly_better(ONE, more, more, 0.5)
    model = LinearReward(
        np.ones(1, np.float32), np.ones(1, np.bool_), 5, LinearRewardConfig(min_gain_deviations=0.7)
    )
    assert model.is_credibly_better(
        NOTHING, np.ones(1, np.float32)
    )  # nothing is believed yet, so nothing is in doubt
    model.samples = np.repeat(ONE, 5, 0).astype(np.float32)
    assert not model.is_credibly_better(np.ones(1, np.float32), NOTHING)


def test_more_of_what_people_chose_is_no_cause_for_doubt() -> None:
    covariance = np.diag([4.0, 1.0])
    np.testing.assert_allclose(counts_beyond_usual([6.0, 2.0], [3.0, 1.0], covariance), 0.0)
    # the multiple c of (1, 0) nearest to (6, 2) is 6: what is left is the second term
    np.testing.assert_allclose(counts_beyond_usual([6.0, 2.0], [1.0, 0.0], covariance), [0.0, 2.0])
    np.testing.assert_allclose(counts_beyond_usual([-6.0, 2.0], [1.0, 0.0], covariance), [-6.0, 2.0])
    np.testing.assert_allclose(counts_beyond_usual([6.0, 2.0], [0.0, 0.0], covariance), [6.0, 2.0])


def test_what_was_driven_and_what_was_preferred_may_be_mixed() -> None:
    covariance = np.diag([4.0, 1.0, 1.0])
    both = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    np.testing.assert_allclose(
        counts_beyond_usual([6.0, 2.0, 3.0], both, covariance), [0.0, 0.0, 3.0], atol=1e-9
    )
    np.testing.assert_allclose(counts_beyond_usual([1.0, 1.0, 0.0], both[1:], covariance), 0.0, atol=1e-9)
    # two of the second less one of the first would do, but c >= 0: (4 + 2) / 5 of the second alone
    np.testing.assert_allclose(
        counts_beyond_usual([1.0, 2.0, 0.0], both, covariance), [-0.2, 0.8, 0.0], atol=1e-9
    )
    nothing = np.zeros((2, 3))
    np.testing.assert_allclose(counts_beyond_usual([6.0, 2.0, 3.0], nothing, covariance), [6.0, 2.0, 3.0])


def test_on_terms_only_doing_more_of_something_than_people_chose_is_in_doubt() -> None:
    covariance = np.diag([4.0, 1.0])
    # c = (6 * 4 * 3 + 1 * 1 * 1) / (3 * 4 * 3 + 1) = 73 / 37: more than 3 c of the first, less than 1 c
    np.testing.assert_allclose(
        counts_beyond_usual([6.0, 1.0], [3.0, 1.0], covariance, penalise_deficits=False), [6 - 219 / 37, 0.0]
    )
    samples = np.array([[2.5, 1.3], [-1.5, -0.3]])  # means 0.5 and 0.5, deviations 2 and 0.8, together
    weights = risk_adjusted_weights(samples, [0.0, 10.0], [1.0, 0.0], MORE)
    # c = 10 * 1.6 / 4 = 4, and none of the first is done: less than 4 c, so only the second is in doubt
    assert weights[0] == pytest.approx(0.5)
    assert weights[1] == pytest.approx(0.5 - 6.4 / np.sqrt(64.25))
    assert risk_adjusted_return(samples, [0.0, 10.0], [1.0, 0.0], MORE) == pytest.approx(5 - np.sqrt(64.25))


def test_the_weights_are_the_slope_of_the_sure_return() -> None:
    random = np.random.default_rng(0)
    samples, counts, usual = random.normal(size=(40, 3)), random.normal(size=3), np.array([1.0, 0.5, 0.0])
    weights, small = risk_adjusted_weights(samples, counts, usual, ALL), 1e-5
    for term in range(3):
        step = small * np.eye(3)[term]
        rise = [risk_adjusted_return(samples, counts + side * step, usual, ALL) for side in (1, -1)]
        assert weights[term] == pytest.approx((rise[0] - rise[1]) / (2 * small), abs=1e-4)


def test_an_agent_on_terms_shuns_what_nobody_chose_while_it_is_in_doubt_and_nothing_else() -> None:
    model = LinearReward(np.array([1.0, 0.0], np.float32), np.ones(2, np.bool_), 5, LinearRewardConfig())
    often, some = np.array([2.0, 40.0], np.float32), np.array([1.0, 0.0], np.float32)
    assert model.risk_adjusted_return(often, some) is None
    np.testing.assert_array_equal(model.risk_adjusted_arrays(often, some).weights, model.arrays().weights)
    model.samples = np.repeat([[2.0, 0.5], [0.0, -0.3]], 5, 0).astype(np.float32)  # the second 0.1 +- 0.4
    model.weights = model.samples.copy()
    paid = model.risk_adjusted_arrays(often, some).weights.mean(0)
    assert paid[0] == pytest.approx(1.0)
    assert paid[1] < 0.0
    worth = model.risk_adjusted_return(often, some)
    assert worth is not None
    assert worth < 0.0
    paid = model.risk_adjusted_arrays(often, np.array([0.0, 1.0], np.float32)).weights.mean(
        0
    )  # where people chose it
    assert paid[1] == pytest.approx(0.1, abs=1e-4)
