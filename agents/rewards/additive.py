"""The reward `net` where few numbers are seen: a sum, of terms as they look and of each number by itself.

reward(s, a, s') = scale * written + straight(s', rise, fall, a) + sum over numbers and knots of
weight * tanh((s' - knot) / width) + sum over the world's terms of weight * what is told of them: a wide
first layer under a last one that is learned (Rahimi and Recht 2008). The first layer stands still but for
the units that tell the terms (`agents.rewards.term_predictor`), which learn what these look like. From
nothing there are none of those, and what a turn of the world changes is the other net's. In the last layer
choices are a logistic regression: Newton's method finds its best weights in milliseconds, Laplace's method
how sure they are. How much each number matters is set by the evidence, group by group (MacKay 1992, "Bayesian
interpolation", eq. 4.5), under a weak prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.checkpoint import Arrays
from agents.feedback.choices import Packed
from agents.rewards.additive_features import AdditiveFeatures
from agents.rewards.base import Float
from agents.rewards.ensemble_reward import EnsembleReward
from agents.rewards.evidence import EvidenceConfig, GaussianPosterior, fit_evidence
from agents.rewards.linear import IDLE
from agents.rewards.net import NetConfig
from agents.rewards.reward_arrays import RewardArrays, Turns, steps_of
from agents.rewards.risk_aversion import RiskAversion, risk_adjusted_return, risk_adjusted_weights
from agents.rewards.term_predictor import TermPredictor
from envs.trajectory import Trajectory

Wide = NDArray[np.float64]


@dataclass(frozen=True)
class AdditiveConfig:
    """How the additive net is learned; what it shares with the other is in NetConfig."""

    seen: float = 0.3  # prior deviation of an input's worth where it is what is seen, in clips' deviations
    change: float = 1.0  # its rise or fall
    act: float = 0.3  # the action
    bend: float = 1.0  # each of its bends
    told: float = 2.0  # each of the world's terms, as far as it is told from what is seen
    beside: float = 0.03  # how much less all else counts where terms are told
    patience: int = 4_000  # episodes that may be practised on a fit then
    written: float = 0.7  # prior deviation of the written part's scale, whose mean is 1
    rounds: int = 4  # of finding how much each number matters
    freedom: float = 0.1  # degrees of freedom that a number's prior relevance is worth
    newton: int = 12  # steps at a round
    samples: int = 32  # of what is believed, for choosing questions
    aversion: RiskAversion = field(
        default_factory=RiskAversion
    )  # to what is doubtful in what is told, in practice


class AdditiveReward(EnsembleReward):
    """A weighted sum of features; a fit to a hundred answers takes about a tenth of a second.

    The ensemble's members are posterior samples of the weights, each as a net.
    """

    estimates_rater_noise = True

    def __init__(
        self,
        written: Float,
        one_hot: int,
        config: NetConfig,
        seed: int = 0,
        additive: AdditiveConfig | None = None,
        turns: tuple[Turns, ...] = (),
    ) -> None:
        """written [M]: zeros where it is not known; then neither is what may matter, and nothing is told."""
        self.config, self.additive = config, additive or AdditiveConfig()
        self.term_predictor = TermPredictor(len(written) if written.any() else 0, seed)
        self._features = AdditiveFeatures(one_hot, turns, self.term_predictor)
        super().__init__(written, turns, one_hot, config.members, config.trust, seed)

    def max_episodes_per_fit(self, said: int) -> int:
        return self.additive.patience if self._features.terms else super().max_episodes_per_fit(said)

    def reset(self) -> None:
        super().reset()
        self._samples = np.zeros((0, 0), np.float32)
        """What is believed [samples, features + 1], the last the weight of the written part."""
        self._members = np.zeros((0, 0), np.float32)
        """Weights of the ensemble [E, features + 1]."""
        self._features.forget()

    # What is learned of the terms beside answers.

    def observe_rollout(self, obs: Float, actions: Any, next_obs: Float, terms: Float) -> None:
        if not self.term_predictor.terms:
            return
        for view in self._features.views(obs, actions, next_obs):
            self.term_predictor.add_rollout(view, terms)
        self._follow_predictor()

    def observe_clips(self, clips: Sequence[Trajectory]) -> None:
        if not (self.term_predictor.terms and clips):
            return
        *steps, terms = steps_of(clips)
        for view in self._features.views(*steps):
            self.term_predictor.add_clips(view, terms)
        self._follow_predictor()

    def _follow_predictor(self) -> None:
        """Learn on to predict terms, and renew the nets, which hold the predictor's units."""
        if self._features.terms and self._nets:
            self.term_predictor.train_some()
            self._set_nets()

    def _set_nets(self) -> None:
        self._nets = tuple(self._features.layers(member[:-1]) for member in self._members)

    # A fit.

    def fit(self, packed: Packed) -> None:
        self._features.fit(packed.next_obs)
        steps = self._features(packed.obs, packed.actions, packed.next_obs) * packed.step_weight[:, None]
        starts = np.flatnonzero(np.diff(packed.owner, prepend=-1))
        sums = np.add.reduceat(steps.astype(np.float64), starts, axis=0)
        unit = np.maximum(sums.std(0), 0.1)
        if (
            terms := self._features.terms
        ):  # what seldom happens is worth no more than what often does, each time
            unit[-terms:] = np.maximum(unit[-terms:], self._usual(packed.terms))
        paid = packed.terms @ self._written * (self.config.written / self._unit)
        features = np.concatenate([sums / unit, paid[:-1, None]], 1)
        features = np.concatenate([features, np.zeros((1, features.shape[1]))])  # nothing at all
        found = self._fit_weights(packed, features)
        self.trust = found.trust.astype(np.float32)
        self._keep_samples(found, np.append(unit, 1.0), len(packed))

    def _fit_weights(self, packed: Packed, features: Wide) -> GaussianPosterior:
        """The posterior of weights [features + 1], each in its feature's unit."""
        own, config, count = self.additive, self.config, features.shape[1] - 1
        variance = np.append(0.5 * self._prior(count) ** 2 / config.ridge, own.written**2)
        groups = self._features.groups(count)
        groups = np.append(groups, groups.max() + 1)
        mean = np.append(np.zeros(count), 1.0)  # before any answer: the written reward
        how = EvidenceConfig(
            own.rounds, own.newton, own.freedom, config.noise, config.trust, config.trust_spread
        )
        return fit_evidence(packed, features, mean, variance, groups, how)

    def _prior(self, count: int) -> Wide:
        """Each feature's prior deviation [F], in clips' deviations."""
        own, terms = self.additive, self._features.terms
        each = [own.seen, own.change, own.act, own.bend, own.told]
        prior = np.repeat(each, self._features.sizes(count))
        if terms:
            prior[:-terms] *= own.beside
        return prior

    def _usual(self, terms: Float) -> Wide:
        """What clips with a term usually have of it, as it is told [M]; of their sums of terms [S, M]."""
        occurs = (np.abs(terms) > 1e-6).sum(0)
        usual = np.sqrt((terms.astype(np.float64) ** 2).sum(0) / np.maximum(occurs, 1))
        return np.asarray(np.where(occurs > 0, usual, 1.0) / self.term_predictor.unit)

    def _keep_samples(self, found: GaussianPosterior, unit: Wide, choices: int) -> None:
        """Samples of the posterior, moved together so that their mean is the likeliest; members are some."""
        random = np.random.default_rng([self._seed, choices])
        covariance = (found.covariance + found.covariance.T) / 2
        values, vectors = np.linalg.eigh(covariance)
        noise = random.standard_normal((self.additive.samples, len(found.mean)))
        samples = found.mean + noise * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
        samples = (samples + found.mean - samples.mean(0)) / unit
        self._samples = samples.astype(np.float32)
        members = samples[: self.config.members]
        members = members - members.mean(0) + found.mean / unit
        self._members = members.astype(np.float32)
        self._set_nets()
        scale = members[:, -1:].astype(np.float32) * np.float32(self.config.written / self._unit)
        self.weights = scale * self._written

    # What others ask of it.

    def risk_adjusted(self, counts: Float, usual: Float) -> RewardArrays:
        """The members' mean as one net, less what is doubtful in what it tells."""
        if not self._nets:
            return self.arrays()
        mean = self._members.mean(0)
        if terms := self._features.terms:
            shift = risk_adjusted_weights(
                self._worths, counts, usual, self.additive.aversion
            ) - self._worths.mean(0)
            mean[-1 - terms : -1] += (shift * self.term_predictor.unit).astype(np.float32)
        nets = (self._features.layers(mean[:-1]),)
        return replace(self.arrays(), weights=self.weights.mean(0, keepdims=True), nets=nets)

    @property
    def _worths(self) -> Float:
        """What a unit of each term is worth, as far as terms are told [samples, M]."""
        told = self._samples[:, -1 - self._features.terms : -1] / self.term_predictor.unit
        written = self._written * np.float32(self.config.written / self._unit)
        return np.asarray(told + self._samples[:, -1:] * written, np.float32)

    def risk_adjusted_return(self, counts: Float, usual: Float) -> float | None:
        if not self._features.terms:
            return None
        return risk_adjusted_return(self._worths, counts, usual, self.additive.aversion)

    def is_idle(self, counts: Float) -> bool:
        return bool(self._features.terms) and float(np.abs(self._worths @ counts).mean()) < IDLE

    def sampled_returns(self, clips: Sequence[Trajectory]) -> Float:
        if not len(self._samples):
            return super().sampled_returns(clips)
        worth = [self._features(c.observations[:-1], c.actions, c.observations[1:]).sum(0) for c in clips]
        paid = np.stack([c.terms.sum(0) for c in clips]) @ self._written * (self.config.written / self._unit)
        return np.asarray(self._samples @ np.concatenate([np.stack(worth), paid[:, None]], 1).T, np.float32)

    # Stopping and going on.

    def state(self) -> Arrays:
        own = {"reward.samples": self._samples, "reward.members": self._members}
        return super().state() | own | self._features.state()

    def restore(self, facts: dict[str, Any], arrays: Arrays) -> None:
        super().restore(facts, arrays)
        self._samples, self._members = arrays["reward.samples"], arrays["reward.members"]
        self._features.restore(arrays)
