"""Lanes: a motorway driven from left to right, with traffic. The state's layout is in layout.py.

One step is STEP seconds of road time in SUBSTEPS parts. A crash (bodies overlap) stops everything:
from then on only the clock runs, the visible absorbing state.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from gymnasium import spaces

from envs.chance import below, next_word, uniform
from envs.kernels import kernel
from envs.lanes.driving import (
    ACTIONS,
    CUT_FULL,
    KEEP,
    PAR_SPEED,
    TOP_SPEED,
    forced,
    judge,
    may_change,
    pedal,
    right_free,
    see,
    steer,
)
from envs.lanes.layout import (
    ABREAST,
    CARS,
    CHANGES,
    CLOCK,
    CLOSE_SUM,
    CRASH_CAR,
    CRASHED,
    CRUISE,
    CUT_SUM,
    FIELDS,
    HEADER,
    LANE,
    LANES,
    LENGTH,
    RING,
    SINCE,
    SPLIT,
    T_CHANGE,
    T_CRASH,
    T_CUT_IN,
    T_HEADWAY,
    T_PROGRESS,
    TEMPER,
    TERMS,
    A,
    V,
    X,
    Y,
    cars_of,
    obs_names,
    place,
)
from envs.lanes.traffic import choose_lane, gap_to, neighbours, occupies, pull, sideways
from envs.world import Array, Kernel, World

STEP = 0.2  # road time of a step [s]: at 15 steps/s a person sees it three times as fast
SUBSTEPS = 4
SINCE_MOST = 6.0  # [s]
THINK_EVERY = 5  # each driver considers a lane change every so many steps
PATIENCE = 3.0  # and not sooner than this after the last one [s]


@kernel
def _load(state: np.ndarray, cars: np.ndarray, ring: float) -> None:
    """Copy a row's cars into float64 scratch, X relative to car 0 in [0, ring)."""
    for i in range(cars.shape[0]):
        at = HEADER + FIELDS * i
        for f in range(FIELDS):
            cars[i, f] = state[at + f]
        d = cars[i, X] - float(state[HEADER + X])
        cars[i, X] = d - ring * np.floor(d / ring)


@kernel
def _store(state: np.ndarray, cars: np.ndarray, ring: float, stop: bool) -> None:
    """Copy what moved back into the row. Car 0 comes last: the others' old places hang on its own."""
    for i in range(cars.shape[0] - 1, -1, -1):
        at = HEADER + FIELDS * i
        d = float(state[at + X]) - float(state[HEADER + X])
        state[at + X] += cars[i, X] - (d - ring * np.floor(d / ring))
        state[at + Y] = cars[i, Y]
        state[at + V] = 0.0 if stop else cars[i, V]
        state[at + A] = 0.0 if stop else cars[i, A]
        state[at + LANE] = cars[i, LANE]
        state[at + SINCE] = min(SINCE_MOST, cars[i, SINCE] + STEP)


@kernel
def _follow(cars: np.ndarray, ring: float, lanes: int, leads: np.ndarray) -> None:
    """leads[C, 2]: whom each car follows in the lane it aims at, and in the one it is leaving."""
    for i in range(cars.shape[0]):
        lane = int(cars[i, LANE])
        leads[i, 0] = neighbours(cars, ring, i, lane)[0]
        leads[i, 1] = -1
        leaving = lane + (1 if cars[i, Y] > lane else -1)
        if cars[i, Y] != lane and 0 <= leaving < lanes and occupies(cars, i, leaving):
            leads[i, 1] = neighbours(cars, ring, i, leaving)[0]


