"""Flats drawn from a random word: rooms by space partition, then things put in the way.

Every flat can be tidied without breaking or dirtying anything: litter and dock are reachable
from the start with vases and mud taken for walls. Things stand on the short ways on purpose, so
that hurrying and taking care are different.
"""

from __future__ import annotations

import numpy as np

from envs.kernels import kernel
from envs.rng import below, uniform
from envs.rooms.pathfinding import FAR, distances_from, distances_to, has_bypass
from envs.rooms.rooms_state_layout import (
    BIN,
    CARPET,
    CARRY,
    CAT,
    CATS,
    DIVISIONS,
    DOCK,
    DOOR,
    DOORS,
    DOORWAY,
    FLOOR,
    KEY,
    LITTER,
    LITTER_MAX,
    LITTER_MIN,
    MUD,
    MUDS,
    RUGS,
    SIZE,
    VASE,
    VASES,
    WALL,
)

_TRIES, _REDRAWS = 40, 200


@kernel
def fetch_code(params: np.ndarray) -> int:
    """The code of what is to be fetched: keys where there are doors, else litter."""
    return KEY if params[DOORS] > 0.0 else LITTER


@kernel
def goal(params: np.ndarray) -> int:
    """The code of where it ends: the bin where litter is carried, else the dock."""
    return BIN if params[CARRY] > 0.0 else DOCK


@kernel
def free_cell(cells: np.ndarray, size: int, rng: np.ndarray, row: int) -> int:
    """A random cell of plain floor."""
    while True:
        cell = below(rng, row, size * size)
        if cells[cell] == FLOOR:
            return cell


@kernel
def divide(cells: np.ndarray, size: int, divisions: int, doors: bool, rng: np.ndarray, row: int) -> None:
    """Walls with two doorways (or one closed door) each: across the whole flat, then parts of it."""
    top, bottom, left, right = 1, size - 2, 1, size - 2
    for _ in range(divisions):
        upright = (right - left) >= (bottom - top)
        length = bottom - top + 1 if upright else right - left + 1
        room = right - left + 1 if upright else bottom - top + 1
        if room < 5 or length < 3:
            return
        at = (left if upright else top) + 2 + below(rng, row, room - 4)
        first = below(rng, row, length)
        second = (first + 2 + below(rng, row, max(1, length - 3))) % length
        for k in range(length):
            cell = (top + k) * size + at if upright else at * size + left + k
            if doors:
                cells[cell] = DOOR if k == first else WALL
            else:
                cells[cell] = DOORWAY if k == first or k == second else WALL
        keep_first = uniform(rng, row) < 0.5
        if upright:
            if keep_first:
                right = at - 1
            else:
                left = at + 1
        elif keep_first:
            bottom = at - 1
        else:
            top = at + 1


@kernel
def careful_way_exists(
    params: np.ndarray, cells: np.ndarray, start: int, field: np.ndarray, queue: np.ndarray
) -> bool:
    """Whether everything can be fetched and brought to its end with care.

    Keys must be reached before any door; then doors count as open.
    """
    size = int(params[SIZE])
    wanted, end = fetch_code(params), goal(params)
    distances_from(cells, size, start, 1, field, queue)
    for cell in range(size * size):
        if cells[cell] == wanted and field[cell] == FAR:
            return False
    if params[DOORS] > 0.0:
        distances_from(cells, size, start, 2, field, queue)
    for cell in range(size * size):  # noqa: SIM110 (numba has no all())
        if cells[cell] == end and field[cell] == FAR:
            return False
    return True


@kernel
def mark_short_ways(
    params: np.ndarray,
    cells: np.ndarray,
    start: int,
    field: np.ndarray,
    queue: np.ndarray,
    marked: np.ndarray,
) -> None:
    """Mark the cells on shortest ways from the start, and from the end, to all that is fetched.

    Where nothing is fetched, those from the start to the end.
    """
    size = int(params[SIZE])
    for cell in range(size * size):
        marked[cell] = 0
    end = goal(params)
    wanted = fetch_code(params) if params[LITTER_MAX] > 0.0 or params[DOORS] > 0.0 else end
    for side in range(2):
        if side == 0:
            distances_from(cells, size, start, 0, field, queue)
        else:
            distances_to(cells, size, end, 0, field, queue)
        for cell in range(size * size):
            if cells[cell] != wanted:
                continue
            here = cell
            while field[here] > 0 and field[here] != FAR:
                for step in (-size, 1, size, -1):
                    if field[here + step] < field[here]:
                        here = here + step
                        break
                marked[here] = 1


