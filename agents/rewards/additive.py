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
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.checkpoint import Arrays
from agents.feedback.choices import Packed
from agents.policies.policy_arrays import Layers
from agents.rewards.base import Float
from agents.rewards.linear import IDLE
from agents.rewards.net import STRAIGHT, NetConfig, NetReward
from agents.rewards.rater_noise import judged, strangers
from agents.rewards.reward_arrays import RewardArrays, Turns, reward_inputs, steps_of
from agents.rewards.risk_aversion import Aversion, sure_return, sure_weights
from agents.rewards.term_predictor import Foretelling
from envs.trajectory import Trajectory

Wide = NDArray[np.float64]
KNOTS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Where bends lie, as shares of the range that each number has."""
WIDTH = 0.25  # of a bend, in deviations of the number
TRUSTS = np.exp(np.linspace(-2.0, 2.0, 17))
"""Multiples of its prior median that a kind's sharpness may be."""


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
    aversion: Aversion = field(default_factory=Aversion)  # to what is doubtful in what is told, in practice


class AdditiveReward(NetReward):
    """The same face as the other net's; a fit to a hundred answers takes about a tenth of a second."""

    judges_care = True

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
        self.additive = additive or AdditiveConfig()
        self.foretelling = Foretelling(len(written) if written.any() else 0, seed)
        super().__init__(written, turns, one_hot, config, seed)

    def patience(self, said: int) -> int:
        return self.additive.patience if self._tells else super().patience(said)

    def see(self, obs: Float, actions: Any, next_obs: Float, terms: Float) -> None:
        if not self.foretelling.terms:
            return
        for turns in self._turns or (None,):
            self.foretelling.see(self._plain(obs, actions, next_obs, turns), terms)
        self._go_on()

    def _go_on(self) -> None:
        """What is told follows what was seen."""
        if self._tells and self._nets:
            self.foretelling.go_on()
            self._nets = tuple(map(self._layers, self._members))

    def see_clips(self, clips: Sequence[Trajectory]) -> None:
        if not (self.foretelling.terms and clips):
            return
        obs, actions, after, terms = steps_of(clips)
        for turns in self._turns or (None,):
            self.foretelling.see_clips(self._plain(obs, actions, after, turns), terms)
        self._go_on()

    def _plain(self, obs: Float, actions: Any, after: Float, turns: Turns | None) -> Float:
        """What the first layer sees of steps [N, 3 D + A]."""
        acts: Any = np.asarray(actions).reshape(len(obs), -1)
        acts = acts[:, 0].astype(np.int64) if self.one_hot else acts
        return np.asarray(reward_inputs(obs, acts, after, self.one_hot, turns, apart=True), np.float32)

    def forget(self) -> None:
        super().forget()
        self._samples = np.zeros((0, 0), np.float32)
        """What is believed [samples, features + 1], the last the weight of the written part."""
        self._members, self._tells = np.zeros((0, 0), np.float32), 0
        self._knots, self._width = np.zeros((0, 0), np.float32), np.zeros(0, np.float32)

    def _features(self, obs: Float, actions: Any, after: Float) -> Float:
        """Of steps [N, 3 D + A + bends + told]."""
        plain, wide = self._plain(obs, actions, after, self._turns[0] if self._turns else None), obs.shape[1]
        came = plain[:, :wide] + plain[:, wide : 2 * wide] - plain[:, 2 * wide : 3 * wide]
        bends = [np.tanh((came - knot) / self._width) for knot in self._knots]
        told = [self.foretelling.tell(plain)] if self._tells else []
        return np.asarray(np.concatenate([came, plain[:, wide:], *bends, *told], 1), np.float32)

    def fit(self, packed: Packed) -> None:
        own, wide = self.additive, packed.obs.shape[1]
        after = packed.next_obs
        self._tells = self.foretelling.terms if self.foretelling.learn() else 0
        low, high = np.quantile(after, 0.01, 0), np.quantile(after, 0.99, 0)
        knots = np.stack([low + share * (high - low) for share in KNOTS]).astype(np.float32)
        self._knots = knots[: 0 if self._turns else None]
        self._width = (WIDTH * np.maximum(after.std(0), 0.05)).astype(np.float32)
        steps = self._features(packed.obs, packed.actions, after) * packed.step_weight[:, None]
        starts = np.flatnonzero(np.diff(packed.owner, prepend=-1))
        sums = np.add.reduceat(steps.astype(np.float64), starts, axis=0)
        unit = np.maximum(sums.std(0), 0.1)
        if self._tells:  # what seldom happens is worth no more than what often does, each time
            unit[-self._tells :] = np.maximum(unit[-self._tells :], self._usual(packed.terms))
        prior, groups = self._priors(wide, steps.shape[1])
        paid = packed.terms @ self._written * (self.config.written / self._unit)
        features = np.concatenate([sums / unit, paid[:-1, None]], 1)
        features = np.concatenate([features, np.zeros((1, features.shape[1]))])  # nothing at all
        variance = np.append(0.5 * prior**2 / self.config.ridge, own.written**2)
        self._solve(packed, features, variance, np.append(groups, groups.max() + 1), np.append(unit, 1.0))

    def _usual(self, terms: Float) -> Wide:
        """What clips with a term usually have of it, as it is told [M]; of their sums of terms [S, M]."""
        occurs = (np.abs(terms) > 1e-6).sum(0)
        usual = np.sqrt((terms.astype(np.float64) ** 2).sum(0) / np.maximum(occurs, 1))
        return np.asarray(np.where(occurs > 0, usual, 1.0) / self.foretelling.unit)

    def _priors(self, wide: int, features: int) -> tuple[Wide, NDArray[np.int64]]:
        """Each feature's prior deviation, in clips' deviations, and the group that it matters with."""
        own, bends = self.additive, self._knots.size
        acts = features - 3 * wide - bends - self._tells
        sizes = [wide, 2 * wide, acts, bends, self._tells]
        prior = np.repeat([own.seen, own.change, own.act, own.bend, own.told], sizes)
        if self._tells:
            prior[: -self._tells] *= own.beside
        number = np.arange(wide)
        plain = [number, wide + number, 2 * wide + number, np.full(acts, 3 * wide)]
        told = 3 * wide + 1 + np.arange(self._tells)
        return prior, np.concatenate([*plain, np.tile(number, len(self._knots)), told])

    def _solve(
        self, packed: Packed, features: Wide, variance: Wide, groups: NDArray[np.int64], unit: Wide
    ) -> None:
        """Find weights, each kind's sharpness and each group's relevance by turns."""
        own, config = self.additive, self.config
        mean = np.append(np.zeros(len(variance) - 1), 1.0)  # before any answer: the written reward
        found, relevance = mean.copy(), np.ones(groups.max() + 1)
        trust, packed = np.array(config.trust, np.float64), strangers(packed)
        for turn in range(own.rounds):
            now = variance * relevance[groups]
            for _ in range(own.newton):
                before = found
                found, covariance = _newton(features, before, mean, now, trust, config.noise, packed)
                if np.abs(features @ (found - before)).max() < 1e-3:
                    break
            trust = self._sharpness(packed, features @ found)
            if turn < own.rounds - 1:
                solve = partial(_newton, features, found, mean, now, trust, config.noise)
                packed = judged(packed, features, trust[packed.kind], solve)
                used = np.clip(1.0 - np.diag(covariance) / now, 0.0, 1.0)
                known = np.bincount(groups, (found - mean) ** 2 / variance)
                free = np.bincount(groups, used)
                relevance = np.clip((own.freedom + known) / (own.freedom + free), 0.02, 50.0)
                relevance[-1] = 1.0
        self.trust = trust.astype(np.float32)
        self._keep_samples(found, covariance, unit, packed)

    def _sharpness(self, packed: Packed, returns: Wide) -> Wide:
        """The likeliest of each of KINDS, under its prior."""
        config = self.config
        like = np.stack([_log_likelihoods(packed, returns, t, config.noise) for t in _trusts(config)])
        found = np.array(config.trust, np.float64)
        for kind in set(packed.kind.tolist()):
            mine = packed.kind == kind
            total = (like[:, mine] * packed.weight[mine]).sum(1)
            total = total - 0.5 * (np.log(TRUSTS) / config.trust_spread[kind]) ** 2
            found[kind] *= TRUSTS[int(total.argmax())]
        return found

    def _keep_samples(self, found: Wide, covariance: Wide, unit: Wide, packed: Packed) -> None:
        """Samples of the posterior, moved together so that their mean is the likeliest; members are some."""
        random = np.random.default_rng([self._seed, len(packed)])
        values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
        noise = random.standard_normal((self.additive.samples, len(found)))
        samples = found + noise * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
        samples = (samples + found - samples.mean(0)) / unit
        self._samples = samples.astype(np.float32)
        members = samples[: self.config.members]
        members = members - members.mean(0) + found / unit
        self._members = members.astype(np.float32)
        self._nets = tuple(map(self._layers, self._members))
        scale = members[:, -1:].astype(np.float32) * np.float32(self.config.written / self._unit)
        self.weights = scale * self._written

    def _layers(self, weights: Float) -> Layers:
        """Weights of features as a net on (seen, rise, fall, action); what comes is seen + rise - fall."""
        wide, bends = len(self._width), self._knots.size
        plain = len(weights) - 1 - self._tells - bends
        into = np.zeros((plain, bends), np.float32)
        numbers = np.tile(np.arange(wide), len(self._knots))
        steep = 1.0 / np.tile(self._width, len(self._knots))
        for part, sign in enumerate((1.0, 1.0, -1.0)):
            into[part * wide + numbers, np.arange(bends)] = sign * steep
        bias, out = -self._knots.ravel() * steep, weights[plain : plain + bends]
        always = 0.0
        if self._tells:
            first, its_bias, last, rest = self.foretelling.layers
            told = weights[plain + bends : -1]
            into, bias = np.concatenate([into, first], 1), np.append(bias, its_bias)
            out, always = np.append(out, last @ told), float(rest @ told)
        seen, straight = weights[:wide], weights[:plain].copy()
        straight[wide : 2 * wide] += seen
        straight[2 * wide : 3 * wide] -= seen
        size = max(float(np.abs(straight).max()), 1e-6) / STRAIGHT  # so that its tanh bends nothing
        into = np.concatenate([into, straight[:, None] / size], 1).astype(np.float32)
        bias, out = np.append(bias, 0.0).astype(np.float32), np.append(out, size).astype(np.float32)
        return (into, bias), (out[:, None], np.array([always], np.float32))

    def sure(self, counts: Float, usual: Float) -> RewardArrays:
        """The members' mean as one net, less what is doubtful in what it tells."""
        if not self._nets:
            return self.arrays()
        mean = self._members.mean(0)
        if self._tells:
            shift = sure_weights(self._worths, counts, usual, self.additive.aversion) - self._worths.mean(0)
            mean[-1 - self._tells : -1] += (shift * self.foretelling.unit).astype(np.float32)
        return replace(self.arrays(), weights=self.weights.mean(0, keepdims=True), nets=(self._layers(mean),))

    @property
    def _worths(self) -> Float:
        """What a unit of each term is worth, as far as terms are told [samples, M]."""
        told = self._samples[:, -1 - self._tells : -1] / self.foretelling.unit
        written = self._written * np.float32(self.config.written / self._unit)
        return np.asarray(told + self._samples[:, -1:] * written, np.float32)

    def sure_return(self, counts: Float, usual: Float) -> float | None:
        return sure_return(self._worths, counts, usual, self.additive.aversion) if self._tells else None

    def is_idle(self, counts: Float) -> bool:
        return bool(self._tells) and float(np.abs(self._worths @ counts).mean()) < IDLE

    def believed(self, clips: Sequence[Trajectory]) -> Float:
        if not len(self._samples):
            return super().believed(clips)
        worth = [self._features(c.observations[:-1], c.actions, c.observations[1:]).sum(0) for c in clips]
        paid = np.stack([c.terms.sum(0) for c in clips]) @ self._written * (self.config.written / self._unit)
        return np.asarray(self._samples @ np.concatenate([np.stack(worth), paid[:, None]], 1).T, np.float32)

    def state(self) -> Arrays:
        own = {"reward.samples": self._samples, "reward.knots": self._knots, "reward.width": self._width}
        own |= {"reward.members": self._members}
        return super().state() | own | (self.foretelling.state() if self._tells else {})

    def restore(self, facts: dict[str, Any], arrays: Arrays) -> None:
        super().restore(facts, arrays)
        self._samples = arrays["reward.samples"]
        self._knots, self._width = arrays["reward.knots"], arrays["reward.width"]
        self.foretelling.restore(arrays)
        self._members = arrays["reward.members"]
        self._tells = self.foretelling.terms if "reward.told.0" in arrays else 0


def _newton(
    features: Wide, found: Wide, mean: Wide, now: Wide, trust: Wide, noise: float, packed: Packed
) -> tuple[Wide, Wide]:
    """Likelier weights [F] than `found` by one step, and their covariance [F, F]."""
    rows, slope = _curvature(packed, features, found, trust, noise)
    inverse = np.linalg.inv(np.eye(len(now)) + rows.T @ rows * now)  # (curvature + 1 / now)^-1 = now * this
    covariance = now[:, None] * inverse
    return found + covariance @ (slope - (found - mean) / now), covariance


def _trusts(config: NetConfig) -> Wide:
    return TRUSTS[:, None] * np.array(config.trust)


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
