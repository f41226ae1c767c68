"""The one place where answers become a reward: by teachbox's own inference, as `preferences` uses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.feedback.records import Comparison
from agents.inference.choice_sets import choice_sets
from agents.inference.reward_inference import RewardInference
from agents.learners.joint_config import JointConfig, make_reward
from agents.learners.protocol import Prior
from agents.rewards.linear import LinearReward
from envs.world import Task

Float = NDArray[np.float64]
CLIP_STEPS = 3


@dataclass(frozen=True, eq=False)
class LearnedReward:
    """weights [M]: the mean worth of each of the world's terms; samples [n, M]: what else it may be.

    alpha: the share of what is to come at a clip's end that the likelihood counted; held-out answers are
    foreseen by it too. 0: a clip is worth its sum.
    """

    weights: Float
    samples: Float
    alpha: float = 0.0


def learn_reward(
    answers: Sequence[Comparison], task: Task, prior: Prior, seed: int, config: JointConfig | None = None
) -> LearnedReward:
    """A reward from answers about clips of `task`, beginning at `prior` ("none" or "written").

    No answers give the prior's mean alone. Nothing of the task's true reward is used.
    """
    config = config or JointConfig()
    reward = make_reward(task, config, prior, seed)
    assert isinstance(reward, LinearReward)
    if answers:
        inference = RewardInference(reward, len(task.world.terms))
        choices = choice_sets(task, answers, [], CLIP_STEPS, seed)
        inference.fit(choices, answers, set())
    return LearnedReward(reward.weights.mean(0).astype(np.float64), reward.samples.astype(np.float64))
