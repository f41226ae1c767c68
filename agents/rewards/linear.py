"""The reward `terms`: linear in the world's named terms, and Bayesian, so that ten answers can do.

reward(s, a, s') = w . terms, with a Gaussian prior of w around the written reward (or around zero),
every act of the person a Boltzmann choice, and the posterior sampled. How sharply the person
chooses is estimated for each kind of feedback along with w, so that careless demonstrations don't
outweigh careful comparisons. The ensemble's members are posterior samples, moved together so that
their mean is the posterior's. What no term names is for the reward `net` (net.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agents.checkpoint import Arrays
from agents.feedback.choices import DRIVEN, KINDS, Packed
from agents.rewards.base import ChoiceReward
from agents.rewards.choice_likelihood import LinearChoiceLikelihood
from agents.rewards.reward_arrays import RewardArrays
from agents.rewards.risk_aversion import (
    RiskAversion,
    is_credibly_better,
    risk_adjusted_return,
    risk_adjusted_weights,
)
from agents.rewards.slice_sampler import LogLikelihood, sample
from agents.rewards.tempering import EXPECTED, tempering_weights
from envs.trajectory import Trajectory

Float = NDArray[np.float32]
IDLE = 0.5
"""An agent whose episodes matter less than this, for good or ill, has come to do nothing [nats]."""


@dataclass(frozen=True)
class LinearRewardConfig:
    """How the reward is learned."""

    members: int = 5  # of the ensemble
    chains: int = 48  # posterior chains side by side
    moves: int = 240  # elliptical slice moves at a fit
    keep: int = 6  # states of each chain, from the later half of them, are kept as samples
    spread: float = 2.5  # prior deviation of a term's weight, on one clip's usual amount of it [nats]
    written: float = 1.7  # prior mean of the largest written weight, in the same unit [nats]
    noise: float = 0.04  # share of acts taken for accidents, before anything is known of who acts
    trust: tuple[float, ...] = (1.0, 0.5, 1.0, 1.0)  # prior median of the sharpness of each of KINDS
    trust_spread: tuple[float, ...] = (0.05, 0.8, 0.5, 0.7)  # its deviation in log
    manner: float = 0.5  # by how much driving speaks otherwise than answers: median deviation [nats]
    manner_spread: float = 1.0  # its deviation in log, from term to term
    unnamed: float = -0.4  # prior mean of a weight that the written reward leaves out [nats]
    aversion: RiskAversion = field(
        default_factory=lambda: RiskAversion(tolerance=2.0, less=False)
    )  # to doubt
    surely: float = 0.5  # deviations that long practice must have gained, or what it took up is given up
    foreseen: int = 1  # comparisons from which on other kinds are trusted by how well they foresee them


def _driven(packed: Packed) -> Float:
    """1 for each option [S + 1] of a demonstration or a correction, 0 for what was only judged."""
    found = np.zeros(len(packed.terms), np.float32)
    rows = np.isin(packed.kind, [KINDS.index(kind) for kind in DRIVEN])
    found[packed.option[rows][packed.mask[rows]]] = 1.0
    return found


class LinearReward(ChoiceReward):
    """The learned reward; `fit` takes well under a second for a hundred answers."""

    estimates_rater_noise = True

    def __init__(
        self,
        written: Float,
        usable: NDArray[np.bool_],
        one_hot: int,
        config: LinearRewardConfig,
        seed: int = 0,
    ) -> None:
        """written [M]: the prior's mean (zeros: none). usable [M]: terms that the reward may use."""
        super().__init__(one_hot, seed)
        self.config, self._written, self._usable = config, written, usable
        self.default_error_rate = config.noise
        size = 3 * len(written) + len(KINDS)
        self.chains: Float = self._random().standard_normal((config.chains, size), np.float32)
        self.unit = np.ones(len(written), np.float32)
        self.samples = np.zeros((0, len(written)), np.float32)
        self.trust = np.array(config.trust, np.float32)
        self.shares = np.ones(len(KINDS), np.float32)
        self.expected = np.full(len(KINDS), EXPECTED, np.float32)
        """What each kind's share is thought to be when more of it comes."""
        self._from_prior()

    def _prior(self) -> tuple[Float, Float]:
        """Mean and deviation [M + kinds] of (weight per unit of each term, log trust of each kind)."""
        mean = self._written * self.unit
        largest = float(np.abs(mean).max()) if len(mean) else 0.0
        if largest > 0:
            unnamed = np.float32(self.config.unnamed)
            mean = np.where(self._written == 0.0, unnamed, mean * (self.config.written / largest))
        spread = np.where(self._usable, self.config.spread, 0.0)
        means = np.concatenate([np.where(self._usable, mean, 0.0), np.log(self.config.trust)])
        deviations = np.concatenate([spread, self.config.trust_spread])
        return means.astype(np.float32), deviations.astype(np.float32)

    def prior_mean(self) -> Float:
        """The prior's mean of each term's weight, per unit of the term [M]."""
        return self._prior()[0][: len(self._written)]

    def prior_per_unit(self) -> tuple[Float, Float, Float] | None:
        mean, deviation = (part[: len(self.unit)] for part in self._prior())
        return mean, deviation, self.unit

    def set_weights(self, weights: Float) -> None:
        """Weights [M] found elsewhere, held by every member."""
        self.weights = np.repeat(weights[None], self.config.members, 0)

    @property
    def has_samples(self) -> bool:
        """Whether feedback has been fitted: before that there is only the prior's mean."""
        return len(self.samples) > self.config.members

    def reset(self) -> None:
        """Back to the prior, as after all feedback was taken back."""
        self.chains = self._random().standard_normal(self.chains.shape, np.float32)
        self._from_prior()

    def _from_prior(self) -> None:
        """What is believed before any feedback: the written reward alone."""
        self.samples = np.repeat(self._written[None], self.config.members, 0)
        self.weights = self.samples.copy()

    def set_units(self, clips: list[Float]) -> None:
        """Learn each term's usual amount from clips' sums [M]: the root mean square where it occurs."""
        sums = np.abs(np.array(clips, np.float32))
        if not len(sums):
            return
        occurs = (sums > 1e-6).sum(0)
        usual = np.sqrt((sums**2).sum(0) / np.maximum(occurs, 1))
        self.unit = np.where(occurs > 0, usual, 1.0).astype(np.float32)

    def fit(self, packed: Packed) -> None:
        """Explain these choices; starts from the chains of the last fit."""
        driven = _driven(packed)[:, None]
        features = packed.terms / self.unit
        features = np.concatenate([features, features * driven], 1).astype(np.float32)
        self.shares = self._shares(packed, features)
        log_likelihood = self._likelihood(packed, features, np.ones(len(packed), np.bool_), self.shares)
        kept, self.chains = sample(
            log_likelihood, self.chains, self.config.moves, self.config.keep, self._random()
        )
        weights, trust = self._weights_of(kept, self._prior())
        weights = weights[:, : len(self.unit)]
        self.trust = np.asarray(np.exp(np.log(trust).mean(0)), np.float32)
        self.samples = np.asarray(weights / self.unit, np.float32)
        pick = self._random().permutation(len(self.chains))[: self.config.members]
        members = self.samples[-len(self.chains) :][pick]
        self.weights = members - members.mean(0) + self.samples.mean(0)

    def _random(self) -> np.random.Generator:
        """A generator that goes on from where a checkpoint stopped."""
        return np.random.default_rng(int(torch.randint(2**62, (1,), generator=self.generator)))

    def _likelihood(
        self, packed: Packed, features: Float, which: NDArray[np.bool_], shares: Float
    ) -> LogLikelihood:
        """log P of those choices together, each kind's to the power of its share [kinds]."""
        choices = LinearChoiceLikelihood(packed, features, self.config.noise, which)
        counts = (packed.weight * shares[packed.kind])[choices.choices].astype(np.float32)
        prior = self._prior()

        def log_likelihood(x: Float) -> Float:
            return choices.log_likelihood(*self._weights_of(x, prior), counts)

        return log_likelihood

    def _weights_of(self, x: Float, prior: tuple[Float, Float]) -> tuple[Float, Float]:
        """From standard normal x [n, P]: weights and manner side by side [n, 2 M], trust [n, kinds]."""
        mean, deviation = prior
        terms, known = len(self.unit), len(mean)
        value = mean + deviation * x[:, :known]
        manner = self._driving_offset(x[:, known : known + terms], x[:, known + terms :])
        return np.concatenate([value[:, :terms], manner], 1), np.exp(value[:, terms:])

    def refine(self, packed: Packed) -> None:
        self.fit(packed)

    def _driving_offset(self, habit: Float, scale: Float) -> Float:
        """What somebody at the wheel adds to the weights [chains, M], of two standard normal parts.

        Who drives over-cautiously leaves litter that they would rank above none: a habit in one term, which
        must not speak against all else that the drive shows. Few terms, each by much: a normal whose scale
        is log-normal.
        """
        spread = self.config.manner * np.exp(self.config.manner_spread * scale)
        return np.asarray(spread * habit * self._usable, np.float32)

    def _shares(self, packed: Packed, features: Float) -> Float:
        """How much each of KINDS counts [kinds], by how well it alone foresees the comparisons."""
        found = np.ones(len(KINDS), np.float32)
        answered = packed.kind == KINDS.index("comparison")
        self.expected[:] = EXPECTED
        if packed.weight[answered].sum() < self.config.foreseen:
            return found
        of = {
            kind: self._likelihood(packed, features, packed.kind == i, found)
            for i, kind in enumerate(KINDS)
            if (packed.kind == i).any()
        }
        chains, size = self.chains.shape
        for kind, share in tempering_weights(of.pop("comparison"), of, chains, size, self._seed).items():
            found[KINDS.index(kind)] = self.expected[KINDS.index(kind)] = share
        return found

    # What others ask of it.

    def arrays(self) -> RewardArrays:
        """As plain arrays for a snapshot."""
        return RewardArrays(self.weights, (), self.shift, self.scale, self.one_hot)

    def risk_adjusted(self, counts: Float, usual: Float) -> RewardArrays:
        """Its mean, less what is doubtful in doing more of something than people chose."""
        found = self.arrays()
        if not self.has_samples:
            return found
        sure = risk_adjusted_weights(self.samples, counts, usual, self.config.aversion)
        shift = (sure - self.samples.mean(0)).astype(np.float32)
        return replace(found, weights=found.weights + shift)

    def risk_adjusted_return(self, counts: Float, usual: Float) -> float | None:
        if not self.has_samples:
            return None
        return risk_adjusted_return(self.samples, counts, usual, self.config.aversion)

    def is_credibly_better(self, counts: Float, than: Float) -> bool:
        return not self.has_samples or is_credibly_better(self.samples, counts, than, self.config.surely)

    def rationality(self, kind: str) -> tuple[float, float]:
        at = KINDS.index(kind)
        return float(self.trust[at]), float(self.expected[at])

    def max_episodes_per_fit(self, said: int) -> int:
        return 4_000

    def is_idle(self, counts: Float) -> bool:
        return self.has_samples and float(np.abs(self.samples @ counts).mean()) < IDLE

    def randomise(self) -> None:
        """Random weights, the same each time, in place of what was learned: a control for studies."""
        noise = np.random.default_rng([self._seed, 4]).standard_normal(self.weights.shape[1])
        weights = (noise * self._usable / self.unit).astype(np.float32)
        self.weights = np.repeat(weights[None], len(self.weights), 0)

    def returns(self, packed: Packed) -> Float:
        return np.asarray(packed.terms @ self.weights.mean(0), np.float32)

    def sampled_returns(self, clips: Sequence[Trajectory]) -> Float:
        sums = np.stack([clip.terms.sum(0) for clip in clips])
        return np.asarray(self.samples @ sums.T, np.float32)

    # Stopping and going on.

    def facts(self) -> dict[str, float]:
        return {"shift": self.shift, "scale": self.scale}

    def state(self) -> Arrays:
        return {
            "reward.weights": self.weights,
            "reward.samples": self.samples,
            "reward.unit": self.unit,
            "reward.trust": self.trust,
            "reward.expected": self.expected,
            "reward.chains": self.chains,
            "reward.random": self.generator.get_state().numpy(),
        }

    def restore(self, facts: dict[str, Any], arrays: Arrays) -> None:
        self.shift, self.scale = facts["shift"], facts["scale"]
        self.weights, self.samples = arrays["reward.weights"], arrays["reward.samples"]
        self.unit, self.trust = arrays["reward.unit"], arrays["reward.trust"]
        if "reward.expected" in arrays:  # an older version kept none
            self.expected = arrays["reward.expected"].copy()
        if arrays["reward.chains"].shape == self.chains.shape:  # an older version had fewer parameters
            self.chains = arrays["reward.chains"].copy()
        self.generator.set_state(torch.from_numpy(arrays["reward.random"].copy()))
