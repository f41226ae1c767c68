"""The rover's body: motors, slopes, water, rocks, and the cargo on its springs.

Motors push with up to POWER and follow what is asked for with a lag, so that even keys can be tapped
gently. The cargo stands on springs: a damped oscillator, ahead and to the right, driven by
what the rover's body feels apart from gravity; hops over crests and hollows (speed squared times
curvature) add to how hard it is shaken.
"""

from __future__ import annotations

import math

import numpy as np

from envs.kernels import kernel
from envs.rover.rover_state_layout import (
    BODY,
    HEADING,
    HIT,
    LOAD,
    MOTOR,
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
from envs.rover.terrain import slope

STEP = 0.1  # time of a step [s]
SUBSTEPS = 4
GRAVITY = 3.7  # as on Mars [m/s^2]
POWER = 2.4  # acceleration by the motors alone [m/s^2]
MOTOR_RATE = 3.0  # how fast motors follow [1/s]
DRAG, WATER_DRAG = 0.7, 1.3  # slowing by speed, and more of it in water [1/s]
ROLL = 0.25  # rolling resistance [m/s^2]
TURN = 1.5  # fastest turn [rad/s]
TURN_RATE = 4.0  # how fast turning follows [1/s]
BOUNCE = 0.2  # share of the speed into a rock that comes back
GRIND = 0.6  # how far driving into a rock turns the rover along it [rad per m/s]
SPRING = 7.5  # of the cargo: own frequency [rad/s]
DAMPING = 0.35  # of the cargo: share of critical damping
SWAY_MOST = 0.4  # where the cargo strikes its rails [m]


@kernel
def inside(things: np.ndarray, x: float, y: float) -> bool:
    """Whether a place lies in one of the circles things[C * 3]."""
    for k in range(0, things.shape[0], 3):
        dx, dy = x - things[k], y - things[k + 1]
        if dx * dx + dy * dy < things[k + 2] * things[k + 2]:
            return True
    return False


@kernel
def _strike(speed: float, normal: float) -> float:
    """The speed after touching something whose outward normal has the share `normal` of the heading."""
    if speed * normal >= 0.0:
        return speed
    return speed * (1.0 - (1.0 + BOUNCE) * normal * normal)


@kernel
def _deflect(state: np.ndarray, nx: float, ny: float, cos: float, sin: float) -> float:
    """Take the speed into something with outward normal (nx, ny), and turn along it a little."""
    normal = nx * cos + ny * sin
    struck = max(0.0, -state[SPEED] * normal)
    state[SPEED] = _strike(state[SPEED], normal)
    aside = cos * ny - sin * nx
    way = 1.0 if normal < 0.0 else -1.0
    state[HEADING] += GRIND * min(struck, 0.1) * (way if aside >= 0.0 else -way)
    return struck


@kernel
def collide(state: np.ndarray, rocks: np.ndarray, cos: float, sin: float) -> float:
    """Push the rover out of rocks and rim; the speed at which it struck [m/s]."""
    struck = 0.0
    for k in range(0, rocks.shape[0], 3):
        if rocks[k + 2] <= 0.0:
            continue
        dx, dy = state[X] - rocks[k], state[Y] - rocks[k + 1]
        apart, need = math.hypot(dx, dy), rocks[k + 2] + BODY
        if apart < need:
            nx, ny = (dx / apart, dy / apart) if apart > 1e-6 else (-cos, -sin)
            state[X], state[Y] = rocks[k] + need * nx, rocks[k + 1] + need * ny
            struck = max(struck, _deflect(state, nx, ny, cos, sin))
    for axis in (X, Y):
        low, high = state[axis] < BODY, state[axis] > SIDE - BODY
        if low or high:
            state[axis] = BODY if low else SIDE - BODY
            inward = 1.0 if low else -1.0
            nx, ny = (inward, 0.0) if axis == X else (0.0, inward)
            struck = max(struck, _deflect(state, nx, ny, cos, sin))
    return struck


@kernel
def swing(state: np.ndarray, ahead: float, right: float, dt: float) -> float:
    """The cargo `dt` on under what the body feels [m/s^2]; how hard its springs pull it [m/s^2]."""
    stiff, damp = SPRING * SPRING, 2.0 * DAMPING * SPRING
    state[SWING_AHEAD] -= (stiff * state[SWAY_AHEAD] + damp * state[SWING_AHEAD] + ahead) * dt
    state[SWING_RIGHT] -= (stiff * state[SWAY_RIGHT] + damp * state[SWING_RIGHT] + right) * dt
    state[SWAY_AHEAD] += state[SWING_AHEAD] * dt
    state[SWAY_RIGHT] += state[SWING_RIGHT] * dt
    far = math.hypot(state[SWAY_AHEAD], state[SWAY_RIGHT])
    if far > SWAY_MOST:
        for k in (SWAY_AHEAD, SWAY_RIGHT):
            state[k] *= SWAY_MOST / far
        for k in (SWING_AHEAD, SWING_RIGHT):
            state[k] *= 0.5
    return stiff * min(far, SWAY_MOST)


@kernel
def advance(
    state: np.ndarray,
    hills: np.ndarray,
    rocks: np.ndarray,
    puddles: np.ndarray,
    thrust: float,
    turn: float,
    dt: float,
) -> None:
    """One substep of `dt` seconds, in place on float64 scratch; LOAD and HIT keep their greatest."""
    state[MOTOR] += (thrust - state[MOTOR]) * MOTOR_RATE * dt
    state[YAW] += (turn * TURN - state[YAW]) * TURN_RATE * dt
    cos, sin = math.cos(state[HEADING]), math.sin(state[HEADING])
    climb, lean, bend = slope(hills, state[X], state[Y], cos, sin)
    speed = state[SPEED]
    drag = DRAG + (WATER_DRAG if inside(puddles, state[X], state[Y]) else 0.0)
    push = POWER * state[MOTOR] - drag * speed - ROLL * math.tanh(speed / 0.1)
    state[SPEED] = speed + (push - GRAVITY * climb) * dt
    state[X] += state[SPEED] * cos * dt
    state[Y] += state[SPEED] * sin * dt
    state[HEADING] += state[YAW] * dt
    before = state[SPEED]
    state[HIT] = max(state[HIT], collide(state, rocks, cos, sin))
    state[SWING_AHEAD] -= state[SPEED] - before
    pull = swing(state, push, speed * state[YAW] + GRAVITY * lean, dt)
    state[LOAD] = max(state[LOAD], math.hypot(pull, speed * speed * bend))
