"""LanesCrossing: a zebra, and the people who want to cross there.

They step on once a car that comes can still stop comfortably, never right before one; a group walks
together. `middle` is SITE relative to where car 0 began the step [m]; WALK and HEADING as in
lanes_state_layout.py.
"""

from __future__ import annotations

import numpy as np

from envs.kernels import inlined, kernel
from envs.lanes.lanes_state_layout import (
    CRUISE,
    GUEST,
    HEADING,
    HELD_ALL,
    LENGTH,
    SERVED,
    SITE,
    T_HELD_UP,
    T_SERVED,
    T_SHARE,
    TEMPER,
    TRIGGER,
    WALK,
    V,
    Y,
)
from envs.lanes.traffic import ahead, idm
from envs.rng import below, uniform

HALF = 2.0  # half the zebra along the road [m]
LINE = 3.5  # the line where one stops is so far before its middle [m]
KERB = 0.85  # people wait so far beyond the middle of the outer lane [lanes]
PACE = 0.55  # people walk [lanes/s], 1.9 m/s
RUN = 1.4  # and run when a car does not stop for them [lanes/s]
APART = 0.75  # people so far past a car's middle have left its way [lanes]
TOUCH = 0.42  # nearer than this to a car's middle they would be hit [lanes]
STOPPABLE = 4.0  # nobody steps before a car that would have to brake harder [m/s^2]
SOFT, FULL = 2.0, 6.0  # braking needed before the line: rush of 0 and of 1 [m/s^2]
HELPED = 35.0  # car 0 waited for people if it is no farther from the line [m]
PASSED = 40.0  # car 0 is so far past when the next zebra comes [m]


@kernel
def place_crosswalk(extra: np.ndarray, lanes: int, site: float, rng: np.ndarray, n: int) -> None:
    """The next zebra is at X = `site`; two of three times somebody wants to cross."""
    extra[SITE] = site
    extra[GUEST], extra[HEADING], extra[WALK] = 0.0, 0.0, -KERB
    some, side, when = uniform(rng, n), uniform(rng, n), uniform(rng, n)
    if some < 0.7:
        extra[GUEST] = 1 + below(rng, n, 3)
        extra[HEADING] = 1.0 if side < 0.5 else -1.0
        extra[WALK] = -KERB if side < 0.5 else lanes - 1 + KERB
    extra[TRIGGER] = 30.0 + 25.0 * when


@inlined
def to_line(cars: np.ndarray, ring: float, middle: float, i: int) -> float:
    """From the front of car i to the line [m], below 0 once over it."""
    return middle - LINE - ahead(cars, ring, i) - 0.5 * cars[i, LENGTH]


@kernel
def required_braking(speed: float, way: float) -> float:
    """The braking that stops a car within `way` metres [m/s^2]."""
    return speed * speed / (2.0 * max(way, 0.3))


@kernel
def people_are_waiting(extra: np.ndarray, lanes: int) -> bool:
    """Whether people stand at the kerb and want to cross some time."""
    at_kerb = extra[WALK] <= -KERB + 0.01 or extra[WALK] >= lanes - 1 + KERB - 0.01
    return extra[HEADING] != 0.0 and at_kerb


@kernel
def must_yield(extra: np.ndarray, cars: np.ndarray, ring: float, lanes: int, middle: float, i: int) -> bool:
    """Whether car i has to let people cross: they are on the zebra or about to, and not yet past it."""
    if extra[HEADING] == 0.0:
        return False
    if people_are_waiting(extra, lanes):
        return to_line(cars, ring, middle, 0) <= extra[TRIGGER]
    return (extra[WALK] - cars[i, Y]) * extra[HEADING] < APART


@kernel
def cannot_stop(cars: np.ndarray, ring: float, middle: float, i: int) -> bool:
    """Whether car i is on the zebra or cannot stop before it any more."""
    rear = ahead(cars, ring, i) - 0.5 * cars[i, LENGTH]
    if rear > middle + HALF:
        return False
    way = to_line(cars, ring, middle, i)
    if way < -1.0:
        return True
    return cars[i, V] > 1.0 and required_braking(cars[i, V], way + 1.0) > STOPPABLE


