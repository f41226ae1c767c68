"""How a drive begins: the traffic, and the guest that a task has."""

from __future__ import annotations

import numpy as np

from envs.kernels import kernel
from envs.lanes.ambulance import start_ambulance
from envs.lanes.crosswalk import KERB, place_crosswalk
from envs.lanes.ego_car import PAR_SPEED
from envs.lanes.lanes_state_layout import (
    AMBULANCE,
    CARS,
    CROSSING,
    CRUISE,
    CRUISE_KIND,
    DRAWN,
    EXTRAS,
    FIELDS,
    GUEST,
    GUEST_AT,
    HEADER,
    HEADING,
    KIND,
    LANE,
    LANES,
    LENGTH,
    LIMIT,
    LOOSE,
    MERGE,
    PEOPLE_AT,
    RING,
    SINCE,
    SITE,
    SITE_AT,
    SPLIT,
    TEMPER,
    WALK,
    A,
    V,
    X,
    Y,
)
from envs.lanes.merging import bend, place_merging_car
from envs.rng import below, next_word, uniform

SINCE_MOST = 6.0  # [s]
STANDS = 0.02  # who would like to drive slower than this stands, and stays in its lane [m/s]
DRIVER = 6  # numbers of a drawn driver: X, LANE, V, TEMPER, CRUISE, LENGTH


@kernel
def load(state: np.ndarray, cars: np.ndarray, ring: float) -> None:
    """Copy a row's cars into float64 scratch, X relative to car 0 in [0, ring)."""
    for i in range(cars.shape[0]):
        at = HEADER + FIELDS * i
        for f in range(FIELDS):
            cars[i, f] = state[at + f]
        d = cars[i, X] - float(state[HEADER + X])
        cars[i, X] = d - ring * np.floor(d / ring)


@kernel
def store(state: np.ndarray, cars: np.ndarray, ring: float, stop: bool, dt: float) -> None:
    """Copy what moved back into the row. Car 0 comes last: the others' old places hang on its own."""
    for i in range(cars.shape[0] - 1, -1, -1):
        at = HEADER + FIELDS * i
        d = float(state[at + X]) - float(state[HEADER + X])
        state[at + X] += cars[i, X] - (d - ring * np.floor(d / ring))
        state[at + Y] = cars[i, Y]
        state[at + V] = 0.0 if stop else cars[i, V]
        state[at + A] = 0.0 if stop else cars[i, A]
        state[at + LANE] = cars[i, LANE]
        state[at + SINCE] = min(SINCE_MOST, cars[i, SINCE] + dt)


@kernel
def _draw_driver(
    state: np.ndarray, i: int, x: float, lane: int, params: np.ndarray, rng: np.ndarray, n: int
) -> None:
    """One car and its driver: trucks and calm drivers on the right, hasty ones on the left."""
    lanes, town, at = int(params[LANES]), params[LIMIT] / PAR_SPEED, HEADER + FIELDS * i
    temper, size, pace = uniform(rng, n), uniform(rng, n), uniform(rng, n)
    cruise = 13.0 + 4.0 * (lanes - 1 - lane) / max(1, lanes - 1) + 3.0 * temper + 0.5 * pace
    length = 4.2 + 0.8 * size
    if i == 0:
        temper, cruise, length = 0.5, 22.0, 4.5
    elif lane == lanes - 1 and size < 0.4:
        temper, cruise, length = 0.3 * temper, 12.5 + 1.0 * pace, 11.0
    elif size > 0.85:
        length = 6.0
    cruise *= town
    state[at + X], state[at + Y] = x, lane
    state[at + V] = 12.0 + 2.0 * pace if i == 0 else 0.95 * cruise
    state[at + A] = 0.0
    state[at + LANE], state[at + SINCE] = lane, SINCE_MOST
    state[at + TEMPER], state[at + CRUISE], state[at + LENGTH] = temper, cruise, length


