"""Exact planning in a flat: the best that can be done there under a given reward.

Finite-horizon value iteration over (cell, litter left, vases whole, mud on the wheels, carpet
dirtied): up to some hundred thousand states a flat. Used by synthetic teachers and for scoring.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.kernels import kernel
from envs.rooms.layout import CARPET, DIRTY, DOCK, LITTER, MUD, SIZE, VASE, WALL
from envs.rooms.tasks import FLAWLESS, WISH
from envs.rooms.world import (
    BROKEN,
    CLOCK,
    COL,
    DIRTIED,
    HEADER,
    MUD_STEPS,
    MUDDY,
    PARKED,
    ROW,
    T_BUMP,
    T_DIRT,
    T_HOME,
    T_LITTER,
    T_MOVE,
    T_VASE,
    TERMS,
)
from envs.simulation import Simulation
from envs.world import Array, Task

_MUD_LEVELS = MUD_STEPS + 1
MAX_STATES = 1_000_000


@kernel
def _successor(
    cells: np.ndarray,
    size: int,
    cell: int,
    litter: int,
    vases: int,
    mud: int,
    dirty: int,
    action: int,
    ordinal: np.ndarray,
    weights: np.ndarray,
    flawless: float,
    all_vases: int,
    out: np.ndarray,
) -> float:
    """Reward of one move; out becomes (cell, litter, vases, mud, dirty, parked)."""
    out[0], out[1], out[2], out[3], out[4], out[5] = cell, litter, vases, mud, dirty, 0
    if action == 0:
        return 0.0
    there = cell + (-size if action == 1 else 1 if action == 2 else size if action == 3 else -1)
    reward = weights[T_MOVE]
    code = cells[there]
    if code == WALL:
        return reward + weights[T_BUMP]
    out[0] = there
    bit = 1 << ordinal[there] if ordinal[there] >= 0 else 0
    if code == LITTER and litter & bit:
        out[1] = litter & ~bit
        reward += weights[T_LITTER]
    elif code == VASE and vases & bit:
        out[2] = vases & ~bit
        reward += weights[T_VASE]
    elif code == MUD:
        out[3] = MUD_STEPS
        return reward
    elif (code == CARPET or code == DIRTY) and mud > 0:
        out[4] = 1
        reward += weights[T_DIRT]
    elif code == DOCK and litter == 0:
        out[5] = 1
        reward += weights[T_HOME] + (flawless if vases == all_vases and dirty == 0 else 0.0)
    if mud > 0:
        out[3] = mud - 1
    return reward


@kernel
def _plan(
    cells: np.ndarray,
    size: int,
    places: np.ndarray,
    rank: np.ndarray,
    ordinal: np.ndarray,
    litters: int,
    vase_count: int,
    weights: np.ndarray,
    flawless: float,
    values: np.ndarray,
    policy: np.ndarray,
) -> int:
    """Backward induction; policy[t] holds for t steps to go + 1. Returns when it became stationary."""
    steps = policy.shape[0]
    litter_n, vase_n = 1 << litters, 1 << vase_count
    out = np.zeros(6, np.int64)
    old = np.zeros_like(values)
    for t in range(steps):
        old[:] = values
        changed = False
        index = 0
        for p in range(places.shape[0]):
            for litter in range(litter_n):
                for vases in range(vase_n):
                    for mud in range(_MUD_LEVELS):
                        for dirty in range(2):
                            best, best_action = -1e9, 0
                            for action in range(5):
                                reward = _successor(
                                    cells, size, places[p], litter, vases, mud, dirty, action,
                                    ordinal, weights, flawless, vase_n - 1, out,
                                )  # fmt: skip
                                if out[5] == 0:
                                    after = (rank[out[0]] * litter_n + out[1]) * vase_n + out[2]
                                    reward += old[(after * _MUD_LEVELS + out[3]) * 2 + out[4]]
                                if reward > best + 1e-7:
                                    best, best_action = reward, action
                            policy[t, index] = best_action
                            if abs(best - values[index]) > 1e-7:
                                changed = True
                            values[index] = best
                            index += 1
        if not changed:
            return t
    return steps - 1


@dataclass(frozen=True)
class FlatPlan:
    """The optimal way from any state of one flat. value: the best return from its first state."""

    value: float
    _policy: NDArray[np.uint8]
    _stationary: int
    _rank: Array
    _ordinal: Array
    _counts: tuple[int, int]
    _horizon: int

    def action(self, state: Array) -> int:
        """The best action in a state [K] of the same flat."""
        if state[PARKED]:
            return 0
        to_go = self._horizon - int(state[CLOCK])
        row = min(max(to_go - 1, 0), self._stationary)
        return int(self._policy[row, _index(state, self._rank, self._ordinal, self._counts)])


def _index(state: Array, rank: Array, ordinal: Array, counts: tuple[int, int]) -> int:
    cells = state[HEADER:]
    size = round(np.sqrt(len(cells)))
    litter = sum(1 << int(ordinal[c]) for c in np.flatnonzero(cells == LITTER))
    vases = sum(1 << int(ordinal[c]) for c in np.flatnonzero(cells == VASE))
    index = int(rank[int(state[ROW]) * size + int(state[COL])])
    index = (index * (1 << counts[0]) + litter) * (1 << counts[1]) + vases
    return (index * _MUD_LEVELS + int(state[MUDDY])) * 2 + int(state[DIRTIED] > 0)


def wish_weights() -> tuple[NDArray[np.float64], float]:
    """The tidy wish as (weight per term [M], bonus for a flawless homecoming)."""
    return np.array([WISH.get(term.name, 0.0) for term in TERMS]), FLAWLESS


def plan(task: Task, state: Array, weights: Array | None = None, flawless: float = 0.0) -> FlatPlan:
    """The exact plan for the flat in `state` [K]; under the wish unless weights [M] are given."""
    if weights is None:
        weights, flawless = wish_weights()
    if state[BROKEN] > 0:
        flawless = 0.0
    size = int(task.world.params[SIZE])
    cells = np.ascontiguousarray(state[HEADER:])
    places = np.flatnonzero(cells != WALL)
    rank = np.full(size * size, -1, np.int64)
    rank[places] = np.arange(len(places))
    ordinal = np.full(size * size, -1, np.int64)
    counts = []
    for code in (LITTER, VASE):
        found = np.flatnonzero(cells == code)
        ordinal[found] = np.arange(len(found))
        counts.append(len(found))
    states = len(places) * (1 << counts[0]) * (1 << counts[1]) * _MUD_LEVELS * 2
    if states > MAX_STATES:
        raise ValueError(f"a flat of {states} states is over the {MAX_STATES} that are planned exactly")
    values = np.zeros(states)
    policy = np.zeros((task.horizon, states), np.uint8)
    stationary = _plan(
        cells, size, places, rank, ordinal, counts[0], counts[1], np.asarray(weights, np.float64),
        flawless, values, policy,
    )  # fmt: skip
    both = (counts[0], counts[1])
    value = 0.0 if state[PARKED] else float(values[_index(state, rank, ordinal, both)])
    return FlatPlan(value, policy[: stationary + 1], stationary, rank, ordinal, both, task.horizon)


def best_returns(task: Task, seeds: Array, weights: Array | None = None, flawless: float = 0.0) -> Array:
    """The best possible return from the start of each seed's flat, [len(seeds)]."""
    sim = Simulation(task, len(seeds))
    sim.reset(np.asarray(seeds))
    return np.array([plan(task, state, weights, flawless).value for state in sim.states])
