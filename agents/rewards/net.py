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

import numpy as np
import torch
from torch import Tensor

from agents.checkpoint import StateDict
from agents.feedback.choices import PackedChoices
from agents.policies.from_torch import to_array
from agents.renamed_settings import renamed_settings
from agents.rewards.base import Float, choices_loss
from agents.rewards.ensemble_reward import LINEAR_UNIT_SCALE, EnsembleReward, packed_actions
from agents.rewards.reward_arrays import CanonicalView, reward_inputs
from agents.rewards.symmetry import invariant_inputs


@renamed_settings(
    members="n_members",
    hidden="hidden_units",
    straight_steps="n_linear_updates",
    steps="n_updates",
    rate="learning_rate",
    bootstrap="bootstrap_width",
    ridge="linear_l2_coef",
    bend="hidden_l2_coef",
    seen="state_input_scale",
    turning="rotating_input_scale",
    written="proxy_return",
    noise="error_rate",
    trust="rationality",
    trust_spread="rationality_log_std",
)
@dataclass(frozen=True)
class NetConfig:
    """How the net is learned."""

    n_members: int = 5  # of the ensemble
    hidden_units: int = 8  # units of each member that bend, beside the one that is straight
    n_linear_updates: int = 150  # Adam steps of the straight part alone
    n_updates: int = 60  # and of both
    learning_rate: float = 0.02
    # how far the members' weights of an answer differ: 1 is a Bayesian bootstrap
    bootstrap_width: float = 0.5
    linear_l2_coef: float = 0.7  # on the straight part, each input in units of its deviation over clips
    hidden_l2_coef: float = 1.0  # on the weights of the units that bend
    state_input_scale: float = 0.3  # how much what is seen counts beside its changes
    rotating_input_scale: float = 0.1  # how much the changes count of what turns with the world
    proxy_return: float = 1.0  # prior of what a clip's usual written return is worth [nats]
    error_rate: float = 0.05  # share of answers taken for accidents
    rationality: tuple[float, ...] = (1.0, 0.5, 1.0, 1.0)  # prior median of the sharpness of each of KINDS
    rationality_log_std: tuple[float, ...] = (0.05, 0.8, 0.5, 0.7)  # its deviation in log


