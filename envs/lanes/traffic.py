"""Drivers: how a car follows and when it changes lanes.

Following is the Intelligent Driver Model (IDM: Treiber, Hennecke and Helbing, "Congested traffic
states in empirical observations and microscopic simulations", Phys. Rev. E 62, 2000, eqs. 3 and 4).
Lane changes are MOBIL (Kesting, Treiber and Helbing, "General lane-changing model MOBIL for
car-following models", Transp. Res. Rec. 1999, 2007, eqs. 2, 3 and, for keeping right, the bias of
eqs. 4 and 5). Temper in [0, 1] moves a driver from calm to hasty.
"""

from __future__ import annotations

import math

import numpy as np

from envs.kernels import inlined, kernel
from envs.lanes.lanes_state_layout import CLEAR, CRUISE, FREE, LANE, LENGTH, TEMPER, TRUCK, V, X, Y

JAM_GAP = 2.0  # s0, gap kept at a standstill [m]
TIME_GAP_CALM, TIME_GAP_HASTY = 1.7, 0.8  # T [s]; the paper has 1.6
ACCEL_CALM, ACCEL_HASTY = 1.1, 2.1  # a [m/s^2]
BRAKE_CALM, BRAKE_HASTY = 1.6, 2.4  # b, comfortable braking [m/s^2]
HARDEST_BRAKE = 9.0  # what tyres can do [m/s^2]

POLITE_CALM, POLITE_HASTY = 0.5, 0.0  # p, weight of the others' gain []
SWITCH_GAIN = 0.1  # least gain worth a change [m/s^2]
RIGHT_BIAS = 0.3  # keep-right bias [m/s^2]
SAFE_BRAKE = 3.0  # b_safe, hardest braking that may be imposed on the car behind [m/s^2]


@kernel
def time_gap(temper: float) -> float:
    """T [s]."""
    return TIME_GAP_CALM + (TIME_GAP_HASTY - TIME_GAP_CALM) * temper


@kernel
def eagerness(temper: float) -> float:
    """a [m/s^2]."""
    return ACCEL_CALM + (ACCEL_HASTY - ACCEL_CALM) * temper


@kernel
def comfort(temper: float) -> float:
    """b [m/s^2]."""
    return BRAKE_CALM + (BRAKE_HASTY - BRAKE_CALM) * temper


@kernel
def politeness(temper: float) -> float:
    """p []."""
    return POLITE_CALM + (POLITE_HASTY - POLITE_CALM) * temper


@inlined
def idm(speed: float, lead_speed: float, gap: float, desired: float, temper: float) -> float:
    """Acceleration [m/s^2] of a driver at `speed` behind a car at `lead_speed`, `gap` metres ahead.

    Bumper to bumper; a free road is a huge gap. Never below -HARDEST_BRAKE.
    """
    a = eagerness(temper)
    ratio = speed / desired
    ratio *= ratio
    approach = speed * (speed - lead_speed) / (2.0 * math.sqrt(a * comfort(temper)))
    wanted = JAM_GAP + max(0.0, speed * time_gap(temper) + approach)
    closeness = wanted / max(gap, 0.1)
    return max(-HARDEST_BRAKE, a * (1.0 - ratio * ratio - closeness * closeness))


@inlined
def mobil(own_gain: float, new_gain: float, old_gain: float, temper: float, to_right: bool) -> float:
    """By how much [m/s^2] the incentive to change exceeds its threshold; change if positive.

    Gains are accelerations after less before: of the driver, of the new and of the old follower.
    """
    threshold = SWITCH_GAIN - RIGHT_BIAS if to_right else SWITCH_GAIN + RIGHT_BIAS
    return own_gain + politeness(temper) * (new_gain + old_gain) - threshold


# Many cars on a ring road: cars[C, FIELDS] float64, positions in metres, lanes counted from the left.


@inlined
def occupies(cars: np.ndarray, j: int, lane: int) -> bool:
    """Whether car j is in, entering, or not yet out of the lane."""
    return cars[j, LANE] == lane or abs(cars[j, Y] - lane) < CLEAR


