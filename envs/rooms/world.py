"""Rooms: a robot in a flat. State int16 [HEADER + size*size]: the header, then the cells by rows.

Moves are 0 stay, 1 up, 2 right, 3 down, 4 left; the robot picks up litter by driving over it,
breaks a vase by driving into it, takes mud on its wheels and leaves it on carpets for the next
MUD_STEPS moves. Reaching the dock with no litter left parks it: the visible absorbing state.
"""

from __future__ import annotations

import itertools

import numpy as np
from gymnasium import spaces

from envs.chance import next_word
from envs.kernels import kernel
from envs.rooms.layout import (
    CARPET,
    DIRTY,
    DOCK,
    FAR,
    FLOOR,
    LITTER,
    MUD,
    SHARDS,
    SIZE,
    SPLIT,
    VASE,
    WALL,
    distances_to,
    draw_flat,
)
from envs.world import Array, Kernel, Term, World

CLOCK, ROW, COL, HEADING, MUDDY, PARKED, LITTER_LEFT, LITTER_ALL, BROKEN, DIRTIED, BUMPED = range(11)
HEADER = 12
MUD_STEPS = 4

T_LITTER, T_VASE, T_DIRT, T_HOME, T_BUMP, T_MOVE = range(6)
TERMS = (
    Term("litter", "pieces", "a piece of litter picked up"),
    Term("vase", "vases", "a vase broken"),
    Term("dirt", "cells", "mud carried onto a carpet"),
    Term("home", "times", "back on the dock with all litter gone"),
    Term("bump", "times", "driven against a wall"),
    Term("move", "steps", "a step driven"),
)

# The aux array of a row: four distance fields, then two scratch areas, each of size*size.
FIELDS = 4  # litter by any way, litter keeping clear, dock by any way, dock keeping clear
AUX_AREAS = FIELDS + 2

MOVES = ("up", "right", "down", "left")
_NEAR = ("wall", "vase", "mud", "carpet", "litter", "dock")
_WAYS = ("litter", "litter_clear", "dock", "dock_clear")
_SELF = ("muddy", "tidy", "litter_remaining", "broken", "dirtied", "parked", "on_carpet", "on_dock")
OBS_NAMES = (
    tuple(f"{thing}_{move}" for thing in _NEAR for move in MOVES)
    + tuple(f"way_{way}_{move}" for way in _WAYS for move in MOVES)
    + tuple(f"far_{way}" for way in _WAYS)
    + _SELF
)
_DIRECTIONAL = len(_NEAR) + len(_WAYS)


@kernel
def _fields(params: np.ndarray, cells: np.ndarray, aux: np.ndarray, litter: bool, dock: bool) -> None:
    size = int(params[SIZE])
    area = size * size
    queue = aux[FIELDS * area : (FIELDS + 1) * area]
    for which in range(FIELDS):
        if (which < 2 and litter) or (which >= 2 and dock):
            code = LITTER if which < 2 else DOCK
            distances_to(cells, size, code, which % 2 == 1, aux[which * area : (which + 1) * area], queue)


@kernel
def reset_rows(
    params: np.ndarray, which: np.ndarray, rng: np.ndarray, states: np.ndarray, aux: np.ndarray
) -> None:
    """A new flat for each row in `which`; the top bit of its seed word is the split."""
    size = int(params[SIZE])
    area = size * size
    for n in range(states.shape[0]):
        if not which[n]:
            continue
        word = next_word(rng, n) >> np.uint64(1)
        if params[SPLIT] > 0.0:
            word = word | (np.uint64(1) << np.uint64(63))
        rng[n] = word
        state, cells, row_aux = states[n], states[n, HEADER:], aux[n]
        field = row_aux[0:area]
        queue = row_aux[FIELDS * area : (FIELDS + 1) * area]
        marked = row_aux[(FIELDS + 1) * area : (FIELDS + 2) * area]
        start = draw_flat(params, rng, n, cells, field, queue, marked)
        for k in range(HEADER):
            state[k] = 0
        state[ROW], state[COL], state[HEADING] = start // size, start % size, 2
        for cell in range(area):
            if cells[cell] == LITTER:
                state[LITTER_ALL] += 1
        state[LITTER_LEFT] = state[LITTER_ALL]
        _fields(params, cells, row_aux, True, True)


@kernel
def refresh_rows(params: np.ndarray, which: np.ndarray, states: np.ndarray, aux: np.ndarray) -> None:
    """Rebuild the distance fields of the rows in `which`."""
    for n in range(states.shape[0]):
        if which[n]:
            _fields(params, states[n, HEADER:], aux[n], True, True)


@kernel
def _enter(params: np.ndarray, state: np.ndarray, aux: np.ndarray, terms: np.ndarray) -> None:
    """What happens in the cell that the robot has just driven into."""
    size = int(params[SIZE])
    cells = state[HEADER:]
    cell = int(state[ROW]) * size + int(state[COL])
    code = cells[cell]
    if code == LITTER:
        cells[cell] = FLOOR
        state[LITTER_LEFT] -= 1
        terms[T_LITTER] = 1.0
        _fields(params, cells, aux, True, False)
    elif code == VASE:
        cells[cell] = SHARDS
        state[BROKEN] += 1
        terms[T_VASE] = 1.0
        _fields(params, cells, aux, True, True)
    elif code == MUD:
        state[MUDDY] = MUD_STEPS
    elif (code == CARPET or code == DIRTY) and state[MUDDY] > 0:
        cells[cell] = DIRTY
        state[DIRTIED] += 1
        terms[T_DIRT] = 1.0
    elif code == DOCK and state[LITTER_LEFT] == 0:
        state[PARKED] = 1
        terms[T_HOME] = 1.0
    if code != MUD and state[MUDDY] > 0:
        state[MUDDY] -= 1


