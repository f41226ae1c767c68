"""The discriminator of GAIL and AIRL: its logit tells a person's steps from the agent's and is the reward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agents.checkpoint import Arrays
from agents.losses import adversarial, airl_logit
from agents.policies.distributions import log_prob
from agents.policies.from_torch import mlp_layers, small_net
from agents.policies.policy_arrays import PolicyArrays
from agents.rewards.base import Reward
from agents.rewards.reward_arrays import RewardArrays, Steps, Turns, reward_inputs
from envs.world import Task


@dataclass(frozen=True)
class DiscriminatorConfig:
    """How the discriminator learns."""

    hidden: int = 32
    updates: int = 12  # minibatches after each rollout
    batch: int = 512  # steps of each side in one
    rate: float = 3e-3
    decay: float = 1e-2  # weight decay: few demonstrations are soon known by heart
    warm: int = 60  # minibatches when demonstrations have come


class Discriminator(Reward):
    """Its logit is the reward; with `shaped` it is AIRL's, g + gamma h' - h - log pi."""

    def __init__(
        self,
        task: Task,
        turns: tuple[Turns, ...],
        one_hot: int,
        shaped: bool,
        gamma: float,
        config: DiscriminatorConfig,
        seed: int,
    ) -> None:
        super().__init__(one_hot, seed)
        self.config, self._turns, self._shaped, self._gamma = config, turns, shaped, gamma
        self._random = np.random.default_rng([seed, 8])
        obs, actions = len(task.world.obs_names), one_hot or int(np.prod(task.world.action_space.shape or 1))
        self._sizes, self._terms = (2 * obs + actions, obs), len(task.world.terms)
        self.reset()

    def reset(self) -> None:
        self.net = small_net(self._sizes[0], self.config.hidden, self._seed)
        self.potential = small_net(self._sizes[1], self.config.hidden, self._seed + 1)
        parameters = [*self.net.parameters(), *self.potential.parameters()]
        self._adam = torch.optim.AdamW(parameters, self.config.rate, weight_decay=self.config.decay)
        self._known = False

    def improve(self, expert: Steps, agent: Steps, policy: PolicyArrays, updates: int) -> float:
        """Minibatches of telling the two apart; the mean loss."""
        total, half = 0.0, self.config.batch
        target = torch.cat([torch.ones(half), torch.zeros(half)])
        for _ in range(updates):
            sides = [self._draw(steps, half) for steps in (expert, agent)]
            obs, actions, after = (np.concatenate(pair) for pair in zip(*sides, strict=True))
            logit = self._logit(obs, actions, after, policy)
            loss = adversarial(logit, target).mean()
            self._adam.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self._adam.step()
            total += float(loss.detach())
        self._known = True
        return total / updates

    def _draw(self, steps: Steps, count: int) -> tuple[Any, Any, Any]:
        pick = self._random.integers(len(steps[0]), size=count)
        return steps[0][pick], steps[1][pick], steps[2][pick]

    def _logit(self, obs: Any, actions: Any, after: Any, policy: PolicyArrays) -> Tensor:
        turns = self._turns[int(self._random.integers(len(self._turns)))] if self._turns else None
        x = torch.from_numpy(reward_inputs(obs, actions, after, self.one_hot, turns))
        reward: Tensor = self.net(x).squeeze(-1)
        if not self._shaped:
            return reward
        h, h_after = (self.potential(torch.from_numpy(o)).squeeze(-1) for o in (obs, after))
        log_pi = torch.from_numpy(log_prob(policy, obs, actions))
        return airl_logit(reward, h, h_after, log_pi, self._gamma)

    def arrays(self) -> RewardArrays:
        """The reward to show and to transfer: for `airl` without its shaping."""
        none = np.zeros((1, self._terms), np.float32)
        turns = self._turns[0] if self._turns else None
        nets = (mlp_layers(self.net),) if self._known else ()
        squash: Any = "" if self._shaped else "softplus"  # -log(1 - D) of the expert's probability D
        return RewardArrays(none, nets, self.shift, self.scale, self.one_hot, turns, squash=squash)

    def randomise(self) -> None:
        self.reset()

    def facts(self) -> dict[str, Any]:
        return {
            "shift": self.shift,
            "scale": self.scale,
            "known": self._known,
            "random": self._random.bit_generator.state,
        }

    def state(self) -> Arrays:
        both = {"net": self.net, "potential": self.potential}
        return {
            f"reward.{name}.{key}": value.detach().numpy()
            for name, part in both.items()
            for key, value in part.state_dict().items()
        }

    def restore(self, facts: dict[str, Any], arrays: Arrays) -> None:
        self.shift, self.scale, self._known = facts["shift"], facts["scale"], facts["known"]
        self._random.bit_generator.state = facts["random"]
        for name, part in (("net", self.net), ("potential", self.potential)):
            head = f"reward.{name}."
            own = {
                k[len(head) :]: torch.from_numpy(v.copy()) for k, v in arrays.items() if k.startswith(head)
            }
            part.load_state_dict(own)