@inlined
def neighbours(cars: np.ndarray, ring: float, i: int, lane: int) -> tuple[int, float, int, float]:
    """(index, gap [m]) of the next car ahead of car i in `lane`, then of the next behind.

    Index -1 and gap FREE where there is none; a gap below 0 is a car alongside. Positions may be up
    to one ring apart.
    """
    lead, ahead, follow, behind = -1, FREE, -1, FREE
    for j in range(cars.shape[0]):
        if j == i or not occupies(cars, j, lane):
            continue
        d = cars[j, X] - cars[i, X]
        if d < 0.0:
            d += ring
        elif d >= ring:
            d -= ring
        bumpers = 0.5 * (cars[i, LENGTH] + cars[j, LENGTH])
        if d - bumpers < ahead:
            lead, ahead = j, d - bumpers
        if ring - d - bumpers < behind:
            follow, behind = j, ring - d - bumpers
    return lead, ahead, follow, behind


@inlined
def gap_to(cars: np.ndarray, ring: float, i: int, lead: int) -> float:
    """From car i's front to car `lead`'s back [m]; FREE where lead is -1."""
    if lead < 0:
        return FREE
    d = cars[lead, X] - cars[i, X]
    if d < 0.0:
        d += ring
    elif d >= ring:
        d -= ring
    return d - 0.5 * (cars[i, LENGTH] + cars[lead, LENGTH])


@inlined
def pull(cars: np.ndarray, i: int, lead: int, gap: float) -> float:
    """IDM acceleration [m/s^2] of car i behind car `lead` (-1 is a free road)."""
    lead_speed = cars[lead, V] if lead >= 0 else cars[i, V]
    return idm(cars[i, V], lead_speed, gap, cars[i, CRUISE], cars[i, TEMPER])


@kernel
def change_gain(cars: np.ndarray, ring: float, i: int, lane: int) -> float:
    """MOBIL: how much car i wants to change into `lane` [m/s^2]; at most 0 is no, -FREE is unsafe."""
    lead, gap, follow, room = neighbours(cars, ring, i, lane)
    if gap < JAM_GAP or room < JAM_GAP:
        return -FREE
    after = pull(cars, i, lead, gap)
    if after < -SAFE_BRAKE:
        return -FREE
    new_gain = 0.0
    if follow >= 0:
        imposed = pull(cars, follow, i, room)
        if imposed < -SAFE_BRAKE:
            return -FREE
        new_gain = imposed - pull(cars, follow, lead, room + cars[i, LENGTH] + gap)
    old_lead, old_gap, old_follow, old_room = neighbours(cars, ring, i, int(cars[i, LANE]))
    before = pull(cars, i, old_lead, old_gap)
    old_gain = 0.0
    if old_follow >= 0:
        freed = pull(cars, old_follow, old_lead, old_room + cars[i, LENGTH] + old_gap)
        old_gain = freed - pull(cars, old_follow, i, old_room)
    return mobil(after - before, new_gain, old_gain, cars[i, TEMPER], lane > cars[i, LANE])


@kernel
def choose_lane(cars: np.ndarray, ring: float, lanes: int, i: int) -> int:
    """The lane that driver i wants to be in now: its own, or a better one beside it."""
    lane = int(cars[i, LANE])
    best, best_gain = lane, 0.0
    for other in (lane - 1, lane + 1):
        if other < 0 or other >= lanes or (other == 0 and cars[i, LENGTH] > TRUCK):
            continue
        gain = change_gain(cars, ring, i, other)
        if gain > best_gain:
            best, best_gain = other, gain
    return best


@inlined
def sideways(y: float, lane: float, dt: float) -> float:
    """Where a car at `y` [lanes] is `dt` seconds later on its way into `lane`: a smooth S of 2.3 s."""
    left = abs(lane - y)
    move = min(left, dt * (0.15 + 2.4 * max(0.0, left * (1.0 - left))))
    return y + move if lane > y else y - move


@inlined
def ahead(cars: np.ndarray, ring: float, i: int) -> float:
    """How far the middle of car i is ahead of where car 0 began the step [m], in [-ring/2, ring/2)."""
    return cars[i, X] - ring * math.floor(cars[i, X] / ring + 0.5)
