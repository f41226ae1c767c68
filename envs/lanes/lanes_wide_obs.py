"""More of what the driver sees: every lane by itself, the limit, how far and how long it has been, the past.

The first numbers are those of lanes_feature_obs.py; these come after them.
"""

from __future__ import annotations

import numpy as np

from envs.geometry import clip
from envs.kernels import kernel
from envs.lanes import lanes_feature_obs as features
from envs.lanes.lanes_state_layout import (
    CARS,
    CHANGES,
    CLOCK,
    CLOSE_SUM,
    CRASHED,
    CRUISE_KIND,
    CUT_SUM,
    EXTRAS,
    FIELDS,
    HEADER,
    HELD_ALL,
    KIND,
    LANES,
    LIMIT,
    RING,
    SERVED,
    SIGHT,
    SITE,
    V,
    X,
    Y,
    obs_names,
)
from envs.lanes.reset import load
from envs.lanes.traffic import neighbours

_OWN = (
    "of_limit",  # speed over the limit
    "from_left",  # of the road's width
    "from_right",
    "gap_ahead_near",  # nearness within NEAR
    "gap_behind_near",
    "headway_long",  # seconds to the car ahead over LONG_HEADWAY, 1 if more
    "time",
    "mean_speed",  # so far, over the limit
    "changes",
    "close_sum",
    "cut_sum",
)
_GUEST = ("site_ahead", "site_near", "served", "held_all")
NEAR = 30.0  # [m]
LONG_HEADWAY = 6.0  # [s]
_LONG = 160.0  # steps that count as long
_STEP = 0.2  # road time of a step [s]
_MANY = 8.0  # events that count as many


def wide_names(lanes: int, kind: int) -> tuple[str, ...]:
    """Names of the features and of what comes after them, in order; lane_0 is the leftmost."""
    each = tuple(f"{what}_lane_{lane}" for lane in range(lanes) for what in ("ahead", "behind"))
    return obs_names(lanes, kind) + _OWN + each + (() if kind == CRUISE_KIND else _GUEST)


@kernel
def _see_own(state: np.ndarray, cars: np.ndarray, params: np.ndarray, out: np.ndarray) -> None:
    """The numbers of _OWN."""
    ring, last, limit = params[RING], max(1.0, params[LANES] - 1.0), params[LIMIT]
    speed = cars[0, V]
    _, gap, _, room = neighbours(cars, ring, 0, round(cars[0, Y]))
    clock = float(state[CLOCK])
    out[0] = clip(speed / limit, 0.0, 2.0)
    out[1] = clip(cars[0, Y] / last, 0.0, 1.0)
    out[2] = 1.0 - out[1]
    out[3] = clip(1.0 - gap / NEAR, 0.0, 1.0)
    out[4] = clip(1.0 - room / NEAR, 0.0, 1.0)
    out[5] = clip(gap / max(speed, 1.0) / LONG_HEADWAY, 0.0, 1.0)
    out[6], out[7] = 0.0, 0.0  # nothing changes any more in what is seen after a crash
    if state[CRASHED] == 0.0:
        out[6] = min(clock / _LONG, 2.0)
        out[7] = clip(float(state[HEADER + X]) / (max(clock, 1.0) * _STEP * limit), 0.0, 2.0)
    out[8] = min(state[CHANGES] / _MANY, 2.0)
    out[9] = min(state[CLOSE_SUM] / _MANY, 2.0)
    out[10] = min(state[CUT_SUM], 2.0)


@kernel
def observe_rows(params: np.ndarray, states: np.ndarray, aux: np.ndarray, obs: np.ndarray) -> None:
    """Fill obs[N, D]; the names of its D numbers are `wide_names`."""
    ring, lanes, kind = params[RING], int(params[LANES]), int(params[KIND])
    guest = 0 if kind == CRUISE_KIND else 4
    first = obs.shape[1] - guest - 2 * lanes - 11
    features.observe_rows(params, states, aux, obs[:, :first])
    cars = np.empty((int(params[CARS]), FIELDS))
    for n in range(states.shape[0]):
        state, out = states[n], obs[n]
        load(state, cars, ring)
        _see_own(state, cars, params, out[first:])
        at = first + 11
        for lane in range(lanes):
            _, gap, _, room = neighbours(cars, ring, 0, lane)
            out[at + 2 * lane] = clip(1.0 - gap / SIGHT, 0.0, 1.0)
            out[at + 2 * lane + 1] = clip(1.0 - room / SIGHT, 0.0, 1.0)
        if guest:
            extra, at = state[len(state) - EXTRAS :], at + 2 * lanes
            away = float(extra[SITE]) - float(state[HEADER + X])
            out[at] = clip(away / SIGHT, -1.0, 1.0)
            out[at + 1] = clip(1.0 - abs(away) / NEAR, 0.0, 1.0)
            out[at + 2] = min(extra[SERVED] / _MANY, 2.0)
            out[at + 3] = min(extra[HELD_ALL] / _MANY, 2.0)
