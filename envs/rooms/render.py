"""Draws a flat seen from above: a cached ground for each layout, then things and the robot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pygame
from numpy.typing import NDArray

from envs.paint import Pixels
from envs.render import Pictures, as_pair, draw_trail, fade, mark, painted, rounded, surface
from envs.rooms import ground, robot, sprites
from envs.rooms.layout import CARPET, DIRTY, DOCK, DOORWAY, LITTER, MUD, SHARDS, VASE, WALL
from envs.rooms.world import BUMPED, CLOCK, COL, HEADER, HEADING, MUDDY, PARKED, ROW
from envs.world import Array, Task

MARGIN, MARGIN_TOP = 0.4, 0.16  # how much of the outer walls' cells is cut off, at the sides and above
CORNER = 0.2  # radius of the picture's corners [cells]
MARKED = 0.3  # painted values from here on carry their sign
TURNS = 24  # pictures of the robot in a full turn
_ANGLE = (-np.pi / 2, 0.0, np.pi / 2, np.pi)  # of the headings up, right, down, left
_TRAIL = (64, 74, 112)
_FLAT, _STANDING = (MUD, DIRTY, SHARDS, DOCK), (LITTER, VASE)

# One cache for all renderers: replays side by side share their pictures.
_PICTURES = Pictures()


class RoomsRenderer:
    """Draws any stored state of a flat, at any size, on any surface."""

    aspect = 1.0

    def __init__(self, task: Task) -> None:
        self.task = task

    def draw(
        self,
        surface: pygame.Surface,
        rect: Any,
        before: Array,
        after: Array,
        blend: float,
        *,
        overlay: tuple[Array, Array] | None = None,
        ghosts: Sequence[Array] = (),
        trail: Sequence[Array] = (),
    ) -> None:
        """See envs.world.Renderer. The flat is a square in the middle of `rect`; around it nothing is drawn.

        A ghost may also be a pair of states [2, K], blended like the agent.
        """
        view = _View(surface, pygame.Rect(rect), before)
        clip = surface.get_clip()
        surface.set_clip(view.board.clip(clip))
        view.ground(overlay)
        view.things(np.asarray(before), np.asarray(after), blend, _FLAT)
        draw_trail(surface, [view.middle(*_where(s, s, 0.0)) for s in trail], 0.3 * view.cell, _TRAIL)
        view.things(np.asarray(before), np.asarray(after), blend, _STANDING)
        for index, ghost in enumerate(ghosts):
            view.ghost(*as_pair(ghost), blend, index)
        view.agent(np.asarray(before), np.asarray(after), blend)
        surface.set_clip(clip)


class _View:
    """One flat at one place of a surface."""

    def __init__(self, target: pygame.Surface, rect: pygame.Rect, state: Array) -> None:
        self.target = target
        self.size = round(np.sqrt(len(state) - HEADER))
        self.cell = max(2, int(min(rect.width, rect.height) / (self.size - 2 * MARGIN)))
        side = round(self.cell * (self.size - 2 * MARGIN))
        self.board = pygame.Rect(rect.centerx - side // 2, rect.centery - side // 2, side, side)
        self.left, self.up = round(MARGIN * self.cell), round(MARGIN_TOP * self.cell)
        self.cells = np.asarray(state[HEADER:]).reshape(self.size, self.size)

    def middle(self, x: float, y: float) -> tuple[float, float]:
        """The pixel in the middle of a cell."""
        return self.board.x - self.left + (x + 0.5) * self.cell, self.board.y - self.up + (
            y + 0.5
        ) * self.cell

    def put(self, picture: pygame.Surface, x: float, y: float) -> None:
        """Blit a picture centred on a cell (or between cells)."""
        left, top = self.middle(x, y)
        self.target.blit(
            picture, (round(left - picture.get_width() / 2), round(top - picture.get_height() / 2))
        )

    def picture(self, paint: Callable[..., Pixels], *args: Any) -> pygame.Surface:
        """What `paint(cell, *args)` paints, kept."""
        return self.picture_of(paint, self.cell, *args)

    def picture_of(self, paint: Callable[..., Pixels], *args: Any) -> pygame.Surface:
        """What `paint(*args)` paints, kept."""
        return _PICTURES.get((paint.__name__, *args), lambda: surface(paint(*args)))

    # The ground

    def ground(self, overlay: tuple[Array, Array] | None) -> None:
        """Floor, rugs and walls, with the learned reward between floor and walls."""
        layout = np.where(np.isin(self.cells, (WALL, DOORWAY)), self.cells, 0)
        layout[np.isin(self.cells, (CARPET, DIRTY))] = CARPET
        key = (self.cell, layout.astype(np.int8).tobytes())
        if overlay is None:
            whole = _PICTURES.get(("flat", *key), lambda: self._whole(layout))
            self.target.blit(whole, self.board)
            return
        self.target.blit(_PICTURES.get(("floor", *key), lambda: self._floor(layout)), self.board)
        where, value = np.asarray(overlay[0]), np.asarray(overlay[1], np.float32)
        reward = ("reward", *key, where.tobytes(), value.tobytes())
        self.target.blit(_PICTURES.get(reward, lambda: self._reward(where, value)), self.board)
        self.target.blit(_PICTURES.get(("walls", *key), lambda: self._walls(layout)), self.board)

    def _whole(self, layout: NDArray[np.int16]) -> pygame.Surface:
        whole = self._floor(layout).copy()
        whole.blit(self._walls(layout), (0, 0))
        return whole

    def _rounded(self, picture: pygame.Surface) -> pygame.Surface:
        return rounded(picture, CORNER * self.cell)

    def _corner(self, column: int, row: int) -> tuple[int, int]:
        """A cell's upper left pixel on the board."""
        return int(column) * self.cell - self.left, int(row) * self.cell - self.up

    def _floor(self, layout: NDArray[np.int16]) -> pygame.Surface:
        side, cell = self.board.width, self.cell
        floor = _PICTURES.get(("planks", side, cell), lambda: surface(ground.floor(side, side, cell))).copy()
        bits = ground.neighbourhood(layout == CARPET, False)
        for row, column in np.argwhere(layout == CARPET):
            floor.blit(self.picture(ground.rug, int(bits[row, column])), self._corner(column, row))
        for row, column in np.argwhere(layout == DOORWAY):
            upright = bool(layout[row - 1, column] == WALL and layout[row + 1, column] == WALL)
            floor.blit(self.picture(ground.threshold, upright), self._corner(column, row))
        dark = ground.shadow(layout == WALL)
        rgba = np.empty((*dark.shape, 4), np.uint8)
        rgba[..., :3], rgba[..., 3] = sprites.SHADOW, 255 * dark
        floor.blit(self._spread(surface(rgba)), (0, 0))
        return self._rounded(floor)

    def _spread(self, coarse: pygame.Surface) -> pygame.Surface:
        """A picture of the whole grid enlarged to it and cut to the board."""
        whole = pygame.transform.smoothscale(coarse, (self.size * self.cell,) * 2)
        return whole.subsurface((self.left, self.up), self.board.size)

    def _walls(self, layout: NDArray[np.int16]) -> pygame.Surface:
        walls = pygame.Surface(self.board.size, pygame.SRCALPHA, 32)
        bits = ground.neighbourhood(layout == WALL, True)
        doors = ground.neighbourhood(layout == DOORWAY, False)
        for row, column in np.argwhere(layout == WALL):
            tile = self.picture(ground.wall, int(bits[row, column]), int(doors[row, column]))
            left, top = self._corner(column, row + 1)
            walls.blit(tile, (left, top - tile.get_height()))
        return self._rounded(walls)

    def _reward(self, where: Array, value: NDArray[np.float32]) -> pygame.Surface:
        """Values on cells, spread smoothly between them; cells without a value take their neighbours'."""
        grid = np.zeros((self.size, self.size), np.float32)
        known = np.zeros((self.size, self.size), np.float32)
        columns, rows = np.asarray(where, np.int64).T
        grid[rows, columns], known[rows, columns] = value, 1.0
        around = sum(np.roll(grid, (dy, dx), (0, 1)) for dx in (-1, 0, 1) for dy in (-1, 0, 1))
        count = sum(np.roll(known, (dy, dx), (0, 1)) for dx in (-1, 0, 1) for dy in (-1, 0, 1))
        grid = np.where(known > 0, grid, around / np.maximum(count, 1))
        reward = self._rounded(self._spread(surface(painted(_enlarged(grid, 8)))).copy())
        if self.cell >= 12:
            for (column, row), worth in zip(where, value, strict=True):
                if abs(worth) >= MARKED:
                    side = round(self.cell * (0.18 + 0.14 * min(1.0, abs(float(worth)))))
                    sign = self.picture_of(mark, side, bool(worth > 0))
                    left, top = self._corner(column, row)
                    away = (self.cell - side) // 2
                    reward.blit(sign, (left + away, top + away))
        return reward

    # Things and the robot

    def things(self, before: Array, after: Array, blend: float, kinds: tuple[int, ...]) -> None:
        """Cells of these kinds, in rows from the back to the front; what changed fades over the step."""
        was = before[HEADER:].reshape(self.size, self.size)
        now = after[HEADER:].reshape(self.size, self.size)
        changed = 1.0 if was is now else blend
        for row, column in np.argwhere(np.isin(was, kinds) | np.isin(now, kinds)):
            old, new = int(was[row, column]), int(now[row, column])
            if old == new:
                self._thing(new, column, row)
                continue
            if old in kinds and changed < 0.6:
                self._thing(old, column, row, 1.0 if old == VASE else 1.0 - changed / 0.6)
            if new in kinds and changed >= 0.4:
                self._thing(new, column, row, min(1.0, (changed - 0.4) / 0.4))
            if new == SHARDS and SHARDS in kinds and 0.4 <= changed < 1.0:
                self._burst(column, row, (changed - 0.4) / 0.6)

    def _burst(self, column: int, row: int, time: float) -> None:
        """Pieces of a vase flying apart; time in 0..1."""
        for k in range(9):
            angle, far = 0.4 + 2.4 * k, (0.35 + 0.04 * (k % 5)) * (1 - (1 - time) ** 2)
            high = 0.5 * time * (1 - time) * (1 + k % 3)
            piece = fade(self.picture(sprites.speck, k % 6), 1 - time**3)
            self.put(piece, column + 1.4 * far * np.cos(angle), row + 1.1 * far * np.sin(angle) - high)

    def _thing(self, code: int, column: int, row: int, share: float = 1.0) -> None:
        kind = int(5 * column + 7 * row) % 12
        if code == LITTER:
            paint: Callable[..., Pixels] = sprites.LITTER_KINDS[kind % 3]
            picture = self.picture(paint)
        elif code == DOCK:
            picture = self.picture(sprites.dock)
        else:
            paints = {VASE: sprites.vase, SHARDS: sprites.shards, MUD: sprites.mud, DIRTY: sprites.prints}
            picture = self.picture(paints[code], kind % 4)
        if share < 1.0:
            picture = fade(picture, share)
        self.put(picture, column, row - 0.08 if code == VASE else row)

    def agent(self, before: Array, after: Array, blend: float) -> None:
        """The robot between two states, awake, muddy or asleep."""
        parked = bool(before[PARKED]) or (bool(after[PARKED]) and blend > 0.9)
        mood = "asleep" if parked else "muddy" if (after if blend > 0.5 else before)[MUDDY] > 0 else "awake"
        x, y = _where(before, after, blend)
        self.put(self.picture(robot.robot, _turn(before, after, blend), mood), x, y)
        if parked:
            for k in range(1 + int(before[CLOCK]) // 3 % 3):
                self.put(self.picture(robot.snore, k), x, y)

    def ghost(self, before: Array, after: Array, blend: float, index: int) -> None:
        """Another robot, translucent, a little off its place so that many can be told apart."""
        x, y = _where(before, after, blend)
        turn = _turn(before, after, blend)
        body = _PICTURES.get(("ghost", self.cell, turn), lambda: self._ghost_body(turn))
        away, angle = 0.26 * np.sqrt((index % 16) / 16), 2.4 * index
        self.put(body, x + away * np.cos(angle), y + away * np.sin(angle))

    def _ghost_body(self, turn: float) -> pygame.Surface:
        return fade(surface(robot.robot(max(4, round(0.78 * self.cell)), turn, "ghost")), 0.55)


def _enlarged(grid: NDArray[np.float32], times: int) -> NDArray[np.float32]:
    """A grid of cell values at `times` points to a cell, linear between the cells' middles."""
    size = len(grid)
    at = np.clip((np.arange(size * times) + 0.5) / times - 0.5, 0, size - 1)
    low = np.minimum(at.astype(np.int64), size - 2)
    share = (at - low).astype(np.float32)
    rows = grid[low] * (1 - share[:, None]) + grid[low + 1] * share[:, None]
    return np.asarray(rows[:, low] * (1 - share) + rows[:, low + 1] * share, np.float32)


def _where(before: Array, after: Array, blend: float) -> tuple[float, float]:
    """The robot's column and row on the way between two states; it lurches where it bumps."""
    x = float(before[COL]) + blend * float(after[COL] - before[COL])
    y = float(before[ROW]) + blend * float(after[ROW] - before[ROW])
    if after[BUMPED]:
        lurch = 0.2 * np.sin(np.pi * blend)
        x, y = x + lurch * np.cos(_ANGLE[after[HEADING]]), y + lurch * np.sin(_ANGLE[after[HEADING]])
    return x, y


def _turn(before: Array, after: Array, blend: float) -> float:
    """The robot's angle on the shorter way between two headings, turned to in the first half of a step."""
    start, end = _ANGLE[before[HEADING]], _ANGLE[after[HEADING]]
    away = (end - start + np.pi) % (2 * np.pi) - np.pi
    angle = start + away * min(1.0, 2.0 * blend)
    return round(angle / (2 * np.pi) * TURNS) % TURNS * (2 * np.pi / TURNS)