class NetReward(EnsembleReward):
    """The ensemble; a fit to fifty answers takes about a second."""

    def __init__(
        self,
        proxy_weights: Float,
        views: tuple[CanonicalView, ...],
        one_hot: int,
        config: NetConfig,
        seed: int = 0,
    ) -> None:
        """proxy_weights [M]: the written reward, zeros for none. views: see `canonical_views`."""
        self.config = config
        super().__init__(proxy_weights, views, one_hot, config.n_members, config.rationality, seed)

    def reset(self) -> None:
        super().reset()
        self._params: list[Tensor] = []

    def _init_params(self, n_inputs: int) -> list[Tensor]:
        """Straight [E, I]; first layer [E, I, H], bias [E, 1, H], last [E, H, 1]; log scale, log trust."""
        config, make = self.config, self.generator
        first = (
            torch.randn((config.n_members, n_inputs, config.hidden_units), generator=make)
            * 0.3
            / n_inputs**0.5
        )
        last = (
            torch.randn((config.n_members, config.hidden_units, 1), generator=make)
            * 0.3
            / config.hidden_units**0.5
        )
        bias = torch.zeros((config.n_members, 1, config.hidden_units))
        scale = torch.zeros((config.n_members, 1))
        trust = torch.log(torch.tensor(config.rationality)).repeat(config.n_members, 1)
        return [torch.zeros((config.n_members, n_inputs)), first, bias, last, scale, trust]

    def _inputs(self, packed: PackedChoices, view: CanonicalView | None) -> Tensor:
        actions = packed_actions(packed, self.one_hot)
        found = reward_inputs(packed.obs, actions, packed.next_obs, self.one_hot, view, split_changes=True)
        return torch.from_numpy(found)

    def _input_scales(self, sums: Tensor, wide: int) -> Tensor:
        """What each input is divided by [I]: its deviation over options, more where it tells less."""
        unit = sums.std(0).clamp(min=0.1)
        unit[:wide] /= self.config.state_input_scale
        if self._views:
            turned = torch.from_numpy(~invariant_inputs(self._views))
            for at in (wide, 2 * wide):
                unit[at : at + wide][turned] /= self.config.rotating_input_scale
        unit[3 * wide :] /= self.config.state_input_scale
        return unit

    def _hidden_input_scales(self, view: Tensor, sums: Tensor, unit: Tensor) -> Tensor:
        """The same for the units that bend [I].

        Where views are turned, what counts are rare events, that stand out from a clip's sums. Where
        they aren't, it is how one and the same thing is seen from one step to the next.
        """
        if self._views:
            return unit
        return view.std(0).clamp(min=0.05) * unit / sums.std(0).clamp(min=0.1)

    def fit(self, packed: PackedChoices) -> None:
        config, packed = self.config, self._normalised(packed)
        views = [self._inputs(packed, turns) for turns in self._views] or [self._inputs(packed, None)]
        owner, step_weight = torch.from_numpy(packed.step_option), torch.from_numpy(packed.step_weight)
        wide, options = packed.obs.shape[1], len(packed.term_sums)
        sums = [
            torch.zeros((options, v.shape[1])).index_add(0, owner, v * step_weight[:, None]) for v in views
        ]
        unit = self._input_scales(sums[0], wide)
        near = self._hidden_input_scales(views[0], sums[0], unit)
        xs, sums = [view / near for view in views], [one / unit for one in sums]
        if not self._params:
            self._params = self._init_params(xs[0].shape[1])
        params = [p.clone().requires_grad_() for p in self._params]
        straight, first, bias, last, scale, trust = params
        paid = torch.from_numpy(packed.term_sums @ self._proxy_weights) * (
            config.proxy_return / self._proxy_return_scale
        )
        counts = torch.rand(
            (config.n_members, len(packed)), generator=torch.Generator().manual_seed(self._seed)
        )
        bootstrap = (1.0 - config.bootstrap_width) - config.bootstrap_width * torch.log(
            counts.clamp(min=1e-6)
        )
        bootstrap = bootstrap * torch.from_numpy(packed.weight)
        believed, spread = (
            torch.log(torch.tensor(config.rationality)),
            torch.tensor(config.rationality_log_std),
        )
        adam = torch.optim.Adam(params, lr=config.learning_rate, fused=True)
        for turn in range(config.n_linear_updates + config.n_updates):
            way = turn % len(xs)
            returns = scale.exp() * paid + straight @ sums[way].T
            if turn >= config.n_linear_updates:
                hidden = torch.tanh(torch.matmul(xs[way], first) + bias)
                steps = (hidden @ last).squeeze(-1) * step_weight
                returns = returns.index_add(1, owner, steps)
            loss = (choices_loss(returns, trust.exp(), packed, config.error_rate) * bootstrap).sum()
            loss = loss + config.linear_l2_coef * (straight**2).sum()
            loss = loss + config.hidden_l2_coef * ((first**2).sum() + (last**2).sum())
            loss = loss + 0.5 * (scale**2).sum() + 0.5 * (((trust - believed) / spread) ** 2).sum()
            adam.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            adam.step()
        self._params = [p.detach() for p in params]
        self._store_arrays(unit, near)

    def _store_arrays(self, unit: Tensor, near: Tensor) -> None:
        """The fitted ensemble as plain arrays, the inputs' units taken into the first layer."""
        straight, first, bias, last, scale, trust = self._params
        zero = np.zeros(1, np.float32)
        nets = []
        for e in range(len(first)):
            into = torch.cat([first[e] / near[:, None], LINEAR_UNIT_SCALE * (straight[e] / unit)[:, None]], 1)
            biases, out = (
                torch.cat([bias[e, 0], torch.zeros(1)]),
                torch.cat([last[e], torch.ones((1, 1)) / LINEAR_UNIT_SCALE]),
            )
            nets.append(((to_array(into), to_array(biases)), (to_array(out), zero)))
        self._nets = tuple(nets)
        written = self._proxy_weights * np.float32(self.config.proxy_return / self._proxy_return_scale)
        self.weights = to_array(scale.exp()) * written
        self.kind_rationality = trust.mean(0).exp().numpy()

    def state_dict(self) -> StateDict:
        ensemble = super().state_dict()
        own = {f"reward.param.{i}": to_array(p) for i, p in enumerate(self._params)}
        return StateDict(ensemble.facts, ensemble.arrays | own)

    def load_state_dict(self, state: StateDict) -> None:
        super().load_state_dict(state)
        names = [f"reward.param.{i}" for i in range(6)]
        self._params = [torch.from_numpy(state.arrays[n].copy()) for n in names if n in state.arrays]
