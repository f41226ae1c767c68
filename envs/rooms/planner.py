"""Exact planning in a flat: the best that can be done there under a given reward.

Finite-horizon value iteration over (cell, what is left to fetch, vases whole, doors closed, in hand,
mud on the wheels, anything spoiled): up to some hundred thousand states a flat. Where pieces are
carried, ways that put one down elsewhere than in the bin are left out: under a wish that doesn't pay
for that they are never better. Used by synthetic teachers and for scoring.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.kernels import kernel
from envs.rooms.layout_generator import fetch_code
from envs.rooms.pathfinding import beside_cat
from envs.rooms.rooms_kernels import step_rows
from envs.rooms.rooms_state_layout import (
    BIN,
    BROKEN,
    CARPET,
    CARRY,
    CAT,
    CLOCK,
    COL,
    DIRTIED,
    DIRTY,
    DOCK,
    DOOR,
    DOORS,
    FORCED_DOORS,
    HOLDING,
    KEY,
    LITTER,
    MUD,
    MUD_STEPS,
    MUDDY,
    PARKED,
    ROW,
    SIZE,
    T_BINNED,
    T_BUMP,
    T_CAT,
    T_DIRT,
    T_DROP,
    T_FORCED,
    T_HOME,
    T_KEY,
    T_LITTER,
    T_MOVE,
    T_VASE,
    VASE,
    WALL,
    cells_of,
)
from envs.rooms.rooms_true_reward import RoomsTrueReward
from envs.simulation import Simulation
from envs.world import Array, Task

_MUD_LEVELS = MUD_STEPS + 1
MAX_STATES = 1_000_000
# Places in a node: cell, bits of what is left of each kind, then what the robot has on it.
_CELL, _FETCH, _VASES, _DOORS, _HAND, _MUD, _SPOILED, _PARKED = range(8)


@kernel
def _enter(
    cells: np.ndarray,
    size: int,
    carry: bool,
    doors: bool,
    ordinal: np.ndarray,
    weights: np.ndarray,
    flawless: float,
    node: np.ndarray,
) -> float:
    """What driving into node[_CELL] is worth; mirrors the world's own rules on nodes."""
    there = node[_CELL]
    code = cells[there]
    bit = 1 << ordinal[there] if ordinal[there] >= 0 else 0
    reward = 0.0
    if ((code == LITTER and not carry) or code == KEY) and node[_FETCH] & bit:
        node[_FETCH] &= ~bit
        reward += weights[T_LITTER] if code == LITTER else weights[T_KEY]
        node[_HAND] += 1 if code == KEY else 0
    elif code == VASE and node[_VASES] & bit:
        node[_VASES] &= ~bit
        node[_SPOILED] = 1
        reward += weights[T_VASE]
    elif code == DOOR and node[_DOORS] & bit:
        node[_DOORS] &= ~bit
        if node[_HAND] > 0:
            node[_HAND] -= 1
        else:
            node[_SPOILED] = 1
            reward += weights[T_FORCED]
    elif (code == CARPET or code == DIRTY) and node[_MUD] > 0:
        node[_SPOILED] = 1
        reward += weights[T_DIRT]
    elif code == BIN and node[_HAND] == 1:
        node[_HAND] = 0
        reward += weights[T_BINNED]
    if ((code == DOCK or code == BIN) and node[_HAND] == 0 and node[_FETCH] == 0) or (code == DOCK and doors):
        node[_PARKED] = 1
        reward += weights[T_HOME] + (flawless if node[_SPOILED] == 0 else 0.0)
    if code == MUD:
        node[_MUD] = MUD_STEPS
    elif node[_MUD] > 0:
        node[_MUD] -= 1
    if beside_cat(cells, size, there):
        reward += weights[T_CAT]
    return reward


@kernel
def _pick(cells: np.ndarray, ordinal: np.ndarray, weights: np.ndarray, node: np.ndarray) -> float:
    """Pick up the piece here."""
    here = node[_CELL]
    if cells[here] == LITTER and node[_HAND] == 0 and node[_FETCH] & (1 << ordinal[here]):
        node[_FETCH] &= ~(1 << ordinal[here])
        node[_HAND] = 1
        return float(weights[T_LITTER])
    return 0.0


@kernel
def _move(
    cells: np.ndarray,
    size: int,
    carry: bool,
    doors: bool,
    ordinal: np.ndarray,
    weights: np.ndarray,
    flawless: float,
    action: int,
    node: np.ndarray,
) -> float:
    """Do `action` on a node, in place; its reward."""
    if action == 0:
        return 0.0
    if action == 5:
        return weights[T_MOVE] + _pick(cells, ordinal, weights, node)
    step = -size if action == 1 else 1 if action == 2 else size if action == 3 else -1
    code = cells[node[_CELL] + step]
    if code == WALL or code == CAT:
        return weights[T_MOVE] + weights[T_BUMP]
    node[_CELL] += step
    return weights[T_MOVE] + _enter(cells, size, carry, doors, ordinal, weights, flawless, node)


