"""The reward that explains everything the person did: named terms first, a small net for the rest.

reward(s, a, s') = w . terms + net(observation, its change, action). The weights w are Bayesian: a
Gaussian prior around the written reward (or around zero), every act of the person a Boltzmann
choice, the posterior sampled. How sharply the person chooses is estimated for each kind of
feedback along with w, so that careless demonstrations don't outweigh careful comparisons. The
ensemble's members are posterior samples, moved together so that their mean is the posterior's.
Where a world names no terms, the net alone learns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.checkpoint import Arrays, layer_arrays, layers_from
from agents.choices import KINDS, Packed
from agents.losses import choice
from agents.networks import to_array
from agents.posterior import sample
from agents.snapshot import Layers, RewardArrays, reward_inputs

Float = NDArray[np.float32]


@dataclass(frozen=True)
class RewardConfig:
    """How the reward is learned."""

    members: int = 5  # of the ensemble
    chains: int = 48  # posterior chains side by side
    moves: int = 60  # elliptical slice moves at a fit
    keep: int = 6  # of the last of them are kept as samples
    spread: float = 1.5  # prior deviation of a term's weight, on one clip's usual amount of it [nats]
    written: float = 1.0  # prior mean of the largest written weight, in the same unit [nats]
    noise: float = 0.1  # share of answers taken for accidents
    trust: tuple[float, ...] = (1.0, 0.5, 1.0, 1.0)  # prior median of the sharpness of each of KINDS
    trust_spread: tuple[float, ...] = (0.05, 0.8, 0.5, 0.7)  # its deviation in log
    net: bool = False  # whether the net is used beside the terms
    hidden: int = 32  # of the net
    net_steps: int = 150  # Adam steps at a fit
    net_rate: float = 0.01
    net_l2: float = 0.02


class RewardModel:
    """The learned reward; `fit` takes well under a second for a hundred answers."""

    def __init__(
        self, written: Float, usable: NDArray[np.bool_], one_hot: int, config: RewardConfig, seed: int = 0
    ) -> None:
        """written [M]: the prior's mean (zeros: none). usable [M]: terms that the reward may use."""
        self.config, self.one_hot, self._seed = config, one_hot, seed
        self._written, self._usable = written, usable
        self.generator = torch.Generator().manual_seed(seed)
        size = len(written) + len(KINDS)
        self.chains = torch.randn((config.chains, size), generator=self.generator)
        self.unit = np.ones(len(written), np.float32)
        self.samples = np.zeros((0, len(written)), np.float32)
        self.trust = np.array(config.trust, np.float32)
        self._nets: tuple[Layers, ...] = ()
        self.shift, self.scale = 0.0, 1.0
        self._from_prior()

    def _prior(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation [M + kinds] of (weight per unit of each term, log trust of each kind)."""
        mean = self._written * self.unit
        largest = float(np.abs(mean).max()) if len(mean) else 0.0
        mean = mean * (self.config.written / largest) if largest > 0 else mean
        spread = np.where(self._usable, self.config.spread, 0.0)
        means = np.concatenate([np.where(self._usable, mean, 0.0), np.log(self.config.trust)])
        deviations = np.concatenate([spread, self.config.trust_spread])
        return torch.tensor(means, dtype=torch.float32), torch.tensor(deviations, dtype=torch.float32)

    @property
    def has_samples(self) -> bool:
        """Whether feedback has been fitted: before that there is only the prior's mean."""
        return len(self.samples) > self.config.members

    def forget(self) -> None:
        """Back to the prior, as after all feedback was taken back."""
        self.chains = torch.randn(self.chains.shape, generator=self.generator)
        self._nets = ()
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
        terms = len(self._written)
        mean, deviation = self._prior()
        features = torch.from_numpy(packed.terms / self.unit)
        offset = self._net_returns(packed)

        def weights_of(x: Tensor) -> tuple[Tensor, Tensor]:
            value = mean + deviation * x
            return value[:, :terms], value[:, terms:].exp()

        def log_likelihood(x: Tensor) -> Tensor:
            weights, trust = weights_of(x)
            returns = weights @ features.T + offset
            return -self._loss(returns, trust, packed)

        kept, self.chains = sample(
            log_likelihood, self.chains, self.config.moves, self.config.keep, self.generator
        )
        weights, trust = weights_of(kept)
        self.trust = trust.log().mean(0).exp().numpy()
        self.samples = (weights / torch.from_numpy(self.unit)).numpy().astype(np.float32)
        pick = torch.randperm(len(self.chains), generator=self.generator)[: self.config.members].numpy()
        members = self.samples[-len(self.chains) :][pick]
        self.weights = members - members.mean(0) + self.samples.mean(0)
        if self.config.net:
            self._fit_net(packed)

    def _loss(self, returns: Tensor, trust: Tensor, packed: Packed) -> Tensor:
        """Summed negative log-likelihood [E] for returns of options [E, S + 1] and trust [E, kinds]."""
        sharp = trust[:, torch.from_numpy(packed.kind)].unsqueeze(-1)
        options = returns[:, torch.from_numpy(packed.option)] * sharp
        first = torch.zeros(len(packed), dtype=torch.int64)
        loss = choice(options, first, torch.from_numpy(packed.mask), self.config.noise)
        return (loss * torch.from_numpy(packed.weight)).sum(-1)

    # The net beside the terms.

    def _inputs(self, packed: Packed) -> Tensor:
        actions: Any = packed.actions[:, 0].astype(np.int64) if self.one_hot else packed.actions
        return torch.from_numpy(reward_inputs(packed.obs, actions, packed.next_obs, self.one_hot))

    def _net_returns(self, packed: Packed) -> Tensor:
        """The nets' mean share of each option's return, [S + 1]."""
        if not self._nets:
            return torch.zeros(len(packed.terms))
        nothing = np.zeros_like(self.weights)
        only = RewardArrays(nothing, self._nets, one_hot=self.one_hot)
        acts: Any = packed.actions[:, 0].astype(np.int64) if self.one_hot else packed.actions
        none = np.zeros((len(packed.obs), nothing.shape[1]), np.float32)
        steps = only.members(packed.obs, acts, packed.next_obs, none).mean(0) * packed.step_weight
        sums = np.zeros(len(packed.terms), np.float32)
        np.add.at(sums, packed.owner, steps)
        return torch.from_numpy(sums)

    def _fit_net(self, packed: Packed) -> None:
        """Adam on what the terms leave unexplained; each member has its own bootstrap of the choices."""
        config, members = self.config, self.config.members
        raw = self._inputs(packed)
        mean, deviation = raw.mean(0), raw.std(0).clamp(min=0.05)
        x = ((raw - mean) / deviation).unsqueeze(0).expand(members, -1, -1)
        owner = torch.from_numpy(packed.owner)
        step_weight = torch.from_numpy(packed.step_weight)
        base = torch.from_numpy(self.weights @ packed.terms.T)
        trust = torch.from_numpy(self.trust).expand(members, -1)
        wide, hidden = raw.shape[1], config.hidden
        make = {"generator": self.generator}
        first = (torch.randn((members, wide, hidden), **make) / wide**0.5).requires_grad_()  # type: ignore[call-overload]
        first_bias = torch.zeros((members, 1, hidden), requires_grad=True)
        last = (torch.randn((members, hidden, 1), **make) * 0.1 / hidden**0.5).requires_grad_()  # type: ignore[call-overload]
        counts = torch.rand((members, len(packed)), **make)  # type: ignore[call-overload]
        bootstrap = -torch.log(counts.clamp(min=1e-6)) * torch.from_numpy(packed.weight)
        kinds, index = torch.from_numpy(packed.kind), torch.from_numpy(packed.option)
        mask, none = torch.from_numpy(packed.mask), torch.zeros(len(packed), dtype=torch.int64)
        params = [first, first_bias, last]
        adam = torch.optim.Adam(params, lr=config.net_rate)
        for _ in range(config.net_steps):
            steps = (torch.tanh(x @ first + first_bias) @ last).squeeze(-1) * step_weight
            returns = base.index_add(1, owner, steps)
            options = returns[:, index] * trust[:, kinds].unsqueeze(-1)
            loss = (choice(options, none, mask, config.noise) * bootstrap).sum()
            loss = loss + config.net_l2 * ((first**2).sum() + 10.0 * (last**2).sum())
            adam.zero_grad(set_to_none=True)
            loss.backward()
            adam.step()
        scaled = first.detach() / deviation.unsqueeze(-1)
        bias = first_bias.detach().squeeze(1) - (mean / deviation) @ first.detach()
        flat = np.zeros(1, np.float32)
        self._nets = tuple(
            ((to_array(scaled[e]), to_array(bias[e])), (to_array(last[e]), flat)) for e in range(members)
        )

    # What others ask of it.

    def arrays(self) -> RewardArrays:
        """As plain arrays for a snapshot."""
        return RewardArrays(self.weights, self._nets, self.shift, self.scale, self.one_hot)

    def scramble(self) -> None:
        """Random weights, the same each time, in place of what was learned: a control for studies."""
        noise = np.random.default_rng([self._seed, 4]).standard_normal(self.weights.shape[1])
        weights = (noise * self._usable / self.unit).astype(np.float32)
        self.weights = np.repeat(weights[None], len(self.weights), 0)

    def normalise(self, obs: Float, actions: Any, next_obs: Float, terms: Float) -> None:
        """Set shift and scale so that the mean reward of these steps is 0 and its deviation 1."""
        raw = RewardArrays(self.weights, self._nets, 0.0, 1.0, self.one_hot)(obs, actions, next_obs, terms)
        self.shift = float(raw.mean())
        self.scale = 1.0 / max(float(raw.std()), 1e-3)

    def agreement(self, packed: Packed) -> float:
        """Share (by weight) of choices whose chosen option has the highest return."""
        returns = packed.terms @ self.weights.mean(0) + self._net_returns(packed).numpy()
        options = np.where(packed.mask, returns[packed.option], -np.inf)
        best = options[:, 0] >= options.max(1) - 1e-6
        return float((best * packed.weight).sum() / packed.weight.sum())

    # Stopping and going on.

    def facts(self) -> dict[str, float]:
        return {"shift": self.shift, "scale": self.scale, "nets": len(self._nets)}

    def state(self) -> Arrays:
        found: Arrays = {
            "reward.weights": self.weights,
            "reward.samples": self.samples,
            "reward.unit": self.unit,
            "reward.trust": self.trust,
            "reward.chains": self.chains.numpy(),
            "reward.random": self.generator.get_state().numpy(),
        }
        for member, net in enumerate(self._nets):
            found |= layer_arrays(f"reward.net.{member}", net)
        return found

    def restore(self, facts: dict[str, Any], arrays: Arrays) -> None:
        self.shift, self.scale = facts["shift"], facts["scale"]
        self.weights, self.samples = arrays["reward.weights"], arrays["reward.samples"]
        self.unit, self.trust = arrays["reward.unit"], arrays["reward.trust"]
        self.chains = torch.from_numpy(arrays["reward.chains"].copy())
        self.generator.set_state(torch.from_numpy(arrays["reward.random"].copy()))
        self._nets = tuple(layers_from(f"reward.net.{e}", arrays) for e in range(facts["nets"]))