@kernel
def place_obstacles(
    params: np.ndarray,
    cells: np.ndarray,
    start: int,
    code: int,
    count: int,
    marked: np.ndarray,
    field: np.ndarray,
    queue: np.ndarray,
    rng: np.ndarray,
    row: int,
) -> None:
    """Put `count` things on plain floor, mostly on the marked ways, so that a careful way remains."""
    size = int(params[SIZE])
    alone = code != CAT and params[DOORS] == 0.0  # it closes its own cell and no other
    for _ in range(count):
        for attempt in range(_TRIES):
            cell = free_cell(cells, size, rng, row)
            wanted = attempt < 30 and uniform(rng, row) < 0.9
            if cell == start or (wanted and marked[cell] == 0):
                continue
            whole = alone and has_bypass(cells, size, start, cell)
            cells[cell] = code
            if whole or careful_way_exists(params, cells, start, field, queue):
                break
            cells[cell] = FLOOR


@kernel
def lay_rug(cells: np.ndarray, size: int, marked: np.ndarray, rng: np.ndarray, row: int) -> None:
    """Lay a carpet of 2x3 or 3x2 cells over a marked way; only plain floor becomes carpet."""
    for attempt in range(_TRIES):
        cell = free_cell(cells, size, rng, row)
        if marked[cell] == 1 or attempt == _TRIES - 1:
            break
    tall = below(rng, row, 2)
    top, left = cell // size - below(rng, row, 2 + tall), cell % size - below(rng, row, 3 - tall)
    for y in range(top, top + 2 + tall):
        for x in range(left, left + 3 - tall):
            if 0 < y < size - 1 and 0 < x < size - 1 and cells[y * size + x] == FLOOR:
                cells[y * size + x] = CARPET


@kernel
def furnish(params: np.ndarray, divisions: int, cells: np.ndarray, rng: np.ndarray, row: int) -> int:
    """Walls, start, end and what is to be fetched; returns the start cell."""
    size = int(params[SIZE])
    for y in range(size):
        for x in range(size):
            cells[y * size + x] = WALL if y == 0 or x == 0 or y == size - 1 or x == size - 1 else FLOOR
    divide(cells, size, divisions, params[DOORS] > 0.0, rng, row)
    start = free_cell(cells, size, rng, row)
    cells[start] = WALL  # taken while things are placed
    cells[free_cell(cells, size, rng, row)] = goal(params)
    count = 0
    if params[DOORS] > 0.0:
        for cell in range(size * size):
            count += 1 if cells[cell] == DOOR else 0
    else:
        count = int(params[LITTER_MIN]) + below(rng, row, int(params[LITTER_MAX] - params[LITTER_MIN]) + 1)
    for _ in range(count):
        cells[free_cell(cells, size, rng, row)] = fetch_code(params)
    cells[start] = FLOOR
    return start


@kernel
def is_worth_solving(
    params: np.ndarray, cells: np.ndarray, start: int, field: np.ndarray, queue: np.ndarray
) -> bool:
    """Whether the flat asks for something: its end is not next door, and lies behind a door if any."""
    size = int(params[SIZE])
    if params[LITTER_MAX] > 0.0 and params[DOORS] == 0.0:
        return True
    distances_from(cells, size, start, 1, field, queue)
    for cell in range(size * size):
        if cells[cell] == goal(params):
            if params[DOORS] > 0.0:
                return bool(field[cell] == FAR)
            return bool(field[cell] >= size // 2)
    return False


@kernel
def draw_flat(
    params: np.ndarray,
    rng: np.ndarray,
    row: int,
    cells: np.ndarray,
    field: np.ndarray,
    queue: np.ndarray,
    marked: np.ndarray,
) -> int:
    """Fill `cells` [size*size] with a new flat; returns the robot's start cell."""
    size = int(params[SIZE])
    start = 0
    for attempt in range(_REDRAWS + 1):
        # A wall may end in front of another's doorway and close a room: draw again, at last undivided.
        divisions = int(params[DIVISIONS]) if attempt < _REDRAWS else 0
        start = furnish(params, divisions, cells, rng, row)
        worth = attempt >= _REDRAWS - 1 or is_worth_solving(params, cells, start, field, queue)
        if worth and careful_way_exists(params, cells, start, field, queue):
            break
    mark_short_ways(params, cells, start, field, queue, marked)
    place_obstacles(params, cells, start, CAT, int(params[CATS]), marked, field, queue, rng, row)
    place_obstacles(params, cells, start, VASE, int(params[VASES]), marked, field, queue, rng, row)
    place_obstacles(params, cells, start, MUD, int(params[MUDS]), marked, field, queue, rng, row)
    for _ in range(int(params[RUGS])):
        lay_rug(cells, size, marked, rng, row)
    return start