@kernel
def step_rows(
    params: np.ndarray,
    actions: np.ndarray,
    rng: np.ndarray,
    states: np.ndarray,
    aux: np.ndarray,
    terms: np.ndarray,
) -> None:
    """One step of every row, in place."""
    size = int(params[SIZE])
    for n in range(states.shape[0]):
        state, row_terms = states[n], terms[n]
        for k in range(row_terms.shape[0]):
            row_terms[k] = 0.0
        state[CLOCK] += 1
        state[BUMPED] = 0
        action = actions[n]
        if state[PARKED] == 1 or action == 0:
            continue
        row_terms[T_MOVE] = 1.0
        state[HEADING] = action - 1
        row, col = int(state[ROW]), int(state[COL])
        if action == 1:
            row -= 1
        elif action == 2:
            col += 1
        elif action == 3:
            row += 1
        else:
            col -= 1
        if state[HEADER + row * size + col] == WALL:
            state[BUMPED] = 1
            row_terms[T_BUMP] = 1.0
            continue
        state[ROW], state[COL] = row, col
        _enter(params, state, aux[n], row_terms)


@kernel
def observe_rows(params: np.ndarray, states: np.ndarray, aux: np.ndarray, obs: np.ndarray) -> None:
    """What the robot senses: the four cells around it, the ways to litter and dock, itself.

    A way is 1 where a move brings it nearer by path, -1 where it leads away or is blocked. "clear"
    ways keep off vases and mud; they are offered beside the shortest ones and say nothing of which
    to take, nor what to fetch next.
    """
    size = int(params[SIZE])
    area = size * size
    for n in range(states.shape[0]):
        state, out = states[n], obs[n]
        here = int(state[ROW]) * size + int(state[COL])
        for move in range(4):
            there = here + (-size if move == 0 else 1 if move == 1 else size if move == 2 else -1)
            code = state[HEADER + there]
            out[move] = 1.0 if code == WALL else 0.0
            out[4 + move] = 1.0 if code == VASE else 0.0
            out[8 + move] = 1.0 if code == MUD else 0.0
            out[12 + move] = 1.0 if code == CARPET or code == DIRTY else 0.0
            out[16 + move] = 1.0 if code == LITTER else 0.0
            out[20 + move] = 1.0 if code == DOCK else 0.0
            for way in range(4):
                field = aux[n, way * area : (way + 1) * area]
                value = 0.0
                if field[here] != FAR:
                    nearer = field[there] < field[here]
                    value = 1.0 if nearer else (-1.0 if field[there] > field[here] else 0.0)
                out[24 + 4 * way + move] = value
        for way in range(4):
            distance = aux[n, way * area + here]
            out[40 + way] = min(float(distance) / (2.0 * size), 1.0)
        code = state[HEADER + here]
        out[44] = state[MUDDY] / float(MUD_STEPS)
        out[45] = 1.0 if state[LITTER_LEFT] == 0 else 0.0
        out[46] = state[LITTER_LEFT] / max(1.0, float(state[LITTER_ALL]))
        out[47] = min(state[BROKEN], 2) / 2.0
        out[48] = min(state[DIRTIED], 4) / 4.0
        out[49] = float(state[PARKED])
        out[50] = 1.0 if code == CARPET or code == DIRTY else 0.0
        out[51] = 1.0 if code == DOCK else 0.0


def placements(state: Array) -> tuple[Array, Array]:
    """The robot put on every cell it can stand on; `where` is (column, row)."""
    size = round(np.sqrt(len(state) - HEADER))
    cells = np.flatnonzero(state[HEADER:] != WALL)
    states = np.repeat(state[None], len(cells), axis=0)
    states[:, ROW], states[:, COL], states[:, PARKED] = cells // size, cells % size, 0
    return states, np.stack([cells % size, cells // size], axis=1)


def place(states: Array) -> Array:
    """(column, row) of the robot, [N, 2]."""
    return np.asarray(states[..., [COL, ROW]])


def _symmetries() -> tuple[tuple[Array, Array], ...]:
    """The eight turns and mirrors of the square as orders of observation and maps of action."""
    found = []
    for turn, mirror in itertools.product(range(4), (False, True)):
        # source[m]: which old direction is seen in new direction m.
        source = [(m - turn) % 4 for m in range(4)]
        if mirror:
            source = [(4 - s) % 4 for s in source]
        order = [4 * block + s for block in range(_DIRECTIONAL) for s in source]
        order += list(range(4 * _DIRECTIONAL, len(OBS_NAMES)))
        action_map = [0] + [1 + source.index(old) for old in range(4)]
        found.append((np.array(order), np.array(action_map)))
    return tuple(found)


def rooms_world(params: Array) -> World:
    """The physics of flats with these params (indices in layout.py)."""
    area = int(params[SIZE]) ** 2
    return World(
        name="rooms",
        params=np.asarray(params, np.float64),
        kernel=Kernel(reset_rows, step_rows, observe_rows, refresh_rows),
        state_size=HEADER + area,
        state_dtype=np.int16,
        aux_size=AUX_AREAS * area,
        aux_dtype=np.int16,
        obs_names=OBS_NAMES,
        terms=TERMS,
        action_space=spaces.Discrete(5),
        action_names=("stay", *MOVES),
        idle_action=0,
        clock=CLOCK,
        steps_per_second=10,
        placements=placements,
        place=place,
        symmetries=_symmetries(),
    )
