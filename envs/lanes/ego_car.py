"""The driven car: its pedals, its changes of lane, how its driving is judged and what it sees.

`cars[C, FIELDS]` float64 as in traffic.py; the driven car is car 0.
"""

from __future__ import annotations

import numpy as np

from envs.kernels import kernel
from envs.lanes.lanes_state_layout import (
    CLOSING,
    FREE,
    LANE,
    LANE_WIDTH,
    SETTLED,
    SIGHT,
    SINCE,
    T_CHANGE,
    T_CUT_IN,
    T_HARD_BRAKE,
    T_HEADWAY,
    T_LEFT_LANE,
    T_SPEEDING,
    A,
    V,
    Y,
)
from envs.lanes.traffic import gap_to, idm, neighbours

KEEP, LEFT, RIGHT, FASTER, SLOWER = range(5)
ACTIONS = ("keep", "left", "right", "faster", "slower")
PEDALS = ("thrust", "steer")
"""Continuous actions, each in -1..1. thrust: what the pedals ask for, PUSH at 1 and PRESS at -1. steer:
speed across the road, to the right if positive, SWERVE at 1; slower where the car would be turned by more
than SLANT. Within HANDS_OFF of 0 nobody steers: the car goes to the middle of the lane it is in."""
PUSH, PRESS = 2.0, -7.0  # the pedals' floor [m/s^2]
SWERVE = 0.75  # fastest across the road [lanes/s], as fast as a meta-action's lane change at its middle
SLANT = 0.2  # most that the car is turned off the road's direction [rad]
HANDS_OFF = 0.1
ASTRIDE_FROM, ASTRIDE_FULL = 0.2, 0.5  # off its lane's middle: astride of 0 and of 1 [lanes]
JERK_PUSH, JERK_PRESS, JERK_RELEASE = 5.0, 12.0, 20.0  # how fast pedals act [m/s^3]
TOP_SPEED = 25.0  # [m/s]

PAR_SPEED = 20.0  # speed limit; progress of 1 a step [m/s]
CLOSE_GAP = 1.5  # time headway below which following is too close [s]
CUT_FROM, CUT_FULL = 2.0, 6.0  # braking forced on the car behind: cut-in of 0 and of 1 [m/s^2]
HARD_FROM, HARD_FULL = 3.0, 7.0  # own braking: hard_brake of 0 and of 1 [m/s^2]
OVER = TOP_SPEED - PAR_SPEED  # speeding of 1 [m/s]
PRESSED_WITHIN = 40.0  # a car farther behind does not brake because of car 0 [m]
NEED_GAP = 2.5  # a right lane free for so long ahead is no reason to stay left [s]


@kernel
def requested_acceleration(action: int) -> float:
    """The acceleration that an action asks for [m/s^2]."""
    return PUSH if action == FASTER else PRESS if action == SLOWER else 0.0


@kernel
def thrust(share: float) -> float:
    """The acceleration that thrust -1..1 asks for [m/s^2]."""
    return PUSH * share if share > 0.0 else -PRESS * share


@kernel
def lateral_speed(wheel: float, speed: float) -> float:
    """Speed across the road [lanes/s] for steer -1..1 at `speed` [m/s]; FREE where nobody steers."""
    if abs(wheel) <= HANDS_OFF:
        return FREE
    return wheel * min(SWERVE, speed * SLANT / LANE_WIDTH)


@kernel
def pedal(accel: float, goal: float, dt: float) -> float:
    """The driven car's acceleration: it moves towards what the pedals ask for."""
    if goal > 0.0 and accel >= 0.0:
        rate = JERK_PUSH
    elif goal < 0.0 and accel <= 0.0:
        rate = JERK_PRESS
    else:
        rate = JERK_RELEASE
    change = rate * dt
    return min(goal, accel + change) if goal > accel else max(goal, accel - change)


@kernel
def closeness(cars: np.ndarray, ring: float, lead: int) -> float:
    """The headway term towards one car ahead."""
    seconds = gap_to(cars, ring, 0, lead) / max(cars[0, V], 3.0)
    return min(1.0, max(0.0, 1.0 - seconds / CLOSE_GAP))


