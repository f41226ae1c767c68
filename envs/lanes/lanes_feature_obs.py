"""What the driver sees."""

from __future__ import annotations

import numpy as np

from envs.kernels import kernel
from envs.lanes.ambulance import observe_ambulance
from envs.lanes.crosswalk import observe_crosswalk
from envs.lanes.ego_car import (
    CUT_FULL,
    PAR_SPEED,
    forced_braking,
    is_right_lane_free,
    may_change,
    observe_lane,
)
from envs.lanes.lanes_state_layout import (
    AMBULANCE,
    CARS,
    CRASHED,
    CRUISE_KIND,
    EXTRAS,
    FIELDS,
    HEADER,
    KIND,
    LANE,
    LANES,
    MERGE,
    RING,
    SEEN,
    SINCE,
    SITE,
    A,
    V,
    X,
    Y,
)
from envs.lanes.merging import observe_merging_car
from envs.lanes.reset import SINCE_MOST, load


@kernel
def observe_guest(
    kind: int, extra: np.ndarray, cars: np.ndarray, ring: float, lanes: int, site: float, out: np.ndarray
) -> None:
    """out[SEEN]: the guest that a task other than CRUISE has (MORE_OBS)."""
    if kind == MERGE:
        observe_merging_car(extra, cars, ring, lanes, site, out)
    elif kind == AMBULANCE:
        observe_ambulance(extra, cars, ring, out)
    else:
        observe_crosswalk(extra, cars, ring, lanes, site, out)


@kernel
def observe_rows(params: np.ndarray, states: np.ndarray, aux: np.ndarray, obs: np.ndarray) -> None:
    """What the driver sees (`obs_names`); a lane that does not exist looks like a wall alongside."""
    ring, lanes, kind = params[RING], int(params[LANES]), int(params[KIND])
    cars = np.empty((int(params[CARS]), FIELDS))
    for n in range(states.shape[0]):
        state, out = states[n], obs[n]
        load(state, cars, ring)
        aim = int(cars[0, LANE])
        out[0] = state[CRASHED]
        out[1] = cars[0, V] / PAR_SPEED
        out[2] = cars[0, A] / 5.0
        out[3] = cars[0, Y] - aim
        out[4] = cars[0, SINCE] / SINCE_MOST
        out[5] = 1.0 if is_right_lane_free(cars, ring, lanes) else 0.0
        for lane in range(lanes):
            out[6 + lane] = 1.0 if lane == aim else 0.0
        at = 6 + lanes
        for side in range(3):
            lane = aim + side - 1
            seen = out[at + 4 + 5 * side : at + 9 + 5 * side]
            exists = 0 <= lane < lanes
            if exists:
                observe_lane(cars, ring, lane, seen)
            else:
                seen[0], seen[1], seen[2], seen[3], seen[4] = 1.0, 0.0, 1.0, 1.0, 0.0
            if side != 1:
                may = 1.0 if exists and may_change(cars, lanes, lane) else 0.0
                out[at + side // 2] = may
                out[at + 2 + side // 2] = (
                    min(1.0, forced_braking(cars, ring, lane) / CUT_FULL) if exists else 1.0
                )
        if kind != CRUISE_KIND:
            extra, more = state[len(state) - EXTRAS :], out[at + 19 : at + 19 + SEEN]
            site = float(extra[SITE]) - float(state[HEADER + X])
            observe_guest(kind, extra, cars, ring, lanes, site, more)
