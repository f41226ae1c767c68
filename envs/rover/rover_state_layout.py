"""How a moment on open ground is written down: state float32 [HEADER + 4 hills + 3 rocks + 3 puddles].

The ground is a square, SIDE metres a side, x to the right and y down; a rim of boulders runs around
it. HEADING is clockwise from +x as seen on screen [rad]; ahead and right are the rover's own axes.
After the header come the hills (x, y [m], height [m], which may be negative, and reach: how far from
its top a hill ends [m]), the rocks and the puddles (x, y, radius [m]; radius 0 is none).
params: HILLS, ROCKS, PUDDLES (how many of each), SPLIT.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from envs.world import Array, Term

(
    CLOCK,  # steps since the start
    X,
    Y,  # middle of the rover [m]
    HEADING,
    SPEED,  # along the heading [m/s]
    YAW,  # rate of turn [rad/s]
    MOTOR,  # what the motors give, -1..1; it follows the thrust asked for
    SWAY_AHEAD,
    SWAY_RIGHT,  # how far the cargo has swung on its springs [m]
    SWING_AHEAD,
    SWING_RIGHT,  # and how fast [m/s]
    LOAD,  # hardest shaking of the cargo in the last step [m/s^2]
    SHAKEN,  # the `shake` term summed; over SHAKE_MOST the cargo is broken
    HIT,  # speed into a rock in the last step [m/s]
    PARKED,  # 1: delivered, the visible absorbing state
    BEACON_X,
    BEACON_Y,
    START_X,
    START_Y,
) = range(19)
HEADER = 19
HILLS, ROCKS, PUDDLES, SPLIT = range(4)

SIDE = 20.0  # [m]
BODY = 0.45  # radius of the rover [m]
BEACON_REACH = 1.2  # it is delivered so near to the beacon [m] ...
BEACON_SLOW = 0.8  # ... and not faster than this [m/s]
GAP = 1.4  # at least so wide is every way between rocks and rim [m]

GENTLE, ROUGH = 2.5, 6.5  # shaking that does no harm, and shake of 1 [m/s^2]
SHAKE_MOST = 2.0  # the cargo breaks when shake has summed to this [shares]
LEVEL, STEEP = 0.25, 0.5  # slope that does no harm, and tilt of 1 [m/m]

T_PROGRESS, T_DELIVERED, T_BUMP, T_SHAKE, T_TILT, T_WET, T_EFFORT = range(7)
TERMS = (
    Term("progress", "m", "nearer to the beacon"),
    Term("delivered", "times", "stopped at the beacon with the cargo"),
    Term("bump", "m/s", "speed at which a rock or the rim was hit"),
    Term("shake", "share", "cargo shaken: 0 up to 2.5, 1 from 6.5 m/s^2"),
    Term("tilt", "share", "slope under the cargo: 0 up to 0.25, 1 from 0.5"),
    Term("wet", "steps", "driven through a puddle"),
    Term("effort", "share", "square of what the motors gave"),
)


class Ground(NamedTuple):
    """The ground of one state, views: hills [H, 4], rocks [R, 3], puddles [P, 3]."""

    hills: Array
    rocks: Array
    puddles: Array


def ground_of(state: Array, params: Array) -> Ground:
    """What lies around in a state [K]."""
    hills = HEADER + 4 * int(params[HILLS])
    rocks = hills + 3 * int(params[ROCKS])
    return Ground(
        state[HEADER:hills].reshape(-1, 4), state[hills:rocks].reshape(-1, 3), state[rocks:].reshape(-1, 3)
    )


def state_size(params: Array) -> int:
    return HEADER + 4 * int(params[HILLS]) + 3 * int(params[ROCKS]) + 3 * int(params[PUDDLES])


def height(hills: Array, x: Array, y: Array) -> Array:
    """Height of the ground [m] at places of any shape."""
    total = np.zeros(np.shape(x), np.float32)
    for hx, hy, high, reach in hills:
        left = np.maximum(0.0, 1.0 - ((x - hx) ** 2 + (y - hy) ** 2) / (reach * reach))
        total += high * left**3
    return total


def agent_position(states: Array) -> Array:
    """(X, Y) [m] of the rover, [N, 2]."""
    return np.asarray(states[..., [X, Y]])
