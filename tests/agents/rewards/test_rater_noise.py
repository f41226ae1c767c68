"""Each of several raters is judged by what the others' answers foretell of theirs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agents.feedback.choices import Choice, pack_choices
from agents.rewards import rater_noise
from agents.rewards.choice_likelihood import ERROR_RATE_PRIOR, ERROR_RATES, UNKNOWN_RATER_ERROR_RATE
from tests.agents.rewards.test_additive import _fitted, _pairs


def _said(answers: dict[str, int], useless: str = "") -> list[Choice]:
    """So many answers of each rater; those of the `useless` ones by chance."""
    random, found = np.random.default_rng(5), []
    for seed, (rater, count) in enumerate(answers.items()):
        for i, choice in enumerate(_pairs(count, seed)):
            turned = rater in useless and random.random() < 0.5
            options = choice.options[::-1] if turned else choice.options
            found.append(replace(choice, options=options, rater=rater, record_id=f"{rater}{i}"))
    return found


def test_what_is_foretold_by_hand() -> None:
    gaps, weights = np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([1.0, -1.0])
    sure = rater_noise.predictive_probability(gaps, weights, np.zeros((2, 2)))
    assert sure == pytest.approx([1 / (1 + np.exp(-2.0)), 1 / (1 + np.exp(1.0))])
    # the first gap's variance is 4 * 2 = 8: 2 / sqrt(1 + pi) = 0.9828
    doubtful = rater_noise.predictive_probability(gaps, weights, np.diag([2.0, 0.0]))
    assert doubtful == pytest.approx([1 / (1 + np.exp(-0.9828)), sure[1]], abs=1e-4)


def test_the_share_of_accidents_by_hand() -> None:
    assert rater_noise.posterior_error_rate(np.zeros(0), np.zeros(0)) == pytest.approx(
        UNKNOWN_RATER_ERROR_RATE
    )
    assert rater_noise.posterior_error_rate(np.full(9, 0.5), np.ones(9)) == pytest.approx(
        UNKNOWN_RATER_ERROR_RATE
    ), "who is foretold by chance tells nothing"
    post = (
        ERROR_RATE_PRIOR
        * ((1 - ERROR_RATES) * 0.9 + ERROR_RATES / 2) ** 3
        * ((1 - ERROR_RATES) * 0.2 + ERROR_RATES / 2)
    )
    assert rater_noise.posterior_error_rate(np.array([0.9, 0.9, 0.9, 0.2]), np.ones(4)) == pytest.approx(
        post @ ERROR_RATES / post.sum()
    )
    assert rater_noise.posterior_error_rate(np.full(12, 0.95), np.ones(12)) < 0.05
    assert rater_noise.posterior_error_rate(np.tile([0.95, 0.05], 6), np.ones(12)) > 0.9


def test_nobody_is_judged_by_a_fit_to_their_own_answers() -> None:
    packed = pack_choices(_said({"a": 4, "b": 4}))
    weights = []

    def solve(some):  # type: ignore[no-untyped-def]
        weights.append(some.weight)
        return np.zeros(2), np.eye(2)

    rater_noise.with_estimated_error_rates(
        packed, np.zeros((len(packed.term_sums), 2)), np.ones(len(packed)), solve
    )
    assert [w.tolist() for w in weights] == [[0.0] * 4 + [1.0] * 4, [1.0] * 4 + [0.0] * 4]


def test_a_net_finds_who_answers_by_chance_and_learns_from_the_others() -> None:
    answers, tried = dict.fromkeys("abcd", 30), _pairs(300, 77)
    pool = _fitted(_said(answers, useless="cd"))
    trusting = _fitted([replace(choice, rater=None) for choice in _said(answers, useless="cd")])
    careful = _fitted(_said(dict.fromkeys("ab", 30)))
    found = [reward.agreement(pack_choices(tried)) for reward in (trusting, pool, careful)]
    assert found[0] + 0.1 < found[1] > found[2] - 0.1
