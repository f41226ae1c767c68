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

from agents.feedback.choices import Packed
from agents.rewards.choice_likelihood import ERRORS, LIKELY, UNKNOWN_RATER_ERROR

Wide = NDArray[np.float64]
Solve = Callable[[Packed], tuple[Wide, Wide]]
"""choices -> the weights [F] that they lead to, and their covariance [F, F]."""


def with_prior_error_rate(packed: Packed) -> Packed:
    """The same, while nothing is known of those whose care is to be judged."""
    return replace(packed, noise=np.where(packed.rater >= 0, np.float32(UNKNOWN_RATER_ERROR), packed.noise))


def with_estimated_error_rates(packed: Packed, features: Wide, sharp: Wide, solve: Solve) -> Packed:
    """The same, with each judged rater's share of accidents as their answers to pairs tell it.

    features [S + 1, F] of each option; sharp [B]: each choice's.
    """
    noise = packed.noise.copy()
    for who in np.unique(packed.rater[packed.rater >= 0]):
        own = packed.rater == who
        weights, covariance = solve(replace(packed, weight=np.where(own, 0.0, packed.weight)))
        pairs = np.flatnonzero(own & (packed.mask.sum(1) == 2))
        first, second = packed.option[pairs, 0], packed.option[pairs, 1]
        gaps = (features[first] - features[second]) * sharp[pairs, None]
        noise[own] = mean_error_rate(predictive_probability(gaps, weights, covariance), packed.weight[pairs])
    return replace(packed, noise=noise)


def predictive_probability(gaps: Wide, weights: Wide, covariance: Wide) -> Wide:
    """P of each answer [N] whose clips are that far apart [N, F], over what the weights may be.

    A logistic of a Gaussian, by MacKay 1992, "The evidence framework applied to classification
    networks", eq. 11: the nearer to one half the less is known.
    """
    variance = np.einsum("nf,fg,ng->n", gaps, covariance, gaps)
    return np.asarray(1.0 / (1.0 + np.exp(-gaps @ weights / np.sqrt(1.0 + np.pi / 8.0 * variance))))


def mean_error_rate(likely: Wide, counts: NDArray[np.floating]) -> float:
    """The mean share of accidents of somebody whose answers were foretold with these chances [N]."""
    each = np.log((1.0 - ERRORS) * likely[:, None] + ERRORS / 2.0)
    log_post = np.log(LIKELY) + (each * counts[:, None]).sum(0)
    post = np.exp(log_post - log_post.max())
    return float(post @ ERRORS / post.sum())
