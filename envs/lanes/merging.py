"""LanesMerge: a slip road on the right, and the car on it that wants in.

The slip road runs beside lane `lanes - 1` as a lane of its own, number `lanes`, and ends ZONE metres
after its mouth. One car at a time is on it, the guest; once the driven car has passed, a car from far
out of sight becomes the next guest. `mouth` is SITE relative to where car 0 began the step [m].
"""

from __future__ import annotations

import numpy as np

from envs.kernels import inlined, kernel
from envs.lanes.lanes_state_layout import (
    CRUISE,
    GUEST,
    HELD,
    HELD_ALL,
    LANE,
    LENGTH,
    SERVED,
    SINCE,
    SITE,
    T_HELD_UP,
    T_LEFT_LANE,
    T_SERVED,
    T_SHARE,
    TEMPER,
    TRUCK,
    A,
    V,
    X,
    Y,
)
from envs.lanes.traffic import JAM_GAP, ahead, idm, neighbours, pull
from envs.rng import uniform

ZONE = 80.0  # in so many metres after the mouth the guest has to be in [m]
BEND = 40.0  # the slip road comes in from the side over so many metres before the mouth [m]
OFF = 1.1  # how far off it begins [lanes]
SLOW = 10.5  # speed with which it begins [m/s]
LEAST, MOST = 8.0, 18.0  # speed on the bend [m/s]
FAST = 17.0  # speed that the guest wants on the road [m/s]
COMES_AT = 64.0  # a new guest appears so far ahead of car 0, out of sight [m]
UNSEEN = 75.0  # so far off nobody sees a car leave [m]
PASSED = 35.0  # car 0 is so far past the end when the next guest comes [m]
FORCES = 1.5  # braking that the guest asks of the car behind at first; FORCES_LAST at the end [m/s^2]
FORCES_LAST = 3.0
BRAKES = 3.0  # the guest's own braking that counts as wholly held up [m/s^2]
NEAR = 60.0  # a guest who comes in so near is one that car 0 dealt with [m]
MEAN_TEMPER = 0.55
CALM = 0.6  # drivers of less temper open a gap for the guest
KIND_BRAKE = 1.5  # and brake no harder for that [m/s^2]


@kernel
def bend(x: float) -> float:
    """How far off the slip road is, `x` metres after the mouth [lanes]."""
    share = min(1.0, max(0.0, -x / BEND))
    return OFF * share * share * (3.0 - 2.0 * share)


@kernel
def place_merging_car(
    extra: np.ndarray, cars: np.ndarray, ring: float, lanes: int, x: float, rng: np.ndarray, n: int, at: float
) -> None:
    """Put the next guest on the slip road, `at` metres ahead of car 0, which is at `x` [m]."""
    guest = int(extra[GUEST])
    if guest == 0 or cars[guest, LANE] != lanes:
        guest, far = 0, UNSEEN
        for i in range(1, cars.shape[0]):
            d = abs(ahead(cars, ring, i))
            if d > far and cars[i, LENGTH] <= TRUCK and cars[i, Y] == cars[i, LANE]:
                guest, far = i, d
    if guest == 0:
        return
    cars[guest, X] = at
    cars[guest, LANE] = lanes
    cars[guest, V], cars[guest, A] = SLOW, 0.0
    cars[guest, CRUISE], cars[guest, TEMPER] = (
        FAST + 2.0 * uniform(rng, n),
        MEAN_TEMPER - 0.25 + 0.5 * uniform(rng, n),
    )
    mouth = at + 60.0 + 40.0 * uniform(rng, n)
    cars[guest, Y] = lanes + bend(at - mouth)
    extra[SITE], extra[GUEST], extra[HELD] = x + mouth, guest, 0.0


@inlined
def is_waiting(extra: np.ndarray, cars: np.ndarray, lanes: int) -> bool:
    """Whether the guest is still on the slip road."""
    guest = int(extra[GUEST])
    return guest > 0 and cars[guest, LANE] == lanes


@inlined
def zone_share_used(extra: np.ndarray, cars: np.ndarray, ring: float, mouth: float) -> float:
    """How much of the zone lies behind the guest: below 0 before the mouth, 1 at the end."""
    return (ahead(cars, ring, int(extra[GUEST])) - mouth) / ZONE


@kernel
def blocking_car(cars: np.ndarray, ring: float, lanes: int, guest: int, share: float) -> int:
    """Who keeps the guest from coming in now: a car's index, 0 is the driven one, -1 nobody."""
    lead, gap, follow, room = neighbours(cars, ring, guest, lanes - 1)
    if gap < JAM_GAP or pull(cars, guest, lead, gap) < -BRAKES:
        return lead
    if follow >= 0:
        asks = FORCES + (FORCES_LAST - FORCES) * min(1.0, max(0.0, share))
        if room < JAM_GAP or pull(cars, follow, guest, room) < -asks:
            return follow
    return -1


