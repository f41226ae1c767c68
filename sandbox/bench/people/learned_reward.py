"""The one place where answers become a reward: by teachbox's own inference, as `preferences` uses it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agents.feedback.choices import Future
from agents.feedback.records import Comparison
from agents.inference.choice_sets import choice_sets
from agents.inference.reward_inference import RewardInference
from agents.learners.joint_config import JointConfig, make_reward
from agents.learners.protocol import Prior
from agents.rewards.linear import LinearReward
from agents.rewards.linear_prior import LinearRewardConfig
from envs.trajectory import Trajectory
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


PolicyFutures = Callable[[Float], Callable[[Trajectory], tuple[Float, Float]]]
"""Weights [P, M] -> clip -> the terms [P, M] that the best policy under each meets from its end on, and from
its start on."""
N_POLICIES = 60
"""Policies that are best under rewards drawn from the prior, before anything is heard."""
N_SAMPLED_POLICIES = 40
"""Policies that are best under samples of what is believed; a reward is fitted once more with these."""
PLANNED_REWARD = LinearRewardConfig(weight_std=4.0, future_share=(1.2, 1.0))
"""What is thought beforehand where what is to come is known by plans rather than by driving on."""


def learn_reward(
    answers: Sequence[Comparison],
    task: Task,
    prior: Prior,
    seed: int,
    config: JointConfig | None = None,
    futures: PolicyFutures | None = None,
) -> LearnedReward:
    """A reward from answers about clips of `task`, beginning at `prior` ("none" or "written").

    futures: what clips lead to, by exact plans; None: that is left out. No answers give the prior's mean
    alone. Nothing of the task's true reward is used.
    """
    config = config or JointConfig()
    if futures is None:
        reward = _reward(task, prior, seed, config)
        if answers:
            _fit(reward, answers, task, seed, None)
        return _as_learned(reward)
    reward = _reward(task, prior, seed, replace(config, reward=PLANNED_REWARD))
    if not answers:
        return _as_learned(reward)
    policies = _prior_weights(reward, answers, seed)
    for _ in range(2):
        _fit(reward, answers, task, seed, futures(policies))
        picked = np.random.default_rng([seed, 8]).choice(len(reward.samples), N_SAMPLED_POLICIES, False)
        sampled = np.concatenate([reward.samples[picked], reward.weights.mean(0, keepdims=True)])
        policies = np.concatenate([policies[:N_POLICIES], sampled.astype(np.float64)])
    return _as_learned(reward)


def _prior_weights(reward: LinearReward, answers: Sequence[Comparison], seed: int) -> Float:
    """Rewards [N_POLICIES, M] that are thought possible before anything is heard."""
    reward.set_term_scales([clip.terms.sum(0) for answer in answers for clip in answer.clips])
    found = reward.scaled_prior()
    assert found is not None  # a linear reward has one
    mean, deviation, scale = found
    drawn = np.random.default_rng([seed, 7]).standard_normal((N_POLICIES, len(mean)))
    return np.asarray((mean + deviation * drawn) / scale, np.float64)


def _reward(task: Task, prior: Prior, seed: int, config: JointConfig) -> LinearReward:
    reward = make_reward(task, config, prior, seed)
    assert isinstance(reward, LinearReward)
    reward.obs_names = ()  # all that matters in this world is named
    return reward


def _fit(
    reward: LinearReward,
    answers: Sequence[Comparison],
    task: Task,
    seed: int,
    ahead: Callable[[Trajectory], tuple[Float, Float]] | None,
) -> None:
    choices = choice_sets(task, answers, [], CLIP_STEPS, seed)
    if ahead is not None:
        nothing = _32(np.zeros(len(task.world.terms)))
        known = {id(c): Future(nothing, by_policy=_both(ahead(c))) for a in answers for c in a.clips}
        choices = [
            replace(
                choice,
                options=tuple(o and replace(o, future=known[id(o.steps)]) for o in choice.options),
            )
            for choice in choices
        ]
    RewardInference(reward, len(task.world.terms)).fit(choices, answers, set())


def _both(sums: tuple[Float, Float]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return _32(sums[0]), _32(sums[1])


def _32(sums: Float) -> NDArray[np.float32]:
    return np.asarray(sums, np.float32)


def _as_learned(reward: LinearReward) -> LearnedReward:
    weights, samples = reward.weights.mean(0).astype(np.float64), reward.samples.astype(np.float64)
    return LearnedReward(weights, samples, reward.mean_future_share)
