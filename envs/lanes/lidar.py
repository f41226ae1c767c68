"""What a lidar on the roof tells, in place of the gaps and closing speeds of lanes_feature_obs.py.

Beams in the plane from the middle of car 0, denser ahead and behind, where cars are far away. Each gives
two numbers, as in the lidar of highway-env (Leurent, "An Environment for Autonomous Driving
Decision-Making", 2018): `near_<angle>`, 1 at no distance and 0 at RANGE metres or more, and
`closing_<angle>`, how fast what was hit comes nearer along the beam, 1 at FAST m/s. Angles are in degrees
from straight ahead, to the right. Cars are boxes along the road; people are met as one box.
What no lidar tells (its own car, the lane, lights, the zebra's line) is as in the features.
"""

from __future__ import annotations

import numpy as np

from envs.geometry import clip
from envs.kernels import kernel
from envs.lanes.ego_car import PAR_SPEED
from envs.lanes.lanes_feature_obs import observe_guest
from envs.lanes.lanes_state_layout import (
    CAR_WIDTH,
    CARS,
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
    LANE_WIDTH,
    LANES,
    LENGTH,
    MORE_OBS,
    RING,
    SINCE,
    SITE,
    WALK,
    A,
    V,
    X,
    Y,
)
from envs.lanes.reset import SINCE_MOST, load
from envs.lanes.traffic import ahead

RANGE = 80.0  # [m]
FAST = 20.0  # closing speed of 1 [m/s]
PERSON, BESIDE = 0.4, 1.6  # half of a person; from one to the next in a group [m]
_RIGHT = (3, 6, 10, 15, 25, 45, 90, 135, 155, 165, 170, 174, 177)
ANGLES = (0, *_RIGHT, 180, *(-angle for angle in reversed(_RIGHT)))
_DX = np.cos(np.radians(ANGLES))
_DY = np.sin(np.radians(ANGLES))
_OWN = 5


def lidar_names(lanes: int, kind: int) -> tuple[str, ...]:
    """Names of the numbers, in order."""
    return (
        ("crashed", "speed", "acceleration", "drift", "since_change")
        + tuple(f"lane_{lane}" for lane in range(lanes))
        + tuple(f"{what}_{angle}" for angle in ANGLES for what in ("near", "closing"))
        + MORE_OBS[kind]
    )


@kernel
def ray_box(dx: float, dy: float, x: float, y: float, half_x: float, half_y: float) -> float:
    """How far a ray from the origin along (dx, dy) goes before a box at (x, y); RANGE if it misses."""
    near, far = 0.0, RANGE
    for along, at, half in ((dx, x, half_x), (dy, y, half_y)):
        if abs(along) < 1e-9:
            if abs(at) > half:
                return RANGE
        else:
            one, other = (at - half) / along, (at + half) / along
            near, far = max(near, min(one, other)), min(far, max(one, other))
    return near if near <= far else RANGE


@kernel
def _scan(
    extra: np.ndarray,
    cars: np.ndarray,
    ring: float,
    site: float,
    kind: int,
    reach: np.ndarray,
    out: np.ndarray,
) -> None:
    """out[2 * beams]: nearness and closing speed; reach[beams] is scratch for distances."""
    beams = reach.shape[0]
    for beam in range(beams):
        reach[beam], out[2 * beam], out[2 * beam + 1] = RANGE, 0.0, 0.0
    people = 1 if kind == CROSSING and extra[HEADING] != 0.0 else 0
    for i in range(1, cars.shape[0] + people):
        if i < cars.shape[0]:
            x, y, speed = ahead(cars, ring, i), cars[i, Y], cars[i, V]
            half_x, half_y = 0.5 * cars[i, LENGTH], 0.5 * CAR_WIDTH
        else:
            x, y, speed = site, float(extra[WALK]), 0.0
            half_x, half_y = PERSON + 0.5 * BESIDE * (extra[GUEST] - 1.0), PERSON
        if abs(x) - half_x > RANGE:
            continue
        y = (y - cars[0, Y]) * LANE_WIDTH
        for beam in range(beams):
            far = ray_box(_DX[beam], _DY[beam], x, y, half_x, half_y)
            if far < reach[beam]:
                reach[beam] = far
                out[2 * beam] = 1.0 - far / RANGE
                out[2 * beam + 1] = clip((cars[0, V] - speed) * _DX[beam] / FAST, -1.0, 1.0)


@kernel
def observe_lidar(params: np.ndarray, states: np.ndarray, aux: np.ndarray, obs: np.ndarray) -> None:
    """Fill obs[N, D]; the names of its D numbers are `lidar_names`."""
    ring, lanes, kind = params[RING], int(params[LANES]), int(params[KIND])
    cars = np.empty((int(params[CARS]), FIELDS))
    reach = np.empty(_DX.shape[0])
    first = _OWN + lanes
    last = first + 2 * _DX.shape[0]
    for n in range(states.shape[0]):
        state, out = states[n], obs[n]
        load(state, cars, ring)
        extra = state[len(state) - EXTRAS :]  # means nothing in CRUISE, where nobody reads it
        site = 0.0 if kind == CRUISE_KIND else float(extra[SITE]) - float(state[HEADER + X])
        aim = int(cars[0, LANE])
        out[0] = state[CRASHED]
        out[1] = cars[0, V] / PAR_SPEED
        out[2] = cars[0, A] / 5.0
        out[3] = cars[0, Y] - aim
        out[4] = cars[0, SINCE] / SINCE_MOST
        for lane in range(lanes):
            out[_OWN + lane] = 1.0 if lane == aim else 0.0
        _scan(extra, cars, ring, site, kind, reach, out[first:last])
        if kind != CRUISE_KIND:
            observe_guest(kind, extra, cars, ring, lanes, site, out[last:])
