"""The ground: how steep it is, and how hills, rocks and puddles are drawn from a row's random word."""

from __future__ import annotations

import math

import numpy as np

from envs.kernels import kernel
from envs.rng import uniform
from envs.rover.rover_state_layout import (
    BEACON_REACH,
    BEACON_X,
    BEACON_Y,
    BODY,
    GAP,
    HEADER,
    HEADING,
    HILLS,
    PUDDLES,
    ROCKS,
    SIDE,
    SPEED,
    START_X,
    START_Y,
    X,
    Y,
)

TRIES = 30  # a thing that finds no room after so many tries is left out
NEAREST, FARTHEST = 10.0, 15.0  # from start to beacon [m]


# A hill is height * (1 - d^2 / reach^2)^3: like a Gaussian bump, but it ends, and costs no exponential.


@kernel
def rise(hills: np.ndarray, x: float, y: float) -> float:
    """Height of the ground [m]; hills[H * 4]."""
    total = 0.0
    for k in range(0, hills.shape[0], 4):
        dx, dy = x - hills[k], y - hills[k + 1]
        left = 1.0 - (dx * dx + dy * dy) / (hills[k + 3] * hills[k + 3])
        if left > 0.0:
            total += hills[k + 2] * left * left * left
    return total


@kernel
def slope(hills: np.ndarray, x: float, y: float, cos: float, sin: float) -> tuple[float, float, float]:
    """(rise ahead [m/m], rise to the right [m/m], curvature ahead [1/m], negative on a crest)."""
    ahead, right, bend = 0.0, 0.0, 0.0
    for k in range(0, hills.shape[0], 4):
        dx, dy, narrow = x - hills[k], y - hills[k + 1], 1.0 / (hills[k + 3] * hills[k + 3])
        left = 1.0 - (dx * dx + dy * dy) * narrow
        if left > 0.0:
            along = dx * cos + dy * sin
            steep = 6.0 * hills[k + 2] * narrow * left
            ahead -= steep * left * along
            right -= steep * left * (dy * cos - dx * sin)
            bend += steep * (4.0 * along * along * narrow - left)
    return ahead, right, bend


@kernel
def room(things: np.ndarray, x: float, y: float, radius: float, gap: float) -> bool:
    """Whether a circle keeps `gap` from every one of things[C * 3]."""
    for k in range(0, things.shape[0], 3):
        if (
            things[k + 2] > 0.0
            and math.hypot(x - things[k], y - things[k + 1]) < radius + things[k + 2] + gap
        ):
            return False
    return True


@kernel
def _route(state: np.ndarray, rng: np.ndarray, n: int) -> None:
    """Start and beacon, NEAREST to FARTHEST apart; the rover stands at the start, roughly facing it."""
    state[START_X], state[START_Y] = 3.0, 3.0
    state[BEACON_X], state[BEACON_Y] = 11.0, 11.0
    for _ in range(TRIES):
        sx, sy = 2.5 + (SIDE - 5.0) * uniform(rng, n), 2.5 + (SIDE - 5.0) * uniform(rng, n)
        bx, by = 2.5 + (SIDE - 5.0) * uniform(rng, n), 2.5 + (SIDE - 5.0) * uniform(rng, n)
        if NEAREST < math.hypot(bx - sx, by - sy) < FARTHEST:
            state[START_X], state[START_Y], state[BEACON_X], state[BEACON_Y] = sx, sy, bx, by
            break
    state[X], state[Y] = state[START_X], state[START_Y]
    bearing = math.atan2(state[BEACON_Y] - state[Y], state[BEACON_X] - state[X])
    state[HEADING] = bearing + 2.4 * (uniform(rng, n) - 0.5)
    state[SPEED] = 0.4 + 0.4 * uniform(rng, n)


@kernel
def _somewhere(state: np.ndarray, near: bool, wide: float, rng: np.ndarray, n: int) -> tuple[float, float]:
    """A place anywhere, or within `wide` of the straight way to the beacon [m]."""
    u, w = uniform(rng, n), uniform(rng, n)
    if not near:
        return SIDE * u, SIDE * w
    dx, dy = state[BEACON_X] - state[X], state[BEACON_Y] - state[Y]
    far = math.hypot(dx, dy)
    along, aside = 0.25 + 0.5 * u, wide * (2.0 * w - 1.0) / far
    return state[X] + along * dx - aside * dy, state[Y] + along * dy + aside * dx