@kernel
def _move(cars: np.ndarray, ring: float, leads: np.ndarray, action: int, dt: float) -> int:
    """All cars `dt` seconds on; the index of a car that the driven one overlaps, else 0."""
    count = cars.shape[0]
    cars[0, A] = pedal(cars[0, A], action, dt)
    for i in range(1, count):
        lead, other = leads[i, 0], leads[i, 1]
        accel = pull(cars, i, lead, gap_to(cars, ring, i, lead))
        if other >= 0:
            accel = min(accel, pull(cars, i, other, gap_to(cars, ring, i, other)))
        cars[i, A] = accel
    hit = 0
    for i in range(count):
        speed = max(0.0, cars[i, V] + cars[i, A] * dt)
        if i == 0:
            speed = min(speed, TOP_SPEED)
        cars[i, X] += 0.5 * (cars[i, V] + speed) * dt
        cars[i, V] = speed
        if speed == 0.0:
            cars[i, A] = max(0.0, cars[i, A])
        if cars[i, Y] != cars[i, LANE]:
            cars[i, Y] = sideways(cars[i, Y], cars[i, LANE], dt)
        if i > 0 and abs(cars[i, Y] - cars[0, Y]) < ABREAST:
            d = abs(cars[i, X] - cars[0, X])
            if min(d, abs(ring - d)) < 0.5 * (cars[i, LENGTH] + cars[0, LENGTH]):
                hit = i
    return hit


@kernel
def _think(cars: np.ndarray, ring: float, lanes: int, clock: int) -> None:
    """The drivers whose turn it is consider another lane; car 0 has chosen before them."""
    for i in range(1, cars.shape[0]):
        if (clock + i) % THINK_EVERY == 0 and cars[i, SINCE] >= PATIENCE and cars[i, Y] == cars[i, LANE]:
            lane = choose_lane(cars, ring, lanes, i)
            if lane != cars[i, LANE]:
                cars[i, LANE], cars[i, SINCE] = lane, 0.0


@kernel
def step_rows(
    params: np.ndarray,
    actions: np.ndarray,
    rng: np.ndarray,
    states: np.ndarray,
    aux: np.ndarray,
    terms: np.ndarray,
) -> None:
    """One step of every row, in place. Nothing is drawn at random: the drivers' tempers decide."""
    ring, lanes, count = params[RING], int(params[LANES]), int(params[CARS])
    cars = np.empty((count, FIELDS))
    leads = np.empty((count, 2), np.int64)
    for n in range(states.shape[0]):
        state, row_terms = states[n], terms[n]
        for k in range(row_terms.shape[0]):
            row_terms[k] = 0.0
        if state[CRASHED] > 0.0:
            state[CLOCK] += 1
            continue
        _load(state, cars, ring)
        steer(cars, ring, lanes, actions[n], row_terms)
        _think(cars, ring, lanes, int(state[CLOCK]))
        _follow(cars, ring, lanes, leads)
        hit = 0
        for _ in range(SUBSTEPS):
            hit = _move(cars, ring, leads, actions[n], STEP / SUBSTEPS)
            if hit > 0:
                break
        row_terms[T_PROGRESS] = cars[0, X] / (PAR_SPEED * STEP)
        if hit > 0:
            row_terms[T_CRASH] = 1.0
            state[CRASHED], state[CRASH_CAR] = 1.0, hit
        else:
            judge(cars, ring, lanes, leads[0], row_terms)
        state[CLOSE_SUM] += row_terms[T_HEADWAY]
        state[CUT_SUM] += row_terms[T_CUT_IN]
        state[CHANGES] += row_terms[T_CHANGE]
        _store(state, cars, ring, hit > 0)
        state[CLOCK] += 1


