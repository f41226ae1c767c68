"""`shaping`: a reward learned from the person's + and - is added to the task's own reward.

Added plainly (reward shaping, Knox and Stone 2010, "Combining manual feedback with subsequent MDP reward
signals", method 1) it can make another policy optimal than the task's own reward does. Added as a potential
(`potential=True`; Ng, Harada and Russell 1999) it speeds up learning and leaves the optimal policy as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from agents.learners.joint_config import JointConfig, discrete_actions
from agents.learners.reward_learner import RewardLearner
from agents.renamed_settings import renamed_settings
from agents.rewards.base import ChoiceReward
from agents.rewards.shaping_rewards import AddedReward, PotentialConfig, PotentialReward


@renamed_settings(hidden="hidden_units", updates="n_updates", decay="l2_coef")
@dataclass(frozen=True)
class ShapingConfig(JointConfig):
    """The settings of `joint`, and how the learned reward is added."""

    potential: bool = False  # as a difference of potentials, which keeps the optimum
    strength: float = 1.0  # of the person's word beside the task's own reward
    hidden_units: int = 32
    n_updates: int = 150  # Adam steps at a fit of the potential
    l2_coef: float = 0.03


class ShapingLearner(RewardLearner):
    """Trains on the sum of the task's own reward and a reward learned from + and -."""

    name: ClassVar[str] = "shaping"
    kinds: ClassVar[frozenset[str]] = frozenset({"evaluation"})
    Config: ClassVar[type[JointConfig]] = ShapingConfig
    config: ShapingConfig

    def make_reward(self) -> ChoiceReward:
        world, config = self.task.world, self.config
        actions = discrete_actions(self.task)
        written = self.task.proxy_weights
        if config.potential:
            gamma = config.trainer.ppo.gamma
            own = PotentialConfig(config.strength, config.hidden_units, config.n_updates, config.l2_coef)
            return PotentialReward(written, actions, len(world.obs_names), gamma, own, self.seed)
        return AddedReward(written, actions, config.reward, config.strength, self.seed)
