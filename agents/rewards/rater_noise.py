"""How careful each of several raters is, judged by what the others' answers foretell of theirs.

For rewards whose posterior is a Gaussian over weights of features. A reward that is flexible explains also
what was answered at random, so nobody is judged by a fit to their own answers. Error rates are estimated
beside what is true, by turns (Dawid and Skene 1979).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agents.feedback.choices import PackedChoices
from agents.rewards.choice_likelihood import ERROR_RATE_PRIOR, ERROR_RATES, UNKNOWN_RATER_ERROR_RATE

Float64 = NDArray[np.float64]
Solve = Callable[[PackedChoices], tuple[Float64, Float64]]
"""choices -> the weights [F] that they lead to, and their covariance [F, F]."""


def with_prior_error_rate(packed: PackedChoices) -> PackedChoices:
    """The same, while nothing is known of those whose care is to be judged."""
    return replace(
        packed,
        error_rate=np.where(packed.rater >= 0, np.float32(UNKNOWN_RATER_ERROR_RATE), packed.error_rate),
    )


def with_estimated_error_rates(
    packed: PackedChoices, features: Float64, rationality: Float64, solve: Solve
) -> PackedChoices:
    """The same, with each judged rater's share of accidents as their answers to pairs tell it.

    features [S + 1, F] of each option; rationality [B]: each choice's.
    """
    noise = packed.error_rate.copy()
    for who in np.unique(packed.rater[packed.rater >= 0]):
        own = packed.rater == who
        weights, covariance = solve(replace(packed, weight=np.where(own, 0.0, packed.weight)))
        pairs = np.flatnonzero(own & (packed.mask.sum(1) == 2))
        first, second = packed.option_index[pairs, 0], packed.option_index[pairs, 1]
        gaps = (features[first] - features[second]) * rationality[pairs, None]
        noise[own] = posterior_error_rate(
            predictive_probability(gaps, weights, covariance), packed.weight[pairs]
        )
    return replace(packed, error_rate=noise)


def predictive_probability(gaps: Float64, weights: Float64, covariance: Float64) -> Float64:
    """P of each answer [N] whose clips are that far apart [N, F], over what the weights may be.

    A logistic of a Gaussian, by MacKay 1992, "The evidence framework applied to classification
    networks", eq. 11: the nearer to one half the less is known.
    """
    variance = np.einsum("nf,fg,ng->n", gaps, covariance, gaps)
    return np.asarray(1.0 / (1.0 + np.exp(-gaps @ weights / np.sqrt(1.0 + np.pi / 8.0 * variance))))


def posterior_error_rate(probabilities: Float64, counts: NDArray[np.floating]) -> float:
    """The mean share of accidents of somebody whose answers were foretold with these chances [N]."""
    each = np.log((1.0 - ERROR_RATES) * probabilities[:, None] + ERROR_RATES / 2.0)
    log_post = np.log(ERROR_RATE_PRIOR) + (each * counts[:, None]).sum(0)
    post = np.exp(log_post - log_post.max())
    return float(post @ ERROR_RATES / post.sum())
