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

from envs.rooms.grid_pixel_obs import (
    PIXELS,
    PLANES,
    grid_names,
    grid_symmetries,
    observe_grid,
    observe_pixels,
    pixel_names,
)
from envs.rooms.rooms_feature_obs import AUX_AREAS, MOVES, OBS_NAMES, observe_rows, symmetries
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
    PARKED,
    ROW,
    SIZE,
    TERMS,
    VIEW,
    WALL,
)
from envs.world import Array, Kernel, World


def placements(state: Array) -> tuple[Array, Array]:
    """The robot put on every cell it can stand on; `where` is (column, row)."""
    size = round(np.sqrt(len(state) - HEADER))
    cells = np.flatnonzero((state[HEADER:] != WALL) & (state[HEADER:] != CAT))
    states = np.repeat(state[None], len(cells), axis=0)
    states[:, ROW], states[:, COL], states[:, PARKED] = cells // size, cells % size, 0
    return states, np.stack([cells % size, cells // size], axis=1)


def agent_position(states: Array) -> Array:
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
        agent_position=agent_position,
        hooks=HOOKS,
        symmetries=turns,
    )
