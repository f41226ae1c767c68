"""What is believed of a linear reward, and of whoever speaks of it, before anything is said.

All parameters of a likelihood of choices have a prior that is made of standard normal numbers, as elliptical
slice sampling wants them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agents.feedback.choices import CHOICE_KINDS
from agents.renamed_settings import renamed_settings
from agents.rewards.risk_aversion import RiskAversion

Float = NDArray[np.float32]


@renamed_settings(
    members="n_members",
    chains="n_chains",
    moves="n_moves",
    keep="samples_per_chain",
    spread="weight_std",
    written="proxy_weight",
    noise="error_rate",
    trust="rationality",
    trust_spread="rationality_log_std",
    manner="driving_offset",
    manner_spread="driving_offset_log_std",
    unnamed="unmentioned_weight",
    aversion="risk_aversion",
    surely="min_gain_deviations",
    foreseen="min_answers_for_tempering",
)
@dataclass(frozen=True)
class LinearRewardConfig:
    """How the reward is learned."""

    n_members: int = 5  # of the ensemble
    n_chains: int = 48  # posterior chains side by side
    n_moves: int = 240  # elliptical slice moves at a fit
    samples_per_chain: int = 6  # states of each chain, from the later half of them, are kept as samples
    weight_std: float = 2.5  # prior deviation of a term's weight, on one clip's usual amount of it [nats]
    proxy_weight: float = 1.7  # prior mean of the largest written weight, in the same unit [nats]
    error_rate: float = 0.04  # share of acts taken for accidents, before anything is known of who acts
    rationality: tuple[float, ...] = (1.0, 0.5, 1.0, 1.0)  # prior median of the sharpness of each of KINDS
    rationality_log_std: tuple[float, ...] = (0.05, 0.8, 0.5, 0.7)  # its deviation in log
    driving_offset: float = 0.5  # by how much driving speaks otherwise than answers: median deviation [nats]
    driving_offset_log_std: float = 1.0  # its deviation in log, from term to term
    unmentioned_weight: float = -0.4  # prior mean of a weight that the written reward leaves out [nats]
    # aversion to doubt
    risk_aversion: RiskAversion = field(
        default_factory=lambda: RiskAversion(tolerance=2.0, penalise_deficits=False)
    )
    # deviations that long practice must have gained, or what it took up is given up
    min_gain_deviations: float = 0.5
    # comparisons from which on other kinds are trusted by how well they foresee them
    min_answers_for_tempering: int = 1
    # share of what a clip leads to that counts: the prior median's and deviation's place under a normal curve
    future_share: tuple[float, float] = (-0.5, 1.2)
    tie_band: float = 0.4  # prior median of how much better one of two clips must be to be called so [nats]
    tie_band_log_std: float = 0.7  # its deviation in log


@dataclass(frozen=True)
class ChoiceParameters:
    """What a likelihood of choices is asked with, for E samples side by side.

    weights [E, F] of the features; rationality [E, kinds]; future_share [E, raters]; tie_band [E].
    """

    weights: Float
    rationality: Float
    future_share: Float
    tie_band: Float


class LinearPrior:
    """The prior of the weights of M named terms and K derived ones, and of how a person chooses.

    The numbers of a sample [P] are, in this order: weights [M + K], rationality [kinds], habit at the wheel
    and its scale [M + K] each, the band of ties, and each rater's share of what a clip leads to.
    """

    def __init__(
        self, proxy_weights: Float, usable_terms: NDArray[np.bool_], config: LinearRewardConfig
    ) -> None:
        """proxy_weights [M]: the mean (zeros: none). usable_terms [M]: terms that the reward may use."""
        self.proxy_weights, self.usable_terms, self.config = proxy_weights, usable_terms, config

    def size(self, n_derived: int, n_raters: int) -> int:
        """How many numbers a sample has, P."""
        return 3 * (len(self.proxy_weights) + n_derived) + len(CHOICE_KINDS) + 1 + n_raters

    def moments(self, term_scale: Float, derived_std: Float) -> tuple[Float, Float]:
        """Mean and deviation [M + K + kinds] of (weight per unit of each term, log rationality of each kind).

        term_scale [M]: usual amounts of the named terms. derived_std [K]: deviations of the derived ones.
        """
        mean = self.proxy_weights * term_scale
        largest = float(np.abs(mean).max()) if len(mean) else 0.0
        if largest > 0:
            unnamed = np.float32(self.config.unmentioned_weight)
            mean = np.where(self.proxy_weights == 0.0, unnamed, mean * (self.config.proxy_weight / largest))
        spread = np.where(self.usable_terms, self.config.weight_std, 0.0)
        mean = np.append(np.where(self.usable_terms, mean, 0.0), np.zeros_like(derived_std))
        means = np.concatenate([mean, np.log(self.config.rationality)])
        deviations = np.concatenate([spread, derived_std, self.config.rationality_log_std])
        return means.astype(np.float32), deviations.astype(np.float32)

    def parameters(self, x: Float, moments: tuple[Float, Float]) -> ChoiceParameters:
        """From standard normal x [E, P] to what a likelihood is asked with."""
        mean, deviation = moments
        known = len(mean)
        terms = known - len(CHOICE_KINDS)
        value = mean + deviation * x[:, :known]
        offset = self._driving_offset(x[:, known : known + terms], x[:, known + terms : known + 2 * terms])
        band, habit = x[:, known + 2 * terms], x[:, known + 2 * terms + 1 :]
        middle, spread = self.config.future_share
        share = 1.0 / (1.0 + np.exp(-1.702 * (middle + spread * habit)))  # a normal curve's, within 0.01
        weights = value[:, :terms]
        future = (share[:, :, None] * weights[:, None, :]).reshape(len(x), -1)
        return ChoiceParameters(
            np.concatenate([weights, offset, future], 1).astype(np.float32),
            np.exp(value[:, terms:]),
            share.astype(np.float32),
            (self.config.tie_band * np.exp(self.config.tie_band_log_std * band)).astype(np.float32),
        )

    def _driving_offset(self, habit: Float, scale: Float) -> Float:
        """What somebody at the wheel adds to the weights [E, M + K], of two standard normal parts.

        Who drives over-cautiously leaves litter that they would rank above none: a habit in one term, which
        must not speak against all else that the drive shows. Few terms, each by much: a normal whose scale
        is log-normal.
        """
        spread = self.config.driving_offset * np.exp(self.config.driving_offset_log_std * scale)
        n_derived = habit.shape[1] - len(self.usable_terms)
        usable = np.append(self.usable_terms, np.ones(n_derived, np.bool_))
        return np.asarray(spread * habit * usable, np.float32)
