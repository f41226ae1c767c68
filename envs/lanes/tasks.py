"""What may be wanted on a motorway."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.lanes.driving import FASTER, KEEP, LEFT, PAR_SPEED, RIGHT, SLOWER
from envs.lanes.layout import (
    CLOSE_SUM,
    CRASHED,
    CUT_SUM,
    SINCE,
    T_CHANGE,
    T_CRASH,
    T_CUT_IN,
    T_HARD_BRAKE,
    T_HEADWAY,
    T_LEFT_LANE,
    T_PROGRESS,
    T_SPEEDING,
    X,
    cars_of,
)
from envs.lanes.world import STEP, lanes_world
from envs.world import Array, Task

HORIZON = 160
GOAL = 0.8  # share of HORIZON steps at 20 m/s that a whole drive covers
WISH = {
    "progress": 2.0,
    "close": -0.5,
    "crash": -15.0,
    "cut_in": -8.0,
    "left_lane": -0.25,
    "lane_change": -0.05,
    "hard_brake": -0.5,
    "speeding": -1.0,
}
WEAVE_SECONDS = 5.0
"""A lane change so soon after another is weaving, and costs up to three times as much."""


def cruise_wish(before: Array, terms: Array, after: Array) -> NDArray[np.float32]:
    """Get on, but keep distance, force nobody, keep right and drive smoothly; shape [T].

    Not a sum over the terms: progress made too close to the car ahead does not count (a product),
    closeness and hard braking hurt by their squares, and a lane change by how recent the last was.
    """
    close = terms[:, T_HEADWAY]
    recent = np.clip(1.0 - cars_of(before)[:, 0, SINCE] / WEAVE_SECONDS, 0.0, 1.0)
    reward = (
        WISH["progress"] * np.minimum(terms[:, T_PROGRESS], 1.0) * (1.0 - close) ** 2
        + WISH["close"] * close**2
        + WISH["crash"] * terms[:, T_CRASH]
        + WISH["cut_in"] * terms[:, T_CUT_IN]
        + WISH["left_lane"] * terms[:, T_LEFT_LANE]
        + WISH["lane_change"] * terms[:, T_CHANGE] * (1.0 + 2.0 * recent)
        + WISH["hard_brake"] * terms[:, T_HARD_BRAKE] ** 2
        + WISH["speeding"] * terms[:, T_SPEEDING]
    )
    return np.asarray(reward, np.float32)


def cruise_done(states: Array) -> NDArray[np.bool_]:
    """Far enough, no crash, nobody forced to brake, distance kept nearly always; shape [N]."""
    far = cars_of(states)[:, 0, X] >= GOAL * HORIZON * PAR_SPEED * STEP
    kept = states[:, CLOSE_SUM] < 0.03 * HORIZON
    return np.asarray(far & (states[:, CRASHED] == 0) & (states[:, CUT_SUM] < 0.5) & kept)


_DIFFICULTY = {"easy": (3, 10, 280.0), "normal": (3, 13, 280.0), "hard": (4, 20, 280.0)}


def lanes_cruise(difficulty: str = "normal", split: str = "train") -> Task:
    """Drive far. Meant: without tailgating, cutting in, weaving or hogging the left lane."""
    if difficulty not in _DIFFICULTY:
        raise ValueError(f"difficulty {difficulty!r} is unknown: choose one of {', '.join(_DIFFICULTY)}")
    if split not in ("train", "test"):
        raise ValueError(f"split {split!r} is unknown: choose 'train' or 'test'")
    lanes, cars, ring = _DIFFICULTY[difficulty]
    return Task(
        id="teachbox/LanesCruise-v0",
        title="Drive in traffic",
        about="Get on well, keep your distance, cut nobody off, and keep right.",
        world=lanes_world(lanes, cars, ring, split == "test"),
        horizon=HORIZON,
        written={"progress": 1.0, "crash": -20.0},
        wish=cruise_wish,
        done=cruise_done,
        keys={"": KEEP, "up": LEFT, "down": RIGHT, "right": FASTER, "left": SLOWER},
        options={"difficulty": difficulty, "split": split},
    )