@kernel
def _draw_guest(params: np.ndarray, state: np.ndarray, rng: np.ndarray, n: int) -> None:
    """What a task other than CRUISE begins with."""
    kind, lanes = int(params[KIND]), int(params[LANES])
    if kind == CRUISE_KIND:
        return
    extra = state[len(state) - EXTRAS :]
    for k in range(EXTRAS):
        extra[k] = 0.0
    if kind == MERGE:
        ring = params[RING]
        cars = np.empty((int(params[CARS]), FIELDS))
        load(state, cars, ring)
        place_merging_car(extra, cars, ring, lanes, 0.0, rng, n, 25.0)
        store(state, cars, ring, False, 0.0)
    elif kind == AMBULANCE:
        start_ambulance(state, int(params[CARS]), params[RING], -55.0 - 65.0 * uniform(rng, n))
    else:
        place_crosswalk(extra, lanes, 55.0 + 45.0 * uniform(rng, n), rng, n)


@kernel
def _place_drawn(params: np.ndarray, state: np.ndarray, rng: np.ndarray, n: int) -> None:
    """The start that was drawn (see lanes_layout_parser.py), everybody up to params[LOOSE] metres off."""
    kind, lanes, ring = int(params[KIND]), int(params[LANES]), params[RING]
    extra = state[len(state) - EXTRAS :]
    for k in range(EXTRAS if kind != CRUISE_KIND else 0):
        extra[k] = 0.0
    shift = 0.0
    for i in range(int(params[CARS])):
        at, of = HEADER + FIELDS * i, DRAWN + DRIVER * i
        off = params[LOOSE] * (2.0 * uniform(rng, n) - 1.0) if params[LOOSE] > 0.0 else 0.0
        if i == 0:
            shift = off  # car 0 is where X begins
        d = params[of] + off - shift
        state[at + X] = d - ring * np.floor(d / ring + 0.5)
        state[at + Y], state[at + LANE] = params[of + 1], params[of + 1]
        state[at + V], state[at + A], state[at + SINCE] = params[of + 2], 0.0, SINCE_MOST
        state[at + TEMPER], state[at + CRUISE] = params[of + 3], params[of + 4]
        state[at + LENGTH] = params[of + 5]
    site = params[SITE_AT] - shift
    if kind == MERGE:
        guest = int(params[GUEST_AT])
        at = HEADER + FIELDS * guest
        d = params[DRAWN + DRIVER * guest] - params[SITE_AT]
        state[at + Y] = lanes + bend(d)
    if kind == MERGE or kind == AMBULANCE:
        extra[SITE], extra[GUEST] = site, params[GUEST_AT]
    elif kind == CROSSING:
        place_crosswalk(extra, lanes, site, rng, n)
        if params[PEOPLE_AT] >= 0.0:
            extra[GUEST], extra[WALK] = params[PEOPLE_AT], -KERB
            extra[HEADING] = 1.0 if params[PEOPLE_AT] > 0.0 else 0.0


@kernel
def reset_rows(
    params: np.ndarray, which: np.ndarray, rng: np.ndarray, states: np.ndarray, aux: np.ndarray
) -> None:
    """New traffic for each row in `which`; the top bit of its seed word is the split."""
    ring, lanes, count = params[RING], int(params[LANES]), int(params[CARS])
    slot = ring / ((count + lanes - 1) // lanes)
    for n in range(states.shape[0]):
        if not which[n]:
            continue
        word = next_word(rng, n) >> np.uint64(1)
        if params[SPLIT] > 0.0:
            word = word | (np.uint64(1) << np.uint64(63))
        rng[n] = word
        state = states[n]
        for k in range(HEADER):
            state[k] = 0.0
        if params.shape[0] > DRAWN:
            _place_drawn(params, state, rng, n)
            continue
        first = below(rng, n, lanes)
        for i in range(count):
            lane = (first + i) % lanes
            shift = 0.5 * slot * (lane % 2)
            x = slot * (i // lanes) + shift + slot * 0.4 * (uniform(rng, n) - 0.5)
            _draw_driver(state, i, x, lane, params, rng, n)
        start = state[HEADER + X]
        for i in range(count):
            d = float(state[HEADER + FIELDS * i + X]) - float(start)
            state[HEADER + FIELDS * i + X] = d - ring * np.floor(d / ring + 0.5)
        _draw_guest(params, state, rng, n)
