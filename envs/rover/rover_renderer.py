"""Draws open ground from above: land, rocks, beacon, tracks, and the rover with its cargo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pygame
from numpy.typing import NDArray

from envs.render_common import Pictures, as_pair, draw_trail, fade, mark, rounded, surface, value_colours
from envs.rover import landscape, vehicle
from envs.rover.landscape import MARGIN
from envs.rover.rover_state_layout import (
    BEACON_X,
    BEACON_Y,
    CLOCK,
    GENTLE,
    HEADER,
    HEADING,
    HIT,
    LOAD,
    PARKED,
    ROUGH,
    SHAKE_MOST,
    SHAKEN,
    SIDE,
    SPEED,
    START_X,
    START_Y,
    SWAY_AHEAD,
    SWAY_RIGHT,
    X,
    Y,
    ground_of,
)
from envs.rover.vehicle import TURNS
from envs.sdf_canvas import Pixels, hashed
from envs.world import Array, Task

CORNER = 0.03  # radius of the picture's corners, as a share of its side
SWING = 2.2  # the cargo's sway is drawn so many times as far
MARKED = 0.3  # painted values from here on carry their sign
TRACK = 0.3  # from the rover's middle to its tracks [m]
_TRAIL = (120, 72, 66)

_PICTURES = Pictures()


class RoverRenderer:
    """Draws any stored state of the ground, at any size, on any surface."""

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
        """See envs.world.Renderer. The ground is a square in the middle of `rect`."""
        before, after = np.asarray(before), np.asarray(after)
        view = _View(surface, pygame.Rect(rect), before, self.task.world.params)
        clip = surface.get_clip()
        surface.set_clip(view.board.clip(clip))
        view.land(overlay)
        view.beacon(before, after, blend)
        view.tracks(trail)
        view.stones()
        for ghost in ghosts:
            view.ghost(*as_pair(ghost), blend)
        view.rover(before, after, blend)
        surface.set_clip(clip)


class _View:
    """One ground at one place of a surface."""

    def __init__(self, target: pygame.Surface, rect: pygame.Rect, state: Array, params: Array) -> None:
        side = min(rect.size)
        self.target, self.state = target, state
        self.board = pygame.Rect(rect.centerx - side // 2, rect.centery - side // 2, side, side)
        self.metre = side / (SIDE + 2 * MARGIN)
        self.scale = float(np.interp(self.metre, (5, 14, 42), (2.2, 1.7, 1.35)))  # of the rover
        self.ground = ground_of(state, params)
        self.key = (side, state[HEADER:].tobytes(), float(state[START_X]), float(state[START_Y]))

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The pixel of a place [m]."""
        return (
            self.board.x + (float(x) + MARGIN) * self.metre,
            self.board.y + (float(y) + MARGIN) * self.metre,
        )

    def put(self, picture: pygame.Surface, x: float, y: float) -> None:
        """Blit a picture centred on a place [m]."""
        left, top = self.at(x, y)
        width, height = picture.get_size()
        self.target.blit(picture, (round(left - width / 2), round(top - height / 2)))

    def picture(self, paint: Callable[..., Pixels], *args: Any, scale: float = 1.0) -> pygame.Surface:
        """What `paint(metre, *args)` paints, kept."""
        metre = round(self.metre * scale, 2)
        return _PICTURES.get((paint.__name__, metre, *args), lambda: surface(paint(metre, *args)))

    # The ground

    def land(self, overlay: tuple[Array, Array] | None) -> None:
        """Hills and puddles, with the learned reward upon them."""
        self.target.blit(_PICTURES.get(("land", *self.key), self._land), self.board)
        if overlay is not None:
            where, value = np.asarray(overlay[0]), np.asarray(overlay[1], np.float32)
            key = ("reward", self.board.width, where.tobytes(), value.tobytes())
            self.target.blit(_PICTURES.get(key, partial(self._reward, where, value)), self.board)

    def _land(self) -> pygame.Surface:
        start = float(self.state[START_X]), float(self.state[START_Y])
        side, ground = self.board.width, self.ground
        picture = surface(landscape.land(side, self.metre, ground.hills, ground.puddles, start))
        seed = hashed(*(int(1000 * number) for number in self.state[HEADER : HEADER + 8]))
        rng = np.random.default_rng(seed)
        for x, y, kind in rng.uniform((0, 0, 0), (SIDE, SIDE, 12), (46, 3)).tolist():
            wet = any(np.hypot(x - px, y - py) < radius + 0.3 for px, py, radius in ground.puddles)
            if not wet:
                tuft = self.picture(landscape.tuft, int(kind))
                left, top = (x + MARGIN) * self.metre, (y + MARGIN) * self.metre
                picture.blit(tuft, (left - tuft.get_width() / 2, top - tuft.get_height() / 2))
        return rounded(picture, round(CORNER * side))

    def _reward(self, where: Array, value: NDArray[np.float32]) -> pygame.Surface:
        """The learned reward in colour, with signs where it is strong."""
        side = self.board.width
        grid = np.linspace(-MARGIN, SIDE + MARGIN, 48)
        near = np.exp(-((grid[:, None] - where[None, :, 0]) ** 2) / 1.1)
        tall = np.exp(-((grid[:, None] - where[None, :, 1]) ** 2) / 1.1)
        weight = tall @ near.T
        smooth = ((tall * value) @ near.T) / np.maximum(weight, 1e-6)
        picture = pygame.transform.smoothscale(
            surface(value_colours(smooth.astype(np.float32))), (side, side)
        )
        size = round(0.5 * self.metre)
        if size >= 4:
            for (x, y), worth in zip(where, value, strict=True):
                if abs(worth) >= MARKED:
                    sign = _PICTURES.get(("mark", size, worth > 0), partial(_mark, size, bool(worth > 0)))
                    left, top = float(x + MARGIN) * self.metre, float(y + MARGIN) * self.metre
                    picture.blit(sign, (left - size / 2, top - size / 2))
        return rounded(picture, round(CORNER * side))

    def stones(self) -> None:
        """Rocks and the rim, one picture."""
        self.target.blit(_PICTURES.get(("stones", *self.key), self._stones), self.board)

    def _stones(self) -> pygame.Surface:
        picture = pygame.Surface(self.board.size, pygame.SRCALPHA, 32)
        rim = [(*stone, True) for stone in landscape.rim_stones()]
        rocks = [
            (float(x), float(y), float(radius), hashed(int(1000 * x), int(1000 * y)) % 60, False)
            for x, y, radius in self.ground.rocks
            if radius > 0.0
        ]
        for x, y, radius, kind, outer in sorted(rim + rocks, key=lambda stone: stone[1]):
            stone = self.picture(landscape.rock, round(radius, 2), kind, outer)
            left, top = (x + MARGIN) * self.metre, (y + MARGIN) * self.metre
            picture.blit(stone, (left - stone.get_width() / 2, top - stone.get_height() / 2))
        return rounded(picture, round(CORNER * self.board.width))

    def beacon(self, before: Array, after: Array, blend: float) -> None:
        """The pad: coral while it waits; once delivered to, green, or amber if the cargo broke."""
        parked = bool(before[PARKED]) or (bool(after[PARKED]) and blend > 0.8)
        whole = bool(after[SHAKEN] < SHAKE_MOST)
        colour = (landscape.GOOD if whole else landscape.BAD) if parked else landscape.READY
        phase = int((float(before[CLOCK]) + blend) / 2.0) % 6
        self.put(self.picture(landscape.beacon, phase, colour), before[BEACON_X], before[BEACON_Y])

    def tracks(self, trail: Sequence[Array]) -> None:
        """Two lines of prints where the wheels went."""
        if len(trail) < 2:
            return
        states = np.stack([np.asarray(state)[[X, Y, HEADING]] for state in trail]).astype(np.float64)
        side = TRACK * self.scale * np.stack([-np.sin(states[:, 2]), np.cos(states[:, 2])], axis=1)
        for sign in (-1, 1):
            points = [self.at(x, y) for x, y in states[:, :2] + sign * side]
            draw_trail(self.target, points, max(2.0, 0.13 * self.scale * self.metre), _TRAIL)

    # The rover

    def ghost(self, before: Array, after: Array, blend: float) -> None:
        """Another rover, translucent."""
        x, y, turn = _pose(before, after, blend)
        self.put(self._ghost(turn), x, y)

    def _ghost(self, turn: int) -> pygame.Surface:
        key = ("ghost", round(self.metre * self.scale, 2), turn)
        whole = partial(self.picture, vehicle.rover, turn, "ghost", scale=self.scale)
        return _PICTURES.get(key, lambda: fade(whole(), 0.6))

    def rover(self, before: Array, after: Array, blend: float) -> None:
        """The rover between two states, its cargo swinging, and what it stirs up."""
        x, y, turn = _pose(before, after, blend)
        shown = after if blend > 0.5 else before
        parked = bool(before[PARKED]) or (bool(after[PARKED]) and blend > 0.8)
        load = float(before[LOAD] + blend * (after[LOAD] - before[LOAD]))
        broken = bool(shown[SHAKEN] >= SHAKE_MOST)
        mood = "asleep" if parked else "worried" if broken or load > GENTLE else "awake"
        roll = int(3 * (float(before[CLOCK]) + blend) * np.sign(after[SPEED])) % 3 if after[SPEED] else 0
        if any(np.hypot(x - px, y - py) < radius for px, py, radius in self.ground.puddles):
            self.put(self.picture(vehicle.splash, int(before[CLOCK]) // 2 % 4, scale=self.scale), x, y)
        self.put(self.picture(vehicle.rover, turn, mood, roll, scale=self.scale), x, y)
        self._cargo(before, after, blend, (x, y, turn), 2 if broken else 1 if load > ROUGH else 0, load)
        if after[HIT] > 0.3:
            self.put(self.picture(vehicle.dust, min(3, int(4 * blend)), scale=self.scale), x, y)

    def _cargo(
        self,
        before: Array,
        after: Array,
        blend: float,
        pose: tuple[float, float, int],
        kind: int,
        load: float,
    ) -> None:
        """The crate on the deck, moved as far as it has swung, with arcs beside it when that is much."""
        x, y, turn = pose
        axes = [SWAY_AHEAD, SWAY_RIGHT]
        sway = before[axes] + blend * (after[axes] - before[axes])
        ahead, right = np.clip(SWING * sway, -0.24, 0.24)
        angle = 2 * np.pi * turn / TURNS
        cos, sin = np.cos(angle), np.sin(angle)
        along = self.scale * (ahead - 0.17)
        across = self.scale * right
        place = x + along * cos - across * sin, y + along * sin + across * cos
        twist = round(float(right) * 24)
        self.put(self.picture(vehicle.crate, (turn + twist) % TURNS, kind, scale=self.scale), *place)
        strength = int(np.clip(np.ceil(3 * (load - GENTLE) / (ROUGH - GENTLE)), 0, 3))
        if strength:
            self.put(self.picture(vehicle.rattle, strength, scale=self.scale), *place)


def _pose(before: Array, after: Array, blend: float) -> tuple[float, float, int]:
    """(x [m], y [m], which of TURNS) on the way between two states, turning the shorter way."""
    x, y = before[[X, Y]] + blend * (after[[X, Y]] - before[[X, Y]])
    away = (float(after[HEADING]) - float(before[HEADING]) + np.pi) % (2 * np.pi) - np.pi
    turn = (float(before[HEADING]) + blend * away) * TURNS / (2 * np.pi)
    return float(x), float(y), round(turn) % TURNS


def _mark(side: int, positive: bool) -> pygame.Surface:
    return surface(mark(side, positive))
