"""The discriminator of GAIL and AIRL: its logit tells a person's steps from the agent's and is the reward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agents.checkpoint import StateDict
from agents.losses import adversarial, airl_logit
from agents.policies.distributions import log_prob
from agents.policies.from_torch import make_mlp, mlp_layers
from agents.policies.obs_normalisation import ObsNormalisation, normalisation_of
from agents.policies.policy_arrays import PolicyArrays
from agents.renamed_settings import renamed_settings
from agents.rewards.base import Reward
from agents.rewards.reward_arrays import CanonicalView, RewardArrays, Steps, reward_inputs
from envs.world import Task


@renamed_settings(
    hidden="hidden_units",
    updates="n_updates",
    batch="batch_size",
    rate="learning_rate",
    decay="weight_decay",
    warm="n_initial_updates",
)
@dataclass(frozen=True)
class DiscriminatorConfig:
    """How the discriminator learns."""

    hidden_units: int = 32
    n_updates: int = 12  # minibatches after each rollout
    batch_size: int = 512  # steps of each side in one
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2  # weight decay: few demonstrations are soon known by heart
    n_initial_updates: int = 60  # minibatches when demonstrations have come


class Discriminator(Reward):
    """Its logit is the reward; with `shaped` it is AIRL's, g + gamma h' - h - log pi."""

    def __init__(
        self,
        task: Task,
        views: tuple[CanonicalView, ...],
        one_hot: int,
        shaped: bool,
        gamma: float,
        config: DiscriminatorConfig,
        seed: int,
    ) -> None:
        super().__init__(one_hot, seed)
        self.config, self._views, self._shaped, self._gamma = config, views, shaped, gamma
        self._random = np.random.default_rng([seed, 8])
        obs, actions = len(task.world.obs_names), one_hot or int(np.prod(task.world.action_space.shape or 1))
        self._obs_ranges = task.obs_ranges
        self._sizes, self._n_terms = (2 * obs + actions, obs), len(task.world.terms)
        self.reset()

    def reset(self) -> None:
        self.net = make_mlp(self._sizes[0], self.config.hidden_units, self._seed)
        self.potential = make_mlp(self._sizes[1], self.config.hidden_units, self._seed + 1)
        parameters = [*self.net.parameters(), *self.potential.parameters()]
        self._optimizer = torch.optim.AdamW(
            parameters, self.config.learning_rate, weight_decay=self.config.weight_decay
        )
        self._is_trained = False
        self._normalisation: ObsNormalisation | None = None

    def train(self, expert: Steps, agent: Steps, policy: PolicyArrays, n_updates: int) -> float:
        """Minibatches of telling the two apart; the mean loss."""
        total, half = 0.0, self.config.batch_size
        if self._normalisation is None:
            self._normalisation = normalisation_of(np.concatenate([expert[0], agent[0]]), self._obs_ranges)
        target = torch.cat([torch.ones(half), torch.zeros(half)])
        for _ in range(n_updates):
            sides = [self._sample_steps(steps, half) for steps in (expert, agent)]
            obs, actions, after = (np.concatenate(pair) for pair in zip(*sides, strict=True))
            logit = self._logit(obs, actions, after, policy)
            loss = adversarial(logit, target).mean()
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()
            total += float(loss.detach())
        self._is_trained = True
        return total / n_updates

    def _sample_steps(self, steps: Steps, count: int) -> tuple[Any, Any, Any]:
        pick = self._random.integers(len(steps[0]), size=count)
        return steps[0][pick], steps[1][pick], steps[2][pick]

    def _logit(self, obs: Any, actions: Any, next_obs: Any, policy: PolicyArrays) -> Tensor:
        turns = self._views[int(self._random.integers(len(self._views)))] if self._views else None
        raw, known = obs, self._normalisation
        if known is not None:
            obs, next_obs = known(obs), known(next_obs)
        x = torch.from_numpy(reward_inputs(obs, actions, next_obs, self.one_hot, turns))
        reward: Tensor = self.net(x).squeeze(-1)
        if not self._shaped:
            return reward
        h, h_after = (self.potential(torch.from_numpy(o)).squeeze(-1) for o in (obs, next_obs))
        log_pi = torch.from_numpy(log_prob(policy, raw, actions))
        return airl_logit(reward, h, h_after, log_pi, self._gamma)

    def arrays(self) -> RewardArrays:
        """The reward to show and to transfer: for `airl` without its shaping."""
        none = np.zeros((1, self._n_terms), np.float32)
        turns = self._views[0] if self._views else None
        nets = (mlp_layers(self.net),) if self._is_trained else ()
        squash: Any = "" if self._shaped else "softplus"  # -log(1 - D) of the expert's probability D
        shown = none, nets, self.shift, self.scale, self.one_hot, turns
        return RewardArrays(*shown, squash=squash, normalisation=self._normalisation)

    def randomise(self) -> None:
        self.reset()

    def state_dict(self) -> StateDict:
        facts = {
            "shift": self.shift,
            "scale": self.scale,
            "known": self._is_trained,
            "random": self._random.bit_generator.state,
        }
        both = {"net": self.net, "potential": self.potential}
        arrays = {
            f"reward.{name}.{key}": value.detach().numpy()
            for name, part in both.items()
            for key, value in part.state_dict().items()
        }
        if (known := self._normalisation) is not None:
            arrays |= {"reward.obs_mean": known.mean, "reward.obs_deviation": known.deviation}
        return StateDict(facts, arrays)

    def load_state_dict(self, state: StateDict) -> None:
        facts, arrays = state.facts, state.arrays
        self.shift, self.scale, self._is_trained = facts["shift"], facts["scale"], facts["known"]
        self._random.bit_generator.state = facts["random"]
        if "reward.obs_mean" in arrays:
            self._normalisation = ObsNormalisation(arrays["reward.obs_mean"], arrays["reward.obs_deviation"])
        for name, part in (("net", self.net), ("potential", self.potential)):
            head = f"reward.{name}."
            own = {
                k[len(head) :]: torch.from_numpy(v.copy()) for k, v in arrays.items() if k.startswith(head)
            }
            part.load_state_dict(own)
