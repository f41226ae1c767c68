"""Wishes on the road that no term of Lanes counts: of place, of distance, of pace, of history."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.lanes.lanes_state_layout import (
    CLEAR,
    CRASHED,
    LENGTH,
    RING,
    SETTLED,
    SITE,
    T_CRASH,
    T_HELD_UP,
    T_PROGRESS,
    V,
    X,
    Y,
    cars_of,
    extras_of,
    offsets,
)
from envs.lanes.lanes_tasks import lanes_crossing, lanes_cruise
from envs.remembering_world import Memory
from envs.world import Array, Task, TrueReward
from sandbox.bench.unnamed.wish import Wish, is_near

Float = NDArray[np.float32]

CRASH, CUT_OFF = -15.0, -10.0
TWO_LENGTHS = 10.0  # of a car [m]
FOUR_FIFTHS = 16.0  # of the limit of 20 [m/s]
NEAR_LINE = 30.0  # [m]
WALKING, TOWN = 5.0, 14.0  # [m/s]
STOOD = 0.5  # slower than this is standing [m/s]
STOPS_WITHIN = 20.0  # of the line [m]


def _drives(states: Array) -> NDArray[np.bool_]:
    """Where there was no crash, [N]: who stands wrecked keeps no distance."""
    return np.asarray(states[:, CRASHED] == 0)


def _middle_lane(task: Task) -> TrueReward:
    def reward(before: Array, terms: Array, after: Array) -> Float:
        settled = _drives(after) * (np.abs(cars_of(after)[:, 0, Y] - 1.0) <= SETTLED)
        pay = settled + 0.25 * np.minimum(terms[:, T_PROGRESS], 1.0) + CRASH * terms[:, T_CRASH]
        return np.asarray(pay, np.float32)

    return reward


def _gap_ahead(states: Array, ring: float) -> Array:
    """Bumper to bumper to the next car ahead in the own lane [N] [m]; the ring's length without one."""
    cars, off = cars_of(states), offsets(states, ring)
    gap = off - (cars[..., LENGTH] + cars[:, :1, LENGTH]) / 2
    ahead = (off > 0.0) & (np.abs(cars[..., Y] - cars[:, :1, Y]) < CLEAR)
    ahead[:, 0] = False
    return np.asarray(np.where(ahead, gap, ring).min(1))


def _two_lengths(task: Task) -> TrueReward:
    ring = float(task.world.params[RING])

    def reward(before: Array, terms: Array, after: Array) -> Float:
        kept = _drives(after) * is_near(_gap_ahead(after, ring), TWO_LENGTHS, TWO_LENGTHS)
        return np.asarray(kept + CRASH * terms[:, T_CRASH], np.float32)

    return reward


def _four_fifths(task: Task) -> TrueReward:
    def reward(before: Array, terms: Array, after: Array) -> Float:
        pace = is_near(cars_of(after)[:, 0, V], FOUR_FIFTHS, 4.0)
        return np.asarray(pace + CRASH * terms[:, T_CRASH], np.float32)

    return reward


def _slow_at_zebra(task: Task) -> TrueReward:
    def reward(before: Array, terms: Array, after: Array) -> Float:
        speed, left = cars_of(after)[:, 0, V], extras_of(after)[:, SITE] - cars_of(after)[:, 0, X]
        near = (left > 0.0) & (left <= NEAR_LINE)
        pace = _drives(after) * np.where(
            near, is_near(speed, WALKING, WALKING), np.minimum(speed / TOWN, 1.0)
        )
        return np.asarray(pace + CRASH * terms[:, T_CRASH] + CUT_OFF * terms[:, T_HELD_UP], np.float32)

    return reward


def _crosses(before: Array, after: Array) -> tuple[Array, Array]:
    """(whether the line was driven over in this step, how far it was before [m]), [N] each."""
    site = extras_of(before)[:, SITE]
    was, now = site - cars_of(before)[:, 0, X], site - cars_of(after)[:, 0, X]
    return (was > 0.0) & (now <= 0.0), now


def _stop_first(task: Task) -> TrueReward:
    def reward(before: Array, terms: Array, after: Array) -> Float:
        crosses, _ = _crosses(before[:, :-1], after[:, :-1])
        pay = 0.3 * np.minimum(terms[:, T_PROGRESS], 1.0) + crosses * np.where(before[:, -1] > 0, 6.0, -3.0)
        return np.asarray(pay + CRASH * terms[:, T_CRASH] + CUT_OFF * terms[:, T_HELD_UP], np.float32)

    return reward


def _has_stood(task: Task) -> Memory:
    """1 once it has stood before the line, until that is crossed."""

    def after(memory: Array, before: Array, terms: Array, now: Array) -> Array:
        crosses, left = _crosses(before, now)
        stands = (cars_of(now)[:, 0, V] < STOOD) & (left > 0.0) & (left <= STOPS_WITHIN)
        return np.where(crosses[:, None], 0.0, np.maximum(memory, stands[:, None])).astype(memory.dtype)

    return Memory(1, lambda states: np.zeros((len(states), 1), states.dtype), after)


middle_lane = Wish("middle lane", "place", "Keep to the middle lane.", lanes_cruise, _middle_lane)
two_lengths = Wish(
    "two lengths behind", "distance", "Keep two car lengths behind the car ahead.", lanes_cruise, _two_lengths
)
four_fifths = Wish("four fifths", "pace", "Drive at 80% of the limit.", lanes_cruise, _four_fifths)
slow_at_zebra = Wish(
    "slow at the zebra",
    "pace",
    "Go at a walk near the zebra, else at the limit.",
    lanes_crossing,
    _slow_at_zebra,
)
stop_first = Wish(
    "stop before the zebra",
    "history",
    "Stand still before each zebra, then go.",
    lanes_crossing,
    _stop_first,
    _has_stood,
)
ROAD_WISHES = (middle_lane, two_lengths, four_fifths, slow_at_zebra, stop_first)
