"""`gail` and `airl`: a discriminator tells the person's steps from the agent's, and the agent is rewarded for
being taken for the person.

Episodes have a fixed length, so that their end gives no reward away: a demonstration that stopped before the
horizon is filled up with idle steps. The discriminator sees neither the clock nor the end. `airl` splits the
discriminator's logit into a reward and a shaping term; only the reward is shown, kept and transferred.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch

from agents.feedback.records import Record
from agents.imitation.cloner import CloningConfig, make_cloner
from agents.imitation.dataset import human_trajectories, pad_to_horizon
from agents.learners.joint_config import JointConfig, discrete_actions
from agents.learners.protocol import Prior
from agents.learners.reward_learner import RewardLearner
from agents.renamed_settings import renamed_settings
from agents.rewards.base import Reward
from agents.rewards.discriminator import Discriminator, DiscriminatorConfig
from agents.rewards.reward_arrays import RewardArrays, Steps, trajectory_steps
from agents.rewards.symmetry import canonical_views
from agents.training.trainer import PolicyTrainer
from agents.training.trainer_config import TrainerConfig
from envs.world import Task

MAX_ENT_COEF = 0.1


@renamed_settings(clone="bc", cloning="bc_coef")
@dataclass(frozen=True)
class AdversarialConfig(JointConfig):
    """The settings of `joint`, and those of the discriminator."""

    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    bc: CloningConfig = field(default_factory=lambda: CloningConfig(n_updates=500, learning_rate=3e-3))
    bc_coef: float | None = 0.3  # weight of cloning beside PPO
    trainer: TrainerConfig = field(default_factory=lambda: TrainerConfig(skip_absorbing=False))
    """Absorbing steps are not skipped: the discriminator has to learn their reward."""


class GailLearner(RewardLearner):
    """Generative adversarial imitation learning (Ho and Ermon 2016)."""

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
        assert self.config.bc_coef is not None
        self.cloner = make_cloner(task, self.config.bc, seed, self.config.bc_coef)

    def fit_reward(self, records: list[Record]) -> None:
        self.schedule.steps_since_fit = 0
        self._set_expert_steps(records)
        if self._expert_steps is None:
            self.reward.reset()
            self._bc_updates_left = 0
            self.apply_reward()
        else:
            self._bc_updates_left = self.config.bc.n_updates
            self.cloner.normalise_policy(self.trainer.algorithm.policy)
            self._bc_optimizer = torch.optim.AdamW(
                self.trainer.algorithm.policy.parameters(), weight_decay=self.config.bc.weight_decay
            )
            if self._bc_updates_left == 0:
                self._start_adversarial_training()

    def _set_expert_steps(self, records: list[Record]) -> None:
        driven = [pad_to_horizon(self.task, t) for t in human_trajectories(records)]
        self._expert_steps = trajectory_steps(driven) if driven else None

    _expert_steps: Steps | None = None
    _bc_updates_left: int = 0
    """Minibatches of behavioural cloning before the adversarial training: a clone has less left to find by
    chance."""

    def _train_bc(self) -> None:
        config = self.config.bc
        for _ in range(config.updates_per_step):
            rate = config.learning_rate * self._bc_updates_left / config.n_updates
            self.cloner.train_step(self.trainer.algorithm.policy, self._bc_optimizer, rate)
            self._bc_updates_left -= 1
        if self._bc_updates_left <= 0:
            self._start_adversarial_training()

    def _start_adversarial_training(self) -> None:
        """Make a first rollout without a reward, and train the discriminator on it."""
        self.trainer.algorithm.collect_only()
        self._train_discriminator(self.config.discriminator.n_initial_updates)
        self.apply_reward()

    def _train_discriminator(self, n_updates: int) -> None:
        agent = self.trainer.newest_steps()
        if agent is not None and self._expert_steps is not None:
            loss = self.reward.train(self._expert_steps, agent, self.trainer.policy, n_updates)
            self.inference.agreement["discriminator's loss"] = loss

    def train_iteration(self) -> int:
        if self._bc_updates_left > 0:
            self._train_bc()
            return 0
        steps = super().train_iteration()
        if not self.is_on_proxy and self.schedule.fitted_ids:
            if self._expert_steps is None:  # going on from a checkpoint, which holds no feedback
                self._set_expert_steps(self.active_records())
            self._train_discriminator(self.config.discriminator.n_updates)
            self.apply_reward()
        return steps

    def apply_reward(self) -> None:
        if self.is_on_proxy:
            written = RewardArrays(self.task.proxy_weights[None])
            self.trainer.set_reward(written)
        else:
            super().apply_reward()


class AirlLearner(GailLearner):
    """Adversarial inverse reinforcement learning (Fu, Luo and Levine 2018): its reward transfers to other
    layouts."""

    name: ClassVar[str] = "airl"
    shaped: ClassVar[bool] = True

    def apply_reward(self) -> None:
        super().apply_reward()
        if not self.is_on_proxy:  # its policy is the soft one: entropy counts as much as reward does
            self.trainer.algorithm.ent_coef = float(
                np.clip(1.0 / (self.trainer.reward_scale or 1.0), 0.01, MAX_ENT_COEF)
            )
