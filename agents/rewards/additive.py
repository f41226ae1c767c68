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

from agents.checkpoint import StateDict
from agents.feedback.choices import Future, PackedChoices
from agents.renamed_settings import renamed_settings
from agents.rewards.additive_features import AdditiveFeatures
from agents.rewards.base import Float
from agents.rewards.ensemble_reward import EnsembleReward
from agents.rewards.evidence import EvidenceConfig, GaussianPosterior, fit_evidence
from agents.rewards.linear import IDLE_RETURN
from agents.rewards.net import NetConfig
from agents.rewards.reward_arrays import CanonicalView, RewardArrays, trajectory_steps
from agents.rewards.risk_aversion import RiskAversion, risk_adjusted_return, risk_adjusted_weights
from agents.rewards.term_predictor import TermPredictor
from envs.trajectory import Trajectory

Float64 = NDArray[np.float64]


@renamed_settings(
    seen="state_std",
    change="change_std",
    act="action_std",
    bend="knot_std",
    told="predicted_term_std",
    beside="other_std_factor",
    patience="max_episodes_per_fit",
    written="proxy_scale_std",
    rounds="n_rounds",
    freedom="relevance_dof",
    newton="n_newton_steps",
    samples="n_samples",
    aversion="risk_aversion",
)
@dataclass(frozen=True)
class AdditiveConfig:
    """How the additive net is learned; what it shares with the other is in NetConfig."""

    # prior deviation of an input's worth where it is what is seen, in clips' deviations
    state_std: float = 0.3
    change_std: float = 1.0  # its rise or fall
    action_std: float = 0.3  # the action
    knot_std: float = 1.0  # each of its bends
    predicted_term_std: float = 2.0  # each of the world's terms, as far as it is told from what is seen
    other_std_factor: float = 0.03  # how much less all else counts where terms are told
    max_episodes_per_fit: int = 4_000  # episodes that may be practised on a fit then
    proxy_scale_std: float = 0.7  # prior deviation of the written part's scale, whose mean is 1
    n_rounds: int = 4  # of finding how much each number matters
    relevance_dof: float = 0.1  # degrees of freedom that a number's prior relevance is worth
    n_newton_steps: int = 12  # steps at a round
    n_samples: int = 32  # of what is believed, for choosing questions
    # aversion to what is doubtful in what is told, in practice
    risk_aversion: RiskAversion = field(default_factory=RiskAversion)


