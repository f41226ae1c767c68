"""Draws a motorway from above, driven from left to right, with the driven car a third of the way in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pygame
from numpy.typing import NDArray

from envs.lanes import cars, lanes_sprites, scenery
from envs.lanes.ambulance import AMBULANCE_CAR
from envs.lanes.lanes_state_layout import (
    ABREAST,
    AMBULANCE,
    CLOCK,
    CRASH_CAR,
    CRASHED,
    CROSSING,
    KIND,
    LANE,
    LANE_WIDTH,
    LANES,
    LENGTH,
    MERGE,
    RING,
    SITE,
    TRUCK,
    A,
    X,
    Y,
    cars_of,
    extras_of,
    offsets,
)
from envs.lanes.merging import BEND
from envs.render_common import Corners, Pictures, as_pair, draw_trail, fade, mark, surface, value_colours
from envs.sdf_canvas import Pixels, hashed
from envs.world import Array, Task

CORNER = 0.04  # radius of the picture's corners, as a share of its shorter side
STRETCH = 1.8  # how much wider than long a metre is drawn: lanes and cars are easier to tell apart
AHEAD = 1 / 3  # where the driven car is, as a share of the width
SLOT = 6.5  # one thing at most stands in so many metres on each side [m]
LEAN = 0.05  # how far crowns lean out, by their distance from the middle of the picture
BRAKE = -0.8  # brake lights from here on [m/s^2]
SPRUCES, TREES, BUSHES, FLOWERS, HOUSE = 2, 7, 10, 13, 15  # of 16 kinds, those below (HOUSE: that one)
MARKED = 0.3  # painted values from here on carry their sign
RED, AMBER, BLUE = (255, 60, 48), (255, 176, 40), (70, 130, 255)
SLIP = 1.2  # room for a slip road beside the road [lanes]
LEFT_ROAD = 20.0  # a car that moves so far in a step has left the road and another has come [m]
_TRAIL = (255, 214, 110)

_PICTURES = Pictures()


class LanesRenderer:
    """Draws any stored state of the road, at any size, on any surface."""

    aspect = 16 / 7

    def __init__(self, task: Task) -> None:
        self.task = task
        self._lanes = int(task.world.params[LANES])
        self._ring = float(task.world.params[RING])
        self._kind = int(task.world.params[KIND])

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
        """See envs.world.Renderer. A ghost may also be a pair of states [2, K], blended like the car."""
        before, after = np.asarray(before), np.asarray(after)
        me, then = cars_of(before)[0], cars_of(after)[0]
        camera = float(me[X]) + blend * (float(then[X]) - float(me[X]))
        slip = SLIP if self._kind == MERGE else 0.0
        view = _View(surface, pygame.Rect(rect), self._lanes, camera, slip)
        clip = surface.get_clip()
        surface.set_clip(view.rect.clip(clip))
        corners = Corners(surface, view.rect, round(min(view.rect.size) * CORNER))
        view.ground()
        if self._kind == MERGE:
            view.slip_road(float(extras_of(before)[SITE]))
        elif self._kind == CROSSING:
            view.zebra(float(extras_of(before)[SITE]))
        if overlay is not None:
            view.reward(np.asarray(overlay[0]), np.asarray(overlay[1], np.float32))
        draw_trail(surface, [view.at(*cars_of(state)[0, [X, Y]]) for state in trail], 0.2 * view.lane, _TRAIL)
        for ghost in ghosts:
            view.ghost(*as_pair(ghost), blend)
        view.traffic(before, after, blend, self._ring, AMBULANCE_CAR if self._kind == AMBULANCE else 0)
        if self._kind == CROSSING:
            view.people(before, after, blend)
        view.roadside(hashed(*(int(1000 * length) for length in cars_of(before)[:4, LENGTH])))
        corners.put_back()
        surface.set_clip(clip)


class _View:
    """One road at one place of a surface, seen from where the driven car is."""

    def __init__(
        self, target: pygame.Surface, rect: pygame.Rect, lanes: int, camera: float, slip: float
    ) -> None:
        self.target, self.rect, self.lanes, self.camera = target, rect, lanes, camera
        tall = float(np.interp(rect.height / rect.width, (0.5, 1.0), (0.0, 1.0)))
        # Metres shown: fewer where the picture is small or tall.
        span = float(np.interp(rect.width, (120, 560), (56, 90))) * (1 - 0.3 * tall)
        self.metre = rect.width / span
        most = (0.62 if not slip else 0.72) * rect.height / (lanes + slip)
        self.lane = min(self.metre * LANE_WIDTH * (STRETCH + 0.3 * tall), most)
        self.top = (rect.height - self.lane * (lanes + slip)) / 2
        self.slip: float | None = None  # where the slip road's mouth is [m]
        self.width = self.lane * ABREAST

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The pixel of a place on the road (x [m], y [lanes])."""
        across = self.rect.x + self.rect.width * AHEAD + (float(x) - self.camera) * self.metre
        return across, self.rect.y + self.top + (float(y) + 0.5) * self.lane

    def put(self, picture: pygame.Surface, x: float, y: float) -> None:
        """Blit a picture centred on a pixel."""
        self.target.blit(picture, (round(x - picture.get_width() / 2), round(y - picture.get_height() / 2)))

    def picture(self, paint: Callable[..., Pixels], *args: Any) -> pygame.Surface:
        """What `paint(*args)` paints, kept."""
        return _PICTURES.get((paint.__module__, paint.__name__, *args), lambda: surface(paint(*args)))

    def ground(self) -> None:
        """Grass and road: one strip, laid end to end and moved with the camera."""
        width, height = round(scenery.PERIOD * self.metre), self.rect.height
        key = (width, height, self.lanes, round(self.top, 1), round(self.lane, 1), width / scenery.PERIOD)
        strip = _PICTURES.get(("road", *key), lambda: surface(scenery.road(*key), opaque=True))
        left = self.rect.width * AHEAD - self.camera * self.metre
        start = round(left % width) - width
        for x in range(self.rect.x + start, self.rect.right, width):
            self.target.blit(strip, (x, self.rect.y))

    def slip_road(self, mouth: float) -> None:
        """The slip road, laid over the road's lower edge."""
        self.slip = mouth
        edge = self.top + (self.lanes - lanes_sprites.OVER) * self.lane
        height = max(2, round(self.rect.height - edge))
        road = self.picture(lanes_sprites.slip_road, round(self.metre, 3), round(self.lane, 2), height)
        self.target.blit(
            road, (round(self.at(mouth - lanes_sprites.BEFORE, 0)[0]), round(self.rect.y + edge))
        )

    def zebra(self, middle: float) -> None:
        """The stripes across all lanes."""
        stripes = self.picture(lanes_sprites.zebra, round(self.metre, 2), round(self.lane, 1), self.lanes)
        self.put(stripes, *self.at(middle, (self.lanes - 1) / 2))

    def people(self, before: Array, after: Array, blend: float) -> None:
        """Whoever waits at the zebra, crosses it, or has crossed."""
        size = max(7, round(0.54 * self.lane))
        for x, y, *looks in lanes_sprites.crowd(before, after, blend):
            self.put(self.picture(lanes_sprites.person, size, *looks), *self.at(x, y))

    def reward(self, where: Array, value: NDArray[np.float32]) -> None:
        """Values at (X, Y) painted on the lanes, smooth along the road."""
        xs = np.unique(where[:, 0])
        if len(xs) < 2:
            return
        key = ("reward", round(self.metre, 2), round(self.lane, 1), where.tobytes(), value.tobytes())

        def make() -> pygame.Surface:
            grid = np.zeros((self.lanes, len(xs)), np.float32)
            lanes = np.clip(np.round(where[:, 1]).astype(np.int64), 0, self.lanes - 1)
            grid[lanes, np.searchsorted(xs, where[:, 0])] = value
            rows = np.repeat(grid, 6, axis=0)
            rows[::6] *= 0.25
            rows[5::6] *= 0.25
            fine = np.linspace(0, len(xs) - 1, 8 * len(xs))
            smooth = np.stack([np.interp(fine, np.arange(len(xs)), row) for row in rows])
            smooth *= np.clip(np.minimum(fine, fine[::-1]) / 2, 0, 1)
            size = (round((xs[-1] - xs[0]) * self.metre), round(self.lane * self.lanes))
            road = pygame.transform.smoothscale(surface(value_colours(smooth.astype(np.float32))), size)
            self._marks(road, where, value, float(xs[0]))
            return road

        left, top = self.at(xs[0], -0.5)
        self.target.blit(_PICTURES.get(key, make), (round(left), round(top)))

    def _marks(self, road: pygame.Surface, where: Array, value: NDArray[np.float32], start: float) -> None:
        """The signs of the painted values, in every other place."""
        side = round(0.3 * self.lane)
        if side < 5:
            return
        for (x, y), worth in zip(where, value, strict=True):
            if abs(worth) >= MARKED and round((x - start) / 5.0) % 2:
                sign = self.picture(mark, side, bool(worth > 0))
                road.blit(sign, ((x - start) * self.metre - side / 2, (y + 0.5) * self.lane - side / 2))

    # Cars

    def ghost(self, before: Array, after: Array, blend: float) -> None:
        """Another agent's car, translucent."""
        me, then = cars_of(before)[0], cars_of(after)[0]
        x, y = self.at(*(me[[X, Y]] + blend * (then[[X, Y]] - me[[X, Y]])))
        body = self.picture(cars.ghost, round(self.width, 1), round(float(me[LENGTH]) * self.metre, 1))
        self.put(body, x, y)

    def traffic(self, before: Array, after: Array, blend: float, ring: float, siren: int) -> None:
        """All cars between two states, then the crash if there was one; `siren` is the ambulance, or 0."""
        was, now = cars_of(before), cars_of(after)
        start, end = offsets(before, ring), offsets(after, ring)
        end += ring * np.round((start - end) / ring)  # the same turn of the ring
        along = start + blend * (end - start)
        reach = self.rect.width / self.metre + 12
        for index in np.argsort(was[:, Y], kind="stable"):
            if -reach * AHEAD - 12 < along[index] < reach and abs(end[index] - start[index]) < LEFT_ROAD:
                y = was[index, Y] + blend * (now[index, Y] - was[index, Y])
                drift = (now[index, Y] - was[index, Y]) * self.lane
                moved = max(1.0, float(now[index, X] - was[index, X]) * self.metre)
                x, turn = self.camera + along[index], 0.75 * np.arctan2(drift, moved)
                self._car(int(index), now[index], x, y, turn, index == siren > 0)
                self._lights(now[index], x, y, int(before[CLOCK]))
                if index == siren > 0:
                    self._siren(now[index], x, y, int(before[CLOCK]))
        if after[CRASHED] and (before[CRASHED] or blend > 0.5):
            other = int(after[CRASH_CAR])
            self._crash(along[other], now[other, Y], now[0, Y], float(before[CLOCK]) + blend)

    def _car(self, index: int, car: Array, x: float, y: float, angle: float, siren: bool) -> None:
        left, top = self.at(x, y)
        size = (round(self.width, 1), round(float(car[LENGTH]) * self.metre, 1))
        turn = round(float(angle) * 30) / 30
        kind = "truck" if car[LENGTH] > TRUCK else "van" if car[LENGTH] > 5.5 else "car"
        paint = hashed(index, int(1000 * car[LENGTH])) % len(cars.PAINTS)
        if siren:
            kind, paint = "ambulance", 0
        if index == 0:
            kind, paint = "ego", 0
            self.put(self.picture(cars.halo, *size, turn), left, top)
        self.put(self.picture(cars.car, *size, turn, kind, paint), left, top)

    def _lights(self, car: Array, x: float, y: float, clock: int) -> None:
        left, top = self.at(x, y)
        half = 0.5 * float(car[LENGTH]) * self.metre
        side = self.width / 2
        if car[A] < BRAKE:
            lamp = self.picture(cars.glow, round(0.62 * self.width), RED)
            for sign in (-1, 1):
                self.put(lamp, left - half + 0.04 * self.width, top + 0.62 * side * sign)
        away = float(car[LANE]) - y
        if abs(away) > 0.02 and clock % 4 < 2:
            lamp = self.picture(cars.glow, round(0.55 * self.width), AMBER)
            for end in (-1, 1):
                self.put(lamp, left + end * (half - 0.1 * self.width), top + np.sign(away) * 0.8 * side)

    def _siren(self, car: Array, at: float, across: float, clock: int) -> None:
        """Blue lights, one side after the other."""
        left, top = self.at(at, across)
        half, side = 0.5 * float(car[LENGTH]) * self.metre, 1 if clock // 2 % 2 else -1
        bar = left + half - 0.54 * self.width
        self.put(self.picture(cars.glow, round(2.6 * self.width), BLUE), bar, top + 0.25 * self.width * side)
        self.put(
            self.picture(cars.glow, round(0.8 * self.width), BLUE), left - half, top - 0.3 * side * self.width
        )

    def _crash(self, along: float, y: float, mine: float, time: float) -> None:
        """A star between the two cars, and smoke that goes on rising."""
        left, top = self.at(self.camera + along / 2, (y + mine) / 2)
        star = round(1.15 * self.lane)
        self.put(self.picture(cars.burst, star), left, top)
        for k in range(4):
            rise = (time / 14 + k / 4) % 1.0
            puff = self.picture(cars.smoke, round(self.lane * (0.5 + 0.6 * rise)), k)
            drift = self.lane * rise
            self.put(fade(puff, 1 - rise), left + drift * (0.5 - 0.4 * (k % 3)), top - drift)

    # The roadside

    def roadside(self, seed: int) -> None:
        """Trees, bushes, flowers and stones, the same ones whenever the place is passed."""
        span = self.rect.width / self.metre
        first = int((self.camera - span * AHEAD) / SLOT) - 2
        verge = self.top - 0.3 * self.lane
        if verge < 6:
            return
        tall = []
        for slot in range(first, first + int(span / SLOT) + 5):
            for side in (0, 1):
                across, depth, kind, tint = _growth(seed, slot, side)
                if side and self.slip is not None and -lanes_sprites.BEFORE < across - self.slip < 0.3 * BEND:
                    continue
                x = self.at(across, 0)[0]
                far = verge * (1 - depth)
                y = self.rect.y + (far if side == 0 else self.rect.height - far)
                if kind == HOUSE or kind < TREES:
                    tall.append((kind, tint, x, y))
                else:
                    self._low(kind, tint, x, y)
        for kind, tint, x, y in tall:
            if kind == HOUSE:
                self._house(x, y, tint)
            else:
                self._tree(kind, tint, x, y)

    def _low(self, kind: int, tint: int, x: float, y: float) -> None:
        paint = scenery.bush if kind < BUSHES else scenery.flowers if kind < FLOWERS else scenery.stone
        size = max(5, round(self.lane * (0.36 if kind >= FLOWERS else 0.56)))
        self.put(self.picture(paint, size, tint), x, y)

    def _tree(self, kind: int, tint: int, x: float, y: float) -> None:
        size = max(6, round(self.lane * (1.0 + 0.1 * (tint & 3))))
        self.put(self.picture(scenery.shade, size), x, y)
        paint = scenery.spruce if kind < SPRUCES else scenery.crown
        dx, dy = x - self.rect.centerx, y - self.rect.centery
        for level in range(3):
            lean = LEAN * (level + 0.6)
            self.put(self.picture(paint, size, level, tint & 3), x + lean * dx, y + lean * dy)

    def _house(self, x: float, y: float, tint: int) -> None:
        """Walls that rise towards a roof, which leans like the crowns do."""
        size = round(2.1 * self.lane)
        dx, dy = 1.3 * LEAN * (x - self.rect.centerx), 1.3 * LEAN * (y - self.rect.centery)
        self.put(self.picture(scenery.house_shadow, size), x, y)
        storey = self.picture(scenery.storey, size)
        levels = max(2, round(np.hypot(dx, dy) / 1.5))
        for level in range(levels):
            self.put(storey, x + dx * level / levels, y + dy * level / levels)
        self.put(self.picture(scenery.roof, size, tint), x + dx, y + dy)


@lru_cache(8192)
def _growth(seed: int, slot: int, side: int) -> tuple[float, float, int, int]:
    """What stands in a slot of the roadside: (place [m], depth 0..1 away from the road, kind, tint)."""
    word = hashed(seed, slot, side)
    kind, tint = word >> 16 & 15, word >> 20 & 7
    if kind == HOUSE and slot % 3:
        kind = 0  # no room for a house in every slot
    depth = 0.5 if kind == HOUSE else (0.3 if kind < TREES else 0.12) + 0.7 * (word >> 8 & 255) / 256
    return (slot + (word & 255) / 256) * SLOT, depth, kind, tint
