"""How a step of the road is taken: everybody drives STEP seconds, in SUBSTEPS parts.

A crash (bodies overlap) stops everything: from then on only the clock runs, the visible absorbing state.
"""

from __future__ import annotations

import numpy as np

from envs.geometry import clip
from envs.kernels import inlined, kernel
from envs.lanes.ambulance import distance_behind, write_ambulance_terms, yield_to_ambulance
from envs.lanes.crosswalk import PASSED as ZEBRA_PASSED
from envs.lanes.crosswalk import (
    has_touched_person,
    must_yield,
    place_crosswalk,
    to_line,
    walk,
    write_crosswalk_terms,
    zebra_cap,
)
from envs.lanes.ego_car import (
    ASTRIDE_FROM,
    ASTRIDE_FULL,
    KEEP,
    TOP_SPEED,
    enter_lane,
    lateral_speed,
    pedal,
    requested_acceleration,
    start_lane_change,
    tailgater_braking,
    thrust,
    write_driving_terms,
)
from envs.lanes.lanes_state_layout import (
    ABREAST,
    AMBULANCE,
    CARS,
    CHANGES,
    CLOCK,
    CLOSE_SUM,
    CRASH_CAR,
    CRASHED,
    CROSSING,
    CRUISE,
    CRUISE_KIND,
    CUT_SUM,
    EXTRAS,
    FIELDS,
    FREE,
    GUEST,
    HEADER,
    KIND,
    LANE,
    LANES,
    LENGTH,
    LIMIT,
    MERGE,
    RING,
    SINCE,
    SITE,
    T_CHANGE,
    T_CRASH,
    T_CUT_IN,
    T_HEADWAY,
    T_PRESSED,
    T_PROGRESS,
    A,
    V,
    X,
    Y,
)
from envs.lanes.merging import (
    COMES_AT,
    ZONE,
    bend,
    is_waiting,
    merge_if_possible,
    place_merging_car,
    ramp_cap,
    write_merging_terms,
)
from envs.lanes.merging import PASSED as RAMP_PASSED
from envs.lanes.reset import STANDS, load, store
from envs.lanes.traffic import (
    HARDEST_BRAKE,
    ahead,
    choose_lane,
    gap_to,
    neighbours,
    occupies,
    pull,
    sideways,
)
from envs.rng import uniform

STEP = 0.2  # road time of a step [s]: at 15 steps/s a person sees it three times as fast
SUBSTEPS = 4
THINK_EVERY = 5  # each driver considers a lane change every so many steps
PATIENCE = 3.0  # and not sooner than this after the last one [s]


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


@inlined
def _cap(
    kind: int, extra: np.ndarray, cars: np.ndarray, ring: float, lanes: int, site: float, i: int
) -> float:
    """The most acceleration [m/s^2] that slip road or zebra allows driver i."""
    if kind == MERGE:
        return ramp_cap(extra, cars, ring, lanes, site, i)
    if kind == CROSSING:
        return zebra_cap(extra, cars, ring, lanes, site, i)
    return FREE


@kernel
def _move(
    params: np.ndarray,
    extra: np.ndarray,
    cars: np.ndarray,
    leads: np.ndarray,
    site: float,
    goal: float,
    swerve: float,
    dt: float,
) -> int:
    """All cars `dt` seconds on; the index of a car that the driven one overlaps, else 0.

    goal: what the pedals ask for [m/s^2]; swerve: speed across the road [lanes/s], FREE is on its way
    to the middle of its lane.
    """
    ring, lanes, kind = params[RING], int(params[LANES]), int(params[KIND])
    count = cars.shape[0]
    cars[0, A] = pedal(cars[0, A], goal, dt)
    for i in range(1, count):
        lead, other = leads[i, 0], leads[i, 1]
        accel = pull(cars, i, lead, gap_to(cars, ring, i, lead))
        if other >= 0:
            accel = min(accel, pull(cars, i, other, gap_to(cars, ring, i, other)))
        if kind != CRUISE_KIND:
            accel = max(-HARDEST_BRAKE, min(accel, _cap(kind, extra, cars, ring, lanes, site, i)))
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
        if i == 0 and swerve < FREE:
            cars[i, Y] = min(lanes - 1.0, max(0.0, cars[i, Y] + swerve * dt))
        elif cars[i, Y] != cars[i, LANE]:
            cars[i, Y] = sideways(cars[i, Y], cars[i, LANE], dt)
        if i > 0 and abs(cars[i, Y] - cars[0, Y]) < ABREAST:
            d = abs(cars[i, X] - cars[0, X])
            if min(d, abs(ring - d)) < 0.5 * (cars[i, LENGTH] + cars[0, LENGTH]):
                hit = i
    return hit


@kernel
def _think(params: np.ndarray, cars: np.ndarray, clock: int) -> None:
    """The drivers whose turn it is consider another lane; car 0 has chosen before them."""
    ring, lanes, kind = params[RING], int(params[LANES]), int(params[KIND])
    for i in range(1, cars.shape[0]):
        if cars[i, CRUISE] < STANDS:
            continue
        if kind == AMBULANCE and yield_to_ambulance(cars, ring, lanes, i, clock):
            continue
        if cars[i, LANE] >= lanes:
            continue  # still on the slip road
        if (clock + i) % THINK_EVERY == 0 and cars[i, SINCE] >= PATIENCE and cars[i, Y] == cars[i, LANE]:
            lane = choose_lane(cars, ring, lanes, i)
            if lane != cars[i, LANE]:
                cars[i, LANE], cars[i, SINCE] = lane, 0.0


