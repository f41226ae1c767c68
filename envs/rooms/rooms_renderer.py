"""Draws a flat seen from above: a cached ground for each layout, then things and the robot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pygame
from numpy.typing import NDArray

from envs.render_common import Pictures, as_pair, draw_trail, fade, mark, rounded, surface, value_colours
from envs.rooms import fixture_sprites, floor_art, robot, sprites
from envs.rooms import rooms_state_layout as code
from envs.rooms.rooms_state_layout import CLOCK, COL, HOLDING, MUDDY, PARKED, ROW, cells_of, edge_of
from envs.sdf_canvas import Pixels
from envs.world import Array, Task

MARGIN, MARGIN_TOP = 0.4, 0.16  # how much of the outer walls' cells is cut off, at the sides and above
CORNER = 0.2  # radius of the picture's corners [cells]
MARKED = 0.3  # painted values from here on carry their sign
_TRAIL = (64, 74, 112)

_CODES = 32


def _table(pairs: dict[int, int]) -> NDArray[np.int8]:
    """An array that maps each cell code, 0 where it is not named."""
    table = np.zeros(_CODES, np.int8)
    for key, value in pairs.items():
        table[key] = value
    return table


_DOORS = (code.DOORWAY, code.DOOR, code.FORCED)
_LAYOUT = _table(
    {code.WALL: code.WALL, code.CARPET: code.CARPET, code.DIRTY: code.CARPET}
    | dict.fromkeys(_DOORS, code.DOORWAY)
)
_LYING = _table(dict.fromkeys((code.MUD, code.DIRTY, code.SHARDS, code.DOCK, code.FORCED), 1))
_STANDING = _table(dict.fromkeys((code.LITTER, code.VASE, code.CAT, code.BIN, code.KEY, code.DOOR), 1))

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
        before, after = np.asarray(before), np.asarray(after)
        view = _View(surface, pygame.Rect(rect), before, after, blend)
        clip = surface.get_clip()
        surface.set_clip(view.board.clip(clip))
        view.ground(overlay)
        x, y = view.where
        view.things(_LYING, 0, view.size)
        draw_trail(surface, [view.middle(state[COL], state[ROW]) for state in trail], 0.3 * view.cell, _TRAIL)
        view.things(_STANDING, 0, round(y) + 1)
        if len(ghosts):
            view.ghosts(*np.stack([as_pair(ghost) for ghost in ghosts], axis=1))
        view.agent(x, y)
        view.things(_STANDING, round(y) + 1, view.size)
        surface.set_clip(clip)


class _View:
    """One moment of a flat at one place of a surface."""

    def __init__(
        self, target: pygame.Surface, rect: pygame.Rect, before: Array, after: Array, blend: float
    ) -> None:
        self.target, self.before, self.after, self.blend = target, before, after, blend
        self.size = edge_of(len(before))
        self.was = cells_of(before).reshape(self.size, self.size)
        self.now = cells_of(after).reshape(self.size, self.size)
        self.cell = max(2, int(min(rect.width, rect.height) / (self.size - 2 * MARGIN)))
        side = round(self.cell * (self.size - 2 * MARGIN))
        self.board = pygame.Rect(rect.centerx - side // 2, rect.centery - side // 2, side, side)
        self.left, self.up = round(MARGIN * self.cell), round(MARGIN_TOP * self.cell)
        places, self.turn = robot.moment(before[None], after[None], blend)
        self.where = (float(places[0, 0]), float(places[0, 1]))

    def middle(self, x: float, y: float) -> tuple[float, float]:
        """The pixel in the middle of a cell."""
        left, top = self.board.x - self.left, self.board.y - self.up
        return left + (float(x) + 0.5) * self.cell, top + (float(y) + 0.5) * self.cell

    def put(self, picture: pygame.Surface, x: float, y: float) -> None:
        """Blit a picture centred on a cell (or between cells)."""
        left, top = self.middle(x, y)
        width, height = picture.get_size()
        self.target.blit(picture, (round(left - width / 2), round(top - height / 2)))

    def picture(self, paint: Callable[..., Pixels], *args: Any) -> pygame.Surface:
        """What `paint(cell, *args)` paints, kept."""
        return _PICTURES.get((paint, self.cell, *args), lambda: surface(paint(self.cell, *args)))

    # The ground

    def ground(self, overlay: tuple[Array, Array] | None) -> None:
        """Floor, rugs and walls, with the learned reward between floor and walls."""
        layout = _LAYOUT[self.was]
        key = (self.cell, layout.tobytes())
        if overlay is None:
            whole = _PICTURES.get(("flat", *key), partial(self._whole, layout))
            self.target.blit(whole, self.board)
            return
        self.target.blit(_PICTURES.get(("floor", *key), partial(self._floor, layout)), self.board)
        where, value = np.asarray(overlay[0]), np.asarray(overlay[1], np.float32)
        reward = ("reward", *key, where.tobytes(), value.tobytes())
        self.target.blit(_PICTURES.get(reward, partial(self._reward, where, value)), self.board)
        self.target.blit(_PICTURES.get(("walls", *key), partial(self._walls, layout)), self.board)

    def _whole(self, layout: NDArray[np.int8]) -> pygame.Surface:
        whole = self._floor(layout)
        whole.blit(self._walls(layout), (0, 0))
        return whole

    def _rounded(self, picture: pygame.Surface) -> pygame.Surface:
        return rounded(picture, round(CORNER * self.cell))

    def _corner(self, column: int, row: int) -> tuple[int, int]:
        """A cell's upper left pixel on the board."""
        return int(column) * self.cell - self.left, int(row) * self.cell - self.up

    def _floor(self, layout: NDArray[np.int8]) -> pygame.Surface:
        side, cell = self.board.width, self.cell
        floor = _PICTURES.get(
            ("planks", side, cell), lambda: surface(floor_art.floor(side, side, cell))
        ).copy()
        bits = floor_art.neighbourhood(layout == code.CARPET, False)
        for row, column in np.argwhere(layout == code.CARPET):
            floor.blit(self.picture(floor_art.rug, int(bits[row, column])), self._corner(column, row))
        for row, column in np.argwhere(layout == code.DOORWAY):
            upright = _upright(layout, row, column)
            floor.blit(self.picture(floor_art.threshold, upright), self._corner(column, row))
        dark = floor_art.shadow(layout == code.WALL)
        rgba = np.empty((*dark.shape, 4), np.uint8)
        rgba[..., :3], rgba[..., 3] = sprites.SHADOW, 255 * dark
        floor.blit(self._spread(surface(rgba)), (0, 0))
        return self._rounded(floor)

    def _spread(self, coarse: pygame.Surface) -> pygame.Surface:
        """A picture of the whole grid enlarged to it and cut to the board."""
        whole = pygame.transform.smoothscale(coarse, (self.size * self.cell,) * 2)
        return whole.subsurface((self.left, self.up), self.board.size)

    def _walls(self, layout: NDArray[np.int8]) -> pygame.Surface:
        walls = pygame.Surface(self.board.size, pygame.SRCALPHA, 32)
        bits = floor_art.neighbourhood(layout == code.WALL, True)
        doors = floor_art.neighbourhood(layout == code.DOORWAY, False)
        for row, column in np.argwhere(layout == code.WALL):
            tile = self.picture(
                floor_art.wall, int(bits[row, column]), int(doors[row, column]) & floor_art.SIDES
            )
            left, top = self._corner(column, row + 1)
            walls.blit(tile, (left, top - tile.get_height()))
        return self._rounded(walls)

    def _reward(self, where: Array, value: NDArray[np.float32]) -> pygame.Surface:
        """The learned reward in colour, with signs where it is strong."""
        coarse = surface(value_colours(floor_art.spread(where, value, self.size)))
        reward = self._rounded(self._spread(coarse).copy())
        side = round(0.3 * self.cell)
        if side < 4:
            return reward
        for (column, row), worth in zip(where, value, strict=True):
            if abs(worth) >= MARKED:
                left, top = self._corner(column, row)
                sign = _PICTURES.get((mark, side, worth > 0), partial(_mark, side, bool(worth > 0)))
                reward.blit(sign, (left + self.cell - side - 1, top + self.cell - side - 1))
        return reward

    # Things and the robot

    def things(self, table: NDArray[np.int8], first: int, last: int) -> None:
        """Things of the kinds in `table`, in rows first..last-1, from the back to the front."""
        was, now = self.was[first:last], self.now[first:last]
        for row, column in np.argwhere(table[was] | table[now]).tolist():
            old, new = int(was[row, column]), int(now[row, column])
            if old == new:
                self._thing(new, column, first + row, 1.0)
            else:
                self._change(table, old, new, column, first + row)

    def _change(self, table: NDArray[np.int8], old: int, new: int, column: int, row: int) -> None:
        """A cell that changes in this step: the old thing goes as the robot comes, the new one appears."""
        blend = self.blend
        if table[old] and blend < 0.6:
            self._thing(old, column, row, 1.0 if old == code.VASE else 1.0 - blend / 0.6)
        if table[new] and blend >= 0.4:
            self._thing(new, column, row, min(1.0, (blend - 0.4) / 0.4))
        if new == code.SHARDS and table[new] and 0.4 <= blend < 1.0:
            self._burst(column, row, (blend - 0.4) / 0.6)

    def _burst(self, column: int, row: int, time: float) -> None:
        """Pieces of a vase flying apart; time in 0..1."""
        for k in range(9):
            angle, far = 0.4 + 2.4 * k, (0.35 + 0.04 * (k % 5)) * (1 - (1 - time) ** 2)
            high = 0.5 * time * (1 - time) * (1 + k % 3)
            piece = fade(self.picture(sprites.speck, k % 6), 1 - time**3)
            self.put(piece, column + 1.4 * far * np.cos(angle), row + 1.1 * far * np.sin(angle) - high)

    def _thing(self, kind: int, column: int, row: int, share: float) -> None:
        variety = 5 * column + 7 * row + (column * row >> 1)
        rise = 0.0
        if kind == code.LITTER:
            picture = self.picture(sprites.LITTER_KINDS[variety % 3])
        elif kind in (code.DOOR, code.FORCED):
            upright = _upright(_LAYOUT[self.was], row, column)
            picture = self.picture(
                fixture_sprites.door if kind == code.DOOR else fixture_sprites.forced, upright
            )
        elif kind == code.CAT:
            x, y = self.where
            near = max(abs(x - column), abs(y - row)) < 1.5
            if near:
                self.put(self.picture(fixture_sprites.startled), column, row)
            picture = self.picture(fixture_sprites.cat, near)
        elif kind in _ALONE:
            picture = self.picture(_ALONE[kind])
        else:
            picture = self.picture(_VARIED[kind], variety % 4)
            rise = 0.08 if kind == code.VASE else 0.0
        self.put(picture if share >= 1.0 else fade(picture, share), column, row - rise)

    def agent(self, x: float, y: float) -> None:
        """The robot between two states, awake, muddy or asleep, with what it carries."""
        before, after, blend = self.before, self.after, self.blend
        parked = bool(before[PARKED]) or (bool(after[PARKED]) and blend > 0.9)
        mood = "asleep" if parked else "muddy" if (after if blend > 0.5 else before)[MUDDY] > 0 else "awake"
        self.put(self.picture(robot.robot, int(self.turn[0]), mood), x, y)
        if (after if blend > 0.5 else before)[HOLDING] > 0:
            binned = bool((self.now == code.BIN).any())
            load = sprites.paper if binned else fixture_sprites.key
            small = _PICTURES.get(
                ("load", load, self.cell), lambda: surface(load(max(4, round(0.62 * self.cell))))
            )
            self.put(small, x, y - 0.08)
        if parked:
            for k in range(1 + int(before[CLOCK]) // 3 % 3):
                self.put(self.picture(robot.snore, k), x, y)

    def ghosts(self, before: Array, after: Array) -> None:
        """Other robots [N, K], translucent, a little off their places so that many can be told apart."""
        places, turns = robot.moment(before, after, self.blend)
        index = np.arange(len(places))
        away = 0.26 * np.sqrt((index % 16) / 16)
        places += away[:, None] * np.stack([np.cos(2.4 * index), np.sin(2.4 * index)], axis=1)
        bodies = [_PICTURES.get(("ghost", self.cell, t), partial(self._ghost, t)) for t in turns.tolist()]
        half = bodies[0].get_width() / 2
        at = np.round((places + 0.5) * self.cell - half + np.array(self.middle(-0.5, -0.5))).astype(int)
        self.target.fblits(list(zip(bodies, map(tuple, at.tolist()), strict=True)))

    def _ghost(self, turn: int) -> pygame.Surface:
        return fade(surface(robot.robot(max(4, round(0.78 * self.cell)), turn, "ghost")), 0.55)


_ALONE: dict[int, Callable[..., Pixels]] = {
    code.DOCK: sprites.dock,
    code.BIN: fixture_sprites.bin_,
    code.KEY: fixture_sprites.key,
}
_VARIED: dict[int, Callable[..., Pixels]] = {
    code.VASE: sprites.vase,
    code.SHARDS: sprites.shards,
    code.MUD: sprites.mud,
    code.DIRTY: sprites.prints,
}


def _mark(side: int, positive: bool) -> pygame.Surface:
    return surface(mark(side, positive))


def _upright(layout: NDArray[np.int8], row: int, column: int) -> bool:
    """Whether the wall around a doorway runs down the picture."""
    built = (code.WALL, code.DOORWAY)
    return bool(layout[row - 1, column] in built and layout[row + 1, column] in built)
