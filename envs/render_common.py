"""What the worlds' renderers share: numpy pictures as surfaces, a bounded cache, the painted reward."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import pygame

from envs.sdf_canvas import Canvas, Field, Pixels
from envs.world import Array, Renderer, Task

LIKED, DISLIKED = (28, 98, 214), (232, 106, 12)
"""Blue and orange: told apart with every common kind of colour blindness."""


def surface(pixels: Pixels, *, opaque: bool = False) -> pygame.Surface:
    """RGBA pixels as a surface in the byte order that blits fastest; needs no display."""
    height, width = pixels.shape[:2]
    raw = pygame.image.frombuffer(np.ascontiguousarray(pixels).tobytes(), (width, height), "RGBA")
    made = pygame.Surface((width, height), 0 if opaque else pygame.SRCALPHA, 32)
    made.blit(raw, (0, 0))
    return made


class Pictures:
    """The surfaces used last, by key, up to a number of pixels in all."""

    def __init__(self, pixels: int = 16_000_000) -> None:
        self._room = pixels
        self._used = 0
        self._kept: OrderedDict[Hashable, pygame.Surface] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], pygame.Surface]) -> pygame.Surface:
        """The picture for `key`, made now if it is not kept."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found
        made = make()
        self._kept[key] = made
        self._used += made.get_width() * made.get_height()
        while self._used > self._room and len(self._kept) > 1:
            _, old = self._kept.popitem(last=False)
            self._used -= old.get_width() * old.get_height()
        return made


def value_colours(values: Field) -> Pixels:
    """Values -1..1 as translucent colour: blue is liked, orange disliked, nothing is neutral."""
    strength = np.clip(np.abs(values), 0.0, 1.0)
    rgba = np.empty((*values.shape, 4), np.float32)
    rgba[..., :3] = np.where(
        (values > 0)[..., None], np.array(LIKED, np.float32), np.array(DISLIKED, np.float32)
    )
    rgba[..., 3] = 178.0 * strength**0.8
    return np.asarray(rgba, np.uint8)


def mark(size: int, positive: bool) -> Pixels:
    """A plus or a minus: the sign of a painted value in a shape, for eyes that don't tell the colours."""
    c = Canvas.blank(size, size, size)
    sign = c.line(-0.3, 0.0, 0.3, 0.0, 0.075)
    if positive:
        sign = np.minimum(sign, c.line(0.0, -0.3, 0.0, 0.3, 0.075))
    c.fill(sign - 0.05, LIKED if positive else DISLIKED, 0.55, soft=0.08)
    c.fill(sign, (255, 255, 255), 0.9)
    return c.pixels()


def rounded(picture: pygame.Surface, radius: int) -> pygame.Surface:
    """The picture with its corners made transparent, in place; radius [px]."""
    if radius < 1:
        return picture
    width, height = picture.get_size()
    disc = _disc(radius)
    for x, y in ((0, 0), (1, 0), (0, 1), (1, 1)):
        corner = pygame.Rect(x * (width - radius), y * (height - radius), radius, radius)
        picture.blit(disc, corner, (x * radius, y * radius, radius, radius), pygame.BLEND_RGBA_MULT)
    return picture


class Corners:
    """What lies under the rounded corners of a picture, kept while the picture is drawn."""

    def __init__(self, target: pygame.Surface, rect: pygame.Rect, radius: int) -> None:
        self._target, self._kept = target, []
        for x, y in ((0, 0), (1, 0), (0, 1), (1, 1)) if radius > 1 else ():
            at = (rect.x + x * (rect.width - radius), rect.y + y * (rect.height - radius))
            under = pygame.Surface((radius, radius), pygame.SRCALPHA, 32)
            under.blit(target, (0, 0), (*at, radius, radius))
            around = (x * radius, y * radius, radius, radius)
            under.blit(_disc(radius, inside=False), (0, 0), around, pygame.BLEND_RGBA_MULT)
            self._kept.append((under, at))

    def put_back(self) -> None:
        """Round the corners of what has been drawn meanwhile."""
        self._target.blits(self._kept, doreturn=False)


def fade(picture: pygame.Surface, share: float) -> pygame.Surface:
    """A copy of a picture with its alpha scaled by `share`."""
    copy = picture.copy()
    copy.fill((255, 255, 255, round(255 * share)), special_flags=pygame.BLEND_RGBA_MULT)
    return copy


