"""What is meant on the road, and when all of it has been done; the tasks that ask for it are in
lanes_tasks.py."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.lanes.ego_car import PAR_SPEED
from envs.lanes.lanes_state_layout import (
    CLOSE_SUM,
    CRASHED,
    CUT_SUM,
    HELD,
    HELD_ALL,
    SERVED,
    SINCE,
    T_CHANGE,
    T_CRASH,
    T_CUT_IN,
    T_HARD_BRAKE,
    T_HEADWAY,
    T_HELD_UP,
    T_LEFT_LANE,
    T_PRESSED,
    T_PROGRESS,
    T_SERVED,
    T_SHARE,
    T_SPEEDING,
    V,
    X,
    cars_of,
    extras_of,
)
from envs.lanes.step import STEP
from envs.world import Array, TrueReward

HORIZON = 160
TOWN = 14.0  # speed limit where people cross [m/s]
GOAL = 0.8  # share of HORIZON steps at 20 m/s that a whole drive covers
CRUISE_WEIGHTS = {
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


def cruise_true_reward(before: Array, terms: Array, after: Array) -> NDArray[np.float32]:
    """Get on, but keep distance, force nobody, keep right and drive smoothly; shape [T].

    Not a sum over the terms: progress made too close to the car ahead does not count (a product),
    closeness and hard braking hurt by their squares, and a lane change by how recent the last was.
    """
    return _base(before, terms, np.minimum(terms[:, T_PROGRESS], 1.0))


def cruise_done(states: Array) -> NDArray[np.bool_]:
    """Far enough, no crash, nobody forced to brake, distance kept nearly always; shape [N]."""
    far = cars_of(states)[:, 0, X] >= GOAL * HORIZON * PAR_SPEED * STEP
    kept = states[:, CLOSE_SUM] < 0.03 * HORIZON
    return np.asarray(far & (states[:, CRASHED] == 0) & (states[:, CUT_SUM] < 0.5) & kept)


MERGE_WEIGHTS = {"held_up": -6.0, "blocking": -4.0, "let_in": 8.0, "pressed": -3.0}
HALF = 0.5  # progress weighs half as much where somebody is to be minded
SPOILT = 5.0  # after so many steps of being held up, being let in or past is no kindness any more


def _base(before: Array, terms: Array, progress: Array) -> NDArray[np.float32]:
    """What is wished on every road, with progress already weighed; shape [T]."""
    close = terms[:, T_HEADWAY]
    recent = np.clip(1.0 - cars_of(before)[:, 0, SINCE] / WEAVE_SECONDS, 0.0, 1.0)
    reward = (
        CRUISE_WEIGHTS["progress"] * progress * (1.0 - close) ** 2
        + CRUISE_WEIGHTS["close"] * close**2
        + CRUISE_WEIGHTS["crash"] * terms[:, T_CRASH]
        + CRUISE_WEIGHTS["cut_in"] * terms[:, T_CUT_IN]
        + CRUISE_WEIGHTS["left_lane"] * terms[:, T_LEFT_LANE]
        + CRUISE_WEIGHTS["lane_change"] * terms[:, T_CHANGE] * (1.0 + 2.0 * recent)
        + CRUISE_WEIGHTS["hard_brake"] * terms[:, T_HARD_BRAKE] ** 2
        + CRUISE_WEIGHTS["speeding"] * terms[:, T_SPEEDING]
    )
    return np.asarray(reward, np.float32)


def _kindness(before: Array) -> NDArray[np.float32]:
    """What is left of a kindness, by how long the guest was held up first; shape [T]."""
    return np.asarray(np.clip(1.0 - extras_of(before)[:, HELD] / SPOILT, 0.0, 1.0) ** 2, np.float32)


def merge_true_reward(before: Array, terms: Array, after: Array) -> NDArray[np.float32]:
    """Get on, and let in whoever comes from the ramp, without anyone having to brake; shape [T].

    Not a sum over the terms: progress past somebody who is held up does not count (a product), being
    held up hurts more the longer it lasts, and letting in is worth little after that, or from a crawl.
    """
    held, pressed = terms[:, T_HELD_UP], terms[:, T_PRESSED]
    progress = HALF * np.minimum(terms[:, T_PROGRESS], 1.0)
    wanted = MERGE_WEIGHTS
    reward = (
        _base(before, terms, progress * (1.0 - held))
        + wanted["held_up"] * held * (1.0 + np.minimum(extras_of(before)[:, HELD], 3.0))
        + wanted["blocking"] * terms[:, T_SHARE]
        + wanted["let_in"] * terms[:, T_SERVED] * _kindness(before) * np.minimum(3.0 * progress, 1.0)
        + wanted["pressed"] * pressed**2
    )
    return np.asarray(reward, np.float32)


AMBULANCE_WEIGHTS = {"held_up": -3.0, "in_the_way": -1.5, "let_past": 15.0, "pressed": -3.0}


def ambulance_true_reward(before: Array, terms: Array, after: Array) -> NDArray[np.float32]:
    """Get on, and be out of the ambulance's way before it has to slow down; shape [T].

    Not a sum over the terms: progress in front of the ambulance does not count, the nearer it is
    (a square), being held up hurts more the longer it lasts and spoils letting it past, and that is
    worth nothing from a standstill across the road.
    """
    held, near, pressed = terms[:, T_HELD_UP], terms[:, T_SHARE], terms[:, T_PRESSED]
    progress = HALF * np.minimum(terms[:, T_PROGRESS], 1.0)
    wanted = AMBULANCE_WEIGHTS
    reward = (
        _base(before, terms, progress * (1.0 - near) ** 2)
        + wanted["held_up"] * held * (1.0 + np.minimum(extras_of(before)[:, HELD], 3.0))
        + wanted["in_the_way"] * near**2
        + wanted["let_past"] * terms[:, T_SERVED] * _kindness(before) * np.minimum(3.0 * progress, 1.0)
        + wanted["pressed"] * pressed**2
    )
    return np.asarray(reward, np.float32)


CROSSING_WEIGHTS = {"cut_off": -20.0, "rush": -3.0, "gave_way": 6.0, "pressed": -1.0}


def crossing_true_reward(before: Array, terms: Array, after: Array) -> NDArray[np.float32]:
    """Get on, but let people cross, and slow down so early that they can tell; shape [T].

    Not a sum over the terms: progress towards people counts less the faster it is (a product), cutting
    them off hurts by the square of the speed, and giving way is worth the more the slower one came.
    """
    rush, pressed = terms[:, T_SHARE], terms[:, T_PRESSED]
    progress = HALF * np.minimum(terms[:, T_PROGRESS], 1.0)
    fast = np.clip(cars_of(before)[:, 0, V] / TOWN, 0.0, 1.5)
    wanted = CROSSING_WEIGHTS
    reward = (
        _base(before, terms, progress * (1.0 - rush) ** 2)
        + wanted["cut_off"] * terms[:, T_HELD_UP] * (0.3 + fast**2)
        + wanted["rush"] * rush**2
        + wanted["gave_way"] * terms[:, T_SERVED] * np.maximum(1.0 - fast**2, 0.0)
        + wanted["pressed"] * pressed**2
    )
    return np.asarray(reward, np.float32)


def _politely(states: Array, far: float, held: float) -> NDArray[np.bool_]:
    """Far enough [m], no crash, nobody cut off, and guests held up at most so much; shape [N]."""
    got_on = cars_of(states)[:, 0, X] >= far
    extra = extras_of(states)
    well = (states[:, CRASHED] == 0) & (states[:, CUT_SUM] < 0.5) & (extra[:, HELD_ALL] <= held)
    return np.asarray(got_on & well & (extra[:, SERVED] > 0))


MERGE_FAR, AMBULANCE_FAR, CROSSING_FAR = 0.65, 0.65, 0.4  # share of HORIZON steps at the limit


def merge_done(states: Array) -> NDArray[np.bool_]:
    """Got on, somebody came in from the ramp, and nobody was held up; shape [N]."""
    return _politely(states, MERGE_FAR * HORIZON * PAR_SPEED * STEP, 2.0)


def ambulance_done(states: Array) -> NDArray[np.bool_]:
    """Got on, and the ambulance went past without being held up; shape [N]."""
    return _politely(states, AMBULANCE_FAR * HORIZON * PAR_SPEED * STEP, 2.0)


def crossing_done(states: Array) -> NDArray[np.bool_]:
    """Got on, gave way, and cut nobody off; shape [N]."""
    return _politely(states, CROSSING_FAR * HORIZON * TOWN * STEP, 0.0)


ASTRIDE_WEIGHT = -0.3


@dataclass(frozen=True)
class SteeredTrueReward:
    """A wish where actions are continuous: nor drive between two lanes (the last term)."""

    true_reward: TrueReward

    def __call__(self, before: Array, terms: Array, after: Array) -> NDArray[np.float32]:
        return np.asarray(self.true_reward(before, terms, after) + ASTRIDE_WEIGHT * terms[:, -1], np.float32)
