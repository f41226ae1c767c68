"""What the rover senses, in its own frame: the beacon, itself, its cargo, the ground ahead, obstacles."""

from __future__ import annotations

import math

import numpy as np

from envs.geometry import clip, ray_circles, ray_square
from envs.kernels import kernel
from envs.rover.dynamics import TURN, inside
from envs.rover.rover_state_layout import (
    BEACON_X,
    BEACON_Y,
    BODY,
    HEADER,
    HEADING,
    HILLS,
    LOAD,
    MOTOR,
    PARKED,
    ROCKS,
    ROUGH,
    SHAKE_MOST,
    SHAKEN,
    SIDE,
    SPEED,
    SWAY_AHEAD,
    SWAY_RIGHT,
    SWING_AHEAD,
    SWING_RIGHT,
    YAW,
    X,
    Y,
)
from envs.rover.terrain import rise, slope

FAST = 3.0  # [m/s]
SIGHT = 5.0  # how far rays reach [m]
FAR = 16.0  # [m]
NEAR = 4.0  # [m]
ROCK_RAYS = (-120, -75, -45, -20, 0, 20, 45, 75, 120, 180)  # clockwise from ahead [degrees]
WATER_RAYS = (-45, -20, 0, 20, 45)
RISES = (-60, -25, 0, 25, 60)
RISE_FAR = (1.5, 3.0)  # [m]

_SELF = (
    "parked",
    "speed",
    "yaw_rate",
    "motor",
    "slope_ahead",
    "slope_right",
    "bend_ahead",
    "beacon_ahead",
    "beacon_right",
    "beacon_far",
    "beacon_near",
    "in_water",
    "shaken",
    "load",
    "sway_ahead",
    "sway_right",
    "swing_ahead",
    "swing_right",
)
OBS_NAMES = (
    _SELF
    + tuple(f"rise_{angle}_{far:g}m" for angle in RISES for far in RISE_FAR)
    + tuple(f"rock_{angle}" for angle in ROCK_RAYS)
    + tuple(f"water_{angle}" for angle in WATER_RAYS)
)
_OWN = len(_SELF)
_ROCK = _OWN + len(RISES) * len(RISE_FAR)
_WATER = _ROCK + len(ROCK_RAYS)


def _units(degrees: tuple[int, ...]) -> np.ndarray:
    radians = np.radians(np.array(degrees, np.float64))
    return np.stack([np.cos(radians), np.sin(radians)], axis=1)


_ROCK_UNITS, _WATER_UNITS, _RISE_UNITS = _units(ROCK_RAYS), _units(WATER_RAYS), _units(RISES)


@kernel
def _observe_self(
    state: np.ndarray, hills: np.ndarray, puddles: np.ndarray, cos: float, sin: float, out: np.ndarray
) -> None:
    """The first numbers: the rover, its cargo, the slope under it and where the beacon is."""
    climb, lean, bend = slope(hills, state[X], state[Y], cos, sin)
    dx, dy = state[BEACON_X] - state[X], state[BEACON_Y] - state[Y]
    far = max(math.hypot(dx, dy), 1e-6)
    out[0] = state[PARKED]
    out[1] = clip(state[SPEED] / FAST, -2.0, 2.0)
    out[2] = clip(state[YAW] / TURN, -2.0, 2.0)
    out[3] = state[MOTOR]
    out[4] = clip(2.0 * climb, -2.0, 2.0)
    out[5] = clip(2.0 * lean, -2.0, 2.0)
    out[6] = clip(2.0 * bend, -2.0, 2.0)
    out[7] = (dx * cos + dy * sin) / far
    out[8] = (dy * cos - dx * sin) / far
    out[9] = min(far / FAR, 2.0)
    out[10] = max(0.0, 1.0 - far / NEAR)
    out[11] = 1.0 if inside(puddles, state[X], state[Y]) else 0.0
    out[12] = min(state[SHAKEN] / SHAKE_MOST, 1.5)
    out[13] = min(state[LOAD] / ROUGH, 2.0)
    out[14] = clip(10.0 * state[SWAY_AHEAD], -2.0, 2.0)
    out[15] = clip(10.0 * state[SWAY_RIGHT], -2.0, 2.0)
    out[16] = clip(1.5 * state[SWING_AHEAD], -2.0, 2.0)
    out[17] = clip(1.5 * state[SWING_RIGHT], -2.0, 2.0)


@kernel
def observe_rows(params: np.ndarray, states: np.ndarray, aux: np.ndarray, obs: np.ndarray) -> None:
    """Fill obs[N, D]; the names of its D numbers are OBS_NAMES. Rays tell nearness: 1 is touching."""
    first = HEADER + 4 * int(params[HILLS])
    second = first + 3 * int(params[ROCKS])
    for n in range(states.shape[0]):
        state, out = states[n], obs[n]
        hills, rocks, puddles = state[HEADER:first], state[first:second], state[second:]
        cos, sin = math.cos(state[HEADING]), math.sin(state[HEADING])
        x, y = float(state[X]), float(state[Y])
        _observe_self(state, hills, puddles, cos, sin, out)
        here, at = rise(hills, x, y), _OWN
        for k in range(_RISE_UNITS.shape[0]):
            c, s = _RISE_UNITS[k]
            dx, dy = cos * c - sin * s, sin * c + cos * s
            for far in RISE_FAR:
                out[at] = clip(2.0 * (rise(hills, x + far * dx, y + far * dy) - here) / far, -2.0, 2.0)
                at += 1
        for k in range(_ROCK_UNITS.shape[0]):
            c, s = _ROCK_UNITS[k]
            dx, dy = cos * c - sin * s, sin * c + cos * s
            free = ray_circles(x, y, dx, dy, rocks, BODY, SIGHT)
            out[_ROCK + k] = 1.0 - ray_square(x, y, dx, dy, BODY, SIDE - BODY, free) / SIGHT
        for k in range(_WATER_UNITS.shape[0]):
            c, s = _WATER_UNITS[k]
            dx, dy = cos * c - sin * s, sin * c + cos * s
            out[_WATER + k] = 1.0 - ray_circles(x, y, dx, dy, puddles, 0.0, SIGHT) / SIGHT
