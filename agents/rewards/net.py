"""The reward `net`: an ensemble on raw observations and actions, for what no term names.

reward(s, a, s') = scale * written + net(s, rise and fall from s to s', a). With the prior "written" the
net learns what the written reward leaves out; with "none" it learns all of it. What makes few answers do:
- the view is turned so that the action always points the same way, and seen in the mirror as well; an
  action that no turn changes sees only what no turn changes;
- each member is a straight line under a ridge, fitted first, plus a few units that bend;
- inputs are measured by how much clips differ in them, and weighed by what they are likely to tell:
  changes most, but not those of surroundings that merely turn with the agent.
Each member weighs the choices in its own way (a Bayesian bootstrap, Rubin 1981, half as wide).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agents.checkpoint import Arrays
from agents.feedback.choices import Packed
from agents.policies.from_torch import to_array
from agents.rewards.base import Float, choices_loss
from agents.rewards.ensemble_reward import STRAIGHT, EnsembleReward, actions_of
from agents.rewards.reward_arrays import Turns, reward_inputs
from agents.rewards.symmetry import invariant_inputs


@dataclass(frozen=True)
class NetConfig:
    """How the net is learned."""

    members: int = 5  # of the ensemble
    hidden: int = 8  # units of each member that bend, beside the one that is straight
    straight_steps: int = 150  # Adam steps of the straight part alone
    steps: int = 60  # and of both
    rate: float = 0.02
    bootstrap: float = 0.5  # how far the members' weights of an answer differ: 1 is a Bayesian bootstrap
    ridge: float = 0.7  # on the straight part, each input in units of its deviation over clips
    bend: float = 1.0  # on the weights of the units that bend
    seen: float = 0.3  # how much what is seen counts beside its changes
    turning: float = 0.1  # how much the changes count of what turns with the world
    written: float = 1.0  # prior of what a clip's usual written return is worth [nats]
    noise: float = 0.05  # share of answers taken for accidents
    trust: tuple[float, ...] = (1.0, 0.5, 1.0, 1.0)  # prior median of the sharpness of each of KINDS
    trust_spread: tuple[float, ...] = (0.05, 0.8, 0.5, 0.7)  # its deviation in log


class NetReward(EnsembleReward):
    """The ensemble; a fit to fifty answers takes about a second."""

    def __init__(
        self, written: Float, turns: tuple[Turns, ...], one_hot: int, config: NetConfig, seed: int = 0
    ) -> None:
        """written [M]: the written reward, zeros for none. turns: see `turnings`."""
        self.config = config
        super().__init__(written, turns, one_hot, config.members, config.trust, seed)

    def reset(self) -> None:
        super().reset()
        self._params: list[Tensor] = []

    def _fresh(self, wide: int) -> list[Tensor]:
        """Straight [E, I]; first layer [E, I, H], bias [E, 1, H], last [E, H, 1]; log scale, log trust."""
        config, make = self.config, self.generator
        first = torch.randn((config.members, wide, config.hidden), generator=make) * 0.3 / wide**0.5
        last = torch.randn((config.members, config.hidden, 1), generator=make) * 0.3 / config.hidden**0.5
        bias = torch.zeros((config.members, 1, config.hidden))
        scale = torch.zeros((config.members, 1))
        trust = torch.log(torch.tensor(config.trust)).repeat(config.members, 1)
        return [torch.zeros((config.members, wide)), first, bias, last, scale, trust]

    def _inputs(self, packed: Packed, turns: Turns | None) -> Tensor:
        actions = actions_of(packed, self.one_hot)
        found = reward_inputs(packed.obs, actions, packed.next_obs, self.one_hot, turns, apart=True)
        return torch.from_numpy(found)

    def _units(self, sums: Tensor, wide: int) -> Tensor:
        """What each input is divided by [I]: its deviation over options, more where it tells less."""
        unit = sums.std(0).clamp(min=0.1)
        unit[:wide] /= self.config.seen
        if self._turns:
            turned = torch.from_numpy(~invariant_inputs(self._turns))
            for at in (wide, 2 * wide):
                unit[at : at + wide][turned] /= self.config.turning
        unit[3 * wide :] /= self.config.seen
        return unit

    def _near(self, view: Tensor, sums: Tensor, unit: Tensor) -> Tensor:
        """The same for the units that bend [I].

        Where views are turned, what counts are rare events, that stand out from a clip's sums. Where
        they aren't, it is how one and the same thing is seen from one step to the next.
        """
        if self._turns:
            return unit
        return view.std(0).clamp(min=0.05) * unit / sums.std(0).clamp(min=0.1)

    def fit(self, packed: Packed) -> None:
        config = self.config
        views = [self._inputs(packed, turns) for turns in self._turns] or [self._inputs(packed, None)]
        owner, step_weight = torch.from_numpy(packed.owner), torch.from_numpy(packed.step_weight)
        wide, options = packed.obs.shape[1], len(packed.terms)
        sums = [
            torch.zeros((options, v.shape[1])).index_add(0, owner, v * step_weight[:, None]) for v in views
        ]
        unit = self._units(sums[0], wide)
        near = self._near(views[0], sums[0], unit)
        xs, sums = [view / near for view in views], [one / unit for one in sums]
        if not self._params:
            self._params = self._fresh(xs[0].shape[1])
        params = [p.clone().requires_grad_() for p in self._params]
        straight, first, bias, last, scale, trust = params
        paid = torch.from_numpy(packed.terms @ self._written) * (config.written / self._unit)
        counts = torch.rand(
            (config.members, len(packed)), generator=torch.Generator().manual_seed(self._seed)
        )
        bootstrap = (1.0 - config.bootstrap) - config.bootstrap * torch.log(counts.clamp(min=1e-6))
        bootstrap = bootstrap * torch.from_numpy(packed.weight)
        believed, spread = torch.log(torch.tensor(config.trust)), torch.tensor(config.trust_spread)
        adam = torch.optim.Adam(params, lr=config.rate, fused=True)
        for turn in range(config.straight_steps + config.steps):
            way = turn % len(xs)
            returns = scale.exp() * paid + straight @ sums[way].T
            if turn >= config.straight_steps:
                hidden = torch.tanh(torch.matmul(xs[way], first) + bias)
                steps = (hidden @ last).squeeze(-1) * step_weight
                returns = returns.index_add(1, owner, steps)
            loss = (choices_loss(returns, trust.exp(), packed, config.noise) * bootstrap).sum()
            loss = loss + config.ridge * (straight**2).sum()
            loss = loss + config.bend * ((first**2).sum() + (last**2).sum())
            loss = loss + 0.5 * (scale**2).sum() + 0.5 * (((trust - believed) / spread) ** 2).sum()
            adam.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            adam.step()
        self._params = [p.detach() for p in params]
        self._keep(unit, near)

    def _keep(self, unit: Tensor, near: Tensor) -> None:
        """The fitted ensemble as plain arrays, the inputs' units taken into the first layer."""
        straight, first, bias, last, scale, trust = self._params
        zero = np.zeros(1, np.float32)
        nets = []
        for e in range(len(first)):
            into = torch.cat([first[e] / near[:, None], STRAIGHT * (straight[e] / unit)[:, None]], 1)
            biases, out = (
                torch.cat([bias[e, 0], torch.zeros(1)]),
                torch.cat([last[e], torch.ones((1, 1)) / STRAIGHT]),
            )
            nets.append(((to_array(into), to_array(biases)), (to_array(out), zero)))
        self._nets = tuple(nets)
        written = self._written * np.float32(self.config.written / self._unit)
        self.weights = to_array(scale.exp()) * written
        self.trust = trust.mean(0).exp().numpy()

    def state(self) -> Arrays:
        return super().state() | {f"reward.param.{i}": to_array(p) for i, p in enumerate(self._params)}

    def restore(self, facts: dict[str, Any], arrays: Arrays) -> None:
        super().restore(facts, arrays)
        names = [f"reward.param.{i}" for i in range(6)]
        self._params = [torch.from_numpy(arrays[n].copy()) for n in names if n in arrays]
