"""The reward `terms`: linear in the world's named terms, and Bayesian, so that ten answers can do.

reward(s, a, s') = w . terms, with a Gaussian prior of w around the written reward (or around zero),
every act of the person a Boltzmann choice, and the posterior sampled. How sharply the person
chooses is estimated for each kind of feedback along with w, so that careless demonstrations don't
outweigh careful comparisons. The ensemble's members are posterior samples, moved together so that
their mean is the posterior's.

Where the evidence asks for it, the reward is linear in derived terms as well: functions of what is seen that
nobody named (`agents.rewards.derived_selection`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from agents.checkpoint import StateDict
from agents.feedback.choices import CHOICE_KINDS, Future, PackedChoices
from agents.rewards.base import ChoiceReward
from agents.rewards.best_future import BestFuture, best_future_worth
from agents.rewards.derived_selection import Problem, Selection, select_derived_terms
from agents.rewards.derived_terms import DerivedTerms
from agents.rewards.linear_likelihood import LinearLikelihoods
from agents.rewards.linear_prior import LinearPrior, LinearRewardConfig
from agents.rewards.reward_arrays import RewardArrays
from agents.rewards.risk_aversion import is_credibly_better, risk_adjusted_return, risk_adjusted_weights
from agents.rewards.slice_sampler import LogLikelihood, annealed_start, sample_chains
from agents.rewards.tempering import EXPECTED_WEIGHT, tempering_weights
from agents.rewards.term_sums import TermSums, no_derived_terms
from envs.trajectory import Trajectory

Float = NDArray[np.float32]
N_PARTICLES, MOVES_BY_STAGE = 320, 6
"""Of an annealed start, where the posterior may have several peaks."""
IDLE_RETURN = 0.5
"""An agent whose episodes matter less than this, for good or ill, has come to do nothing [nats]."""


class LinearReward(ChoiceReward):
    """The learned reward; `fit` takes well under a second for a hundred answers."""

    estimates_rater_noise = True

    def __init__(
        self,
        proxy_weights: Float,
        usable_terms: NDArray[np.bool_],
        one_hot: int,
        config: LinearRewardConfig,
        seed: int = 0,
        obs_names: Sequence[str] = (),
    ) -> None:
        """proxy_weights [M]: the prior's mean (zeros: none). usable_terms [M]: terms that the reward may
        use. obs_names [D]: what is seen, of which derived terms may be functions; empty: there are none."""
        super().__init__(one_hot, seed)
        self.config, self._proxy_weights, self._usable_terms = config, proxy_weights, usable_terms
        self._prior = LinearPrior(proxy_weights, usable_terms, config)
        self.default_error_rate = config.error_rate
        size = self._prior.size(0, 1)
        self.chains: Float = self._next_generator().standard_normal((config.n_chains, size), np.float32)
        self.n_named = len(proxy_weights)
        self.term_scale = np.ones(self.n_named, np.float32)
        """Usual amounts of the named terms [M], and of the derived ones, which are 1 [K]."""
        self.obs_names = tuple(obs_names)
        self._sums = TermSums(one_hot)
        self.samples = np.zeros((0, len(proxy_weights)), np.float32)
        self.future_shares = np.zeros(0, np.float32)
        """Of each sample: the share of what a clip leads to that counts, the mean over raters."""
        self.kind_rationality = np.array(config.rationality, np.float32)
        self.tempering_weights = np.ones(len(CHOICE_KINDS), np.float32)
        self.expected_tempering_weights = np.full(len(CHOICE_KINDS), EXPECTED_WEIGHT, np.float32)
        """What each kind's share is thought to be when more of it comes."""
        self._reset_to_prior()

    @property
    def derived(self) -> Selection:
        """What matters beside the named terms: K derived ones."""
        return self._sums.derived

    def _moments(self) -> tuple[Float, Float]:
        """The prior's mean and deviation, see `LinearPrior.moments`."""
        return self._prior.moments(self.term_scale[: self.n_named], self.derived.std)

    def prior_mean(self) -> Float:
        """The prior's mean of each named term's weight, per unit of the term [M]."""
        return self._moments()[0][: self.n_named]

    def scaled_prior(self) -> tuple[Float, Float, Float] | None:
        mean, deviation = (part[: self.n_named] for part in self._moments())
        return mean, deviation, self.term_scale[: self.n_named]

    def set_weights(self, weights: Float) -> None:
        """Weights [M] found elsewhere, held by every member."""
        self.weights = np.repeat(weights[None], self.config.n_members, 0)

    @property
    def has_samples(self) -> bool:
        """Whether feedback has been fitted: before that there is only the prior's mean."""
        return len(self.samples) > self.config.n_members

    def reset(self) -> None:
        """Back to the prior, as after all feedback was taken back."""
        self.chains = self._next_generator().standard_normal(self.chains.shape, np.float32)
        self._reset_to_prior()

    def _reset_to_prior(self) -> None:
        """What is believed before any feedback: the written reward alone."""
        self._set_derived(no_derived_terms(self.one_hot))
        self.samples = np.repeat(self._proxy_weights[None], self.config.n_members, 0)
        self.weights = self.samples.copy()
        self.future_shares = np.zeros(0, np.float32)

    def set_term_scales(self, clips: list[Float]) -> None:
        """Learn each term's usual amount from clips' sums [M]: the root mean square where it occurs."""
        sums = np.abs(np.array(clips, np.float32))
        if not len(sums):
            return
        occurs = (sums > 1e-6).sum(0)
        usual = np.sqrt((sums**2).sum(0) / np.maximum(occurs, 1))
        self.term_scale[: self.n_named] = np.where(occurs > 0, usual, 1.0)

    def fit(self, packed: PackedChoices) -> None:
        """Explain these choices; starts from the chains of the last fit.

        By the named terms alone, and where the evidence asks for it by derived ones as well.
        """
        self._set_derived(no_derived_terms(self.one_hot))
        self._fit_weights(packed)
        if not self.obs_names:
            return
        steps, future = self._sums.step_tables(packed)
        mean, std = (part[: self.n_named].astype(np.float64) for part in self._moments())
        problem = Problem(
            replace(packed, weight=packed.weight * self.tempering_weights[packed.kind]),
            (packed.term_sums + self.mean_future_share * packed.future_term_sums).astype(np.float64)
            / self.term_scale,
            mean,
            np.maximum(std, 1e-6),
            self.kind_rationality.astype(np.float64),
            self.mean_future_share,
            self.config.error_rate,
        )
        found = select_derived_terms(problem, steps, future, self.obs_names, self.one_hot)
        self._set_derived(found)
        if len(found.terms):
            self._fit_weights(packed)

    def _set_derived(self, found: Selection) -> None:
        """Take up other derived terms; the chains forget those of before."""
        known = len(self.term_scale) - self.n_named
        self._sums.derived = found
        self.term_scale = np.append(
            self.term_scale[: self.n_named], np.ones(len(found.terms), np.float32)
        ).astype(np.float32)
        if known or len(found.terms):
            size = self._prior.size(len(found.terms), 1)
            self.chains = self._next_generator().standard_normal((len(self.chains), size), np.float32)

    @property
    def mean_future_share(self) -> float:
        """The mean share of what a clip leads to that counts."""
        return float(self.future_shares.mean()) if len(self.future_shares) else 0.0

    def _fit_weights(self, packed: PackedChoices) -> None:
        """Sample the weights of the named terms and of the derived ones there are."""
        features, n_raters = self._sums.features(packed, self.term_scale)
        self._resize_chains(n_raters)
        named = self.term_scale[: self.n_named]
        likelihoods = LinearLikelihoods(packed, features, self._prior, self._moments(), named)
        self.tempering_weights = self._fit_tempering_weights(packed, likelihoods)
        log_likelihood = likelihoods.of_all(self.tempering_weights)
        if likelihoods.best_future:
            self._anneal_chains(log_likelihood)
        kept, self.chains = sample_chains(
            log_likelihood,
            self.chains,
            self.config.n_moves,
            self.config.samples_per_chain,
            self._next_generator(),
        )
        found = self._prior.parameters(kept, self._moments())
        weights = found.weights[:, : len(self.term_scale)]
        self.future_shares = found.future_share.mean(1)
        self.kind_rationality = np.asarray(np.exp(np.log(found.rationality).mean(0)), np.float32)
        self.samples = np.asarray(weights / self.term_scale, np.float32)
        pick = self._next_generator().permutation(len(self.chains))[: self.config.n_members]
        members = self.samples[-len(self.chains) :][pick]
        self.weights = members - members.mean(0) + self.samples.mean(0)

    def _next_generator(self) -> np.random.Generator:
        """A generator that goes on from where a checkpoint stopped."""
        return np.random.default_rng(int(torch.randint(2**62, (1,), generator=self.generator)))

    def _anneal_chains(self, log_likelihood: LogLikelihood) -> None:
        """Begin anew at every peak: what clips lead to under the best of several policies has many."""
        random, (chains, size) = self._next_generator(), self.chains.shape
        particles = random.standard_normal((max(N_PARTICLES, chains), size), np.float32)
        found = annealed_start(log_likelihood, particles, MOVES_BY_STAGE, random)
        self.chains = found[random.choice(len(found), chains, replace=False)]

    def _resize_chains(self, n_raters: int) -> None:
        """Give the chains a share of the future for each rater; new numbers are drawn from the prior."""
        size = self._prior.size(len(self.derived.terms), n_raters)
        missing = size - self.chains.shape[1]
        if missing > 0:
            fresh = self._next_generator().standard_normal((len(self.chains), missing), np.float32)
            self.chains = np.concatenate([self.chains, fresh], 1)
        self.chains = self.chains[:, :size]

    def refine(self, packed: PackedChoices) -> None:
        self._fit_weights(packed)

    def _fit_tempering_weights(self, packed: PackedChoices, likelihoods: LinearLikelihoods) -> Float:
        """How much each of KINDS counts [kinds], by how well it alone foresees the comparisons."""
        found = np.ones(len(CHOICE_KINDS), np.float32)
        answered = packed.kind == CHOICE_KINDS.index("comparison")
        self.expected_tempering_weights[:] = EXPECTED_WEIGHT
        if packed.weight[answered].sum() < self.config.min_answers_for_tempering:
            return found
        of = {
            kind: likelihoods.of(packed.kind == i, found)
            for i, kind in enumerate(CHOICE_KINDS)
            if (packed.kind == i).any()
        }
        chains, size = self.chains.shape
        for kind, share in tempering_weights(of.pop("comparison"), of, chains, size, self._seed).items():
            at = CHOICE_KINDS.index(kind)
            found[at] = self.expected_tempering_weights[at] = share
        return found

    # What others ask of it.

    @property
    def derived_terms(self) -> DerivedTerms:
        return self.derived.terms

    @property
    def unnamed_log_odds(self) -> float | None:
        return self.derived.log_odds

    def arrays(self) -> RewardArrays:
        """As plain arrays for a snapshot."""
        return self._arrays(self.weights)

    def _arrays(self, weights: Float) -> RewardArrays:
        """Of members' weights [E, M + K]."""
        named, derived = weights[:, : self.n_named], self.derived.terms
        nets = tuple(derived.layers(member[self.n_named :]) for member in weights) if len(derived) else ()
        return RewardArrays(named, nets, self.shift, self.scale, self.one_hot)

    def risk_adjusted_arrays(self, counts: Float, usual_counts: Float) -> RewardArrays:
        """Its mean, less what is doubtful in doing more of something than people chose."""
        if not self.has_samples:
            return self.arrays()
        sure = risk_adjusted_weights(self.samples, counts, usual_counts, self.config.risk_aversion)
        shift = (sure - self.samples.mean(0)).astype(np.float32)
        if len(self.derived.terms):  # one net in place of the ensemble's, which costs as many times less
            return self._arrays(self.weights.mean(0, keepdims=True) + shift)
        return self._arrays(self.weights + shift)

    def risk_adjusted_return(self, counts: Float, usual_counts: Float) -> float | None:
        if not self.has_samples:
            return None
        return risk_adjusted_return(self.samples, counts, usual_counts, self.config.risk_aversion)

    def is_credibly_better(self, counts: Float, other_counts: Float) -> bool:
        least = self.config.min_gain_deviations
        return not self.has_samples or is_credibly_better(self.samples, counts, other_counts, least)

    def rationality(self, kind: str) -> tuple[float, float]:
        at = CHOICE_KINDS.index(kind)
        return float(self.kind_rationality[at]), float(self.expected_tempering_weights[at])

    def max_episodes_per_fit(self, n_records: int) -> int:
        return 4_000

    def is_idle(self, counts: Float) -> bool:
        return self.has_samples and float(np.abs(self.samples @ counts).mean()) < IDLE_RETURN

    def randomise(self) -> None:
        """Random weights, the same each time, in place of what was learned: a control for studies."""
        self._set_derived(no_derived_terms(self.one_hot))
        self.samples = self.samples[:, : self.n_named]
        noise = np.random.default_rng([self._seed, 4]).standard_normal(self.n_named)
        weights = (noise * self._usable_terms / self.term_scale).astype(np.float32)
        self.weights = np.repeat(weights[None], len(self.weights), 0)

    def returns(self, packed: PackedChoices) -> Float:
        (worth, ahead), weights = self._sums.of_options(packed), self.weights.mean(0)
        found = (worth + self.mean_future_share * ahead) @ weights
        if best := BestFuture(packed, np.ones(self.n_named, np.float32)):
            shares = np.full((1, max(1, int(packed.rater.max(initial=0)) + 1)), self.mean_future_share)
            found += best(weights[None, : self.n_named], shares.astype(np.float32))[0]
        return np.asarray(found, np.float32)

    def sampled_returns(
        self, clips: Sequence[Trajectory], futures: Sequence[Future | None] | None = None
    ) -> Float:
        found = self.samples @ np.stack([self.count_terms(clip) for clip in clips]).T
        if futures is not None and len(self.future_shares):
            ahead = np.stack([self._sums.of_future(one, self.n_named) for one in futures])
            named = self.samples[:, : self.n_named]
            best = np.stack([best_future_worth(one, named) for one in futures], 1)
            found = found + self.future_shares[:, None] * (self.samples @ ahead.T + best)
        return np.asarray(found, np.float32)

    def count_terms(self, steps: Trajectory, step_weights: Float | None = None) -> Float:
        return self._sums.of_steps(steps, step_weights)

    # Stopping and going on.

    def state_dict(self) -> StateDict:
        derived = {"names": list(self.derived.terms.names), "log_odds": self.derived.log_odds}
        facts = {"shift": self.shift, "scale": self.scale, "derived": derived}
        arrays = {
            "reward.weights": self.weights,
            "reward.samples": self.samples,
            "reward.unit": self.term_scale,
            "reward.trust": self.kind_rationality,
            "reward.expected": self.expected_tempering_weights,
            "reward.chains": self.chains,
            "reward.future": self.future_shares,
            "reward.derived.std": self.derived.std,
            **self.derived.terms.state_arrays(),
            "reward.random": self.generator.get_state().numpy(),
        }
        return StateDict(facts, arrays)

    def load_state_dict(self, state: StateDict) -> None:
        facts, arrays = state.facts, state.arrays
        self.shift, self.scale = facts["shift"], facts["scale"]
        self.weights, self.samples = arrays["reward.weights"], arrays["reward.samples"]
        self.term_scale, self.kind_rationality = arrays["reward.unit"], arrays["reward.trust"]
        known = facts.get("derived", {"names": [], "log_odds": None})  # an older version had none
        terms = DerivedTerms.from_state(arrays, known["names"], self.one_hot)
        std = arrays.get("reward.derived.std", np.zeros(0, np.float32)).copy()
        self._sums.derived = Selection(terms, std, known["log_odds"])
        if "reward.expected" in arrays:  # an older version kept none
            self.expected_tempering_weights = arrays["reward.expected"].copy()
        kept = arrays["reward.chains"]
        if len(kept) == len(self.chains) and kept.shape[1] >= 3 * len(self.term_scale):  # older: fewer
            self.chains = kept.copy()
        self.future_shares = arrays.get("reward.future", np.zeros(0, np.float32)).copy()
        self.generator.set_state(torch.from_numpy(arrays["reward.random"].copy()))
