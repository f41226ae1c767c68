"""The reward `net` where no turn of the world helps: a sum of bends of each number seen, found exactly.

reward(s, a, s') = scale * written + straight(s', rise, fall, a) + sum over numbers and knots of
weight * tanh((s' - knot) / width): a wide first layer that stands still under a last one that is learned
(Rahimi and Recht 2008). In it choices are a logistic regression: Newton's method finds its best weights in
milliseconds, Laplace's method how sure they are. How much each number matters is set by the evidence,
group by group (MacKay 1992, "Bayesian interpolation", eq. 4.5), under a weak prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.checkpoint import Arrays
from agents.choices import Packed
from agents.learned_reward import Float
from agents.reward_net import STRAIGHT, NetConfig, NetReward
from agents.snapshot import Layers, RewardArrays
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
    written: float = 0.7  # prior deviation of the written part's scale, whose mean is 1
    rounds: int = 4  # of finding how much each number matters
    freedom: float = 0.1  # degrees of freedom that a number's prior relevance is worth
    newton: int = 12  # steps at a round
    samples: int = 32  # of what is believed, for choosing questions


class AdditiveReward(NetReward):
    """The same face as the other net's; a fit to a hundred answers takes about a tenth of a second."""

    def __init__(
        self,
        written: Float,
        one_hot: int,
        config: NetConfig,
        seed: int = 0,
        additive: AdditiveConfig | None = None,
    ) -> None:
        self.additive = additive or AdditiveConfig()
        super().__init__(written, (), one_hot, config, seed)

    def forget(self) -> None:
        super().forget()
        self._samples = np.zeros((0, 0), np.float32)
        """What is believed [samples, features + 1], the last the weight of the written part."""
        self._knots, self._width = np.zeros((0, 0), np.float32), np.zeros(0, np.float32)

    def _features(self, obs: Float, actions: Any, after: Float) -> Float:
        """Of steps [N, 3 D + A + knots * D]."""
        change = after - obs
        acts = np.asarray(actions)
        act = np.eye(self.one_hot, dtype=np.float32)[acts.astype(np.int64).ravel()] if self.one_hot else acts
        act = np.asarray(act, np.float32).reshape(len(obs), -1)
        bends = [np.tanh((after - knot) / self._width) for knot in self._knots]
        parts = [after, np.maximum(change, 0.0), np.maximum(-change, 0.0), act, *bends]
        return np.asarray(np.concatenate(parts, 1), np.float32)

    def fit(self, packed: Packed) -> None:
        own, wide = self.additive, packed.obs.shape[1]
        after = packed.next_obs
        low, high = np.quantile(after, 0.01, 0), np.quantile(after, 0.99, 0)
        self._knots = np.stack([low + share * (high - low) for share in KNOTS]).astype(np.float32)
        self._width = (WIDTH * np.maximum(after.std(0), 0.05)).astype(np.float32)
        steps = self._features(packed.obs, packed.actions, after) * packed.step_weight[:, None]
        starts = np.flatnonzero(np.diff(packed.owner, prepend=-1))
        sums = np.add.reduceat(steps.astype(np.float64), starts, axis=0)
        unit = np.maximum(sums.std(0), 0.1)
        acts = steps.shape[1] - (3 + len(KNOTS)) * wide
        prior = np.repeat(
            [own.seen, own.change, own.act, own.bend], [wide, 2 * wide, acts, len(KNOTS) * wide]
        )
        number = np.arange(wide)
        groups = np.concatenate(
            [number, wide + number, 2 * wide + number, np.full(acts, 3 * wide), np.tile(number, len(KNOTS))]
        )
        paid = packed.terms @ self._written * (self.config.written / self._unit)
        features = np.concatenate([sums / unit, paid[:-1, None]], 1)
        features = np.concatenate([features, np.zeros((1, features.shape[1]))])  # nothing at all
        variance = np.append(0.5 * prior**2 / self.config.ridge, own.written**2)
        self._solve(packed, features, variance, np.append(groups, 3 * wide + 1), np.append(unit, 1.0))

    def _solve(
        self, packed: Packed, features: Wide, variance: Wide, groups: NDArray[np.int64], unit: Wide
    ) -> None:
        """Find weights, each kind's sharpness and each group's relevance by turns."""
        own, config = self.additive, self.config
        mean = np.append(np.zeros(len(variance) - 1), 1.0)  # before any answer: the written reward
        found, relevance = mean.copy(), np.ones(groups.max() + 1)
        trust = np.array(config.trust, np.float64)
        for turn in range(own.rounds):
            now = variance * relevance[groups]
            for _ in range(own.newton):
                rows, slope = _curvature(packed, features, found, trust, config.noise)
                curve = rows.T @ rows
                inverse = np.linalg.inv(np.eye(len(now)) + curve * now)  # (curve + 1 / now)^-1 = now * this
                step = now[:, None] * inverse @ (slope - (found - mean) / now)
                found = found + step
                if np.abs(features @ step).max() < 1e-3:
                    break
            covariance = now[:, None] * inverse
            trust = self._sharpness(packed, features @ found)
            if turn < own.rounds - 1:
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
        acts = packed.actions.shape[1] if not self.one_hot else self.one_hot
        self._nets = tuple(self._layers(one.astype(np.float32), packed.obs.shape[1], acts) for one in members)
        scale = members[:, -1:].astype(np.float32) * np.float32(self.config.written / self._unit)
        self.weights = scale * self._written

    def _layers(self, weights: Float, wide: int, acts: int) -> Layers:
        """Weights of features as a net on (seen, rise, fall, action); what comes is seen + rise - fall."""
        bends, into = len(KNOTS) * wide, np.zeros((3 * wide + acts, len(KNOTS) * wide + 1), np.float32)
        numbers = np.tile(np.arange(wide), len(KNOTS))
        steep = 1.0 / np.tile(self._width, len(KNOTS))
        for part, sign in enumerate((1.0, 1.0, -1.0)):
            into[part * wide + numbers, np.arange(bends)] = sign * steep
        seen, straight = weights[:wide], weights[: 3 * wide + acts].copy()
        straight[wide : 2 * wide] += seen
        straight[2 * wide : 3 * wide] -= seen
        size = max(float(np.abs(straight).max()), 1e-6) / STRAIGHT  # so that its tanh bends nothing
        into[:, -1] = straight / size
        bias = np.append(-self._knots.ravel() * steep, 0.0).astype(np.float32)
        out = np.append(weights[3 * wide + acts : -1], size).astype(np.float32)
        return (into, bias), (out[:, None], np.zeros(1, np.float32))

    def sure(self, counts: Float, usual: Float) -> RewardArrays:
        """The members' mean as one net: their first layers are the same but for the straight unit."""
        if not self._nets:
            return self.arrays()
        into, bias = self._nets[0][0]
        ups = [net[1][0][-1] for net in self._nets]
        straight = np.mean([net[0][0][:, -1] * up for net, up in zip(self._nets, ups, strict=True)], 0)
        out = np.mean([net[1][0] for net in self._nets], 0)
        size = max(float(np.abs(straight).max()), 1e-6) / STRAIGHT
        into, out[-1] = np.concatenate([into[:, :-1], straight[:, None] / size], 1), size
        net = ((into.astype(np.float32), bias), (out.astype(np.float32), np.zeros(1, np.float32)))
        return replace(self.arrays(), weights=self.weights.mean(0, keepdims=True), nets=(net,))

    def believed(self, clips: Sequence[Trajectory]) -> Float:
        if not len(self._samples):
            return super().believed(clips)
        worth = [self._features(c.observations[:-1], c.actions, c.observations[1:]).sum(0) for c in clips]
        paid = np.stack([c.terms.sum(0) for c in clips]) @ self._written * (self.config.written / self._unit)
        return np.asarray(self._samples @ np.concatenate([np.stack(worth), paid[:, None]], 1).T, np.float32)

    def state(self) -> Arrays:
        own = {"reward.samples": self._samples, "reward.knots": self._knots, "reward.width": self._width}
        return super().state() | own

    def restore(self, facts: dict[str, Any], arrays: Arrays) -> None:
        super().restore(facts, arrays)
        self._samples = arrays["reward.samples"]
        self._knots, self._width = arrays["reward.knots"], arrays["reward.width"]


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