class AdditiveReward(EnsembleReward):
    """A weighted sum of features; a fit to a hundred answers takes about a tenth of a second.

    The ensemble's members are posterior samples of the weights, each as a net.
    """

    estimates_rater_noise = True

    def __init__(
        self,
        proxy_weights: Float,
        one_hot: int,
        config: NetConfig,
        seed: int = 0,
        additive: AdditiveConfig | None = None,
        views: tuple[CanonicalView, ...] = (),
    ) -> None:
        """proxy_weights [M]: zeros where it is not known; then neither is what may matter, and nothing is
        told."""
        self.config, self.additive_config = config, additive or AdditiveConfig()
        self.term_predictor = TermPredictor(len(proxy_weights) if proxy_weights.any() else 0, seed)
        self._features = AdditiveFeatures(one_hot, views, self.term_predictor)
        super().__init__(proxy_weights, views, one_hot, config.n_members, config.rationality, seed)

    def max_episodes_per_fit(self, n_records: int) -> int:
        return (
            self.additive_config.max_episodes_per_fit
            if self._features.n_predicted_terms
            else super().max_episodes_per_fit(n_records)
        )

    def reset(self) -> None:
        super().reset()
        self._samples = np.zeros((0, 0), np.float32)
        """What is believed [samples, features + 1], the last the weight of the written part."""
        self._member_weights = np.zeros((0, 0), np.float32)
        """Weights of the ensemble [E, features + 1]."""
        self._features.reset()

    # What is learned of the terms beside answers.

    def observe_rollout(self, obs: Float, actions: Any, next_obs: Float, terms: Float) -> None:
        if not self.term_predictor.n_terms:
            return
        for view in self._features.inputs_in_all_views(obs, actions, next_obs):
            self.term_predictor.add_rollout(view, terms)
        self._follow_predictor()

    def observe_clips(self, clips: Sequence[Trajectory]) -> None:
        if not (self.term_predictor.n_terms and clips):
            return
        *steps, terms = trajectory_steps(clips)
        for view in self._features.inputs_in_all_views(*steps):
            self.term_predictor.add_clips(view, terms)
        self._follow_predictor()

    def _follow_predictor(self) -> None:
        """Learn on to predict terms, and renew the nets, which hold the predictor's units."""
        if self._features.n_predicted_terms and self._nets:
            self.term_predictor.train_some()
            self._set_nets()

    def _set_nets(self) -> None:
        self._nets = tuple(self._features.as_layers(member[:-1]) for member in self._member_weights)

    # A fit.

    def fit(self, packed: PackedChoices) -> None:
        self._features.fit(packed.next_obs)
        steps = self._features(packed.obs, packed.actions, packed.next_obs) * packed.step_weight[:, None]
        starts = np.flatnonzero(np.diff(packed.step_option, prepend=-1))
        sums = np.add.reduceat(steps.astype(np.float64), starts, axis=0)
        unit = np.maximum(sums.std(0), 0.1)
        if (
            terms := self._features.n_predicted_terms
        ):  # what seldom happens is worth no more than what often does, each time
            unit[-terms:] = np.maximum(unit[-terms:], self._usual_predictions(packed.term_sums))
        paid = packed.term_sums @ self._proxy_weights * (self.config.proxy_return / self._proxy_return_scale)
        features = np.concatenate([sums / unit, paid[:-1, None]], 1)
        features = np.concatenate([features, np.zeros((1, features.shape[1]))])  # nothing at all
        found = self._fit_weights(packed, features)
        self.kind_rationality = found.rationality.astype(np.float32)
        self._store_posterior(found, np.append(unit, 1.0), len(packed))

    def _fit_weights(self, packed: PackedChoices, features: Float64) -> GaussianPosterior:
        """The posterior of weights [features + 1], each in its feature's unit."""
        own, config, count = self.additive_config, self.config, features.shape[1] - 1
        variance = np.append(0.5 * self._prior(count) ** 2 / config.linear_l2_coef, own.proxy_scale_std**2)
        groups = self._features.groups(count)
        groups = np.append(groups, groups.max() + 1)
        mean = np.append(np.zeros(count), 1.0)  # before any answer: the written reward
        how = EvidenceConfig(
            own.n_rounds,
            own.n_newton_steps,
            own.relevance_dof,
            config.error_rate,
            config.rationality,
            config.rationality_log_std,
        )
        return fit_evidence(packed, features, mean, variance, groups, how)

    def _prior(self, count: int) -> Float64:
        """Each feature's prior deviation [F], in clips' deviations."""
        own, terms = self.additive_config, self._features.n_predicted_terms
        each = [own.state_std, own.change_std, own.action_std, own.knot_std, own.predicted_term_std]
        prior = np.repeat(each, self._features.sizes(count))
        if terms:
            prior[:-terms] *= own.other_std_factor
        return prior

    def _usual_predictions(self, terms: Float) -> Float64:
        """What clips with a term usually have of it, as it is told [M]; of their sums of terms [S, M]."""
        occurs = (np.abs(terms) > 1e-6).sum(0)
        usual = np.sqrt((terms.astype(np.float64) ** 2).sum(0) / np.maximum(occurs, 1))
        return np.asarray(np.where(occurs > 0, usual, 1.0) / self.term_predictor.term_std)

    def _store_posterior(self, found: GaussianPosterior, unit: Float64, choices: int) -> None:
        """Samples of the posterior, moved together so that their mean is the likeliest; members are some."""
        random = np.random.default_rng([self._seed, choices])
        covariance = (found.covariance + found.covariance.T) / 2
        values, vectors = np.linalg.eigh(covariance)
        noise = random.standard_normal((self.additive_config.n_samples, len(found.mean)))
        samples = found.mean + noise * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
        samples = (samples + found.mean - samples.mean(0)) / unit
        self._samples = samples.astype(np.float32)
        members = samples[: self.config.n_members]
        members = members - members.mean(0) + found.mean / unit
        self._member_weights = members.astype(np.float32)
        self._set_nets()
        scale = members[:, -1:].astype(np.float32) * np.float32(
            self.config.proxy_return / self._proxy_return_scale
        )
        self.weights = scale * self._proxy_weights

    # What others ask of it.

    def risk_adjusted_arrays(self, counts: Float, usual_counts: Float) -> RewardArrays:
        """The members' mean as one net, less what is doubtful in what it tells."""
        if not self._nets:
            return self.arrays()
        mean = self._member_weights.mean(0)
        if terms := self._features.n_predicted_terms:
            shift = risk_adjusted_weights(
                self._term_weight_samples, counts, usual_counts, self.additive_config.risk_aversion
            ) - self._term_weight_samples.mean(0)
            mean[-1 - terms : -1] += (shift * self.term_predictor.term_std).astype(np.float32)
        nets = (self._features.as_layers(mean[:-1]),)
        return replace(self.arrays(), weights=self.weights.mean(0, keepdims=True), nets=nets)

    @property
    def _term_weight_samples(self) -> Float:
        """What a unit of each term is worth, as far as terms are told [samples, M]."""
        told = self._samples[:, -1 - self._features.n_predicted_terms : -1] / self.term_predictor.term_std
        written = self._proxy_weights * np.float32(self.config.proxy_return / self._proxy_return_scale)
        return np.asarray(told + self._samples[:, -1:] * written, np.float32)

    def risk_adjusted_return(self, counts: Float, usual_counts: Float) -> float | None:
        if not self._features.n_predicted_terms:
            return None
        return risk_adjusted_return(
            self._term_weight_samples, counts, usual_counts, self.additive_config.risk_aversion
        )

    def is_idle(self, counts: Float) -> bool:
        return (
            bool(self._features.n_predicted_terms)
            and float(np.abs(self._term_weight_samples @ counts).mean()) < IDLE_RETURN
        )

    def sampled_returns(
        self, clips: Sequence[Trajectory], futures: Sequence[Future | None] | None = None
    ) -> Float:
        if not len(self._samples):
            return super().sampled_returns(clips)
        worth = [self._features(c.observations[:-1], c.actions, c.observations[1:]).sum(0) for c in clips]
        paid = (
            np.stack([c.terms.sum(0) for c in clips])
            @ self._proxy_weights
            * (self.config.proxy_return / self._proxy_return_scale)
        )
        return np.asarray(self._samples @ np.concatenate([np.stack(worth), paid[:, None]], 1).T, np.float32)

    # Stopping and going on.

    def state_dict(self) -> StateDict:
        ensemble, features = super().state_dict(), self._features.state_dict()
        own = {"reward.samples": self._samples, "reward.members": self._member_weights}
        return StateDict(ensemble.facts, ensemble.arrays | own | features.arrays)

    def load_state_dict(self, state: StateDict) -> None:
        super().load_state_dict(state)
        arrays = state.arrays
        self._samples, self._member_weights = arrays["reward.samples"], arrays["reward.members"]
        self._features.load_state_dict(state)
