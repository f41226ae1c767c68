"""`pebble`: a reward from comparisons, and off-policy training on it (Lee, Smith and Abbeel 2021).

It differs from `preferences` in three ways. SAC (Box) or DQN (Discrete) learn from every step many times. The
rewards of all kept steps are computed again whenever the reward changes. And without a proxy reward it first
explores states that it has not visited (unsupervised pre-training), so that the first questions show
something.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from agents.learners.joint_config import JointConfig
from agents.learners.reward_learner import RewardLearner
from agents.renamed_settings import renamed_settings
from agents.rl.sac_dqn import OffPolicyConfig
from agents.training.off_policy import OffPolicyTrainer

EXPLORING_PHASE = "exploring before the first question"


@renamed_settings(off="off_policy")
@dataclass(frozen=True)
class PebbleConfig(JointConfig):
    """The settings of `joint` with off-policy training: fewer environment steps, more updates on each."""

    off_policy: OffPolicyConfig = field(default_factory=OffPolicyConfig)
    explore_steps: int | None = None  # by itself first, with the prior "none"; None: 150 episodes


class PebbleLearner(RewardLearner):
    """`preferences` with relabelled replay and unsupervised pre-training."""

    name: ClassVar[str] = "pebble"
    kinds: ClassVar[frozenset[str]] = frozenset({"comparison"})
    Config: ClassVar[type[JointConfig]] = PebbleConfig
    PROXY_EPISODES: ClassVar[int] = 500
    EPISODES_PER_FIT: ClassVar[int | None] = 1_000
    config: PebbleConfig
    trainer: OffPolicyTrainer

    def make_trainer(self) -> OffPolicyTrainer:
        config, horizon = self.config, self.task.horizon
        trainer = OffPolicyTrainer(self.task, self.seed, config.off_policy)
        self._explore_steps = 150 * horizon if config.explore_steps is None else config.explore_steps
        trainer.is_exploring = self.prior == "none" and self._explore_steps > 0
        return trainer

    @property
    def is_on_proxy(self) -> bool:
        if self.prior == "written":
            return self.trainer.env_steps < self.proxy_steps
        return self.trainer.is_exploring

    @property
    def phase(self) -> str:
        return EXPLORING_PHASE if self.trainer.is_exploring else super().phase

    def train_iteration(self) -> int:
        steps = super().train_iteration()
        if self.trainer.is_exploring and self.trainer.env_steps >= self._explore_steps:
            self.trainer.is_exploring = False
            self.apply_reward()
        return steps
