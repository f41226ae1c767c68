"""`pebble`: a reward from comparisons, practised on off-policy (Lee, Smith and Abbeel 2021).

Three things beside `preferences`: SAC (Box) or DQN (Discrete) that use every step many times; all
kept steps relabelled whenever the reward changes; and, where no written reward comes first, a time of
going wherever it has not been (unsupervised pre-training), so that the first questions show something.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from agents.learners.joint import JointLearner
from agents.learners.joint_config import JointConfig, Prior
from agents.rl.sac_dqn import OffPolicyConfig
from agents.training.off_policy import OffPolicyPractice
from envs.world import Task

EXPLORING = "finding out what can happen"


@dataclass(frozen=True)
class PebbleConfig(JointConfig):
    """`joint`'s with other practice: fewer steps of the world, more of learning from each."""

    off: OffPolicyConfig = field(default_factory=OffPolicyConfig)
    explore_steps: int | None = None  # by itself first, with the prior "none"; None: 150 episodes


class PebbleLearner(JointLearner):
    """`preferences` with relabelled replay and unsupervised pre-training."""

    name: ClassVar[str] = "pebble"
    kinds: ClassVar[frozenset[str]] = frozenset({"comparison"})
    Config: ClassVar[type[JointConfig]] = PebbleConfig
    config: PebbleConfig
    practice: OffPolicyPractice

    def __init__(self, task: Task, *, seed: int = 0, prior: Prior = "written", config: Any = None) -> None:
        super().__init__(task, seed=seed, prior=prior, config=config)
        if self.config.prior_steps is None:
            self._prior_steps = 500 * task.horizon
        if self.config.steps_per_fit is None:
            self._steps_given = 1_000 * task.horizon

    def _practice(self) -> OffPolicyPractice:
        config, horizon = self.config, self.task.horizon
        practice = OffPolicyPractice(self.task, self.seed, config.off)
        self._explore_steps = 150 * horizon if config.explore_steps is None else config.explore_steps
        practice.exploring = self.prior == "none" and self._explore_steps > 0
        return practice

    @property
    def _in_prior(self) -> bool:
        if self.prior == "written":
            return self.practice.env_steps < self._prior_steps
        return self.practice.exploring

    @property
    def phase(self) -> str:
        return EXPLORING if self.practice.exploring else super().phase

    def _burst(self) -> int:
        steps = super()._burst()
        if self.practice.exploring and self.practice.env_steps >= self._explore_steps:
            self.practice.exploring = False
            self._pay()
        return steps
