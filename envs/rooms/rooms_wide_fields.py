"""Ways through a flat that keep off what somebody may want kept off, and how far each room reaches.

They are kept in the aux array of a row, after the fields of rooms_feature_obs.py, and rebuilt when what
stands in the flat changes. Keeping off is no ban: driving into a cell counts more steps, so that there is a
best way from everywhere.
"""

from __future__ import annotations

import numpy as np

from envs.kernels import kernel
from envs.rooms import rooms_feature_obs as features
from envs.rooms.layout_generator import fetch_code, goal
from envs.rooms.pathfinding import beside_cat
from envs.rooms.rooms_state_layout import (
    CARPET,
    CARRY,
    CAT,
    DIRTY,
    DOOR,
    DOORS,
    DOORWAY,
    FORCED,
    HEADER,
    HOLDING,
    MUD,
    SIZE,
    VASE,
    WALL,
)

KEPT_WAYS = (
    "next_off_carpet",
    "next_off_vases",
    "next_off_walls",
    "next_along_walls",
    "farthest",
    "carpet",
    "doorway",
)
QUEUE = features.FIELDS
# Areas of the aux array: marks of each cell, a field for each way, the room's reach by rows and by columns.
MARKS, FIELD = features.AUX_AREAS, features.AUX_AREAS + 1
ROWS = FIELD + len(KEPT_WAYS)
COLS = ROWS + 1
AUX_AREAS = COLS + 1

HARM, RUG, NEAR_VASE, BESIDE_WALL, OPEN, PIECE, CLOSED, QUEUED = 1, 2, 4, 8, 16, 32, 64, 128
HARM_COST, COST = 4, 64  # what driving into harm, and into what is kept off, counts more [steps]
NOWHERE = 30_000  # in a field: there is no way
AVOIDED = np.array([RUG, NEAR_VASE, BESIDE_WALL, OPEN, PIECE, 0, 0])
OFF = 32  # more than a flat's edge


@kernel
def has_memory(params: np.ndarray, state: np.ndarray) -> bool:
    """Whether a state tells of the past as well."""
    size = int(params[SIZE])
    return bool(state.shape[0] > HEADER + size * size)


@kernel
def beside(cell: int, move: int, size: int) -> int:
    """The cell to which a move leads."""
    return cell + (-size if move == 0 else 1 if move == 1 else size if move == 2 else -1)


@kernel
def walls_beside(cells: np.ndarray, size: int, cell: int) -> int:
    """How many of the four cells around are walls."""
    count = 0
    for move in range(4):
        count += 1 if cells[beside(cell, move, size)] == WALL else 0
    return count


@kernel
def vase_near(cells: np.ndarray, size: int, cell: int) -> bool:
    """Whether a vase stands in this cell or one of the eight around it."""
    for row in (-size, 0, size):
        for col in (-1, 0, 1):
            if cells[cell + row + col] == VASE:
                return True
    return False


@kernel
def _mark(params: np.ndarray, state: np.ndarray, cells: np.ndarray, marks: np.ndarray) -> None:
    """What each cell is to those who look for a way."""
    size = int(params[SIZE])
    wanted = fetch_code(params)
    locked = params[DOORS] > 0.0 and state[HOLDING] == 0
    for cell in range(size * size):
        code = cells[cell]
        if code == WALL or code == CAT:
            marks[cell] = CLOSED
            continue
        harm = code == VASE or code == MUD or (code == DOOR and locked) or beside_cat(cells, size, cell)
        mark = HARM if harm else 0
        mark |= PIECE if code == wanted else 0
        mark |= RUG if code == CARPET or code == DIRTY else 0
        mark |= NEAR_VASE if vase_near(cells, size, cell) else 0
        marks[cell] = mark | (BESIDE_WALL if walls_beside(cells, size, cell) > 0 else OPEN)


@kernel
def step_cost(mark: int, avoided: int) -> int:
    """What driving into a cell counts [steps]."""
    return 1 + (HARM_COST if mark & HARM else 0) + (COST if mark & avoided else 0)


@kernel
def _spread(
    marks: np.ndarray, size: int, avoided: int, field: np.ndarray, queue: np.ndarray, count: int
) -> None:
    """Least cost from every cell to the nearest of the `count` cells in `queue`, whose field is 0."""
    area = size * size
    head, waiting = 0, count
    while waiting > 0:
        here = queue[head % area]
        head += 1
        waiting -= 1
        marks[here] &= ~QUEUED
        cost = field[here] + step_cost(marks[here], avoided)
        for move in range(4):
            there = beside(here, move, size)
            if marks[there] & CLOSED == 0 and cost < field[there]:
                field[there] = cost
                if marks[there] & QUEUED == 0:
                    marks[there] |= QUEUED
                    queue[(head + waiting) % area] = there
                    waiting += 1


