"""LanesAmbulance: car 1 is an ambulance with its lights on that comes from behind.

The other drivers make way: whoever has it behind in the lane moves over as soon as that is safe.
"""

from __future__ import annotations

import math

import numpy as np

from envs.kernels import inlined, kernel
from envs.lanes.lanes_state_layout import (
    CRUISE,
    EXTRAS,
    FIELDS,
    FREE,
    GUEST,
    HEADER,
    HELD,
    HELD_ALL,
    LANE,
    LENGTH,
    SERVED,
    SINCE,
    T_HELD_UP,
    T_LEFT_LANE,
    T_SERVED,
    T_SHARE,
    TEMPER,
    TRUCK,
    V,
    X,
    Y,
)
from envs.lanes.traffic import ahead, change_gain, choose_lane, neighbours, occupies

AMBULANCE_CAR = 1
SIREN_SPEED = 27.0  # [m/s]
SIREN_START = 20.0  # and begins with [m/s]
START_BRAKE = 5.5  # which this much braking must be able to take off behind anybody [m/s^2]
SIREN_LENGTH = 6.4  # [m]
HEARING_DISTANCE = 90.0  # from so far behind drivers make way [m]
CLOSE = 60.0  # from so far behind it counts as being in the way [m]
DELAY_FROM, DELAY_FULL = 24.0, 12.0  # its speed behind car 0: held up 0 and 1 [m/s]
DELAY_GAP = 30.0  # nearer than this it is slow because of car 0 [m]
GONE_DISTANCE = 20.0  # it is past when so far ahead [m]
YIELD_PAUSE = 1.0  # after the last change a driver makes way no sooner than this [s]
LANE_CHECK_EVERY = 6  # the ambulance looks for a better lane every so many steps
SIREN_SIGHT = 120.0  # [m]


@kernel
def start_ambulance(state: np.ndarray, count: int, ring: float, target: float) -> None:
    """The car nearest to `target` metres ahead of car 0, in car 0's lane, becomes the ambulance.

    It begins at SIREN_START, or slower where it could not stop behind whom it follows.
    """
    best, least = AMBULANCE_CAR, FREE
    for i in range(1, count):
        at = HEADER + FIELDS * i
        miss = abs(float(state[at + X]) - target)
        if state[at + LANE] == state[HEADER + LANE] and miss < least:
            best, least = i, miss
    one, other = HEADER + FIELDS * AMBULANCE_CAR, HEADER + FIELDS * best
    for f in range(FIELDS):
        state[one + f], state[other + f] = state[other + f], state[one + f]
    state[one + LENGTH], state[one + TEMPER], state[one + CRUISE] = SIREN_LENGTH, 1.0, SIREN_SPEED
    speed = SIREN_START
    for i in range(count):
        at = HEADER + FIELDS * i
        if at == one or state[at + LANE] != state[one + LANE]:
            continue
        d = float(state[at + X]) - float(state[one + X])
        d -= ring * np.floor(d / ring)
        gap = max(0.0, d - 0.5 * (state[at + LENGTH] + state[one + LENGTH]))
        speed = min(speed, math.sqrt(float(state[at + V]) ** 2 + 2.0 * START_BRAKE * gap))
    state[one + V] = speed
    state[len(state) - EXTRAS + GUEST] = AMBULANCE_CAR


@inlined
def distance_behind(cars: np.ndarray, ring: float, i: int) -> float:
    """How far the ambulance is behind car i [m], below 0 when it is ahead."""
    d = ahead(cars, ring, i) - ahead(cars, ring, AMBULANCE_CAR)
    return d - ring * np.floor(d / ring + 0.5)


@kernel
def yield_to_ambulance(cars: np.ndarray, ring: float, lanes: int, i: int, clock: int) -> bool:
    """Driver i heeds the siren: moves over, or at least stays out; True if that decided its lane."""
    siren = int(cars[AMBULANCE_CAR, LANE])
    if i == AMBULANCE_CAR:
        if clock % LANE_CHECK_EVERY == 0 and cars[i, V] < 0.75 * SIREN_SPEED and cars[i, Y] == siren:
            lane = choose_lane(cars, ring, lanes, i)
            if lane != siren:
                cars[i, LANE], cars[i, SINCE] = lane, 0.0
        return True
    d = distance_behind(cars, ring, i)
    if not 0.0 < d < HEARING_DISTANCE:
        return False
    if cars[i, LANE] != siren or cars[i, Y] != siren or cars[i, SINCE] < YIELD_PAUSE:
        return abs(cars[i, LANE] - siren) < 2
    for side in range(2):
        lane = siren + 1 - 2 * side
        if lane < 0 or lane >= lanes or (lane == 0 and cars[i, LENGTH] > TRUCK):
            continue
        if change_gain(cars, ring, i, lane) > -FREE:
            cars[i, LANE], cars[i, SINCE] = lane, 0.0
            return True
    return True


@kernel
def write_ambulance_terms(
    extra: np.ndarray, cars: np.ndarray, ring: float, was_behind: float, terms: np.ndarray
) -> None:
    """Whether the ambulance suffers from car 0, and whether it went past."""
    siren = int(cars[AMBULANCE_CAR, LANE])
    d = distance_behind(cars, ring, 0)
    if -GONE_DISTANCE < d < CLOSE:
        terms[T_LEFT_LANE] = 0.0  # out of its way is where one belongs
    if was_behind > -GONE_DISTANCE and -40.0 < d <= -GONE_DISTANCE:
        terms[T_SERVED] = 1.0
        extra[SERVED] += 1
        extra[HELD] = 0.0
    gap = d - 0.5 * (cars[0, LENGTH] + cars[AMBULANCE_CAR, LENGTH])
    if d > 0.0 and gap < CLOSE and occupies(cars, 0, siren):
        terms[T_SHARE] = min(1.0, 1.0 - gap / CLOSE)
        if gap < DELAY_GAP and neighbours(cars, ring, AMBULANCE_CAR, siren)[0] == 0:
            slow = (DELAY_FROM - cars[AMBULANCE_CAR, V]) / (DELAY_FROM - DELAY_FULL)
            terms[T_HELD_UP] = min(1.0, max(0.0, slow))
    extra[HELD] += terms[T_HELD_UP]
    extra[HELD_ALL] += terms[T_HELD_UP]


@kernel
def observe_ambulance(extra: np.ndarray, cars: np.ndarray, ring: float, out: np.ndarray) -> None:
    """out[7]: where the ambulance is."""
    for k in range(out.shape[0]):
        out[k] = 0.0
    d = distance_behind(cars, ring, 0)
    if abs(d) > SIREN_SIGHT:
        return
    if d >= 0.0:
        out[0] = 1.0 - d / SIREN_SIGHT
    else:
        out[1] = 1.0 + d / SIREN_SIGHT
    out[2] = min(1.5, max(-1.5, (cars[AMBULANCE_CAR, V] - cars[0, V]) / 10.0))
    side = cars[AMBULANCE_CAR, LANE] - cars[0, LANE]
    if side < 0.0:
        out[3] = 1.0
    elif side > 0.0:
        out[5] = 1.0
    else:
        out[4] = 1.0
    out[6] = min(1.0, extra[HELD] / 4.0)
