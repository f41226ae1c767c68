"""The one place where answers become a reward: by teachbox's own inference, as `preferences` uses it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agents.feedback.choices import Future
from agents.feedback.records import Comparison
from agents.inference.choice_sets import choice_sets
from agents.inference.rater_reliability import answered_pairs
from agents.inference.reward_inference import RewardInference
from agents.learners.joint_config import JointConfig, make_reward
from agents.learners.protocol import Prior
from agents.rewards.linear import LinearReward
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


Futures = Callable[[Float], Callable[[Trajectory], Float]]
"""Weights [M] -> clip -> the terms [M] that the best policy under them meets, from its end less its start."""
N_ROUNDS = 4
"""Times that a reward is fitted and what is best under it is planned for anew."""
N_STARTS = 4
"""Rewards from whose plans the rounds begin where no reward is known beforehand."""


def learn_reward(
    answers: Sequence[Comparison],
    task: Task,
    prior: Prior,
    seed: int,
    config: JointConfig | None = None,
    futures: Futures | None = None,
) -> LearnedReward:
    """A reward from answers about clips of `task`, beginning at `prior` ("none" or "written").

    futures: what clips lead to under weights [M], by exact plans; None: that is left out. No answers give the
    prior's mean alone. Nothing of the task's true reward is used.
    """
    config = config or JointConfig()
    reward = _reward(task, prior, seed, config)
    if not answers:
        return _as_learned(reward)
    if futures is None:
        _fit(reward, answers, task, seed, None)
        return _as_learned(reward)
    starts = [reward.weights.mean(0).astype(np.float64)]
    if prior == "none":
        _fit(reward, answers, task, seed, None)
        picked = np.random.default_rng([seed, 7]).choice(len(reward.samples), N_STARTS, replace=False)
        starts = [reward.samples[i].astype(np.float64) for i in picked]
    found = [_by_rounds(start, answers, task, prior, seed, config, futures) for start in starts]
    return max(found, key=lambda one: one[0])[1]


def _by_rounds(
    weights: Float,
    answers: Sequence[Comparison],
    task: Task,
    prior: Prior,
    seed: int,
    config: JointConfig,
    futures: Futures,
) -> tuple[float, LearnedReward]:
    """(mean log probability of the answers, the reward) from plans that begin at these weights [M]."""
    reward = _reward(task, prior, seed, config)
    ahead = futures(weights)
    for _ in range(N_ROUNDS):
        _fit(reward, answers, task, seed, ahead)
        ahead = futures(reward.weights.mean(0).astype(np.float64))
    pairs = answered_pairs(
        answers, {}, reward, {id(c): Future(_32(ahead(c))) for a in answers for c in a.clips}
    )
    gaps = np.array([pair.return_gap if pair.first_preferred else -pair.return_gap for pair in pairs])
    return float(-np.logaddexp(0.0, -gaps).mean()), _as_learned(reward)


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
    ahead: Callable[[Trajectory], Float] | None,
) -> None:
    choices = choice_sets(task, answers, [], CLIP_STEPS, seed)
    if ahead is not None:
        known = {id(c): Future(_32(ahead(c))) for a in answers for c in a.clips}
        choices = [
            replace(
                choice,
                options=tuple(o and replace(o, future=known[id(o.steps)]) for o in choice.options),
            )
            for choice in choices
        ]
    RewardInference(reward, len(task.world.terms)).fit(choices, answers, set())


def _32(sums: Float) -> NDArray[np.float32]:
    return np.asarray(sums, np.float32)


def _as_learned(reward: LinearReward) -> LearnedReward:
    weights, samples = reward.weights.mean(0).astype(np.float64), reward.samples.astype(np.float64)
    return LearnedReward(weights, samples, reward.mean_future_share)