@kernel
def _plan(
    cells: np.ndarray,
    size: int,
    carry: bool,
    doors: bool,
    places: np.ndarray,
    rank: np.ndarray,
    ordinal: np.ndarray,
    shape: np.ndarray,
    weights: np.ndarray,
    flawless: float,
    values: np.ndarray,
    policy: np.ndarray,
) -> int:
    """Backward induction; policy[t] holds with t + 1 steps to go. Returns when it became stationary."""
    actions = 6 if carry else 5
    node, start = np.zeros(8, np.int64), np.zeros(8, np.int64)
    old = np.zeros_like(values)
    for t in range(policy.shape[0]):
        old[:] = values
        changed = False
        for index in range(values.shape[0]):
            rest = index
            for k in range(_SPOILED, -1, -1):
                start[k] = rest % shape[k]
                rest //= shape[k]
            start[_CELL] = places[start[_CELL]]
            best, best_action = -1e9, 0
            for turn in range(1, actions + 1):
                action = turn % actions  # idling comes last: on a tie it acts now, not later
                node[:] = start
                node[_PARKED] = 0
                reward = _move(cells, size, carry, doors, ordinal, weights, flawless, action, node)
                if node[_HAND] >= shape[_HAND]:
                    continue  # more in hand than there is: a node that is never reached
                if node[_PARKED] == 0:
                    after = rank[node[_CELL]]
                    for k in range(1, _SPOILED + 1):
                        after = after * shape[k] + node[k]
                    reward += old[after]
                if reward > best + 1e-7:
                    best, best_action = reward, action
            policy[t, index] = best_action
            if abs(best - values[index]) > 1e-7:
                changed = True
            values[index] = best
        if not changed:
            return t
    return policy.shape[0] - 1


@dataclass(frozen=True)
class _Nodes:
    """How the states of one flat are numbered."""

    shape: NDArray[np.int64]
    rank: NDArray[np.int64]
    ordinal: NDArray[np.int64]
    size: int
    fetched: int

    def index(self, state: Array) -> int:
        """The number of a state [K] of this flat."""
        cells = cells_of(state)
        left = [
            sum(1 << int(self.ordinal[c]) for c in np.flatnonzero(cells == code))
            for code in (self.fetched, VASE, DOOR)
        ]
        spoiled = state[BROKEN] > 0 or state[DIRTIED] > 0 or state[FORCED_DOORS] > 0
        cell = int(self.rank[int(state[ROW]) * self.size + int(state[COL])])
        node = (cell, *left, int(state[HOLDING]), int(state[MUDDY]), int(spoiled))
        return int(np.ravel_multi_index(node, tuple(self.shape)))


@dataclass(frozen=True)
class FlatPlan:
    """The optimal way from any state of one flat. value: the best return from its first state."""

    value: float
    _policy: NDArray[np.uint8]
    _nodes: _Nodes
    _horizon: int

    def action(self, state: Array) -> int:
        """The best action in a state [K] of the same flat."""
        if state[PARKED]:
            return 0
        to_go = self._horizon - int(state[CLOCK])
        row = min(max(to_go - 1, 0), len(self._policy) - 1)
        return int(self._policy[row, self._nodes.index(state)])


def _nodes(task: Task, state: Array) -> _Nodes:
    params = task.world.params
    size = int(params[SIZE])
    cells = cells_of(state)
    places = np.flatnonzero((cells != WALL) & (cells != CAT))
    rank = np.full(size * size, -1, np.int64)
    rank[places] = np.arange(len(places))
    ordinal = np.full(size * size, -1, np.int64)
    code = int(fetch_code(params))
    counts = []
    for kind in (code, VASE, DOOR):
        found = np.flatnonzero(cells == kind)
        ordinal[found] = np.arange(len(found))
        counts.append(1 << len(found))
    keys = (cells == KEY).sum() + (0 if params[CARRY] else state[HOLDING])
    hands = 2 if params[CARRY] else keys + 1
    shape = np.array([len(places), *counts, hands, _MUD_LEVELS, 2], np.int64)
    return _Nodes(shape, rank, ordinal, size, code)


def can_plan(task: Task, wish: RoomsTrueReward | None = None) -> bool:
    """Whether `plan` is exact for this task's physics, and for its wish or another."""
    chosen = wish or task.true_reward
    if not isinstance(chosen, RoomsTrueReward) or task.world.kernel.step is not step_rows:
        return False
    if not task.world.params[CARRY]:
        return True
    return bool(chosen.weights[T_LITTER] + chosen.weights[T_DROP] <= 0.0)  # else dropping it again may pay


def plan_flat(task: Task, state: Array, true_reward: RoomsTrueReward | None = None) -> FlatPlan:
    """The exact plan for the flat in `state` [K], under the task's wish or another."""
    chosen = true_reward or task.true_reward
    if not isinstance(chosen, RoomsTrueReward):
        raise TypeError(f"{task.id} has no wish that can be planned for exactly: it is no task of Rooms")
    nodes = _nodes(task, state)
    count = int(nodes.shape.prod())
    if count > MAX_STATES:
        raise ValueError(f"a flat of {count} states is over the {MAX_STATES} that are planned exactly")
    cells = np.ascontiguousarray(cells_of(state))
    values, policy = np.zeros(count), np.zeros((task.horizon, count), np.uint8)
    stationary = _plan(
        cells,
        nodes.size,
        bool(task.world.params[CARRY]),
        bool(task.world.params[DOORS]),
        np.flatnonzero(nodes.rank >= 0),
        nodes.rank,
        nodes.ordinal,
        nodes.shape,
        np.asarray(chosen.weights, np.float64),
        chosen.flawless_bonus,
        values,
        policy,
    )
    value = 0.0 if state[PARKED] else float(values[nodes.index(state)])
    return FlatPlan(value, policy[: stationary + 1], nodes, task.horizon)


def best_returns(task: Task, seeds: Array, true_reward: RoomsTrueReward | None = None) -> Array:
    """The best possible return from the start of each seed's flat, [len(seeds)]."""
    sim = Simulation(task, len(seeds))
    sim.reset(np.asarray(seeds))
    return np.array([plan_flat(task, state, true_reward).value for state in sim.states])
