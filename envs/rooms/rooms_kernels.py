"""The physics of flats: how a row is reset, sensed and stepped, compiled by numba."""

from __future__ import annotations

import numpy as np

from envs.kernels import kernel
from envs.rng import next_word
from envs.rooms.layout_generator import draw_flat
from envs.rooms.pathfinding import beside_cat
from envs.rooms.rooms_feature_obs import fields
from envs.rooms.rooms_layout_parser import copy_flat
from envs.rooms.rooms_state_layout import (
    BEGAN,
    BIN,
    BROKEN,
    BUMPED,
    CARPET,
    CARPET_STEPS,
    CARRY,
    CAT,
    CLOCK,
    COL,
    DIRTIED,
    DIRTY,
    DISTINCT,
    DISTURBED,
    DOCK,
    DOOR,
    DOORWAY,
    DRAWN,
    FETCHED_AT,
    FLOOR,
    FORCED,
    FORCED_DOORS,
    HEADER,
    HEADING,
    HOLDING,
    HOME_VISITS,
    KEY,
    LITTER,
    LITTER_ALL,
    LITTER_LEFT,
    MUD,
    MUD_STEPS,
    MUDDY,
    PARKED,
    ROW,
    SHARDS,
    SIZE,
    SPLIT,
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
)
from envs.rooms.rooms_wide_fields import has_memory, wide_fields


@kernel
def _rebuild(params: np.ndarray, state: np.ndarray, aux: np.ndarray, fresh: bool) -> None:
    """A row's aux array anew. fresh: not only what is fetched may have changed."""
    fields(params, state, aux, True, fresh)
    if has_memory(params, state):
        wide_fields(params, state, aux, fresh)


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
        state, cells, row_aux = states[n], states[n, HEADER : HEADER + area], aux[n]
        # The areas of the fields serve as scratch while the flat is drawn.
        if params.shape[0] > DRAWN:
            start = copy_flat(params, rng, n, cells)
        else:
            start = draw_flat(
                params, rng, n, cells, row_aux[0:area], row_aux[area : 2 * area], row_aux[2 * area : 3 * area]
            )
        for k in range(HEADER):
            state[k] = 0
        for k in range(HEADER + area, state.shape[0]):
            state[k] = 0
        state[ROW], state[COL], state[HEADING] = start // size, start % size, 2
        for cell in range(area):
            if cells[cell] == LITTER:
                state[LITTER_ALL] += 1
        state[LITTER_LEFT] = state[LITTER_ALL]
        if state.shape[0] > HEADER + area:
            state[HEADER + area + start] = 1
            state[HEADER + 2 * area + DISTINCT] = 1
            state[HEADER + 2 * area + BEGAN] = start
        _rebuild(params, state, row_aux, True)


@kernel
def refresh_rows(params: np.ndarray, which: np.ndarray, states: np.ndarray, aux: np.ndarray) -> None:
    """Rebuild the distance fields of the rows in `which`."""
    for n in range(states.shape[0]):
        if which[n]:
            _rebuild(params, states[n], aux[n], True)


@kernel
def _act(params: np.ndarray, state: np.ndarray, aux: np.ndarray, terms: np.ndarray) -> None:
    """Pick up the piece in this cell, or put down the one in hand."""
    cell = int(state[ROW]) * int(params[SIZE]) + int(state[COL])
    code = state[HEADER + cell]
    if state[HOLDING] == 0 and code == LITTER:
        state[HEADER + cell] = FLOOR
        state[HOLDING] = 1
        terms[T_LITTER] = 1.0
        _rebuild(params, state, aux, False)
    elif state[HOLDING] == 1 and code == FLOOR:
        state[HEADER + cell] = LITTER
        state[HOLDING] = 0
        terms[T_DROP] = 1.0
        _rebuild(params, state, aux, False)


@kernel
def _enter(params: np.ndarray, state: np.ndarray, aux: np.ndarray, terms: np.ndarray) -> None:
    """What happens in the cell that the robot has just driven into."""
    size = int(params[SIZE])
    cell = HEADER + int(state[ROW]) * size + int(state[COL])
    code = state[cell]
    if code == LITTER and params[CARRY] == 0.0:
        state[cell] = FLOOR
        state[LITTER_LEFT] -= 1
        terms[T_LITTER] = 1.0
        _rebuild(params, state, aux, False)
    elif code == KEY:
        state[cell] = FLOOR
        state[HOLDING] += 1
        terms[T_KEY] = 1.0
        _rebuild(params, state, aux, True)
    elif code == DOOR:
        if state[HOLDING] > 0:
            state[cell] = DOORWAY
            state[HOLDING] -= 1
        else:
            state[cell] = FORCED
            state[FORCED_DOORS] += 1
            terms[T_FORCED] = 1.0
        _rebuild(params, state, aux, True)
    elif code == VASE:
        state[cell] = SHARDS
        state[BROKEN] += 1
        terms[T_VASE] = 1.0
        _rebuild(params, state, aux, True)
    elif code == MUD:
        state[MUDDY] = MUD_STEPS
    elif (code == CARPET or code == DIRTY) and state[MUDDY] > 0:
        state[cell] = DIRTY
        state[DIRTIED] += 1
        terms[T_DIRT] = 1.0
    elif code == BIN and state[HOLDING] == 1:
        state[HOLDING] = 0
        state[LITTER_LEFT] -= 1
        terms[T_BINNED] = 1.0
        if has_memory(params, state):
            wide_fields(params, state, aux, False)  # with free hands something else is next
    if (code == DOCK or code == BIN) and state[LITTER_LEFT] == 0:
        state[PARKED] = 1
        terms[T_HOME] = 1.0
    if code != MUD and state[MUDDY] > 0:
        state[MUDDY] -= 1
    if beside_cat(state[HEADER:], size, cell - HEADER):
        state[DISTURBED] += 1
        terms[T_CAT] = 1.0


@kernel
def _remember(state: np.ndarray, size: int, carry: bool) -> None:
    """Note in the state's memory that the robot has come to this cell; before what happens there."""
    area = size * size
    cell = int(state[ROW]) * size + int(state[COL])
    code = state[HEADER + cell]
    visits, memory = state[HEADER + area : HEADER + 2 * area], state[HEADER + 2 * area :]
    visits[cell] += 1
    if visits[cell] == 1:
        memory[DISTINCT] += 1
    if code == DOCK or code == BIN:
        memory[HOME_VISITS] += 1
    elif code == CARPET or code == DIRTY:
        memory[CARPET_STEPS] += 1
    elif code == KEY or (code == LITTER and not carry):
        memory[FETCHED_AT] = state[CLOCK]


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
        remembers = has_memory(params, state)
        action = actions[n]
        if state[PARKED] == 1 or action == 0:
            continue
        row_terms[T_MOVE] = 1.0
        if action == 5:
            _act(params, state, aux[n], row_terms)
            if remembers and row_terms[T_LITTER] > 0.0:
                state[HEADER + 2 * size * size + FETCHED_AT] = state[CLOCK]
            continue
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
        code = state[HEADER + row * size + col]
        if code == WALL or code == CAT:
            state[BUMPED] = 1
            row_terms[T_BUMP] = 1.0
            continue
        state[ROW], state[COL] = row, col
        if remembers:
            _remember(state, size, params[CARRY] > 0.0)
        _enter(params, state, aux[n], row_terms)
