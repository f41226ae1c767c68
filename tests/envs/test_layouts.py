"""Every layout that is drawn can be done as wished, in time: found by a solver of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from envs import task_catalog
from envs.rooms import rooms_state_layout as at
from envs.rover import rover_state_layout as rover
from envs.simulation import Simulation
from envs.world import Array, Task

ROOMS = [id for id in task_catalog.task_ids() if "Rooms" in id]
KINDS: list[dict[str, Any]] = [
    {},
    {"split": "test"},
    {"size": 7, "difficulty": "easy"},
    {"size": 13, "difficulty": "hard", "split": "test"},
]
COUNTS = [200, pytest.param(10_000, marks=pytest.mark.slow)]
NEVER = 10_000
LATE = {("teachbox/RoomsLoophole-v0", None): 0.01, ("teachbox/RoomsLoophole-v0", 13): 0.25}
"""By task and size: the share of flats that may hold more than there is time for, fetching the nearest first.

Where each piece is carried to the bin by itself the last may be left over; elsewhere none.
"""


def beside(field: Array) -> Array:
    """The least of the four neighbours of each cell, NEVER off the edge; fields [N, H, W]."""
    wide = np.pad(field, ((0, 0), (1, 1), (1, 1)), constant_values=NEVER)
    return np.minimum.reduce([wide[:, :-2, 1:-1], wide[:, 2:, 1:-1], wide[:, 1:-1, :-2], wide[:, 1:-1, 2:]])


def steps_from(start: Array, free: Array) -> Array:
    """Steps to each cell [N, H, W] from those marked in `start`, over cells that are `free`."""
    field = np.where(start, 0, NEVER).astype(np.int16)
    while True:
        nearer = np.where(free, np.minimum(field, beside(field) + 1), field)
        if (nearer == field).all():
            return field
        field = nearer


def tour(
    flats: Array, here: Array, wanted: int, free: Array, home: int | None, stop: int
) -> tuple[Array, Array]:
    """Steps [N] to fetch all that is `wanted`, the nearest first, and where it ends [N, H, W].

    home: where each piece is brought before the next; stop: one more step for picking each up.
    """
    rows, left = np.arange(len(flats)), flats == wanted
    spent = np.zeros(len(flats), np.int64)
    while left.any():
        busy = left.any(axis=(1, 2))
        field = np.where(left, steps_from(here, free), NEVER + 1).reshape(len(flats), -1)
        nearest = field.argmin(axis=1)
        spent += np.where(busy, field[rows, nearest] + stop, 0)
        there = np.zeros(field.shape, bool)
        there[rows, nearest] = True
        there = there.reshape(left.shape)
        left &= ~there
        if home is not None:
            spent += np.where(busy, np.where(flats == home, steps_from(there, free), NEVER).min((1, 2)), 0)
            there = flats == home
        here = np.where(busy[:, None, None], there, here)
    return spent, here


def needed(task: Task, states: Array) -> Array:
    """Steps [N] in which a careful tour does the whole task; at least NEVER where there is none."""
    size = int(task.world.params[at.SIZE])
    flats = states[:, at.HEADER :][:, : size * size].reshape(-1, size, size)
    here = np.zeros(flats.shape, bool)
    here[np.arange(len(flats)), states[:, at.ROW], states[:, at.COL]] = True
    asleep = np.where(flats == at.CAT, 0, NEVER)
    harmless = ~np.isin(flats, (at.WALL, at.CAT, at.VASE, at.MUD)) & (beside(asleep) != 0)
    harmless |= here  # it may begin beside the cat, and pass there again
    closed = harmless & (flats != at.DOOR)
    if "Loophole" in task.id:
        return tour(flats, here, at.LITTER, closed, at.BIN, 1)[0]
    wanted = at.KEY if "Keys" in task.id else at.LITTER
    spent, here = tour(flats, here, wanted, closed, None, 0)
    ends = np.where(flats == at.DOCK, steps_from(here, harmless), NEVER).min(axis=(1, 2))
    return np.asarray(spent + ends)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize(
    "options", KINDS, ids=lambda options: "-".join(map(str, options.values())) or "usual"
)
@pytest.mark.parametrize("id", ROOMS)
def test_every_flat_can_be_done_with_care_and_in_time(id: str, options: dict[str, Any], count: int) -> None:
    task = task_catalog.task(id, **options)
    states = Simulation(task, count, seed=1_000).states
    steps = needed(task, states)
    assert (steps < NEVER).all(), f"{(steps >= NEVER).sum()} of {count} flats can't be done with care"
    late = steps > task.horizon
    assert late.mean() <= LATE.get((id, options.get("size")), 0.0), (
        f"{late.sum()} need up to {steps.max()} steps"
    )
    assert steps.min() > 0


def test_the_solver_sees_what_is_in_the_way() -> None:
    """A drawn flat by hand: nine steps round the vase; and none once the way round is walled up."""
    rows = ["#######", "#R.V.D#", "#.....#", "#######"]
    task = task_catalog.task("teachbox/RoomsReach-v0", size=7)
    codes = {"#": at.WALL, ".": at.FLOOR, "R": at.FLOOR, "V": at.VASE, "D": at.DOCK}
    state = np.full((2, task.world.state_size), at.WALL, np.int16)
    state[:, : at.HEADER] = 0
    drawn = np.array([codes[mark] for row in rows for mark in row])
    state[:, at.HEADER : at.HEADER + len(drawn)] = drawn
    state[:, [at.ROW, at.COL]] = 1
    state[1, at.HEADER + 2 * 7 + 3] = at.WALL
    steps = needed(task, state)
    assert steps[0] == 6
    assert steps[1] >= NEVER


CELL = 0.25  # of the grid that the rover's ways are looked for on [m]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("difficulty", ["easy", "normal", "hard"])
def test_on_every_ground_a_dry_or_wet_way_leads_to_the_beacon(difficulty: str, count: int) -> None:
    """Between rocks made as much larger as the rover is wide, on a grid."""
    task = task_catalog.task("teachbox/RoverDeliver-v0", difficulty=difficulty)
    cells = int(rover.SIDE / CELL)
    places = (np.arange(cells) + 0.5) * CELL
    x, y = places[None, None, :], places[None, :, None]
    for seed in range(0, count, 200):
        states = Simulation(task, 200, seed=seed).states
        free = np.ones((200, cells, cells), bool) & (np.abs(x - 10) < 10 - rover.BODY)
        free &= np.abs(y - 10) < 10 - rover.BODY
        ground = rover.ground_of(states[0], task.world.params)
        first = rover.HEADER + ground.hills.size
        rocks = states[:, first : first + ground.rocks.size].reshape(200, -1, 3)[..., None, None]
        for k in range(rocks.shape[1]):
            rx, ry, radius = rocks[:, k, 0], rocks[:, k, 1], rocks[:, k, 2]
            free &= ((x - rx) ** 2 + (y - ry) ** 2 > (radius + rover.BODY) ** 2) | (radius <= 0)
        marks = []
        for to in (rover.START_X, rover.BEACON_X):
            spot = np.zeros_like(free)
            column, row = (states[:, [to, to + 1]] / CELL).astype(int).T
            spot[np.arange(200), row, column] = True
            marks.append(spot)
        steps = np.where(marks[1], steps_from(marks[0], free | marks[0]), NEVER).min(axis=(1, 2))
        assert (steps < NEVER).all(), f"{(steps >= NEVER).sum()} grounds from seed {seed} can't be crossed"
        assert (steps * CELL < 1.9 * 15 * np.sqrt(2)).all(), "the way round is too long for the time"
