"""`gail` and `airl`: a discriminator tells the person's steps from the agent's; fooling it is the reward.

Both at a fixed horizon, so that no end of an episode leaks reward: a drive that came to rest before
the horizon is filled up with the rest. The clock and the end are no input. `airl` splits its logit
so that what is shown, kept and transferred is the reward without its shaping.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch

from agents.feedback.records import Record
from agents.imitation.cloner import CloningConfig, cloner_of
from agents.imitation.dataset import driven_by_person, filled
from agents.learners.joint_config import JointConfig, discrete_actions
from agents.learners.protocol import Prior
from agents.learners.reward_learner import RewardLearner
from agents.rewards.base import Reward
from agents.rewards.discriminator import Discriminator, DiscriminatorConfig
from agents.rewards.reward_arrays import RewardArrays, Steps, steps_of
from agents.rewards.symmetry import canonical_views
from agents.training.trainer import PolicyTrainer
from agents.training.trainer_config import TrainerConfig
from envs.world import Task

MOST_ENTROPY = 0.1


@dataclass(frozen=True)
class AdversarialConfig(JointConfig):
    """`joint`'s, and the discriminator's."""

    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    clone: CloningConfig = field(default_factory=lambda: CloningConfig(updates=500, rate=3e-3))
    cloning: float | None = 0.3  # weight of cloning beside PPO
    trainer: TrainerConfig = field(default_factory=lambda: TrainerConfig(skips_rest=False))
    """An adversary must meet rest to know what it is worth."""


class GailLearner(RewardLearner):
    """Generative adversarial imitation (Ho and Ermon 2016): do what can't be told from the person."""

    name: ClassVar[str] = "gail"
    kinds: ClassVar[frozenset[str]] = frozenset({"demonstration"})
    Config: ClassVar[type[JointConfig]] = AdversarialConfig
    shaped: ClassVar[bool] = False
    config: AdversarialConfig
    reward: Discriminator
    trainer: PolicyTrainer

    def make_reward(self) -> Reward:
        actions = discrete_actions(self.task)
        gamma = self.config.trainer.ppo.gamma
        turns, config = canonical_views(self.task.world.symmetries, actions), self.config.discriminator
        return Discriminator(self.task, turns, actions, self.shaped, gamma, config, self.seed)

    def __init__(self, task: Task, *, seed: int = 0, prior: Prior = "none", config: Any = None) -> None:
        super().__init__(task, seed=seed, prior=prior, config=config)
        assert self.config.cloning is not None
        self.cloner = cloner_of(task, self.config.clone, seed, self.config.cloning)

    def fit_reward(self, records: list[Record]) -> None:
        self.schedule.steps_since_fit = 0
        self._take_expert(records)
        if self._expert is None:
            self.reward.reset()
            self._to_clone = 0
            self.apply_reward()
        else:
            self._to_clone = self.config.clone.updates
            self._adam = torch.optim.AdamW(
                self.trainer.algorithm.policy.parameters(), weight_decay=self.config.clone.decay
            )
            if self._to_clone == 0:
                self._begin()

    def _take_expert(self, records: list[Record]) -> None:
        driven = [filled(self.task, t) for t in driven_by_person(records)]
        self._expert = steps_of(driven) if driven else None

    _expert: Steps | None = None
    _to_clone: int = 0
    """Minibatches of cloning before the game begins: from a clone on there is less to find by chance."""

    def _clone(self) -> None:
        config = self.config.clone
        for _ in range(config.burst):
            rate = config.rate * self._to_clone / config.updates
            self.cloner.improve(self.trainer.algorithm.policy, self._adam, rate)
            self._to_clone -= 1
        if self._to_clone <= 0:
            self._begin()

    def _begin(self) -> None:
        """Look at what it does before anything is paid, and tell it from the person's."""
        self.trainer.algorithm.learn_nothing()
        self._improve(self.config.discriminator.warm)
        self.apply_reward()

    def _improve(self, updates: int) -> None:
        agent = self.trainer.newest_steps()
        if agent is not None and self._expert is not None:
            loss = self.reward.improve(self._expert, agent, self.trainer.policy, updates)
            self.inference.agreement["discriminator's loss"] = loss

    def train_iteration(self) -> int:
        if self._to_clone > 0:
            self._clone()
            return 0
        steps = super().train_iteration()
        if not self.is_on_proxy and self.schedule.fitted:
            if self._expert is None:  # going on from a checkpoint, which holds no feedback
                self._take_expert(self.standing_records())
            self._improve(self.config.discriminator.updates)
            self.apply_reward()
        return steps

    def apply_reward(self) -> None:
        if self.is_on_proxy:
            written = RewardArrays(self.task.proxy_weights[None])
            self.trainer.set_reward(written)
        else:
            super().apply_reward()


class AirlLearner(GailLearner):
    """Adversarial inverse RL (Fu, Luo and Levine 2018): the same, with a reward that transfers."""

    name: ClassVar[str] = "airl"
    shaped: ClassVar[bool] = True

    def apply_reward(self) -> None:
        super().apply_reward()
        if not self.is_on_proxy:  # its policy is the soft one: entropy counts as much as reward does
            self.trainer.algorithm.ent_coef = float(
                np.clip(1.0 / (self.trainer.reward_scale or 1.0), 0.01, MOST_ENTROPY)
            )
