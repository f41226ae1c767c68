"""Ways through a flat: distances by path, with care or without, and whether closing a cell parts them."""

from __future__ import annotations

import numpy as np

from envs.kernels import kernel
from envs.rooms.rooms_state_layout import CAT, DOOR, MUD, VASE, WALL

FAR = 999
CLOSED = -1


@kernel
def beside_cat(cells: np.ndarray, size: int, cell: int) -> bool:
    """Whether the cat sleeps in one of the four cells around this one."""
    return bool(
        cells[cell - size] == CAT
        or cells[cell + 1] == CAT
        or cells[cell + size] == CAT
        or cells[cell - 1] == CAT
    )


@kernel
def _open(cells: np.ndarray, size: int, care: int, field: np.ndarray) -> None:
    """FAR in every cell that can be driven through, CLOSED in the others; see `spread` for care."""
    for cell in range(size * size):
        code = cells[cell]
        closed = code == WALL or code == CAT
        closed = closed or (care > 0 and (code == VASE or code == MUD)) or (care == 1 and code == DOOR)
        field[cell] = CLOSED if closed else FAR


@kernel
def fill_distances(
    cells: np.ndarray, size: int, careful: int, field: np.ndarray, queue: np.ndarray, tail: int
) -> None:
    """Breadth-first distances from the `tail` cells already in `queue` (their field is 0).

    Walls and the cat stop it. care 1 and 2: so do vases, mud and the cells beside the cat; care 1:
    closed doors too. field and queue are int16 [size*size]; what is closed was marked by `_open`.
    """
    if careful > 0:
        for cell in range(size * size):
            if cells[cell] == CAT:
                for there in (cell - size, cell + 1, cell + size, cell - 1):
                    if field[there] == FAR:
                        field[there] = CLOSED
    head = 0
    while head < tail:
        here = queue[head]
        head += 1
        for move in range(4):
            if move == 0:
                there = here - size
            elif move == 1:
                there = here + 1
            elif move == 2:
                there = here + size
            else:
                there = here - 1
            if field[there] == FAR:
                field[there] = field[here] + 1
                queue[tail] = there
                tail += 1
    for cell in range(size * size):
        if field[cell] == CLOSED:
            field[cell] = FAR


@kernel
def distances_to(
    cells: np.ndarray, size: int, code: int, careful: int, field: np.ndarray, queue: np.ndarray
) -> None:
    """Distance by path from every cell to the nearest cell of kind `code` (FAR: none) [steps]."""
    _open(cells, size, careful, field)
    tail = 0
    for cell in range(size * size):
        if cells[cell] == code:
            field[cell] = 0
            queue[tail] = cell
            tail += 1
    fill_distances(cells, size, careful, field, queue, tail)


@kernel
def distances_from(
    cells: np.ndarray, size: int, start: int, careful: int, field: np.ndarray, queue: np.ndarray
) -> None:
    """Distance by path from one cell to every other [steps]."""
    _open(cells, size, careful, field)
    field[start] = 0
    queue[0] = start
    fill_distances(cells, size, careful, field, queue, 1)


@kernel
def is_carefully_passable(cells: np.ndarray, size: int, start: int, cell: int) -> bool:
    """Whether careful driving goes through this cell."""
    code = cells[cell]
    blocked = code == WALL or code == CAT or code == VASE or code == MUD
    return bool(cell == start or not (blocked or beside_cat(cells, size, cell)))


@kernel
def has_bypass(cells: np.ndarray, size: int, start: int, cell: int) -> bool:
    """Whether the open neighbours of a cell are joined by the ring of eight around it.

    Then closing the cell parts nothing, and no search through the whole flat is needed to tell.
    """
    neighbours = links = 0
    before = is_carefully_passable(cells, size, start, cell - size)
    for side in range(4):
        if side == 0:
            corner, after = cell - size + 1, cell + 1
        elif side == 1:
            corner, after = cell + size + 1, cell + size
        elif side == 2:
            corner, after = cell + size - 1, cell - 1
        else:
            corner, after = cell - size - 1, cell - size
        neighbours += 1 if before else 0
        here = is_carefully_passable(cells, size, start, after)
        if before and here and is_carefully_passable(cells, size, start, corner):
            links += 1
        before = here
    return bool(neighbours < 2 or links >= neighbours - 1)
