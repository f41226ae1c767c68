"""The best drivers known of each world, for synthetic teachers: exact plans, kept policies, or search by
simulation.

An over-cautious driver keeps clear of everything that could go wrong, and leaves out what can't be done so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from agents.evaluation import reference_returns
from agents.evaluation.scores import test_task
from agents.policies.policy_arrays import PolicyArrays
from envs.simulate import random_actions
from envs.simulation import Simulation
from envs.world import Array, Task

CAUTIOUS_HARM_FACTOR = 5.0
"""Factor by which an over-cautious driver multiplies negative rewards, where there is no exact plan."""

Expert = Callable[[Any], Any]
"""simulation of one row -> the action to take there."""


def make_expert(task: Task, random: np.random.Generator, is_cautious: bool = False) -> Expert:
    """The best driver known under the task's true reward: an exact plan if there is one, else a kept
    policy or search by simulation."""
    if not task.can_restore:
        found = reference_returns.load_shipped(task, 1) or reference_returns.load_cached(task, 1)
        if is_cautious or found is None or found.policy is None:
            raise ValueError(
                f"nobody here knows how to drive {task.id}: give comparisons, or drive it yourself"
            )
        return _policy_expert(found.policy, None if found.deterministic else random)
    hook = task.world.hooks.planning_expert
    planned = None if hook is None else hook(task, is_cautious)
    if planned is not None:
        return planned
    known = test_task(task)
    kept = (
        None
        if is_cautious
        else reference_returns.load_shipped(known, 1) or reference_returns.load_cached(known, 1)
    )
    if kept is not None and kept.policy is not None:
        return _policy_expert(kept.policy, None if kept.deterministic else random)
    return _random_shooting(task, random, CAUTIOUS_HARM_FACTOR if is_cautious else 1.0)


def _policy_expert(policy: PolicyArrays, random: np.random.Generator | None) -> Expert:
    """Drive as the oracle's policy does: its likeliest actions, or sampled ones."""
    return lambda sim: policy.act(sim.obs[:1], random)[0]


def _random_shooting(
    task: Task, random: np.random.Generator, harm_factor: float = 1.0, n_steps: int = 24, n_plans: int = 160
) -> Expert:
    """Random shooting: the first action of the best of many held-action sequences under the true reward.

    harm_factor: by which negative rewards are multiplied.
    """
    discrete = isinstance(task.world.action_space, spaces.Discrete)
    kept: list[Array] = []

    def draw() -> Array:
        return random_actions(task, n_plans, random)

    def act(sim: Any) -> Any:
        hold = 1 + random.integers(8, size=n_plans)
        sequence, current = [], draw()
        for t in range(n_steps):
            fresh, change = draw(), t % hold == 0
            current = np.where(change if discrete else change[:, None], fresh, current)
            sequence.append(current)
        plan = np.stack(sequence)
        if kept:
            plan[:-1, 0], plan[-1, 0] = kept[0][1:], kept[0][-1]
        worth = _plan_returns(task, sim, plan, harm_factor)
        best = int(worth.argmax())
        kept[:] = [plan[:, best].copy()]
        return plan[0, best]

    return act


def _plan_returns(task: Task, sim: Any, plan: Array, harm_factor: float) -> NDArray[np.float64]:
    """The true return of each action sequence [T, tries] from the simulation's first row, up to the
    horizon."""
    tries = plan.shape[1]
    copy = Simulation(task, tries, auto_reset=False)
    copy.set_states(
        np.ones(tries, np.bool_), np.repeat(sim.states[:1], tries, 0), np.repeat(sim.rng[:1], tries, 0)
    )
    left = task.horizon - int(sim.states[0][task.world.clock])
    total = np.zeros(tries)
    for actions in plan[:left]:
        before = copy.states.copy()
        step = copy.step(actions)
        worth = task.true_reward(before, step.terms, step.last_states)
        total += np.where(worth < 0.0, harm_factor * worth, worth)
    return total