@kernel
def _hills(state: np.ndarray, hills: np.ndarray, rng: np.ndarray, n: int) -> None:
    """Hills and a few hollows that hardly overlap, so that no slope is too steep; two lie on the way."""
    for k in range(0, hills.shape[0], 4):
        hills[k], hills[k + 1], hills[k + 2], hills[k + 3] = 0.0, 0.0, 0.0, 1.0
        for _ in range(TRIES):
            reach = 4.0 + 2.8 * uniform(rng, n)
            x, y = _somewhere(state, k < 8, 2.5, rng, n)
            high = reach * (0.13 + 0.11 * uniform(rng, n))
            if uniform(rng, n) < 0.2:
                high = -high
            free = True
            for j in range(0, k, 4):
                if hills[j + 2] != 0.0:
                    apart = math.hypot(x - hills[j], y - hills[j + 1])
                    same = high * hills[j + 2] > 0.0  # a hollow beside a hill adds to its slope
                    free = free and apart > (0.53 if same else 0.85) * (reach + hills[j + 3])
            if free:
                hills[k], hills[k + 1], hills[k + 2], hills[k + 3] = x, y, high, reach
                break


@kernel
def _circles(
    state: np.ndarray,
    things: np.ndarray,
    others: np.ndarray,
    small: float,
    large: float,
    gap: float,
    rng: np.ndarray,
    n: int,
) -> None:
    """Rocks or puddles, clear of each other, of `others`, the rim, the start and the beacon."""
    for k in range(things.shape[0]):
        things[k] = 0.0
    for k in range(0, things.shape[0], 3):
        for _ in range(TRIES):
            radius = small + (large - small) * uniform(rng, n)
            x, y = _somewhere(state, k < 9, 1.5, rng, n)
            edge = radius + GAP
            clear = edge < x < SIDE - edge and edge < y < SIDE - edge
            clear = clear and math.hypot(x - state[X], y - state[Y]) > radius + 1.6
            clear = clear and math.hypot(x - state[BEACON_X], y - state[BEACON_Y]) > radius + 1.6
            if clear and room(things, x, y, radius, gap) and room(others, x, y, radius, 0.2):
                things[k], things[k + 1], things[k + 2] = x, y, radius
                break


@kernel
def _stop_rock(state: np.ndarray, rocks: np.ndarray, rng: np.ndarray, n: int) -> None:
    """A rock behind the beacon, seen from the start: who runs into it stops within reach."""
    dx, dy = state[BEACON_X] - state[X], state[BEACON_Y] - state[Y]
    radius = 0.45 + 0.3 * uniform(rng, n)
    angle = math.atan2(dy, dx) + 0.8 * (uniform(rng, n) - 0.5)
    far = radius + BODY + 0.7 * BEACON_REACH
    x, y = state[BEACON_X] + far * math.cos(angle), state[BEACON_Y] + far * math.sin(angle)
    edge = radius + GAP
    if edge < x < SIDE - edge and edge < y < SIDE - edge and room(rocks, x, y, radius, GAP):
        last = rocks.shape[0] - 3
        rocks[last], rocks[last + 1], rocks[last + 2] = x, y, radius


@kernel
def draw(params: np.ndarray, state: np.ndarray, rng: np.ndarray, n: int) -> None:
    """A new ground with its start and its beacon, in a state whose header is zero."""
    _route(state, rng, n)
    first = HEADER + 4 * int(params[HILLS])
    second = first + 3 * int(params[ROCKS])
    third = second + 3 * int(params[PUDDLES])
    rocks, puddles = state[first:second], state[second:third]
    _hills(state, state[HEADER:first], rng, n)
    _circles(state, rocks, rocks[:0], 0.35, 0.85, GAP, rng, n)
    _stop_rock(state, rocks, rng, n)
    _circles(state, puddles, rocks, 0.7, 1.4, 0.2, rng, n)
