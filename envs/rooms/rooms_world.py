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

from envs.rooms import rooms_feature_obs, rooms_wide_fields, rooms_wide_obs
from envs.rooms.grid_pixel_obs import (
    PIXELS,
    PLANES,
    grid_names,
    grid_symmetries,
    observe_grid,
    observe_pixels,
    pixel_names,
)
from envs.rooms.rooms_feature_obs import MOVES
from envs.rooms.rooms_hooks import HOOKS
from envs.rooms.rooms_kernels import refresh_rows, reset_rows, step_rows
from envs.rooms.rooms_state_layout import (
    CARRY,
    CARRY_TERMS,
    CAT,
    CLOCK,
    COL,
    DOOR_TERMS,
    DOORS,
    HEADER,
    MEMORY,
    PARKED,
    ROW,
    SIZE,
    TERMS,
    VIEW,
    WALL,
    cells_of,
    edge_of,
)
from envs.world import Array, Kernel, World


def placements(state: Array) -> tuple[Array, Array]:
    """The robot put on every cell it can stand on; `where` is (column, row)."""
    size, codes = edge_of(len(state)), cells_of(state)
    cells = np.flatnonzero((codes != WALL) & (codes != CAT))
    states = np.repeat(state[None], len(cells), axis=0)
    states[:, ROW], states[:, COL], states[:, PARKED] = cells // size, cells % size, 0
    return states, np.stack([cells % size, cells // size], axis=1)


def agent_position(states: Array) -> Array:
    """(column, row) of the robot, [N, 2]."""
    return np.asarray(states[..., [COL, ROW]])


OBSERVATIONS = ("wide", "features", "grid", "pixels")
_Sensed = tuple[Callable[..., None], tuple[str, ...], tuple[int, ...], type, tuple[tuple[Array, Array], ...]]


def _sensed(observation: str, edge: int, actions: int) -> _Sensed:
    if observation == "grid":
        shape = (len(PLANES), edge, edge)
        return observe_grid, grid_names(edge), shape, np.float32, grid_symmetries(edge, actions)
    if observation == "pixels":
        return observe_pixels, pixel_names(), PIXELS, np.uint8, ()
    told = rooms_wide_obs if observation == "wide" else rooms_feature_obs
    return told.observe_rows, told.OBS_NAMES, (len(told.OBS_NAMES),), np.float32, told.symmetries(actions)


def rooms_world(params: Array, observation: str = OBSERVATIONS[0]) -> World:
    """The physics of flats with these params (indices in rooms_state_layout.py), sensed in one of
    OBSERVATIONS."""
    area = int(params[SIZE]) ** 2
    carry, doors = params[CARRY] > 0, params[DOORS] > 0
    actions = ("stay", *MOVES, "act") if carry else ("stay", *MOVES)
    wide = observation == "wide"
    edge = int(params[VIEW] or params[SIZE])
    observe, names, shape, dtype, turns = _sensed(observation, edge, len(actions))
    return World(
        name="rooms",
        params=np.asarray(params, np.float64),
        kernel=Kernel(reset_rows, step_rows, observe, refresh_rows),
        state_size=HEADER + area + (area + MEMORY if wide else 0),
        state_dtype=np.int16,
        aux_size=(rooms_wide_fields if wide else rooms_feature_obs).AUX_AREAS * area,
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
        agent_position=agent_position,
        hooks=HOOKS,
        symmetries=turns,
    )
