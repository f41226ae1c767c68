"""Exact plans in the people's grid, and scores by the true reward: 0 the random policy, 1 the best.

Discount 0.999, mean over all starts, ties of the best action shared evenly, as the data's authors do it
(learn_advantage/algorithms/rl_algos.py of their repository).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from envs.trajectory import Trajectory
from sandbox.bench.people.people_grid import COLUMN, ROW, TRUE_WEIGHTS, PeopleGrid

Float = NDArray[np.float64]

DISCOUNT = 0.999
NEAR_OPTIMAL = 0.9
SETTLED = 1e-7
MOST_SWEEPS = 20_000
TIED = 1e-6
N_PLANS = 96
"""Plans that are compared at most, each the best under a sample of what is believed."""


def values(grid: PeopleGrid, weights: Float, discount: float = DISCOUNT) -> tuple[Float, Float]:
    """(V [S], Q [S, A]) of the best policy under these weights [M] of the terms."""
    after, terms = grid.tables
    pay = terms.astype(np.float64) @ weights
    value = np.zeros(len(after))
    for _ in range(MOST_SWEEPS):
        worth = pay + discount * value[after]
        fresh = worth.max(1)
        if np.abs(fresh - value).max() < SETTLED:
            break
        value = fresh
    return value, worth


def true_values(grid: PeopleGrid, weights: Float = TRUE_WEIGHTS) -> Float:
    """The undiscounted value [S] of each cell, as it comes with the answers; sums must not grow for ever."""
    return values(grid, weights, 1.0)[0]


def best_policies(grid: PeopleGrid, weights: Float, discount: float = DISCOUNT) -> list[Float]:
    """The best policy [S, A] under each of these weights [P, M]."""
    return [best_policy(grid, one, discount) for one in weights]


def best_policy(grid: PeopleGrid, weights: Float, discount: float = DISCOUNT) -> Float:
    """The best policy [S, A] under these weights, evenly among tied actions; zeros are random acting."""
    _, worth = values(grid, weights, discount)
    scale = max(float(np.abs(weights).max(initial=0.0)), 1e-9)
    tied = worth >= worth.max(1, keepdims=True) - TIED * scale
    return np.asarray(tied / tied.sum(1, keepdims=True), np.float64)


def policy_values(grid: PeopleGrid, policy: Float, weights: Float) -> Float:
    """The value [S] of a policy [S, A], solved exactly."""
    return successor_features(grid, policy) @ weights


def successor_features(grid: PeopleGrid, policy: Float, discount: float = DISCOUNT) -> Float:
    """The discounted sum of each term [S, M] that a policy [S, A] meets from each cell on (Dayan 1993)."""
    after, terms = grid.tables
    moves = np.zeros((len(after), len(after)))
    for action in range(after.shape[1]):
        np.add.at(moves, (np.arange(len(after)), after[:, action]), policy[:, action])
    moves[grid.ends] = 0.0
    met = np.einsum("sa,sam->sm", policy, terms.astype(np.float64))
    return np.linalg.solve(np.eye(len(after)) - discount * moves, met)


PLANNED_AHEAD = 0.99
"""Discount of what is to come under a reward still being learned: it looks some hundred steps ahead."""


def exact_futures(grid: PeopleGrid) -> Callable[[Float], Callable[[Trajectory], tuple[Float, Float]]]:
    """Weights [P, M] -> clip -> the terms [P, M] that the best policies meet from its end and its start."""

    def under(weights: Float) -> Callable[[Trajectory], tuple[Float, Float]]:
        policies = best_policies(grid, weights, PLANNED_AHEAD)
        met = np.stack([successor_features(grid, one, PLANNED_AHEAD) for one in policies], axis=1)

        def ahead(clip: Trajectory) -> tuple[Float, Float]:
            start, end = (int(s[ROW]) * grid.width + int(s[COLUMN]) for s in clip.states[[0, -1]])
            return met[end], met[start]

        return ahead

    return under


class PlanScore:
    """Scores of policies on one board."""

    def __init__(self, grid: PeopleGrid, weights: Float = TRUE_WEIGHTS) -> None:
        self.grid, self._true = grid, weights
        even = np.full((grid.board.size, 4), 0.25)
        self.random = self._mean(even)
        self.best = self._mean(best_policy(grid, weights))

    def _mean(self, policy: Float) -> float:
        return float(policy_values(self.grid, policy, self._true)[self.grid.starts].mean())

    def of_policy(self, policy: Float) -> float:
        """0 random .. 1 best of a policy [S, A]."""
        return (self._mean(policy) - self.random) / (self.best - self.random)

    def of_weights(self, weights: Float) -> float:
        """0 random .. 1 best of the exact plan under learned weights [M]."""
        return self.of_policy(best_policy(self.grid, weights))

    def of_samples(self, weights: Float, samples: Float) -> float:
        """0 random .. 1 best of the plan that does best by these weights [M] and samples [n, M].

        Of the plans under the mean weights and under samples, the one with the highest mean share of what
        could be had: 0 the random policy and 1 the best of them under each sample, no less than -1, so that
        rewards under which going on pays for ever don't outvote all others.
        """
        which = np.linspace(0, len(samples) - 1, min(N_PLANS, len(samples))).astype(int)
        plans = best_policies(self.grid, np.concatenate([weights[None], samples[which]]))
        met = np.stack([self._met(plan) for plan in plans])
        even = self._met(np.full((self.grid.board.size, 4), 0.25))
        gain = (met - even) @ samples.astype(np.float64).T
        share = gain / np.maximum(gain.max(0), TIED)
        return self.of_policy(plans[int(np.clip(share, -1.0, 1.0).mean(1).argmax())])

    def _met(self, policy: Float) -> Float:
        """The terms [M] that a policy meets from a start, in the mean."""
        return np.asarray(successor_features(self.grid, policy)[self.grid.starts].mean(0), np.float64)