@kernel
def _field_to(
    cells: np.ndarray,
    marks: np.ndarray,
    size: int,
    code: int,
    avoided: int,
    field: np.ndarray,
    queue: np.ndarray,
) -> None:
    """Least cost from every cell to the nearest of kind `code`: carpets and doorways are also such as were
    dirtied or forced."""
    count = 0
    for cell in range(size * size):
        found = cells[cell]
        same = found == code or (code == CARPET and found == DIRTY)
        same = same or (code == DOORWAY and (found == DOOR or found == FORCED))
        field[cell] = 0 if same else NOWHERE
        if same:
            queue[count] = cell
            count += 1
    _spread(marks, size, avoided, field, queue, count)


@kernel
def _next_kind(params: np.ndarray, state: np.ndarray, cells: np.ndarray) -> int:
    """The code of what comes next: what is fetched while there is any and hands are free, then the end."""
    wanted = fetch_code(params)
    if (params[CARRY] > 0.0 or params[DOORS] > 0.0) and state[HOLDING] > 0:
        return goal(params)
    for cell in range(cells.shape[0]):
        if cells[cell] == wanted:
            return wanted
    return goal(params)


@kernel
def _field_to_farthest(
    params: np.ndarray,
    cells: np.ndarray,
    marks: np.ndarray,
    home: np.ndarray,
    field: np.ndarray,
    queue: np.ndarray,
) -> None:
    """Least cost from every cell to the pieces that lie farthest from the end by path, past no other."""
    wanted, far = fetch_code(params), -1
    for cell in range(cells.shape[0]):
        if cells[cell] == wanted:
            far = max(far, home[cell])
    count = 0
    for cell in range(cells.shape[0]):
        field[cell] = NOWHERE
        if cells[cell] == wanted and home[cell] == far:
            field[cell] = 0
            queue[count] = cell
            count += 1
    _spread(marks, int(params[SIZE]), PIECE, field, queue, count)


@kernel
def _rooms(cells: np.ndarray, size: int, rows: np.ndarray, cols: np.ndarray, queue: np.ndarray) -> None:
    """In each cell the first and last row and column of its room; each doorway is one by itself."""
    area = size * size
    for cell in range(area):
        rows[cell] = -1
    for start in range(area):
        if rows[start] != -1 or cells[start] == WALL:
            continue
        queue[0], count, head = start, 1, 0
        rows[start] = 0
        top, bottom, left, right = start // size, start // size, start % size, start % size
        code = cells[start]
        passage = code == DOORWAY or code == DOOR or code == FORCED
        while head < count:
            here = queue[head]
            head += 1
            row, col = here // size, here % size
            top, bottom, left, right = min(top, row), max(bottom, row), min(left, col), max(right, col)
            for move in range(4):
                there = beside(here, move, size)
                code = cells[there]
                shut = code == WALL or code == DOORWAY or code == DOOR or code == FORCED
                if not passage and not shut and rows[there] == -1:
                    rows[there] = 0
                    queue[count] = there
                    count += 1
        for k in range(count):
            rows[queue[k]] = top * OFF + bottom
            cols[queue[k]] = left * OFF + right


@kernel
def wide_fields(params: np.ndarray, state: np.ndarray, aux: np.ndarray, fresh: bool) -> None:
    """Rebuild what a row's aux array keeps for these senses, after the features' own fields.

    fresh: the walls may be others than before.
    """
    size = int(params[SIZE])
    area = size * size
    cells, marks = state[HEADER : HEADER + area], aux[MARKS * area : (MARKS + 1) * area]
    queue = aux[QUEUE * area : (QUEUE + 1) * area]
    _mark(params, state, cells, marks)
    wanted = _next_kind(params, state, cells)
    for which in range(AVOIDED.shape[0]):
        field = aux[(FIELD + which) * area : (FIELD + which + 1) * area]
        if which < 4:
            _field_to(cells, marks, size, wanted, AVOIDED[which], field, queue)
        elif which == 4:
            _field_to_farthest(params, cells, marks, aux[2 * area : 3 * area], field, queue)
        elif fresh:
            _field_to(cells, marks, size, CARPET if which == 5 else DOORWAY, 0, field, queue)
    if fresh:
        rows, cols = aux[ROWS * area : (ROWS + 1) * area], aux[COLS * area : (COLS + 1) * area]
        _rooms(cells, size, rows, cols, queue)