def draw_trail(
    target: pygame.Surface, points: Sequence[tuple[float, float]], width: float, colour: tuple[int, int, int]
) -> None:
    """A line of dots through `points` [px], oldest first, that grows and firms up towards the newest."""
    if len(points) < 2:
        return
    places = np.asarray(points, np.float32)
    steps = np.hypot(*np.diff(places, axis=0).T)
    far = np.concatenate([[0.0], np.cumsum(steps)])
    if far[-1] <= 0:
        return
    gap = max(width * 1.1, 3.0)
    along = np.arange(far[-1] % gap, far[-1], gap)  # counted from the newest, which stays put
    ages = along / far[-1]
    xs, ys = (np.interp(along, far, places[:, axis]) for axis in (0, 1))
    radii = np.maximum(1, np.round(width * (0.2 + 0.22 * ages))).astype(int).tolist()
    alphas = ((70 + 150 * ages) // 10 * 10).astype(int).tolist()
    dots = [_dot(radius, colour, alpha) for radius, alpha in zip(radii, alphas, strict=True)]
    corners = [(x - r - 1.5, y - r - 1.5) for x, y, r in zip(xs.tolist(), ys.tolist(), radii, strict=True)]
    target.fblits(list(zip(dots, corners, strict=True)))


_DOTS = Pictures(400_000)


def _dot(radius: int, colour: tuple[int, int, int], alpha: int) -> pygame.Surface:
    def make() -> pygame.Surface:
        c = Canvas.blank(2 * radius + 3, 2 * radius + 3, 1.0)
        c.fill(c.circle(0.0, 0.0, radius), colour, alpha / 255)
        return surface(c.pixels())

    return _DOTS.get((radius, colour, alpha), make)


def _disc(radius: int, *, inside: bool = True) -> pygame.Surface:
    """White where a disc that touches the picture's edges is, or where it is not."""

    def make() -> pygame.Surface:
        c = Canvas.blank(2 * radius, 2 * radius, 1.0)
        disc = c.circle(0.0, 0.0, radius)
        c.fill(disc if inside else -disc, (255, 255, 255))
        return surface(c.pixels())

    return _DOTS.get(("disc", radius, inside), make)


def as_pair(ghost: Array) -> tuple[Array, Array]:
    """A ghost is one state [K], or a pair [2, K] to be blended like the agent itself."""
    states = np.asarray(ghost)
    return (states, states) if states.ndim == 1 else (states[0], states[1])


HOURS = (
    (0.0, (255, 245, 230)),
    (0.2, (255, 255, 255)),
    (0.6, (255, 255, 255)),
    (0.85, (255, 232, 208)),
    (1.0, (224, 212, 232)),
)
"""An episode is a day: the light at shares of the horizon."""


def light(share: float) -> tuple[int, int, int]:
    """The light's colour when that share of the episode has passed; pale, so that all stays told apart."""
    times = [time for time, _ in HOURS]
    red, green, blue = (
        round(float(np.interp(share, times, [colour[part] for _, colour in HOURS]))) for part in range(3)
    )
    return red, green, blue


class Daylight:
    """A renderer whose pictures are lit by the time of day, so that the time left shows by itself."""

    def __init__(self, drawn: Renderer, task: Task) -> None:
        self.drawn, self._clock, self._horizon = drawn, task.world.clock, task.horizon

    @property
    def aspect(self) -> float:
        return self.drawn.aspect

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
        """See `envs.world.Renderer`."""
        self.drawn.draw(surface, rect, before, after, blend, overlay=overlay, ghosts=ghosts, trail=trail)
        clock = float(before[self._clock]) + blend * (float(after[self._clock]) - float(before[self._clock]))
        colour = light(clock / self._horizon)
        if colour != (255, 255, 255):
            surface.fill(colour, self._lit(pygame.Rect(rect)), pygame.BLEND_RGB_MULT)

    def _lit(self, box: pygame.Rect) -> pygame.Rect:
        """The part of the box that the picture takes up."""
        width = min(box.width, round(box.height * self.aspect))
        lit = pygame.Rect(0, 0, width, min(box.height, round(width / self.aspect)))
        lit.center = box.center
        return lit
