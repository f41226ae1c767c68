"""The quick likelihood of linear rewards says what losses.choice says, for any choices."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.feedback.choices import (
    CHOICE_KINDS,
    Choice,
    Option,
    PackedChoices,
    choices_from_comparison,
    pack_choices,
)
from agents.feedback.records import Comparison
from agents.rewards.base import choices_loss
from agents.rewards.choice_likelihood import ERROR_RATE_PRIOR, ERROR_RATES, LinearChoiceLikelihood
from agents.rewards.evidence import choice_log_likelihoods, tie_band
from envs.trajectory import Trajectory


def _option(random: np.random.Generator) -> Option:
    terms = random.standard_normal((1, 3)).astype(np.float32)
    seen = np.zeros((2, 1), np.float32)
    return Option(
        Trajectory("t", np.zeros((2, 0)), np.zeros(2, np.uint64), seen, np.zeros(1, np.int64), terms)
    )


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 4), min_size=1, max_size=6).map(lambda n: [*n, 2]))
def test_it_is_the_same_as_the_loss(seed: int, options: list[int]) -> None:
    random = np.random.default_rng(seed)
    choices = [
        Choice(
            CHOICE_KINDS[int(random.integers(len(CHOICE_KINDS)))],
            (*(_option(random) for _ in range(n - 1)), None if random.random() < 0.2 else _option(random)),
            error_rate=float(random.choice([np.nan, 0.3])),
        )
        for n in options
    ]
    packed = pack_choices(choices)
    weights = random.standard_normal((5, 3)).astype(np.float32) * 3.0
    trust = np.exp(random.standard_normal((5, len(CHOICE_KINDS)))).astype(np.float32)
    which = random.random(len(choices)) < 0.7
    which[-1] = True
    quick = LinearChoiceLikelihood(packed, packed.term_sums, 0.1, which)
    assert list(quick.choice_indices) == [i for i, n in enumerate(options) if n > 1 and which[i]]
    returns = torch.from_numpy(weights @ packed.term_sums.T)
    loss = choices_loss(returns, torch.from_numpy(trust), packed, 0.1).numpy()
    counts = random.random(len(quick)).astype(np.float32)
    found = quick.log_likelihood(weights, trust, counts)
    np.testing.assert_allclose(found, -(loss[:, quick.choice_indices] * counts).sum(1), rtol=2e-4, atol=1e-5)


ONE, TRUST = np.array([[1.0]], np.float32), np.ones((1, len(CHOICE_KINDS)), np.float32)
"""A weight of one, and answers as sharp as the reward says."""


def _of(raters: list[str | None]) -> LinearChoiceLikelihood:
    """Each rater chose of two clips the one that is worth log 3 more; the last of them the other one."""
    one, two = (_option(np.random.default_rng(seed)) for seed in (0, 1))
    told = [Choice("comparison", (one, two), rater=rater) for rater in raters[:-1]]
    packed = pack_choices([*told, Choice("comparison", (two, one), rater=raters[-1])])
    features = np.array([[np.log(3.0)], [0.0], [0.0]], np.float32)
    return LinearChoiceLikelihood(packed, features, 0.1, np.ones(len(raters), np.bool_))


def _likelihood(raters: list[str | None]) -> float:
    return float(_of(raters).log_likelihood(ONE, TRUST, np.ones(len(raters), np.float32))[0])


def test_choices_between_two_by_hand() -> None:
    along, against = 0.9 * 0.75 + 0.05, 0.9 * 0.25 + 0.05
    assert _likelihood([None, None]) == pytest.approx(np.log(along * against), rel=1e-5)


def test_the_care_of_raters_is_summed_out_by_hand() -> None:
    along, against = (
        (1.0 - ERROR_RATES) * 0.75 + ERROR_RATES / 2,
        (1.0 - ERROR_RATES) * 0.25 + ERROR_RATES / 2,
    )
    assert _likelihood(["a", "a", "a"]) == pytest.approx(
        np.log(ERROR_RATE_PRIOR @ (along**2 * against)), rel=1e-5
    )
    two = np.log(ERROR_RATE_PRIOR @ along**2) + np.log(ERROR_RATE_PRIOR @ against)
    assert _likelihood(["a", "a", "b"]) == pytest.approx(two, rel=1e-5)
    beside = np.log(ERROR_RATE_PRIOR @ along) + np.log(0.9 * 0.75 + 0.05) + np.log(0.9 * 0.25 + 0.05)
    assert _likelihood([None, "a", None]) == pytest.approx(beside, rel=1e-5)
    assert sum(ERROR_RATE_PRIOR) == pytest.approx(1.0)


def _tied(*, is_tie: bool) -> PackedChoices:
    """One of two clips is worth 1 more: it was chosen, or both were called the same."""
    better, worse = (_option(np.random.default_rng(seed)) for seed in (0, 1))
    ranks = (0, 0) if is_tie else (0, 1)
    return pack_choices(choices_from_comparison(Comparison((better.steps, worse.steps), ranks)))


def test_a_tie_is_an_outcome_of_its_own_by_hand() -> None:
    """Band 0.4: P(better) = 1 / (1 + exp(-1 + 0.4)), P(worse) = 1 / (1 + exp(1 + 0.4)), a tie the rest."""
    features, band = np.array([[1.0], [0.0], [0.0]], np.float32), np.array([0.4], np.float32)
    said = [
        LinearChoiceLikelihood(packed, features[: len(packed.term_sums)], 0.0, np.ones(len(packed), np.bool_))
        for packed in (_tied(is_tie=False), _tied(is_tie=True))
    ]
    better, tie = (one.intended_probability(ONE, TRUST, band)[0] for one in said)
    assert better == pytest.approx([0.645656], abs=1e-5)
    assert tie == pytest.approx([0.156528] * 2, abs=1e-5)  # both rows of a tie, each of half a weight
    worse = 1.0 / (1.0 + np.exp(1.4))
    assert better[0] + worse + tie[0] == pytest.approx(1.0, abs=1e-5)


@given(st.floats(-3.0, 3.0), st.booleans())
def test_the_evidence_counts_ties_as_the_sampler_does(gap: float, is_tie: bool) -> None:
    packed = _tied(is_tie=is_tie)
    features = np.array([[gap], [0.0], [0.0]])
    band = np.array([tie_band(packed)], np.float32)
    quick = LinearChoiceLikelihood(packed, features.astype(np.float32), 0.1, np.ones(len(packed), np.bool_))
    counts = packed.weight.astype(np.float32)
    found = quick.log_likelihood(ONE, TRUST, counts, band)
    each = choice_log_likelihoods(packed, features[:, 0], TRUST[0].astype(np.float64), 0.1)
    assert found[0] == pytest.approx(float(each @ packed.weight), abs=1e-4)
