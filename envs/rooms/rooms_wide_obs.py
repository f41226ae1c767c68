"""More of what the robot of Rooms senses: where it is, where it has been, and ways that keep off things.

The first numbers are those of rooms_feature_obs.py. After them come, for each of the four moves, the cell
there (how often it was there, whether a vase is near, how many walls are beside it), how far the flat and
the room reach and the start lies, and ways: to what is next (to fetch, else the end) keeping off carpets,
vases, walls or open floor where that can be, to the piece farthest from the end past no other, to a carpet,
a doorway, and to the nearest cell where it has not been. A way is 1 where a move begins a best way and less
where it leads round, -1 where it is blocked. Then how far these are, on how many cells that can't be kept
off, and what happened in the episode.
"""

from __future__ import annotations

import itertools

import numpy as np

from envs.kernels import kernel
from envs.rooms import rooms_feature_obs as features
from envs.rooms.pathfinding import FAR
from envs.rooms.rooms_feature_obs import MOVES
from envs.rooms.rooms_state_layout import (
    BEGAN,
    CARPET_STEPS,
    CLOCK,
    COL,
    DISTINCT,
    FETCHED_AT,
    HEADER,
    HOME_VISITS,
    MEMORY,
    PARKED,
    ROW,
    SIZE,
)
from envs.rooms.rooms_wide_fields import (
    AVOIDED,
    CLOSED,
    COLS,
    COST,
    FIELD,
    HARM,
    KEPT_WAYS,
    MARKS,
    NEAR_VASE,
    NOWHERE,
    OFF,
    ROWS,
    beside,
    step_cost,
    walls_beside,
)
from envs.world import Array

_AROUND = ("been", "vase_near", "walls_beside", "reach", "room_reach", "start")
_WAYS = (*KEPT_WAYS, "new")
_COUNTED = 5  # the first so many keep off something, and tell how much of it they can't
_SELF = (
    "been_here",
    "vase_near",
    "walls_beside",
    "time",
    "cells_been",
    "home_visits",
    "carpet_steps",
    "since_fetch",
)
OBS_NAMES = (
    features.OBS_NAMES
    + tuple(f"{what}_{move}" for what in _AROUND for move in MOVES)
    + tuple(f"way_{way}_{move}" for way in _WAYS for move in MOVES)
    + tuple(f"far_{way}" for way in _WAYS)
    + tuple(f"spoiled_{way}" for way in _WAYS[:_COUNTED])
    + _SELF
)
_FIRST = len(features.OBS_NAMES)
_WAY = _FIRST + 4 * len(_AROUND)
_FAR = _WAY + 4 * len(_WAYS)
_MANY_ON = _FAR + len(_WAYS)
_OWN = _MANY_ON + _COUNTED

_MANY = 4.0  # visits that count as many
_LONG = 60.0  # steps that count as long


