"""A person's reward added to the task's own: as a potential (Ng et al. 1999) or linear in the terms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from agents.checkpoint import StateDict
from agents.feedback.choices import CHOICE_KINDS, PackedChoices
from agents.losses import shaping
from agents.policies.from_torch import make_mlp, mlp_layers
from agents.policies.policy_arrays import Layers, layer_arrays, read_layers
from agents.rewards.base import ChoiceReward, Float, choices_loss
from agents.rewards.ensemble_reward import packed_actions
from agents.rewards.linear import LinearReward
from agents.rewards.linear_prior import LinearRewardConfig
from agents.rewards.reward_arrays import RewardArrays


@dataclass(frozen=True)
class PotentialConfig:
    """How the potential is fitted, and how much it counts. The defaults are the learner's to set."""

    strength: float  # factor on the potential, beside the task's own reward
    hidden: int  # units of the potential's net
    updates: int  # Adam steps at a fit
    decay: float  # weight of the squared parameters in the loss


class PotentialReward(ChoiceReward):
    """written + strength * (gamma Phi(s') - Phi(s)); Phi is what explains the presses."""

    def __init__(
        self, proxy_weights: Float, one_hot: int, n_obs: int, gamma: float, config: PotentialConfig, seed: int
    ) -> None:
        super().__init__(one_hot, seed)
        self.config, self._gamma, self._n_obs = config, gamma, n_obs
        self.weights = proxy_weights[None]
        self.reset()

    def reset(self) -> None:
        self._layers: Layers = ()

    @property
    def has_samples(self) -> bool:
        return bool(self._layers)

    def fit(self, packed: PackedChoices) -> None:
        net = make_mlp(self._n_obs, self.config.hidden, self._seed)
        adam = torch.optim.Adam(net.parameters(), 0.01)
        before, after = torch.from_numpy(packed.obs), torch.from_numpy(packed.next_obs)
        owner, step_weight = torch.from_numpy(packed.step_option), torch.from_numpy(packed.step_weight)
        weight, trust = torch.from_numpy(packed.weight), torch.ones((1, len(CHOICE_KINDS)))
        for _ in range(self.config.updates):
            steps = shaping(net(before).squeeze(-1), net(after).squeeze(-1), self._gamma) * step_weight
            returns = torch.zeros(len(packed.term_sums)).index_add(0, owner, steps).unsqueeze(0)
            loss = (choices_loss(returns, trust, packed, 0.1) * weight).sum()
            loss = loss + self.config.decay * sum((p**2).sum() for p in net.parameters())
            adam.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            adam.step()
        first, last = mlp_layers(net)
        self._layers = (first, (last[0] * self.config.strength, last[1] * self.config.strength))

    def randomise(self) -> None:
        self.reset()

    def arrays(self) -> RewardArrays:
        return RewardArrays(
            self.weights, (), self.shift, self.scale, self.one_hot, potential=self._layers, gamma=self._gamma
        )

    def returns(self, packed: PackedChoices) -> Float:
        actions = packed_actions(packed, self.one_hot)
        none = np.zeros((len(packed.obs), self.weights.shape[1]), np.float32)
        steps = (
            self.arrays().member_rewards(packed.obs, actions, packed.next_obs, none)[0] * packed.step_weight
        )
        sums = np.zeros(len(packed.term_sums), np.float32)
        np.add.at(sums, packed.step_option, steps)
        return sums

    def state_dict(self) -> StateDict:
        facts = {"shift": self.shift, "scale": self.scale}
        return StateDict(facts, layer_arrays("reward.potential", self._layers))

    def load_state_dict(self, state: StateDict) -> None:
        self.shift, self.scale = state.facts["shift"], state.facts["scale"]
        self._layers = read_layers("reward.potential", state.arrays)


class AddedReward(LinearReward):
    """written + strength * what explains the presses, both in units of a clip's usual amount."""

    def __init__(
        self, proxy_weights: Float, one_hot: int, config: LinearRewardConfig, strength: float, seed: int
    ) -> None:
        """proxy_weights [M]: the task's own reward. strength: factor on what explains the presses."""
        super().__init__(
            np.zeros_like(proxy_weights), np.ones(len(proxy_weights), np.bool_), one_hot, config, seed
        )
        self._task_weights, self._strength = proxy_weights, strength

    def arrays(self) -> RewardArrays:
        largest = float(np.abs(self._task_weights * self.term_scale).max(initial=0.0))
        own = (
            self._task_weights * (self.config.proxy_weight / largest)
            if largest > 0 and self.has_samples
            else self._task_weights
        )
        weights = np.asarray(self.weights * self._strength + own, np.float32)
        return RewardArrays(weights, (), self.shift, self.scale, self.one_hot)
