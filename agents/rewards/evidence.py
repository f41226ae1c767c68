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

from agents.feedback.choices import PackedChoices
from agents.rewards.rater_noise import with_estimated_error_rates, with_prior_error_rate

Float64 = NDArray[np.float64]
RATIONALITY_FACTORS = np.exp(np.linspace(-2.0, 2.0, 17))
"""Multiples of its prior median that a kind's sharpness may be."""


@dataclass(frozen=True)
class EvidenceConfig:
    """What `fit_evidence` takes as known, and how long it searches."""

    n_rounds: int  # of re-estimating the hyperparameters
    n_newton_steps: int  # at most, in a round
    relevance_dof: float  # degrees of freedom that a group's prior relevance is worth
    error_rate: float  # share of accidents, for choices that state none
    rationality: tuple[float, ...]  # prior median of the sharpness of each of KINDS
    rationality_log_std: tuple[float, ...]  # its deviation in log


@dataclass(frozen=True)
class GaussianPosterior:
    """The weights' posterior N(mean [F], covariance [F, F]), and the sharpness of each of KINDS."""

    mean: Float64
    covariance: Float64
    rationality: Float64


def fit_evidence(
    packed: PackedChoices,
    features: Float64,
    mean: Float64,
    variance: Float64,
    groups: NDArray[np.int64],
    config: EvidenceConfig,
) -> GaussianPosterior:
    """Fit weights to choices, and their hyperparameters by the evidence.

    features [S, F]; mean, variance [F] of the prior; groups [F]: features of one group share a factor on
    their prior variance, their relevance. The last group's relevance stays 1.
    """
    found, relevance = mean.copy(), np.ones(groups.max() + 1)
    trust, packed = np.array(config.rationality, np.float64), with_prior_error_rate(packed)
    for turn in range(config.n_rounds):
        now = variance * relevance[groups]
        for _ in range(config.n_newton_steps):
            before = found
            found, covariance = newton_step(features, before, mean, now, trust, config.error_rate, packed)
            if np.abs(features @ (found - before)).max() < 1e-3:
                break
        trust = _likeliest_rationality(packed, features @ found, config)
        if turn < config.n_rounds - 1:
            solve = partial(newton_step, features, found, mean, now, trust, config.error_rate)
            packed = with_estimated_error_rates(packed, features, trust[packed.kind], solve)
            used = np.clip(1.0 - np.diag(covariance) / now, 0.0, 1.0)
            known = np.bincount(groups, (found - mean) ** 2 / variance)
            free = np.bincount(groups, used)
            relevance = np.clip((config.relevance_dof + known) / (config.relevance_dof + free), 0.02, 50.0)
            relevance[-1] = 1.0
    return GaussianPosterior(found, covariance, trust)


def newton_step(
    features: Float64,
    weights: Float64,
    mean: Float64,
    variance: Float64,
    rationality: Float64,
    error_rate: float,
    packed: PackedChoices,
) -> tuple[Float64, Float64]:
    """Likelier weights [F] than `weights`, by one step, and their covariance [F, F]."""
    rows, slope = _curvature(packed, features, weights, rationality, error_rate)
    # (curvature + 1 / variance)^-1 = variance * inverse
    inverse = np.linalg.inv(np.eye(len(variance)) + rows.T @ rows * variance)
    covariance = variance[:, None] * inverse
    return weights + covariance @ (slope - (weights - mean) / variance), covariance


def laplace_evidence(
    packed: PackedChoices,
    features: Float64,
    mean: Float64,
    variance: Float64,
    rationality: Float64,
    error_rate: float,
    start: Float64,
    n_newton_steps: int = 8,
) -> tuple[float, Float64]:
    """log marginal likelihood of the choices, with weights N(mean, variance) summed out, and the likeliest
    weights.

    Laplace's approximation (MacKay 2003, section 27). start [F]: where Newton's method begins.
    """
    found = start
    for _ in range(n_newton_steps):
        before = found
        found, _ = newton_step(features, before, mean, variance, rationality, error_rate, packed)
        if np.abs(features @ (found - before)).max() < 1e-2:
            break
    rows, _ = _curvature(packed, features, found, rationality, error_rate)
    _, spread = np.linalg.slogdet(np.eye(len(variance)) + rows.T @ rows * variance)
    likely = choice_log_likelihoods(packed, features @ found, rationality, error_rate)
    prior = 0.5 * float(((found - mean) ** 2 / variance).sum())
    return float((likely * packed.weight).sum()) - prior - 0.5 * float(spread), found