@kernel
def forced_braking(cars: np.ndarray, ring: float, lane: int) -> float:
    """How hard an ordinary driver behind must brake if car 0 moves into `lane` [m/s^2]."""
    _, gap, follow, room = neighbours(cars, ring, 0, lane)
    if gap < 0.0 or room < 0.0:
        return CUT_FULL
    if follow < 0:
        return 0.0
    return max(0.0, -idm(cars[follow, V], cars[0, V], room, TOP_SPEED, 0.5))


@kernel
def may_change(cars: np.ndarray, lanes: int, lane: int) -> bool:
    """Whether `lane` exists and car 0 has finished the last change."""
    return 0 <= lane < lanes and abs(cars[0, Y] - cars[0, LANE]) < SETTLED


@kernel
def is_right_lane_free(cars: np.ndarray, ring: float, lanes: int) -> bool:
    """Whether car 0 could drive on the right of where it is without being held up or forcing anybody."""
    lane = int(cars[0, LANE]) + 1
    if not may_change(cars, lanes, lane):
        return False
    lead, gap, _, _ = neighbours(cars, ring, 0, lane)
    seconds = gap / max(cars[0, V], 3.0)
    slower = lead >= 0 and cars[lead, V] < cars[0, V]
    return seconds > (NEED_GAP if slower else CLOSE_GAP) and forced_braking(cars, ring, lane) <= CUT_FROM


@kernel
def start_lane_change(cars: np.ndarray, ring: float, lanes: int, action: int, terms: np.ndarray) -> None:
    """Begin a lane change if one is asked for and may be made; writes the two terms of it."""
    if action != LEFT and action != RIGHT:
        return
    lane = int(cars[0, LANE]) + (1 if action == RIGHT else -1)
    if may_change(cars, lanes, lane):
        enter_lane(cars, ring, lane, terms)


@kernel
def enter_lane(cars: np.ndarray, ring: float, lane: int, terms: np.ndarray) -> None:
    """Car 0 begins to move into a lane; writes the two terms of it."""
    cut = (forced_braking(cars, ring, lane) - CUT_FROM) / (CUT_FULL - CUT_FROM)
    terms[T_CUT_IN] = min(1.0, max(0.0, cut))
    terms[T_CHANGE] = 1.0
    cars[0, LANE], cars[0, SINCE] = lane, 0.0


@kernel
def write_driving_terms(
    cars: np.ndarray, ring: float, lanes: int, limit: float, leads: np.ndarray, terms: np.ndarray
) -> None:
    """The other terms of a step without a crash. leads[2]: whom car 0 follows, and follows still."""
    close = closeness(cars, ring, leads[0])
    if leads[1] >= 0:
        close = max(close, closeness(cars, ring, leads[1]))
    terms[T_HEADWAY] = close
    terms[T_LEFT_LANE] = 1.0 if is_right_lane_free(cars, ring, lanes) else 0.0
    terms[T_HARD_BRAKE] = min(1.0, max(0.0, (-cars[0, A] - HARD_FROM) / (HARD_FULL - HARD_FROM)))
    terms[T_SPEEDING] = max(0.0, (cars[0, V] - limit) / OVER)


@kernel
def tailgater_braking(cars: np.ndarray, ring: float) -> float:
    """How hard the car behind in car 0's lane brakes, as the `pressed` term."""
    _, _, follow, room = neighbours(cars, ring, 0, int(cars[0, LANE]))
    if follow < 0 or room > PRESSED_WITHIN or cars[follow, V] < 1.0:
        return 0.0
    return min(1.0, max(0.0, (-cars[follow, A] - CUT_FROM) / (CUT_FULL - CUT_FROM)))


@kernel
def observe_lane(cars: np.ndarray, ring: float, lane: int, out: np.ndarray) -> None:
    """out[5]: nearness and closing speed of the car ahead in `lane`, time headway, the same behind."""
    lead, gap, follow, room = neighbours(cars, ring, 0, lane)
    speed = cars[0, V]
    for k in range(5):
        out[k] = 0.0
    if gap < SIGHT:
        out[0] = 1.0 - max(gap, 0.0) / SIGHT
        out[1] = min(1.0, max(-1.0, (speed - cars[lead, V]) / CLOSING))
        out[2] = max(0.0, 1.0 - max(gap, 0.0) / max(speed, 3.0) / 4.0)
    if room < SIGHT:
        out[3] = 1.0 - max(room, 0.0) / SIGHT
        out[4] = min(1.0, max(-1.0, (cars[follow, V] - speed) / CLOSING))
