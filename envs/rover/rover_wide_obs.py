"""More of what the rover senses: where it is and began, how steep and high the ground is, what is nearest.

The first numbers are those of rover_feature_obs.py; these come after them, each times SHARE: at their full
size a policy learns to deliver the cargo less well from the same practice. Directions are in the rover's own
frame, ahead and to the right.
"""

from __future__ import annotations

import math

import numpy as np

from envs.geometry import clip
from envs.kernels import kernel
from envs.rover import rover_feature_obs as features
from envs.rover.rover_state_layout import (
    BEACON_X,
    BEACON_Y,
    BODY,
    CLOCK,
    HEADER,
    HEADING,
    HILLS,
    PARKED,
    ROCKS,
    SIDE,
    SPEED,
    START_X,
    START_Y,
    X,
    Y,
)
from envs.rover.terrain import rise, slope

_MORE = (
    "north",  # of the heading: 1 looks up in the picture
    "east",
    "from_left",  # of the ground's side
    "from_top",
    "left_ahead",  # the way to the left edge, ahead and to the right
    "left_right",
    "top_ahead",
    "top_right",
    "fast",  # how fast, forwards or back
    "steep",
    "high",
    "start_ahead",
    "start_right",
    "start_far",
    "start_near",
    "beacon_close",
    "rock_near",
    "rock_ahead",
    "rock_right",
    "water_near",
    "water_ahead",
    "water_right",
    "hill_far",
    "hill_ahead",
    "hill_right",
    "time",
)
OBS_NAMES = features.OBS_NAMES + _MORE
_FIRST = len(features.OBS_NAMES)
SHARE = 0.5
_FAST = 2.0  # [m/s]
_NEAR = 3.0  # [m]
_MIDDLE = 8.0  # [m]
_LONG = 150.0  # steps that count as long


@kernel
def _direction(state: np.ndarray, x: float, y: float, cos: float, sin: float, out: np.ndarray) -> float:
    """out[2]: the direction to a place, ahead and to the right; how far it is [m]."""
    dx, dy = x - state[X], y - state[Y]
    far = math.hypot(dx, dy)
    out[0] = (dx * cos + dy * sin) / max(far, 1e-6)
    out[1] = (dy * cos - dx * sin) / max(far, 1e-6)
    return far


@kernel
def _nearest(state: np.ndarray, things: np.ndarray, cos: float, sin: float, out: np.ndarray) -> None:
    """out[3]: nearness of the edge of the nearest circle, and the direction to its middle."""
    best = 2.0 * _NEAR
    out[0], out[1], out[2] = 0.0, 0.0, 0.0
    for k in range(0, things.shape[0], 3):
        far = math.hypot(things[k] - state[X], things[k + 1] - state[Y]) - things[k + 2] - BODY
        if things[k + 2] > 0.0 and far < best:
            best = far
            _direction(state, things[k], things[k + 1], cos, sin, out[1:])
    out[0] = clip(1.0 - best / (2.0 * _NEAR), 0.0, 1.0)


@kernel
def _highest(state: np.ndarray, hills: np.ndarray, cos: float, sin: float, out: np.ndarray) -> None:
    """out[3]: how far the highest hill's top is, and the direction to it."""
    best, at = 0.0, -1
    for k in range(0, hills.shape[0], 4):
        if hills[k + 2] > best:
            best, at = hills[k + 2], k
    out[0], out[1], out[2] = 1.0, 0.0, 0.0
    if at >= 0:
        out[0] = min(_direction(state, hills[at], hills[at + 1], cos, sin, out[1:]) / features.FAR, 2.0)


@kernel
def observe_rows(params: np.ndarray, states: np.ndarray, aux: np.ndarray, obs: np.ndarray) -> None:
    """Fill obs[N, D]; the names of its D numbers are OBS_NAMES."""
    features.observe_rows(params, states, aux, obs[:, :_FIRST])
    first = HEADER + 4 * int(params[HILLS])
    second = first + 3 * int(params[ROCKS])
    for n in range(states.shape[0]):
        state, out = states[n], obs[n, _FIRST:]
        hills, rocks, puddles = state[HEADER:first], state[first:second], state[second:]
        cos, sin = math.cos(state[HEADING]), math.sin(state[HEADING])
        x, y = float(state[X]), float(state[Y])
        climb, lean, _ = slope(hills, x, y, 1.0, 0.0)
        out[0], out[1] = -sin, cos
        out[2], out[3] = clip(x / SIDE, 0.0, 1.0), clip(y / SIDE, 0.0, 1.0)
        out[4], out[5] = -cos * out[2], sin * out[2]
        out[6], out[7] = -sin * out[3], -cos * out[3]
        out[8] = min(abs(state[SPEED]) / _FAST, 2.0)
        out[9] = min(2.0 * math.hypot(climb, lean), 2.0)
        out[10] = clip(rise(hills, x, y), -2.0, 2.0)
        far = _direction(state, state[START_X], state[START_Y], cos, sin, out[11:])
        out[13], out[14] = min(far / features.FAR, 2.0), max(0.0, 1.0 - far / _MIDDLE)
        far = math.hypot(state[BEACON_X] - x, state[BEACON_Y] - y)
        out[15] = max(0.0, 1.0 - far / _MIDDLE)
        _nearest(state, rocks, cos, sin, out[16:])
        _nearest(state, puddles, cos, sin, out[19:])
        _highest(state, hills, cos, sin, out[22:])
        out[25] = 0.0 if state[PARKED] > 0.0 else min(state[CLOCK] / _LONG, 2.0)
        for k in range(out.shape[0]):
            out[k] *= SHARE
