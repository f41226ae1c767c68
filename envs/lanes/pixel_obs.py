"""The road as a small picture [HEIGHT, WIDTH, 3], shares of 255, in place of the features of
lanes_feature_obs.py.

Seen from above, driven to the right, a metre a pixel, BEHIND metres behind car 0 to its right edge.
Car 0 is yellow; others turn from grey to red the faster they come nearer and to blue the faster they
go away (all at CLOSING m/s), with an amber edge towards the lane they move into and a red one at the back
when they brake. An ambulance is white with such a core, people are magenta. Lamps below: speed, push,
brake, crashed.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from envs.geometry import clip
from envs.kernels import kernel
from envs.lanes.ambulance import AMBULANCE_CAR
from envs.lanes.crosswalk import HALF, LINE
from envs.lanes.ego_car import PRESS, PUSH, TOP_SPEED
from envs.lanes.lanes_state_layout import (
    ABREAST,
    AMBULANCE,
    CARS,
    CLOSING,
    CRASHED,
    CROSSING,
    CRUISE_KIND,
    EXTRAS,
    FIELDS,
    GUEST,
    HEADER,
    HEADING,
    KIND,
    LANE,
    LANES,
    LENGTH,
    MERGE,
    RING,
    SITE,
    WALK,
    A,
    V,
    X,
    Y,
)
from envs.lanes.merging import BEND, ZONE, bend
from envs.lanes.reset import load
from envs.lanes.traffic import ahead

HEIGHT, WIDTH = 48, 96
PIXELS = (HEIGHT, WIDTH, 3)
BEHIND = 32  # [px]
_FIELD, _MOST_LANE = 43, 11  # rows for the road, most of a lane [px]
_DASH, _PERIOD = 4.0, 12.0  # of the lines between lanes [m]
_BRAKES = -0.8  # brake lights from here on [m/s^2]
_COLOURS = np.array(
    [
        (138, 160, 102),  # grass
        (84, 80, 86),  # asphalt
        (236, 232, 220),  # lines, and an ambulance
        (255, 192, 40),  # car 0
        (150, 156, 164),  # others
        (235, 60, 40),  # that come nearer
        (50, 110, 240),  # that go away
        (255, 140, 0),  # indicators
        (255, 0, 0),  # brake lights
        (220, 60, 200),  # people
        (60, 60, 60),  # an unlit lamp
    ],
    np.float32,
)
_GRASS, _ROAD, _WHITE, _EGO, _OTHER, _NEARER, _AWAY, _AMBER, _RED, _PEOPLE, _UNLIT = range(len(_COLOURS))


@kernel
def _fill(
    picture: np.ndarray, top: int, left: int, bottom: int, right: int, colour: int, other: int, share: float
) -> None:
    """A box, as far as it is inside, of a colour with so much of another in it."""
    for channel in range(3):
        level = _COLOURS[colour, channel] * (1.0 - share) + _COLOURS[other, channel] * share
        level = np.float32(np.rint(level)) / np.float32(255)
        picture[max(0, top) : max(0, bottom), max(0, left) : max(0, right), channel] = level


@kernel
def _whole(value: float) -> int:
    return int(np.floor(value + 0.5))


@kernel
def _ground(picture: np.ndarray, start: float, lanes: int, lane: int, top: int) -> None:
    """Grass, road and the lines on it; `start` is the X of the leftmost column [m]."""
    _fill(picture, 0, 0, HEIGHT, WIDTH, _GRASS, _GRASS, 0.0)
    _fill(picture, top, 0, top + lanes * lane, WIDTH, _ROAD, _ROAD, 0.0)
    _fill(picture, top, 0, top + 1, WIDTH, _WHITE, _WHITE, 0.0)
    _fill(picture, top + lanes * lane - 1, 0, top + lanes * lane, WIDTH, _WHITE, _WHITE, 0.0)
    for column in range(WIDTH):
        x = start + column
        if x - _PERIOD * np.floor(x / _PERIOD) < _DASH:
            for line in range(1, lanes):
                row = top + line * lane
                _fill(picture, row, column, row + 1, column + 1, _WHITE, _WHITE, 0.0)


@kernel
def _slip_road(picture: np.ndarray, mouth: float, lanes: int, lane: int, top: int) -> None:
    """The slip road, open to the road in its zone; `mouth` is its column."""
    edge = top + lanes * lane
    for column in range(WIDTH):
        x = column - mouth
        if x > ZONE:
            break
        if x > -2.0 * BEND:
            row = edge + _whole(bend(x) * lane)
            _fill(picture, row, column, row + lane, column + 1, _ROAD, _ROAD, 0.0)
            if x > 0.0:
                _fill(picture, edge - 1, column, edge, column + 1, _ROAD, _ROAD, 0.0)


@kernel
def _zebra(picture: np.ndarray, middle: float, lanes: int, lane: int, top: int) -> None:
    """The stripes, and the line before them; `middle` is a column."""
    left, right, line = _whole(middle - HALF), _whole(middle + HALF), _whole(middle - LINE)
    for row in range(top + 1, top + lanes * lane, 4):
        _fill(picture, row, left, row + 2, right, _WHITE, _WHITE, 0.0)
    _fill(picture, top, line, top + lanes * lane, line + 1, _WHITE, _WHITE, 0.0)


@kernel
def _car(picture: np.ndarray, cars: np.ndarray, i: int, x: float, siren: bool, lane: int, top: int) -> None:
    """Car i, `x` metres ahead of car 0."""
    length, width = max(3, _whole(cars[i, LENGTH])), max(3, _whole(ABREAST * lane))
    left = BEHIND + _whole(x - 0.5 * cars[i, LENGTH])
    up = top + _whole((cars[i, Y] + 0.5) * lane - 0.5 * width)
    down, right = up + width, left + length
    if right <= 0 or left >= WIDTH:
        return
    colour, tint, share = _EGO, _EGO, 0.0
    if i > 0:
        nears = (cars[0, V] - cars[i, V]) / CLOSING * (1.0 if x > 0.0 else -1.0)
        colour, tint, share = _OTHER, _NEARER if nears > 0.0 else _AWAY, min(1.0, abs(nears))
    _fill(picture, up, left, down, right, _WHITE if siren else colour, tint, 0.0 if siren else share)
    if siren:
        _fill(picture, up + 2, left + 1, down - 2, right - 1, colour, tint, share)
    if cars[i, LANE] < cars[i, Y]:
        _fill(picture, up, left, up + 1, right, _AMBER, _AMBER, 0.0)
    elif cars[i, LANE] > cars[i, Y]:
        _fill(picture, down - 1, left, down, right, _AMBER, _AMBER, 0.0)
    if cars[i, A] < _BRAKES:
        _fill(picture, up, left, down, left + 1, _RED, _RED, 0.0)


@kernel
def _people(picture: np.ndarray, extra: np.ndarray, middle: float, lane: int, top: int) -> None:
    row = top + _whole((extra[WALK] + 0.5) * lane) - 1
    for k in range(int(extra[GUEST])):
        column = _whole(middle + 2.0 * k - (extra[GUEST] - 1.0)) - 1
        _fill(picture, row, column, row + 3, column + 1, _PEOPLE, _PEOPLE, 0.0)


@kernel
def observe_pixels(params: np.ndarray, states: np.ndarray, aux: np.ndarray, obs: np.ndarray) -> None:
    """Fill obs[N, D] with pictures; every number is a whole share of 255."""
    ring, lanes, kind = params[RING], int(params[LANES]), int(params[KIND])
    cars = np.empty((int(params[CARS]), FIELDS))
    across = lanes + (2.0 if kind == MERGE else 0.0)
    lane = min(_MOST_LANE, int(_FIELD / (across + 0.4)))
    top = int((_FIELD - lane * across) / 2)
    for n in range(states.shape[0]):
        state, picture = states[n], obs[n].reshape((HEIGHT, WIDTH, 3))
        load(state, cars, ring)
        extra = state[len(state) - EXTRAS :]  # means nothing in CRUISE, where nobody reads it
        site = 0.0 if kind == CRUISE_KIND else BEHIND + float(extra[SITE]) - float(state[HEADER + X])
        _ground(picture, float(state[HEADER + X]) - BEHIND, lanes, lane, top)
        if kind == MERGE:
            _slip_road(picture, site, lanes, lane, top)
        elif kind == CROSSING:
            _zebra(picture, site, lanes, lane, top)
        for i in range(cars.shape[0] - 1, -1, -1):
            x = ahead(cars, ring, i) if i > 0 else 0.0
            _car(picture, cars, i, x, kind == AMBULANCE and i == AMBULANCE_CAR, lane, top)
        if kind == CROSSING and extra[HEADING] != 0.0:
            _people(picture, extra, site, lane, top)
        _fill(picture, HEIGHT - 4, 0, HEIGHT, WIDTH, _UNLIT, _UNLIT, 0.0)
        _fill(picture, HEIGHT - 3, 2, HEIGHT, 24, _UNLIT, _WHITE, clip(cars[0, V] / TOP_SPEED, 0.0, 1.0))
        _fill(picture, HEIGHT - 3, 26, HEIGHT, 48, _UNLIT, _AWAY, clip(cars[0, A] / PUSH, 0.0, 1.0))
        _fill(picture, HEIGHT - 3, 50, HEIGHT, 72, _UNLIT, _RED, clip(cars[0, A] / PRESS, 0.0, 1.0))
        _fill(picture, HEIGHT - 3, 74, HEIGHT, 94, _UNLIT, _PEOPLE, float(state[CRASHED]))


@cache
def pixel_names() -> tuple[str, ...]:
    """Names of the numbers of a picture."""
    return tuple(
        f"{c}_{y}_{x}" for y in range(HEIGHT) for x in range(WIDTH) for c in ("red", "green", "blue")
    )
