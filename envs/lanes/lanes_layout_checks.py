"""Whether a drawn road can be driven on: nobody overlaps or is too near to stop, and a way is left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from envs.lanes.reset import STANDS

METRES = 5.0  # between two marks [m]
BRAKES = 6.0  # what anybody can count on [m/s^2]
AWAKE = 0.4  # until the brakes take hold [s]
CHANGE = 3  # marks that a change of lane takes

Refuse = Callable[[int, int, str], NoReturn]
"""Tells what is wrong at (line, column)."""


@dataclass(frozen=True)
class Driver:
    """What a mark stands for; a speed of None is what suits lane and temper. Units as in
    lanes_state_layout.py."""

    temper: float = 0.5
    speed: float | None = None
    wants: float | None = None
    length: float = 4.5


@dataclass(frozen=True)
class Car:
    """A car where it was drawn; lane `lanes` is the slip road, x the middle of its mark [m]."""

    mark: str
    lane: int
    x: float
    driver: Driver
    line: int
    column: int

    @property
    def v(self) -> float:
        """Its speed [m/s]."""
        return self.driver.speed or 0.0


def check_gaps(cars: Sequence[Car], lanes: int, ring: float, loose: float, refuse: Refuse) -> None:
    """Nobody overlaps the next in the lane, nor is too near to stop behind it."""
    for lane in range(lanes):
        row = sorted((car for car in cars if car.lane == lane), key=lambda car: car.x)
        for car, lead in zip(row, row[1:] + row[:1], strict=True):
            if car is lead:
                continue
            gap = (lead.x - car.x) % ring - (car.driver.length + lead.driver.length) / 2 - 2.0 * loose
            where = f"the one in column {lead.column}"
            if gap <= 0.0:
                refuse(car.line, car.column, f"this car overlaps {where}: move them apart")
            faster = max(0.0, car.v - lead.v)
            need = max(0.0, car.v**2 - lead.v**2) / (2 * BRAKES) + AWAKE * faster
            if gap < need:
                short = f"{need - gap:.0f} m are missing"
                refuse(car.line, car.column, f"at {car.v:g} m/s this car can't help hitting {where}: {short}")


def first_blocked_cell(cars: Sequence[Car], lanes: int, columns: int, own: Car) -> tuple[int, int] | None:
    """(lane, mark) before which cars that stand leave no way for the own car; None if there is one."""
    standing = np.zeros((lanes, columns), np.bool_)
    for car in cars:
        if car.lane < lanes and (car.driver.wants or 0.0) < STANDS:
            half = car.driver.length / 2
            covers = np.arange(np.floor((car.x - half) / METRES), np.ceil((car.x + half) / METRES))
            standing[car.lane, covers.astype(np.int64) % columns] = True
    start = int(own.x / METRES)
    free: NDArray[np.bool_] = ~np.roll(standing, -start, axis=1)
    free = np.concatenate([free, free[:, : CHANGE + 1]], axis=1)
    reached = np.zeros_like(free)
    reached[own.lane, 0] = True
    for x in range(columns):
        for lane in np.flatnonzero(reached[:, x]):
            reached[lane, x + 1] |= free[lane, x + 1]
            for other in (lane - 1, lane + 1):
                if 0 <= other < lanes and free[[lane, other], x : x + CHANGE + 1].all():
                    reached[other, x + CHANGE] = True
    if reached[:, columns:].any():
        return None
    x = int(np.flatnonzero(reached.any(axis=0))[-1])
    return int(np.flatnonzero(reached[:, x])[0]), (x + 1 + start) % columns