def tie_band(packed: PackedChoices) -> float:
    """By how much one of two clips must be better to be called so [nats], by how many ties there are.

    At no gap a tie has probability tanh(band / 2), which is half the band where that is small.
    """
    pairs = float(packed.weight[packed.has_band].sum())
    ties = float(packed.weight[packed.is_tie].sum())
    return float(np.clip(2.0 * ties / max(pairs, 1.0), 0.0, 1.5))


def _likeliest_rationality(packed: PackedChoices, returns: Float64, config: EvidenceConfig) -> Float64:
    """The likeliest sharpness of each of KINDS, under its prior; returns [S] of each option."""
    trusts = RATIONALITY_FACTORS[:, None] * np.array(config.rationality)
    like = np.stack([choice_log_likelihoods(packed, returns, t, config.error_rate) for t in trusts])
    found = np.array(config.rationality, np.float64)
    for kind in set(packed.kind.tolist()):
        mine = packed.kind == kind
        total = (like[:, mine] * packed.weight[mine]).sum(1)
        total = total - 0.5 * (np.log(RATIONALITY_FACTORS) / config.rationality_log_std[kind]) ** 2
        found[kind] *= RATIONALITY_FACTORS[int(total.argmax())]
    return found


def _option_probabilities(
    packed: PackedChoices, returns: Float64, rationality: Float64, error_rate: float
) -> tuple[Float64, Float64, Float64, Float64]:
    """P of each option [B, C], of the chosen one with accidents [B], without [B], and sharpness [B]."""
    sharp = rationality[packed.kind]
    options = np.where(packed.mask, returns[packed.option_index] * sharp[:, None], -np.inf)
    band = tie_band(packed)
    options[packed.has_band, 1:] += band
    chance = np.exp(options - options.max(1, keepdims=True))
    chance = chance / chance.sum(1, keepdims=True)
    error = np.where(np.isnan(packed.error_rate), error_rate, packed.error_rate)
    intended = chance[:, 0].copy()
    ties = packed.is_tie & (band > 0.0)
    if ties.any():  # both strict answers at once, see PackedChoices
        gap = options[ties, 1] - options[ties, 0]  # and the band once
        intended[ties] *= np.expm1(2.0 * band) / (1.0 + np.exp(np.clip(2.0 * band - gap, -50.0, 50.0)))
    meant = (1.0 - error) * intended
    return chance, meant + error / (packed.mask.sum(1) + packed.has_band), meant, sharp


def choice_log_likelihoods(
    packed: PackedChoices, returns: Float64, rationality: Float64, error_rate: float
) -> Float64:
    """log P of each choice [B]."""
    return np.asarray(
        np.log(np.maximum(_option_probabilities(packed, returns, rationality, error_rate)[1], 1e-12))
    )


def _curvature(
    packed: PackedChoices, features: Float64, weights: Float64, rationality: Float64, error_rate: float
) -> tuple[Float64, Float64]:
    """Rows [B * C, F] whose squares sum to the curvature, and the slope [F], of the log likelihood.

    A choice counts by how likely it was meant and no accident, as in the EM algorithm.
    """
    chance, whole, meant, sharp = _option_probabilities(packed, features @ weights, rationality, error_rate)
    counts = packed.weight * np.where(packed.is_tie, 2.0, 1.0) * meant / np.maximum(whole, 1e-12)
    chosen = features[packed.option_index]  # [B, C, F]
    mean = (chance[..., None] * chosen).sum(1)
    root = np.sqrt(chance * counts[:, None]) * sharp[:, None]
    rows = (root[..., None] * (chosen - mean[:, None])).reshape(-1, features.shape[1])
    slope = ((counts * sharp)[:, None] * (chosen[:, 0] - mean)).sum(0)
    return rows, slope