@kernel
def _step_row(
    params: np.ndarray,
    state: np.ndarray,
    cars: np.ndarray,
    leads: np.ndarray,
    terms: np.ndarray,
    rng: np.ndarray,
    n: int,
    lane_action: int,
    goal: float,
    swerve: float,
) -> None:
    """One step of one row, in place; see _move for goal and swerve."""
    ring, lanes, kind = params[RING], int(params[LANES]), int(params[KIND])
    extra = state[len(state) - EXTRAS :]  # means nothing in CRUISE, where nobody reads it
    load(state, cars, ring)
    start, site = float(state[HEADER + X]), 0.0
    if kind == MERGE and start > extra[SITE] + ZONE + RAMP_PASSED:
        place_merging_car(extra, cars, ring, lanes, start, rng, n, COMES_AT)
    elif kind == CROSSING and start > extra[SITE] + ZEBRA_PASSED:
        place_crosswalk(extra, lanes, start + 75.0 + 55.0 * uniform(rng, n), rng, n)
    if kind != CRUISE_KIND:
        site = float(extra[SITE]) - start
    start_lane_change(cars, ring, lanes, lane_action, terms)
    _think(params, cars, int(state[CLOCK]))
    was, had_to_wait = 0.0, False
    if kind == MERGE:
        merge_if_possible(extra, cars, ring, lanes, site, terms)
    elif kind == AMBULANCE:
        was = distance_behind(cars, ring, 0)
    elif kind == CROSSING:
        was = to_line(cars, ring, site, 0)
        had_to_wait = must_yield(extra, cars, ring, lanes, site, 0)
        walk(extra, cars, ring, lanes, site, STEP)
    _follow(cars, ring, lanes, leads)
    hit, touch = 0, False
    for _ in range(SUBSTEPS):
        hit = _move(params, extra, cars, leads, site, goal, swerve, STEP / SUBSTEPS)
        touch = kind == CROSSING and has_touched_person(extra, cars, ring, site)
        if hit > 0 or touch:
            break
    if swerve < FREE:
        lane = int(np.floor(cars[0, Y] + 0.5))
        if lane != cars[0, LANE]:
            enter_lane(cars, ring, lane, terms)
    if kind == MERGE and is_waiting(extra, cars, lanes):
        guest = int(extra[GUEST])
        cars[guest, Y] = lanes + bend(ahead(cars, ring, guest) - site)
    terms[T_PROGRESS] = cars[0, X] / (params[LIMIT] * STEP)
    if hit > 0 or touch:
        terms[T_CRASH] = 1.0
        state[CRASHED], state[CRASH_CAR] = 1.0, hit
    else:
        write_driving_terms(cars, ring, lanes, params[LIMIT], leads[0], terms)
        if kind != CRUISE_KIND:
            terms[T_PRESSED] = tailgater_braking(cars, ring)
        if kind == MERGE:
            write_merging_terms(extra, cars, ring, lanes, site, terms)
        elif kind == AMBULANCE:
            write_ambulance_terms(extra, cars, ring, was, terms)
        elif kind == CROSSING:
            write_crosswalk_terms(extra, cars, ring, lanes, site, was, had_to_wait, terms)
    state[CLOSE_SUM] += terms[T_HEADWAY]
    state[CUT_SUM] += terms[T_CUT_IN]
    state[CHANGES] += terms[T_CHANGE]
    store(state, cars, ring, hit > 0 or touch, STEP)


@kernel
def step_rows(
    params: np.ndarray,
    actions: np.ndarray,
    rng: np.ndarray,
    states: np.ndarray,
    aux: np.ndarray,
    terms: np.ndarray,
) -> None:
    """One step of every row, in place; `actions` are those of ACTIONS."""
    cars = np.empty((int(params[CARS]), FIELDS))
    leads = np.empty((int(params[CARS]), 2), np.int64)
    for n in range(states.shape[0]):
        state, row_terms, action = states[n], terms[n], int(actions[n])
        for k in range(row_terms.shape[0]):
            row_terms[k] = 0.0
        if state[CRASHED] == 0.0:
            _step_row(
                params, state, cars, leads, row_terms, rng, n, action, requested_acceleration(action), FREE
            )
        state[CLOCK] += 1


@kernel
def steer_rows(
    params: np.ndarray,
    actions: np.ndarray,
    rng: np.ndarray,
    states: np.ndarray,
    aux: np.ndarray,
    terms: np.ndarray,
) -> None:
    """The same for continuous actions [N, 2] (PEDALS in ego_car.py); `astride` is the last term."""
    cars = np.empty((int(params[CARS]), FIELDS))
    leads = np.empty((int(params[CARS]), 2), np.int64)
    for n in range(states.shape[0]):
        state, row_terms = states[n], terms[n]
        for k in range(row_terms.shape[0]):
            row_terms[k] = 0.0
        if state[CRASHED] == 0.0:
            goal = thrust(clip(actions[n, 0], -1.0, 1.0))
            swerve = lateral_speed(clip(actions[n, 1], -1.0, 1.0), float(state[HEADER + V]))
            _step_row(params, state, cars, leads, row_terms, rng, n, KEEP, goal, swerve)
            off = abs(float(state[HEADER + Y]) - float(state[HEADER + LANE]))
            share = (off - ASTRIDE_FROM) / (ASTRIDE_FULL - ASTRIDE_FROM)
            row_terms[row_terms.shape[0] - 1] = clip(share, 0.0, 1.0)
        state[CLOCK] += 1
