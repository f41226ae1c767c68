"""A flat drawn as text, one mark a cell, in any editor:

    ; after a semicolon comes a comment
    #########
    #R..#..l#  ; # wall   . floor   = doorway   R where the robot begins
    #.%%=...#  ; D dock   B bin     l litter    V vase
    #.%%#V.D#  ; m mud    % carpet  c cat       k key   + closed door
    #########

Without an R it begins on any floor cell from which all can be done. What lies outside the drawing (and
every space in it) is wall; the flat is made square. It must be possible to fetch everything and come
to the end with care, by the rules of layout_generator.py, and with as many keys as doors on the way.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from operator import itemgetter
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from envs.kernels import kernel
from envs.layout_text import LayoutError, read_layout_text
from envs.rng import below
from envs.rooms.pathfinding import FAR, beside_cat, distances_from, distances_to
from envs.rooms.rooms_state_layout import (
    BIN,
    CARPET,
    CAT,
    DOCK,
    DOOR,
    DOORWAY,
    DRAWN,
    FLOOR,
    KEY,
    LITTER,
    MUD,
    START,
    VASE,
    WALL,
)

MARKS = {
    "#": WALL,
    ".": FLOOR,
    "=": DOORWAY,
    "D": DOCK,
    "B": BIN,
    "l": LITTER,
    "V": VASE,
    "m": MUD,
    "%": CARPET,
    "c": CAT,
    "k": KEY,
    "+": DOOR,
}
ROBOT, COMMENT = "R", ";"
_MARK_OF = {code: mark for mark, code in MARKS.items()}
_NAMES = {DOCK: "dock", BIN: "bin", LITTER: "litter", KEY: "key", DOOR: "door"}
SMALLEST, LARGEST = 7, 25  # edge of a flat [cells]
MOST_THINGS = 40  # things that can be fetched, broken or opened: more are beyond any planning

Cells = NDArray[np.int16]


@dataclass(frozen=True)
class Flat:
    """A flat as drawn. cells [size*size]: codes, START more where the robot may begin."""

    size: int
    cells: Cells
    text: str  # the drawing without comments, square and walled: drawn again it is the same flat
    steps: int  # enough to do everything with care


@kernel
def copy_flat(params: np.ndarray, rng: np.ndarray, row: int, cells: np.ndarray) -> int:
    """Fill `cells` [size*size] with the drawn flat in `params`; returns a cell where the robot may begin."""
    starts = 0
    for cell in range(cells.shape[0]):
        code = int(params[DRAWN + cell])
        starts += code // START
        cells[cell] = code % START
    chosen = below(rng, row, starts)
    for cell in range(cells.shape[0]):
        if params[DRAWN + cell] >= START:
            if chosen == 0:
                return cell
            chosen -= 1
    return 0


def parse_flat(layout: str, *, task: str, fetch: int | None, end: int) -> Flat:
    """The flat drawn in `layout`, a text or the path of a file (a text has a line break).

    task names who asks; fetch is the code of what is fetched there (LITTER, KEY or None), end that of
    where it ends. Raises LayoutError.
    """
    return _Drawing(layout, task, fetch, end).flat()


class _Drawing:
    """A drawing on its way to a flat; knows where in the text each cell came from."""

    def __init__(self, layout: str, task: str, fetch: int | None, end: int) -> None:
        self.task, self.fetch, self.end = task, fetch, end
        self.name, text = read_layout_text(layout, "flat")
        rows = self._rows(text)
        left = min(len(row) - len(row.lstrip()) for _, row in rows)
        self.rows = [(line, left, row[left:]) for line, row in rows]
        self._square()

    def _refuse(self, line: int, column: int, why: str) -> NoReturn:
        raise LayoutError(f"line {line}, column {column} of {self.name}: {why}")

    def _rows(self, text: str) -> list[tuple[int, str]]:
        """(line number, drawn part) of the lines that draw something."""
        lines = [line.rstrip("\r") for line in text.split("\n")]
        found = [(number, line.split(COMMENT)[0].rstrip(), line) for number, line in enumerate(lines, 1)]
        drawn = [number for number, row, _ in found if row]
        if not drawn:
            raise LayoutError(f"{self.name} draws nothing: use {' '.join([*MARKS, ROBOT])}")
        for number, row, line in found[drawn[0] : drawn[-1]]:
            if not row and not line.strip():
                self._refuse(number, 1, "an empty line in the middle of the flat: fill it with '#'")
        return [(number, row) for number, row, _ in found if row]

    def _square(self) -> None:
        """Lay the rows into a walled square; afterwards `where` gives each cell's line and column."""
        grid: list[list[int]] = []
        robots: list[tuple[int, int]] = []
        for y, (line, left, row) in enumerate(self.rows):
            grid.append([])
            for x, mark in enumerate(row):
                if mark not in MARKS and mark not in (ROBOT, " "):
                    marks = " ".join([*MARKS, ROBOT])
                    self._refuse(line, left + x + 1, f"{mark!r} is no mark of a flat: use {marks}")
                if mark == ROBOT:
                    robots.append((y, x))
                    if len(robots) > 1:
                        first = self.rows[robots[0][0]][0]
                        self._refuse(line, left + x + 1, f"a second robot, the first is in line {first}")
                grid[-1].append(FLOOR if mark == ROBOT else MARKS.get(mark, WALL))
        height, width = len(grid), max(len(row) for row in grid)
        walls = np.full((height, width), WALL, np.int16)
        for y, codes in enumerate(grid):
            walls[y, : len(codes)] = codes
        top, bottom = int((walls[0] != WALL).any()), int((walls[-1] != WALL).any())
        side, right = int((walls[:, 0] != WALL).any()), int((walls[:, -1] != WALL).any())
        self.size = max(SMALLEST, height + top + bottom, width + side + right)
        if self.size > LARGEST:
            raise LayoutError(
                f"{self.name} is {width} by {height} cells: with its walls it may be {LARGEST} at most"
            )
        top += (self.size - height - top - bottom) // 2
        side += (self.size - width - side - right) // 2
        square = np.full((self.size, self.size), WALL, np.int16)
        square[top : top + height, side : side + width] = walls
        self.cells, self._top, self._side = square.ravel(), top, side
        self.robot = (robots[0][0] + top) * self.size + robots[0][1] + side if robots else None

    def where(self, cell: int) -> tuple[int, int]:
        """(line, column) in the text, from 1."""
        line, left, _ = self.rows[int(cell) // self.size - self._top]
        return line, left + int(cell) % self.size - self._side + 1

    def _cells_with(self, *codes: int) -> list[int]:
        return [int(cell) for cell in np.flatnonzero(np.isin(self.cells, codes))]

    def flat(self) -> Flat:
        """The flat, checked."""
        self._check_things()
        starts = [self.robot] if self.robot is not None else self._starts()
        if self.robot is not None:
            self._check_ways(self.robot)
        marked = self.cells.copy()
        marked[starts] += START
        marks = [_MARK_OF[int(code)] for code in self.cells]
        if self.robot is not None:
            marks[self.robot] = ROBOT
        rows = ["".join(marks[at : at + self.size]) for at in range(0, len(marks), self.size)]
        return Flat(self.size, marked, "\n".join(rows) + "\n", self._steps(starts))

    def _check_things(self) -> None:
        """What is drawn means something in this task, and nothing that it needs is missing."""
        foreign = {DOCK, BIN, LITTER, KEY, DOOR} - {self.end, self.fetch}
        if self.fetch == KEY:
            foreign.discard(DOOR)
        for cell in self._cells_with(*foreign):
            name = _NAMES[int(self.cells[cell])]
            self._refuse(
                *self.where(cell), f"{self.task} knows no {name}: take it out, or choose another task"
            )
        for code in (self.end, self.fetch):
            if code is not None and code != KEY and not self._cells_with(code):
                raise LayoutError(
                    f"{self.name} has no {_NAMES[code]}: put a {_MARK_OF[code]!r} somewhere for {self.task}"
                )
        things = self._cells_with(VASE, DOOR, LITTER, KEY)
        if len(things) > MOST_THINGS:
            self._refuse(*self.where(things[MOST_THINGS]), f"more than {MOST_THINGS} things: draw fewer")

    def _field(self, start: int, care: int) -> Cells:
        """Distance by path from a cell [size*size]; care as in layout_generator.py."""
        field, queue = np.zeros_like(self.cells), np.zeros_like(self.cells)
        distances_from(self.cells, self.size, start, care, field, queue)
        return field

    @property
    def _pieces(self) -> list[int]:
        return [] if self.fetch is None else self._cells_with(self.fetch)

    def _to_end(self) -> Cells:
        """Distance by a careful path from each cell to the nearest end, doors open [size*size]."""
        field, queue = np.zeros_like(self.cells), np.zeros_like(self.cells)
        distances_to(self.cells, self.size, self.end, 2, field, queue)
        return field

    def _why_blocked(self, start: int) -> tuple[int, str] | None:
        """Why not everything can be done with care from a cell: where, and what is wrong."""
        near, home = self._field(start, 1), self._to_end()
        for cell in self._pieces:
            if near[cell] == FAR:
                return cell, self._is_cut_off(start, cell, before_doors=self.fetch == KEY)
        through = self._field(start, 2)
        for cell in self._pieces:
            if home[cell] == FAR and (through[self._cells_with(self.end)] != FAR).all():
                return cell, f"from here no way leads to the {_NAMES[self.end]} but past the sleeping cat"
        for cell in self._cells_with(self.end):
            if through[cell] == FAR:
                return cell, self._is_cut_off(start, cell, before_doors=False)
            doors, keys = self._fewest_doors(start, cell), len(self._cells_with(KEY))
            if doors > keys:
                return cell, f"more doors ({doors}) than keys ({keys}) are on the way here"
        return None

    def _is_cut_off(self, start: int, cell: int, *, before_doors: bool) -> str:
        what = f"the {_NAMES[int(self.cells[cell])]} here can't be reached"
        if self._field(start, 0)[cell] == FAR:
            return f"{what}: walls or the cat shut it in"
        if before_doors:
            return f"{what} with care: a closed door, a vase, mud or the cat is in every way"
        return f"{what} with care: a vase, mud or the cat is in every way"

    def _check_ways(self, start: int) -> None:
        trouble = self._why_blocked(start)
        if trouble is not None:
            self._refuse(*self.where(trouble[0]), trouble[1])

    def _starts(self) -> list[int]:
        """The floor cells from which everything can be done; LayoutError if there is none."""
        left = {c for c in self._cells_with(FLOOR) if not beside_cat(self.cells, self.size, c)}
        good: list[int] = []
        best: tuple[int, tuple[int, str] | None] = (0, None)  # what bars the part that leads to the end
        while left:
            near = self._field(min(left), 1)
            together = {cell for cell in left if near[cell] != FAR}
            trouble = self._why_blocked(min(together))
            if trouble is None:
                good += together
            else:
                leads = (self._field(min(together), 2)[self._cells_with(self.end)] != FAR).any()
                best = max(best, (len(together) + (LARGEST**2 if leads else 0), trouble), key=itemgetter(0))
            left -= together
        if good:
            return sorted(good)
        if best[1] is not None:
            self._refuse(*self.where(best[1][0]), best[1][1])
        raise LayoutError(
            f"{self.name} has no floor away from the cat for the robot: draw some '.', or an '{ROBOT}'"
        )

    def _fewest_doors(self, start: int, end: int) -> int:
        """The fewest closed doors on a careful way from start to end (there is one)."""
        passed = {start: 0}
        queue = deque([start])
        while queue:
            here = queue.popleft()
            for there in (here - self.size, here + 1, here + self.size, here - 1):
                code = self.cells[there]
                if code in (WALL, CAT, VASE, MUD) or beside_cat(self.cells, self.size, there):
                    continue
                cost = passed[here] + int(code == DOOR)
                if cost < passed.get(there, FAR):
                    passed[there] = cost
                    (queue.append if code == DOOR else queue.appendleft)(there)
        return passed[end]

    def _steps(self, starts: list[int]) -> int:
        """Steps in which each piece is brought to the nearest end, one by one."""
        home = self._to_end()
        first = min(int(self._field(starts[0], 2)[cell]) for cell in self._cells_with(self.end))
        farthest = max(int(home[cell]) for cell in starts) if len(starts) > 1 else first
        return farthest + sum(2 * int(home[cell]) + 1 for cell in self._pieces)
