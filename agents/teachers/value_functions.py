"""What is still to come: the return that the best policy known of the true reward makes from a state on.

A person who judges a clip by where it leads needs it at the clip's two ends. Where a plan is exact the value
is exact as well; elsewhere a kept policy, a driver by rule or a search by simulation drives on to the
horizon. Where nothing can be put into a stored state it is 0, and that is said once.
"""

from __future__ import annotations

import logging
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agents.evaluation import reference_returns
from agents.evaluation.scores import test_task, true_reward_of
from agents.policies.policy_arrays import PolicyArrays
from agents.teachers.experts import Expert, make_expert
from envs.simulation import Simulation
from envs.world import Act, Array, Task

log = logging.getLogger("teachbox")

ROLLOUTS = 4
"""How many drives a value is the mean of where the best policy known is a trained one."""


class ValueFunction(Protocol):
    """From states to the undiscounted true return of the best policy known from there on."""

    def __call__(self, states: Array, rng: NDArray[np.uint64]) -> NDArray[np.float64]:
        """Values [N] of states [N, K] with their random words [N], up to the task's horizon [reward].

        Every state can be reached from the first of them, so one plan made there does for all.
        """


def value_function(task: Task, random: np.random.Generator) -> ValueFunction:
    """The best that can be had for a task: an exact plan, a kept policy, a driver by rule, a search, nothing.

    Values of the last but one are drives by random shooting (`experts.expert`), a lower bound.
    """
    if not task.can_restore:
        return NoValue(task)
    hook = task.world.hooks.planning_expert
    if hook is not None and hook(task, False) is not None:
        return ExpertValue(task, random)
    kept = reference_returns.load_shipped(test_task(task), 1) or reference_returns.load_cached(
        test_task(task), 1
    )
    if kept is not None and kept.policy is not None:
        return PolicyValue(task, _acting(kept.policy, kept.deterministic, random))
    rule = None if task.world.hooks.rule_driver is None else task.world.hooks.rule_driver(task)
    if kept is not None and kept.by == "rule" and rule is not None:
        return PolicyValue(task, rule)
    return ExpertValue(task, random)


def _acting(policy: PolicyArrays, surest: bool, random: np.random.Generator) -> Act:
    return lambda obs: policy.act(obs, None if surest else random)


class TableValue:
    """Exact values of a small world in tables: a number for each of S states."""

    def __init__(self, task: Task, values: NDArray[np.float64], width: int, row: int, column: int) -> None:
        """values [S] by cell, row by row of `width`; row, column: where the place is in a state [K]."""
        self.task, self.values = task, values
        self._width, self._row, self._column = width, row, column

    def __call__(self, states: Array, rng: NDArray[np.uint64]) -> NDArray[np.float64]:
        cells = states[:, self._row].astype(np.int64) * self._width + states[:, self._column]
        return np.asarray(self.values[cells], np.float64)


class ExpertValue:
    """Drives on from each state as the expert of this task does; exact where the expert follows a plan."""

    def __init__(self, task: Task, random: np.random.Generator) -> None:
        self.task, self._random = task, random

    def __call__(self, states: Array, rng: NDArray[np.uint64]) -> NDArray[np.float64]:
        act = make_expert(self.task, self._random)
        return np.array([self._driven(act, s, r) for s, r in zip(states, rng, strict=True)])

    def _driven(self, act: Expert, state: Array, word: np.uint64) -> float:
        sim = Simulation(self.task, 1, auto_reset=False)
        sim.set_states(np.ones(1, np.bool_), state[None], np.array([word], np.uint64))
        reward, total = true_reward_of(self.task), 0.0
        for _ in range(self.task.horizon - int(state[self.task.world.clock])):
            before = sim.states.copy()
            step = sim.step(np.array([act(sim)]))
            total += float(reward(before, step.terms, step.last_states)[0])
        return total


class PolicyValue:
    """The mean of some drives on from each state by a policy that sees observations."""

    def __init__(self, task: Task, act: Act, rollouts: int = ROLLOUTS) -> None:
        self.task, self._act, self._rollouts = task, act, rollouts

    def __call__(self, states: Array, rng: NDArray[np.uint64]) -> NDArray[np.float64]:
        each, clock = self._rollouts, self.task.world.clock
        sim = Simulation(self.task, each * len(states), auto_reset=False)
        turns = np.tile(np.arange(each, dtype=np.uint64), len(states)) * np.uint64(0x9E3779B97F4A7C15)
        words = np.repeat(rng, each) ^ turns
        sim.set_states(np.ones(sim.rows, np.bool_), np.repeat(states, each, 0), words)
        left = self.task.horizon - np.repeat(states[:, clock], each).astype(np.int64)
        reward, total = true_reward_of(self.task), np.zeros(sim.rows)
        for t in range(int(left.max(initial=0))):
            before = sim.states.copy()
            step = sim.step(self._act(sim.obs))
            total += np.where(t < left, reward(before, step.terms, step.last_states), 0.0)
        return np.asarray(total.reshape(-1, each).mean(1), np.float64)


class NoValue:
    """The value is not known: 0 everywhere, which is logged once."""

    def __init__(self, task: Task) -> None:
        self.task = task
        log.warning(
            "Nobody knows what is to come in %s: no state can be restored there, so its teachers judge "
            "a clip by what happens in it alone.",
            task.id,
        )

    def __call__(self, states: Array, rng: NDArray[np.uint64]) -> NDArray[np.float64]:
        return np.zeros(len(states))
