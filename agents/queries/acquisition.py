"""What a person's next seconds are best spent on: information about the reward, per second.

Every kind of feedback is a choice (see choices.py), so each has an expected information gain, the
mutual information of the answer and the reward, and each has a price: the seconds that it has taken
this person so far, or is expected to take.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations, permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.trajectory import Trajectory

Float = NDArray[np.float64]
SampledReturns = Callable[[Sequence[Trajectory]], NDArray[np.float32]]
"""clips -> their returns [samples, clips] by samples of what is believed about the reward."""


def entropy(p: Float) -> Float:
    """Of distributions over the last axis [nats]."""
    return np.asarray(-(p * np.log(np.maximum(p, 1e-12))).sum(-1))


def information_gain(p: Float) -> Float:
    """Mutual information of an answer and the reward, for p [..., S, A] of each answer under samples.

    H(mean p) - mean H(p): Houlsby et al. 2011, "Bayesian active learning", eq. 2.
    """
    return np.asarray(entropy(p.mean(-2)) - entropy(p).mean(-1))


def expected_value_of_information(
    p: Float, returns: NDArray[np.floating[Any]], starts: NDArray[np.int64], weights: NDArray[np.float64]
) -> Float:
    """By how much better than today one would choose in each group, knowing the answer: the mean of it [...].

    p [..., S, A]: of each answer under samples of the reward; returns [S, N]: returns of all candidates;
    starts [G]: where each group of them begins; weights [G] of the groups in the mean. The expected value of
    information where each group is a decision to be made (Viappiani and Boutilier 2010, "Optimal Bayesian
    recommendation sets", section 3): what a weight is does not matter where the same would be done anyway.
    """
    answers = np.moveaxis(p, -1, -2)
    after = answers.reshape(-1, answers.shape[-1]) @ returns
    after /= np.maximum(answers.sum(-1), 1e-12).reshape(-1, 1)
    chosen = np.maximum.reduceat(after, starts, axis=1) @ weights
    known = (p.mean(-2) * chosen.reshape(answers.shape[:-1])).sum(-1)
    return np.asarray(known - np.maximum.reduceat(returns.mean(0), starts) @ weights) / len(starts)


def ranking_probabilities(returns: Float, error_rate: float) -> Float:
    """P of each order of n clips [..., n!] for their worth [..., n], as Plackett and Luce have it.

    error_rate: share of answers that are accidents, any order alike.
    """
    clips = returns.shape[-1]
    found = []
    for order in permutations(range(clips)):
        ahead = returns[..., order]
        log_p = np.zeros(returns.shape[:-1])
        for place in range(clips - 1):
            rest = ahead[..., place:]
            top = rest.max(-1)
            log_p += ahead[..., place] - top - np.log(np.exp(rest - top[..., None]).sum(-1))
        found.append(np.exp(log_p))
    return (1.0 - error_rate) * np.stack(found, -1) + error_rate / math.factorial(clips)


def choice_probabilities(returns: Float, error_rate: float) -> Float:
    """P of each of n to be chosen as the best [..., n]."""
    p = np.exp(returns - returns.max(-1, keepdims=True))
    return np.asarray((1.0 - error_rate) * p / p.sum(-1, keepdims=True) + error_rate / returns.shape[-1])


def ranking_gains(returns: Float, clips: int, error_rate: float) -> tuple[Float, list[tuple[int, ...]]]:
    """The gain [G, sets] of ranking each set of `clips` of the K clips, and the sets. worth [G, S, K]."""
    sets = list(combinations(range(returns.shape[-1]), clips))
    return np.stack(
        [information_gain(ranking_probabilities(returns[..., s], error_rate)) for s in sets], -1
    ), sets
