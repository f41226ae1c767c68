"""Exact plans for any true reward in a flat, over every state that can be reached there.

Finite-horizon value iteration on the tables of `envs.tabular`. Slower than `envs.rooms.planner` (about a
second a flat), but it asks nothing of the reward but that it reads the canonical_form states.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.evaluation.scores import true_reward_of
from envs.simulation import Simulation
from envs.tabular import TabularMDP, TooManyStates, canonical_form, enumerate_states
from envs.world import Array, Task

MOST = 60_000
"""States of one flat."""
KEPT = 4
"""Plans held in memory."""
PATIENCE = 0.9999
"""Discount by which an action is picked: of two plans that pay the same, the one that pays sooner."""
GAIN = 1e-6
"""What standing still is worth beside: who has nothing more to do stands still, as people do."""


@dataclass(frozen=True)
class StatePlan:
    """The best from every state of one flat: values [H + 1, S] by steps to go, policy [H, S]."""

    tables: TabularMDP
    values: NDArray[np.float32]
    policy: NDArray[np.uint8]
    clock: int

    def value(self, state: Array) -> float:
        """The best return from a state [K] of the same flat on."""
        return float(self.values[self._to_go(state), self.tables.state_indices(state[None])[0]])

    def action(self, state: Array) -> int:
        """The best action in a state [K] of the same flat; KeyError where it is another's."""
        to_go = max(1, self._to_go(state))
        return int(self.policy[to_go - 1, self.tables.state_indices(state[None])[0]])

    def _to_go(self, state: Array) -> int:
        return max(0, len(self.policy) - int(state[self.clock]))


_plans: OrderedDict[tuple[Any, ...], StatePlan] = OrderedDict()


def plan(task: Task, state: Array) -> StatePlan:
    """The plan for the flat in `state` [K]; TooManyStates where they are over MOST. The newest are kept."""
    key = (true_reward_of(task), task.horizon, canonical_form(task)(state[None]).tobytes())
    if key not in _plans:
        _plans[key] = _made(task, state)
        while len(_plans) > KEPT:
            _plans.popitem(last=False)
    _plans.move_to_end(key)
    return _plans[key]


def _made(task: Task, state: Array) -> StatePlan:
    tables = enumerate_states(task, state, MOST)
    count, actions = tables.next_states.shape
    before, after = np.repeat(tables.states, actions, 0), tables.states[tables.next_states.ravel()]
    terms = tables.terms.reshape(count * actions, -1)
    pay = np.asarray(true_reward_of(task)(before, terms, after), np.float64).reshape(count, actions)
    values = np.zeros((task.horizon + 1, count), np.float32)
    policy = np.zeros((task.horizon, count), np.uint8)
    patient, rows = np.zeros(count), np.arange(count)
    for to_go in range(task.horizon):
        worth = pay + PATIENCE * patient[tables.next_states]
        worth[:, task.world.idle_action] += GAIN
        picked = worth.argmax(1)
        policy[to_go], patient = picked, worth[rows, picked]
        values[to_go + 1] = pay[rows, picked] + values[to_go][tables.next_states[rows, picked]]
    return StatePlan(tables, values, policy, task.world.clock)


def best_returns(task: Task, seeds: Array) -> Array | None:
    """The best possible returns [N] from each seed's start; None where a flat has too many states."""
    sim = Simulation(task, len(seeds))
    sim.reset(np.asarray(seeds))
    try:
        return np.array([plan(task, state).value(state) for state in sim.states])
    except TooManyStates:
        return None


def planning_expert(task: Task, cautious: bool) -> Callable[[Any], Any] | None:
    """Drives by exact plans; None for the cautious, who would need to know what harm is."""
    if cautious:
        return None
    plans: list[StatePlan] = []

    def act(sim: Any) -> int:
        state = sim.states[0]
        if plans:
            try:
                return plans[0].action(state)
            except KeyError:  # another flat
                plans.clear()
        plans.append(plan(task, state))
        return plans[0].action(state)

    return act
