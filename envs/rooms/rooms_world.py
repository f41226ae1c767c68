"""Rooms: the physics of a robot in a flat. The state's layout is in rooms_state_layout.py.

Moves are 0 stay, 1 up, 2 right, 3 down, 4 left, and, where pieces are carried, 5 act: pick up, put
down. Driving over litter picks it up (unless pieces are carried: then driving to the bin empties the
hands), driving into a vase breaks it, mud stays on the wheels for MUD_STEPS moves and comes off on
carpets, a closed door opens with a key and is forced without one. Reaching the end with everything
done parks the robot.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from gymnasium import spaces

from envs.kernels import kernel
from envs.rng import next_word
from envs.rooms.grid_pixel_obs import (
    PIXELS,
    PLANES,
    grid_names,
    grid_symmetries,
    observe_grid,
    observe_pixels,
    pixel_names,
)
from envs.rooms.layout_generator import draw_flat
from envs.rooms.pathfinding import beside_cat
from envs.rooms.rooms_feature_obs import AUX_AREAS, MOVES, OBS_NAMES, fields, observe_rows, symmetries
from envs.rooms.rooms_hooks import HOOKS
from envs.rooms.rooms_layout_parser import copy_flat
from envs.rooms.rooms_state_layout import (
    BIN,
    BROKEN,
    BUMPED,
    CARPET,
    CARRY,
    CARRY_TERMS,
    CAT,
    CLOCK,
    COL,
    DIRTIED,
    DIRTY,
    DISTURBED,
    DOCK,
    DOOR,
    DOOR_TERMS,
    DOORS,
    DOORWAY,
    DRAWN,
    FLOOR,
    FORCED,
    FORCED_DOORS,
    HEADER,
    HEADING,
    HOLDING,
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
    TERMS,
    VASE,
    VIEW,
    WALL,
)
from envs.world import Array, Kernel, World


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
        # The areas of the fields serve as scratch while the flat is drawn.
        if params.shape[0] > DRAWN:
            start = copy_flat(params, rng, n, cells)
        else:
            start = draw_flat(
                params, rng, n, cells, row_aux[0:area], row_aux[area : 2 * area], row_aux[2 * area : 3 * area]
            )
        for k in range(HEADER):
            state[k] = 0
        state[ROW], state[COL], state[HEADING] = start // size, start % size, 2
        for cell in range(area):
            if cells[cell] == LITTER:
                state[LITTER_ALL] += 1
        state[LITTER_LEFT] = state[LITTER_ALL]
        fields(params, state, row_aux, True, True)


@kernel
def refresh_rows(params: np.ndarray, which: np.ndarray, states: np.ndarray, aux: np.ndarray) -> None:
    """Rebuild the distance fields of the rows in `which`."""
    for n in range(states.shape[0]):
        if which[n]:
            fields(params, states[n], aux[n], True, True)


@kernel
def _act(params: np.ndarray, state: np.ndarray, aux: np.ndarray, terms: np.ndarray) -> None:
    """Pick up the piece in this cell, or put down the one in hand."""
    cell = int(state[ROW]) * int(params[SIZE]) + int(state[COL])
    code = state[HEADER + cell]
    if state[HOLDING] == 0 and code == LITTER:
        state[HEADER + cell] = FLOOR
        state[HOLDING] = 1
        terms[T_LITTER] = 1.0
        fields(params, state, aux, True, False)
    elif state[HOLDING] == 1 and code == FLOOR:
        state[HEADER + cell] = LITTER
        state[HOLDING] = 0
        terms[T_DROP] = 1.0
        fields(params, state, aux, True, False)


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
        fields(params, state, aux, True, False)
    elif code == KEY:
        state[cell] = FLOOR
        state[HOLDING] += 1
        terms[T_KEY] = 1.0
        fields(params, state, aux, True, True)
    elif code == DOOR:
        if state[HOLDING] > 0:
            state[cell] = DOORWAY
            state[HOLDING] -= 1
        else:
            state[cell] = FORCED
            state[FORCED_DOORS] += 1
            terms[T_FORCED] = 1.0
        fields(params, state, aux, True, True)
    elif code == VASE:
        state[cell] = SHARDS
        state[BROKEN] += 1
        terms[T_VASE] = 1.0
        fields(params, state, aux, True, True)
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
    if (code == DOCK or code == BIN) and state[LITTER_LEFT] == 0:
        state[PARKED] = 1
        terms[T_HOME] = 1.0
    if code != MUD and state[MUDDY] > 0:
        state[MUDDY] -= 1
    if beside_cat(state[HEADER:], size, cell - HEADER):
        state[DISTURBED] += 1
        terms[T_CAT] = 1.0


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
        if action == 5:
            _act(params, state, aux[n], row_terms)
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
        _enter(params, state, aux[n], row_terms)


def placements(state: Array) -> tuple[Array, Array]:
    """The robot put on every cell it can stand on; `where` is (column, row)."""
    size = round(np.sqrt(len(state) - HEADER))
    cells = np.flatnonzero((state[HEADER:] != WALL) & (state[HEADER:] != CAT))
    states = np.repeat(state[None], len(cells), axis=0)
    states[:, ROW], states[:, COL], states[:, PARKED] = cells // size, cells % size, 0
    return states, np.stack([cells % size, cells // size], axis=1)


def place(states: Array) -> Array:
    """(column, row) of the robot, [N, 2]."""
    return np.asarray(states[..., [COL, ROW]])


OBSERVATIONS = ("features", "grid", "pixels")
_Sensed = tuple[Callable[..., None], tuple[str, ...], tuple[int, ...], type, tuple[tuple[Array, Array], ...]]


def _sensed(observation: str, edge: int, actions: int) -> _Sensed:
    if observation == "grid":
        shape = (len(PLANES), edge, edge)
        return observe_grid, grid_names(edge), shape, np.float32, grid_symmetries(edge, actions)
    if observation == "pixels":
        return observe_pixels, pixel_names(), PIXELS, np.uint8, ()
    return observe_rows, OBS_NAMES, (len(OBS_NAMES),), np.float32, symmetries(actions)


def rooms_world(params: Array, observation: str = "features") -> World:
    """The physics of flats with these params (indices in rooms_state_layout.py), sensed in one of
    OBSERVATIONS."""
    area = int(params[SIZE]) ** 2
    carry, doors = params[CARRY] > 0, params[DOORS] > 0
    actions = ("stay", *MOVES, "act") if carry else ("stay", *MOVES)
    edge = int(params[VIEW] or params[SIZE])
    observe, names, shape, dtype, turns = _sensed(observation, edge, len(actions))
    return World(
        name="rooms",
        params=np.asarray(params, np.float64),
        kernel=Kernel(reset_rows, step_rows, observe, refresh_rows),
        state_size=HEADER + area,
        state_dtype=np.int16,
        aux_size=AUX_AREAS * area,
        aux_dtype=np.int16,
        obs_names=names,
        obs_shape=shape,
        obs_dtype=dtype,
        terms=TERMS + (CARRY_TERMS if carry else ()) + (DOOR_TERMS if doors else ()),
        action_space=spaces.Discrete(len(actions)),
        action_names=actions,
        idle_action=0,
        clock=CLOCK,
        steps_per_second=10,
        placements=placements,
        place=place,
        hooks=HOOKS,
        symmetries=turns,
    )