@kernel
def _way_to_new(
    visits: np.ndarray, marks: np.ndarray, size: int, here: int, first: np.ndarray, queue: np.ndarray
) -> tuple[int, int]:
    """(first moves of the shortest ways to a cell where it has not been, as bits; how far that is), not
    through harm; (0, FAR) if there is none. first is scratch: -1 everywhere, and so it is left."""
    found, far = 0, FAR
    queue[0], first[here] = here, 0
    head, count, ends, steps = 0, 1, 1, 0
    while head < count and found == 0:
        steps += 1
        while head < ends:
            at = queue[head]
            head += 1
            for move in range(4):
                there = beside(at, move, size)
                if marks[there] & (CLOSED | HARM) or (first[there] >= 0 and first[there] // 16 != steps):
                    continue
                moves = first[at] % 16 if at != here else 1 << move
                if first[there] < 0:
                    first[there] = 16 * steps
                    queue[count] = there
                    count += 1
                first[there] |= moves
        for k in range(ends, count):
            if visits[queue[k]] == 0:
                found |= first[queue[k]] % 16
                far = steps
        ends = count
    for k in range(count):
        first[queue[k]] = -1
    return found, far


@kernel
def _see_ways(
    state: np.ndarray, marks: np.ndarray, row_aux: np.ndarray, size: int, here: int, out: np.ndarray
) -> None:
    """The ways that are kept as fields, and how far they are."""
    area = size * size
    for way in range(AVOIDED.shape[0]):
        field = row_aux[(FIELD + way) * area : (FIELD + way + 1) * area]
        for move in range(4):
            there = beside(here, move, size)
            value = -1.0
            if field[here] == NOWHERE:
                value = 0.0
            elif marks[there] & CLOSED == 0:
                detour = field[there] + step_cost(marks[there], AVOIDED[way]) - field[here]
                value = max(-1.0, 1.0 - 0.25 * detour)
            out[_WAY + 4 * way + move] = value
        far, many = 2.0 * size, 0.0
        if field[here] != NOWHERE:
            far, many = float(field[here] % COST), float(field[here] // COST)
        out[_FAR + way] = min(far / (2.0 * size), 1.0)
        if way < _COUNTED:
            out[_MANY_ON + way] = min(many / _MANY, 1.0)


@kernel
def observe_rows(params: np.ndarray, states: np.ndarray, aux: np.ndarray, obs: np.ndarray) -> None:
    """Fill obs[N, D]; the names of its D numbers are OBS_NAMES."""
    size = int(params[SIZE])
    area = size * size
    features.observe_rows(params, states, aux, obs[:, :_FIRST])
    first, queue = np.full(area, -1, np.int16), np.empty(area, np.int16)
    for n in range(states.shape[0]):
        state, out, row_aux = states[n], obs[n], aux[n]
        cells, visits = state[HEADER : HEADER + area], state[HEADER + area : HEADER + 2 * area]
        marks = row_aux[MARKS * area : (MARKS + 1) * area]
        row, col = int(state[ROW]), int(state[COL])
        here = row * size + col
        rows, cols = int(row_aux[ROWS * area + here]), int(row_aux[COLS * area + here])
        moves, far = _way_to_new(visits, marks, size, here, first, queue)
        for move in range(4):
            there = beside(here, move, size)
            out[_FIRST + move] = min(float(visits[there]), _MANY) / _MANY
            out[_FIRST + 4 + move] = 1.0 if marks[there] & NEAR_VASE else 0.0
            inside = marks[there] & CLOSED == 0
            out[_FIRST + 8 + move] = walls_beside(cells, size, there) / 4.0 if inside else 0.0
            out[_WAY + 4 * AVOIDED.shape[0] + move] = 1.0 if moves & (1 << move) else 0.0
        last = float(size - 2)
        out[_FIRST + 12], out[_FIRST + 14] = (row - 1) / last, (last - row) / last
        out[_FIRST + 13], out[_FIRST + 15] = (last - col) / last, (col - 1) / last
        out[_FIRST + 16], out[_FIRST + 18] = (rows // OFF - 1) / last, (last - rows % OFF) / last
        out[_FIRST + 17], out[_FIRST + 19] = (last - cols % OFF) / last, (cols // OFF - 1) / last
        _see_ways(state, marks, row_aux, size, here, out)
        out[_FAR + AVOIDED.shape[0]] = min(far / (2.0 * size), 1.0)
        memory = state[HEADER + 2 * area : HEADER + 2 * area + MEMORY]
        away, aside = int(memory[BEGAN]) // size - row, int(memory[BEGAN]) % size - col
        out[_FIRST + 20], out[_FIRST + 22] = max(0, -away) / last, max(0, away) / last
        out[_FIRST + 21], out[_FIRST + 23] = max(0, aside) / last, max(0, -aside) / last
        out[_OWN] = min(float(visits[here]), _MANY) / _MANY
        out[_OWN + 1] = 1.0 if marks[here] & NEAR_VASE else 0.0
        out[_OWN + 2] = walls_beside(cells, size, here) / 4.0
        out[_OWN + 3], out[_OWN + 7] = 0.0, 0.0  # nothing changes any more in what is seen once it is parked
        if state[PARKED] == 0:
            out[_OWN + 3] = min(state[CLOCK] / _LONG, 2.0)
            out[_OWN + 7] = min((state[CLOCK] - memory[FETCHED_AT]) / _LONG, 2.0)
        out[_OWN + 4] = min(memory[DISTINCT] / _LONG, 2.0)
        out[_OWN + 5] = min(float(memory[HOME_VISITS]), _MANY) / _MANY
        out[_OWN + 6] = min(memory[CARPET_STEPS] / 20.0, 2.0)


def symmetries(actions: int) -> tuple[tuple[Array, Array], ...]:
    """The eight turns and mirrors of the square as orders of observation and maps of action."""
    found = []
    blocks = [*range(_FIRST, _WAY, 4), *range(_WAY, _FAR, 4)]
    for (order, action_map), (turn, mirror) in zip(
        features.symmetries(actions), itertools.product(range(4), (False, True)), strict=True
    ):
        source = features.turned_moves(turn, mirror)
        more = [block + move for block in blocks for move in source]
        whole = [*order, *more, *range(_FAR, len(OBS_NAMES))]
        found.append((np.array(whole), action_map))
    return tuple(found)
