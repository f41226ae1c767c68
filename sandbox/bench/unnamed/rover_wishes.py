"""Wishes on open ground that no term of Rover counts: of place, of distance, of pace, of history."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.remembering_world import Memory
from envs.rover.rover_state_layout import (
    BEACON_X,
    BEACON_Y,
    BODY,
    HEADER,
    HILLS,
    ROCKS,
    SIDE,
    SPEED,
    T_BUMP,
    T_DELIVERED,
    T_EFFORT,
    T_PROGRESS,
    X,
    Y,
)
from envs.rover.rover_tasks import rover_deliver
from envs.world import Array, Task, TrueReward
from sandbox.bench.unnamed.wish import Wish, is_near

Float = NDArray[np.float32]

BESIDE, SIGHT = 3.5, 10.0  # from the beacon, and how much more or less still counts [m]
BERTH = 1.5  # from a rock's edge to the rover's [m]
STEADY = 1.0  # [m/s]
CAREFUL = 0.7  # [m/s]
SQUARES = 5  # a side


def _near_beacon(task: Task) -> TrueReward:
    def reward(before: Array, terms: Array, after: Array) -> Float:
        far = np.hypot(after[:, X] - after[:, BEACON_X], after[:, Y] - after[:, BEACON_Y])
        return is_near(far, BESIDE, SIGHT)

    return reward


def _berth(states: Array, params: Array) -> Array:
    """From the rover's edge to the next rock's [N] [m]; the ground's side where there is no rock."""
    start = HEADER + 4 * int(params[HILLS])
    rocks = states[:, start : start + 3 * int(params[ROCKS])].reshape(len(states), -1, 3)
    apart = np.hypot(rocks[..., 0] - states[:, X, None], rocks[..., 1] - states[:, Y, None])
    left = np.where(rocks[..., 2] > 0.0, apart - rocks[..., 2] - BODY, SIDE)
    return np.asarray(np.minimum(left.min(1), SIDE))


def _delivery(terms: Array) -> Array:
    return terms[:, T_PROGRESS] + 5.0 * terms[:, T_DELIVERED] - terms[:, T_BUMP]


def _wide_berth(task: Task) -> TrueReward:
    params = task.world.params

    def reward(before: Array, terms: Array, after: Array) -> Float:
        return np.asarray(_delivery(terms) - np.clip(BERTH - _berth(after, params), 0.0, BERTH), np.float32)

    return reward


def _steady(task: Task) -> TrueReward:
    def reward(before: Array, terms: Array, after: Array) -> Float:
        return np.asarray(is_near(after[:, SPEED], STEADY, STEADY) - terms[:, T_BUMP], np.float32)

    return reward


def _slow_near_rocks(task: Task) -> TrueReward:
    params = task.world.params

    def reward(before: Array, terms: Array, after: Array) -> Float:
        fast = np.maximum(np.abs(after[:, SPEED]) - CAREFUL, 0.0) * (_berth(after, params) < BERTH)
        return np.asarray(_delivery(terms) - fast, np.float32)

    return reward


def _square(states: Array) -> Array:
    """Which of SQUARES x SQUARES squares of the ground the rover is in, [N]."""
    edge = SIDE / SQUARES
    row, column = (np.clip(states[:, k] // edge, 0, SQUARES - 1).astype(np.int64) for k in (Y, X))
    return np.asarray(row * SQUARES + column)


def _new_squares(task: Task) -> TrueReward:
    def reward(before: Array, terms: Array, after: Array) -> Float:
        known = before[:, -(SQUARES**2) :][np.arange(len(after)), _square(after)] > 0
        return np.asarray(~known - terms[:, T_BUMP] - 0.02 * terms[:, T_EFFORT], np.float32)

    return reward


def _squares_seen(task: Task) -> Memory:
    """1 for each square in which the rover has been."""

    def mark(memory: Array, states: Array) -> Array:
        found = memory.copy()
        found[np.arange(len(states)), _square(states)] = 1.0
        return found

    def begin(states: Array) -> Array:
        return mark(np.zeros((len(states), SQUARES**2), states.dtype), states)

    return Memory(SQUARES**2, begin, lambda memory, before, terms, after: mark(memory, after))


near_beacon = Wish(
    "near the beacon", "place", "Stay three or four metres from the beacon.", rover_deliver, _near_beacon
)
wide_berth = Wish(
    "wide berth", "distance", "Deliver, but keep 1.5 m away from rocks.", rover_deliver, _wide_berth
)
steady = Wish("steady", "pace", "Drive at 1 m/s, wherever to.", rover_deliver, _steady)
slow_near_rocks = Wish(
    "slow near rocks", "pace", "Deliver, but slow down near rocks.", rover_deliver, _slow_near_rocks
)
new_squares = Wish(
    "new squares", "history", "See each part of the ground once.", rover_deliver, _new_squares, _squares_seen
)
ROVER_WISHES = (near_beacon, wide_berth, steady, slow_near_rocks, new_squares)