@kernel
def merge_if_possible(
    extra: np.ndarray, cars: np.ndarray, ring: float, lanes: int, mouth: float, terms: np.ndarray
) -> None:
    """The guest moves over if it can; writes the term of it."""
    if not is_waiting(extra, cars, lanes):
        return
    guest = int(extra[GUEST])
    share = zone_share_used(extra, cars, ring, mouth)
    if share < 0.0 or blocking_car(cars, ring, lanes, guest, share) >= 0:
        return
    cars[guest, LANE], cars[guest, SINCE] = lanes - 1, 0.0
    d = ahead(cars, ring, guest)
    if abs(d) < NEAR:
        terms[T_SERVED] = 1.0
        extra[SERVED] += 1


@inlined
def ramp_cap(extra: np.ndarray, cars: np.ndarray, ring: float, lanes: int, mouth: float, i: int) -> float:
    """The most acceleration [m/s^2] that the slip road allows car i."""
    guest = int(extra[GUEST])
    if not is_waiting(extra, cars, lanes):
        return 9.0
    if i != guest:
        if (
            cars[i, LANE] == lanes - 1
            and cars[i, TEMPER] < CALM
            and zone_share_used(extra, cars, ring, mouth) > 0.0
        ):
            gap = (
                ahead(cars, ring, guest)
                - ahead(cars, ring, i)
                - 0.5 * (cars[i, LENGTH] + cars[guest, LENGTH])
            )
            if 0.0 < gap < 40.0:
                return max(-KIND_BRAKE, pull(cars, i, guest, gap))
        return 9.0
    left = mouth + ZONE - ahead(cars, ring, i) - 0.5 * cars[i, LENGTH]
    stop = idm(cars[i, V], 0.0, left, cars[i, CRUISE], cars[i, TEMPER])
    if left > ZONE:
        stop = min(stop, _timed(cars, ring, mouth, left - ZONE, i))
    return stop


@kernel
def _timed(cars: np.ndarray, ring: float, mouth: float, left: float, i: int) -> float:
    """The guest's acceleration on the bend, `left` metres before the mouth [m/s^2].

    It comes to the mouth about when car 0 does: nothing would have to be decided otherwise.
    """
    spread = 30.0 * (cars[i, TEMPER] - MEAN_TEMPER)
    time = max(1.0, mouth + spread - ahead(cars, ring, 0)) / max(cars[0, V], SLOW)
    wanted = min(MOST, max(LEAST, left / time))
    return min(2.0, max(-2.0, wanted - cars[i, V]))


@kernel
def write_merging_terms(
    extra: np.ndarray, cars: np.ndarray, ring: float, lanes: int, mouth: float, terms: np.ndarray
) -> None:
    """Whether somebody on the slip road suffers from car 0."""
    if not is_waiting(extra, cars, lanes):
        return
    guest = int(extra[GUEST])
    d = ahead(cars, ring, guest) - ahead(cars, ring, 0)
    if -20.0 < d < 80.0:
        terms[T_LEFT_LANE] = 0.0  # room for the guest is a reason to be there
    share = zone_share_used(extra, cars, ring, mouth)
    if share > 0.0 and blocking_car(cars, ring, lanes, guest, share) == 0:
        slow = max(-cars[guest, A] / BRAKES, 1.0 - cars[guest, V] / LEAST)
        terms[T_HELD_UP] = min(1.0, max(0.0, slow))
        terms[T_SHARE] = min(1.0, share)
    extra[HELD] += terms[T_HELD_UP]
    extra[HELD_ALL] += terms[T_HELD_UP]


@kernel
def observe_merging_car(
    extra: np.ndarray, cars: np.ndarray, ring: float, lanes: int, mouth: float, out: np.ndarray
) -> None:
    """out[7]: the guest while it is on the slip road, and where that begins."""
    for k in range(out.shape[0]):
        out[k] = 0.0
    out[5] = min(1.0, max(-1.0, mouth / 100.0))
    if not is_waiting(extra, cars, lanes):
        return
    guest = int(extra[GUEST])
    d = ahead(cars, ring, guest)
    if abs(d) > 80.0:
        return
    out[0] = 1.0
    out[1] = d / 80.0
    out[2] = min(1.0, max(-1.0, (cars[0, V] - cars[guest, V]) / 8.0))
    out[3] = cars[guest, V] / 20.0
    out[4] = min(1.8, max(0.0, 1.0 - zone_share_used(extra, cars, ring, mouth)))
    out[6] = min(1.0, extra[HELD] / 4.0)
