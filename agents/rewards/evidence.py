"""Choices explained by weights of features: a logistic regression, its uncertainty, and its hyperparameters.

The best weights under a Gaussian prior are found by Newton's method, and their posterior is the Gaussian
around them (Laplace's approximation). Three kinds of hyperparameters are re-estimated by turns with the
weights: how much each group of features matters (MacKay 1992, "Bayesian interpolation", eq. 4.5), how sharply
each kind of feedback chooses, and how careful each rater is.

B choices of C options, S options in all (the last row of the features is "nothing at all"), F features.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from agents.feedback.choices import Packed
from agents.rewards.rater_noise import with_estimated_error_rates, with_prior_error_rate

Wide = NDArray[np.float64]
TRUST_FACTORS = np.exp(np.linspace(-2.0, 2.0, 17))
"""Multiples of its prior median that a kind's sharpness may be."""


@dataclass(frozen=True)
class EvidenceConfig:
    """What `fit_evidence` takes as known, and how long it searches."""

    rounds: int  # of re-estimating the hyperparameters
    newton_steps: int  # at most, in a round
    freedom: float  # degrees of freedom that a group's prior relevance is worth
    noise: float  # share of accidents, for choices that state none
    trust: tuple[float, ...]  # prior median of the sharpness of each of KINDS
    trust_spread: tuple[float, ...]  # its deviation in log


@dataclass(frozen=True)
class GaussianPosterior:
    """The weights' posterior N(mean [F], covariance [F, F]), and the sharpness of each of KINDS."""

    mean: Wide
    covariance: Wide
    trust: Wide


def fit_evidence(
    packed: Packed,
    features: Wide,
    mean: Wide,
    variance: Wide,
    groups: NDArray[np.int64],
    config: EvidenceConfig,
) -> GaussianPosterior:
    """Fit weights to choices, and their hyperparameters by the evidence.

    features [S, F]; mean, variance [F] of the prior; groups [F]: features of one group share a factor on
    their prior variance, their relevance. The last group's relevance stays 1.
    """
    found, relevance = mean.copy(), np.ones(groups.max() + 1)
    trust, packed = np.array(config.trust, np.float64), with_prior_error_rate(packed)
    for turn in range(config.rounds):
        now = variance * relevance[groups]
        for _ in range(config.newton_steps):
            before = found
            found, covariance = newton_step(features, before, mean, now, trust, config.noise, packed)
            if np.abs(features @ (found - before)).max() < 1e-3:
                break
        trust = _likeliest_trust(packed, features @ found, config)
        if turn < config.rounds - 1:
            solve = partial(newton_step, features, found, mean, now, trust, config.noise)
            packed = with_estimated_error_rates(packed, features, trust[packed.kind], solve)
            used = np.clip(1.0 - np.diag(covariance) / now, 0.0, 1.0)
            known = np.bincount(groups, (found - mean) ** 2 / variance)
            free = np.bincount(groups, used)
            relevance = np.clip((config.freedom + known) / (config.freedom + free), 0.02, 50.0)
            relevance[-1] = 1.0
    return GaussianPosterior(found, covariance, trust)


def newton_step(
    features: Wide, weights: Wide, mean: Wide, variance: Wide, trust: Wide, noise: float, packed: Packed
) -> tuple[Wide, Wide]:
    """Likelier weights [F] than `weights`, by one step, and their covariance [F, F]."""
    rows, slope = _curvature(packed, features, weights, trust, noise)
    # (curvature + 1 / variance)^-1 = variance * inverse
    inverse = np.linalg.inv(np.eye(len(variance)) + rows.T @ rows * variance)
    covariance = variance[:, None] * inverse
    return weights + covariance @ (slope - (weights - mean) / variance), covariance


def _likeliest_trust(packed: Packed, returns: Wide, config: EvidenceConfig) -> Wide:
    """The likeliest sharpness of each of KINDS, under its prior; returns [S] of each option."""
    trusts = TRUST_FACTORS[:, None] * np.array(config.trust)
    like = np.stack([_log_likelihoods(packed, returns, t, config.noise) for t in trusts])
    found = np.array(config.trust, np.float64)
    for kind in set(packed.kind.tolist()):
        mine = packed.kind == kind
        total = (like[:, mine] * packed.weight[mine]).sum(1)
        total = total - 0.5 * (np.log(TRUST_FACTORS) / config.trust_spread[kind]) ** 2
        found[kind] *= TRUST_FACTORS[int(total.argmax())]
    return found


def _chances(packed: Packed, returns: Wide, trust: Wide, noise: float) -> tuple[Wide, Wide, Wide, Wide]:
    """P of each option [B, C], of the chosen one with accidents [B], without [B], and sharpness [B]."""
    sharp = trust[packed.kind]
    options = np.where(packed.mask, returns[packed.option] * sharp[:, None], -np.inf)
    chance = np.exp(options - options.max(1, keepdims=True))
    chance = chance / chance.sum(1, keepdims=True)
    error = np.where(np.isnan(packed.noise), noise, packed.noise)
    meant = (1.0 - error) * chance[:, 0]
    return chance, meant + error / packed.mask.sum(1), meant, sharp


def _log_likelihoods(packed: Packed, returns: Wide, trust: Wide, noise: float) -> Wide:
    """log P of each choice [B]."""
    return np.asarray(np.log(np.maximum(_chances(packed, returns, trust, noise)[1], 1e-12)))


def _curvature(packed: Packed, features: Wide, found: Wide, trust: Wide, noise: float) -> tuple[Wide, Wide]:
    """Rows [B * C, F] whose squares sum to the curvature, and the slope [F], of the log likelihood.

    A choice counts by how likely it was meant and no accident, as in the EM algorithm.
    """
    chance, whole, meant, sharp = _chances(packed, features @ found, trust, noise)
    counts = packed.weight * meant / np.maximum(whole, 1e-12)
    chosen = features[packed.option]  # [B, C, F]
    mean = (chance[..., None] * chosen).sum(1)
    root = np.sqrt(chance * counts[:, None]) * sharp[:, None]
    rows = (root[..., None] * (chosen - mean[:, None])).reshape(-1, features.shape[1])
    slope = ((counts * sharp)[:, None] * (chosen[:, 0] - mean)).sum(0)
    return rows, slope