@kernel
def observe_rows(params: np.ndarray, states: np.ndarray, aux: np.ndarray, obs: np.ndarray) -> None:
    """What the driver sees (`obs_names`); a lane that does not exist looks like a wall alongside."""
    ring, lanes = params[RING], int(params[LANES])
    cars = np.empty((int(params[CARS]), FIELDS))
    for n in range(states.shape[0]):
        state, out = states[n], obs[n]
        _load(state, cars, ring)
        aim = int(cars[0, LANE])
        out[0] = state[CRASHED]
        out[1] = cars[0, V] / PAR_SPEED
        out[2] = cars[0, A] / 5.0
        out[3] = cars[0, Y] - aim
        out[4] = cars[0, SINCE] / SINCE_MOST
        out[5] = 1.0 if right_free(cars, ring, lanes) else 0.0
        for lane in range(lanes):
            out[6 + lane] = 1.0 if lane == aim else 0.0
        at = 6 + lanes
        for side in range(3):
            lane = aim + side - 1
            seen = out[at + 4 + 5 * side : at + 9 + 5 * side]
            exists = 0 <= lane < lanes
            if exists:
                see(cars, ring, lane, seen)
            else:
                seen[0], seen[1], seen[2], seen[3], seen[4] = 1.0, 0.0, 1.0, 1.0, 0.0
            if side != 1:
                may = 1.0 if exists and may_change(cars, lanes, lane) else 0.0
                out[at + side // 2] = may
                out[at + 2 + side // 2] = min(1.0, forced(cars, ring, lane) / CUT_FULL) if exists else 1.0


@kernel
def _draw_driver(
    state: np.ndarray, at: int, i: int, x: float, lane: int, lanes: int, rng: np.ndarray, n: int
) -> None:
    """One car and its driver: trucks and calm drivers on the right, hasty ones on the left."""
    temper, size, pace = uniform(rng, n), uniform(rng, n), uniform(rng, n)
    cruise = 13.0 + 4.0 * (lanes - 1 - lane) / max(1, lanes - 1) + 3.0 * temper + 0.5 * pace
    length = 4.2 + 0.8 * size
    if i == 0:
        temper, cruise, length = 0.5, 22.0, 4.5
    elif lane == lanes - 1 and size < 0.4:
        temper, cruise, length = 0.3 * temper, 12.5 + 1.0 * pace, 11.0
    elif size > 0.85:
        length = 6.0
    state[at + X], state[at + Y] = x, lane
    state[at + V] = 12.0 + 2.0 * pace if i == 0 else 0.95 * cruise
    state[at + A] = 0.0
    state[at + LANE], state[at + SINCE] = lane, SINCE_MOST
    state[at + TEMPER], state[at + CRUISE], state[at + LENGTH] = temper, cruise, length


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
        first = below(rng, n, lanes)
        for i in range(count):
            lane = (first + i) % lanes
            shift = 0.5 * slot * (lane % 2)
            x = slot * (i // lanes) + shift + slot * 0.4 * (uniform(rng, n) - 0.5)
            _draw_driver(state, HEADER + FIELDS * i, i, x, lane, lanes, rng, n)
        start = state[HEADER + X]
        for i in range(count):
            d = float(state[HEADER + FIELDS * i + X]) - float(start)
            state[HEADER + FIELDS * i + X] = d - ring * np.floor(d / ring + 0.5)


@kernel
def refresh_rows(params: np.ndarray, which: np.ndarray, states: np.ndarray, aux: np.ndarray) -> None:
    """Nothing is derived: a state says it all."""


_OFFSETS = np.arange(-50.0, 50.5, 5.0)


def _placements(lanes: int) -> Callable[[Array], tuple[Array, Array]]:
    def placements(state: Array) -> tuple[Array, Array]:
        """Car 0 settled in each lane at each offset; `where` is (X [m], Y [lanes])."""
        lane, offset = (grid.ravel() for grid in np.meshgrid(np.arange(lanes), _OFFSETS, indexing="ij"))
        states = np.repeat(state[None], len(lane), axis=0)
        states[:, CRASHED] = 0
        me = cars_of(states)[:, 0]
        me[:, X] += offset
        me[:, Y] = me[:, LANE] = lane
        return states, np.stack([me[:, X], lane], axis=1)

    return placements


def lanes_world(lanes: int, cars: int, ring: float, test: bool) -> World:
    """A ring road of `ring` metres with `cars` cars, the driven one among them."""
    return World(
        name="lanes",
        params=np.array([lanes, cars, ring, test], np.float64),
        kernel=Kernel(reset_rows, step_rows, observe_rows, refresh_rows),
        state_size=HEADER + FIELDS * cars,
        state_dtype=np.float32,
        aux_size=0,
        aux_dtype=np.float32,
        obs_names=obs_names(lanes),
        terms=TERMS,
        action_space=spaces.Discrete(5),
        action_names=ACTIONS,
        idle_action=KEEP,
        clock=CLOCK,
        steps_per_second=15,
        placements=_placements(lanes),
        place=place,
    )