@kernel
def walk(extra: np.ndarray, cars: np.ndarray, ring: float, lanes: int, middle: float, dt: float) -> None:
    """The people wait, step on, walk, or run out of the way of a car that does not stop."""
    pace, start = PACE, people_are_waiting(extra, lanes)
    if extra[HEADING] == 0.0 or (start and not must_yield(extra, cars, ring, lanes, middle, 0)):
        return
    for i in range(cars.shape[0]):
        if not cannot_stop(cars, ring, middle, i):
            continue
        to_go = (cars[i, Y] - extra[WALK]) * extra[HEADING]
        if start or 0.55 < to_go < 1.2:
            return
        if abs(to_go) <= 0.55:
            pace = RUN
    extra[WALK] += extra[HEADING] * pace * dt
    if extra[WALK] < -KERB or extra[WALK] > lanes - 1 + KERB:
        extra[WALK] = min(lanes - 1 + KERB, max(-KERB, extra[WALK]))
        extra[HEADING] = 0.0


@kernel
def has_touched_person(extra: np.ndarray, cars: np.ndarray, ring: float, middle: float) -> bool:
    """Whether car 0 has come right up to somebody on the zebra."""
    if extra[HEADING] == 0.0 or abs(extra[WALK] - cars[0, Y]) > TOUCH:
        return False
    return abs(ahead(cars, ring, 0) - middle) < 0.5 * cars[0, LENGTH] + 0.7


@inlined
def zebra_cap(extra: np.ndarray, cars: np.ndarray, ring: float, lanes: int, middle: float, i: int) -> float:
    """The most acceleration [m/s^2] that the zebra allows driver i."""
    way = to_line(cars, ring, middle, i)
    if way < 0.0 or way > 90.0 or not must_yield(extra, cars, ring, lanes, middle, i):
        return 9.0
    if required_braking(cars[i, V], way + 1.0) > STOPPABLE + 2.0:
        return 9.0
    return idm(cars[i, V], 0.0, way + 1.5, cars[i, CRUISE], cars[i, TEMPER])


@kernel
def write_crosswalk_terms(
    extra: np.ndarray,
    cars: np.ndarray,
    ring: float,
    lanes: int,
    middle: float,
    way_before: float,
    had_to_wait: bool,
    terms: np.ndarray,
) -> None:
    """How car 0 treats the people; what held before the step is handed in."""
    way = to_line(cars, ring, middle, 0)
    has_to_wait = must_yield(extra, cars, ring, lanes, middle, 0)
    if way_before >= 0.0 and way < 0.0 and has_to_wait:
        terms[T_HELD_UP] = 1.0
        extra[HELD_ALL] += 1
    if has_to_wait and way >= 0.0:
        need = required_braking(cars[0, V], way + 1.0)
        terms[T_SHARE] = min(1.0, max(0.0, (need - SOFT) / (FULL - SOFT)))
    if had_to_wait and not has_to_wait and 0.0 <= way < HELPED:
        terms[T_SERVED] = 1.0
        extra[SERVED] += 1


@kernel
def observe_crosswalk(
    extra: np.ndarray, cars: np.ndarray, ring: float, lanes: int, middle: float, out: np.ndarray
) -> None:
    """out[7]: the line ahead and the people at the zebra."""
    for k in range(out.shape[0]):
        out[k] = 0.0
    way = to_line(cars, ring, middle, 0)
    if way < -2.0 * LINE or way > 80.0:
        return
    if way >= 0.0:
        out[0] = 1.0 - way / 80.0
        out[1] = min(2.0, required_braking(cars[0, V], way + 1.0) / 5.0)
    if extra[HEADING] == 0.0:
        return
    out[2] = 1.0 if people_are_waiting(extra, lanes) else 0.0
    out[3] = 1.0 - out[2]
    out[4] = min(1.5, max(-1.5, 0.5 * (extra[WALK] - cars[0, Y])))
    out[5] = extra[HEADING]
    out[6] = 1.0 if must_yield(extra, cars, ring, lanes, middle, 0) else 0.0
