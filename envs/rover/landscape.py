"""What the open ground is painted of, with numpy: sand and hills, puddles, rocks, the rim, the beacon.

Pictures of things are in metres with (0, 0) in their middle; light comes from the upper left.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from envs.rover.rover_state_layout import BEACON_REACH, SIDE, height
from envs.sdf_canvas import Canvas, Field, Pixels, blurred, mix
from envs.world import Array

MARGIN = 0.75  # how much is seen beyond the ground, on every side [m]
CONTOUR = 0.25  # height between contour lines; every fourth is stronger [m]
SHADE = (70, 44, 58)
_LOW, _SAND, _HIGH = (196, 158, 134), (229, 202, 164), (246, 230, 198)
_LIT, _DARK = (255, 244, 216), (150, 104, 108)
_LINE = (142, 96, 82)
_WATER, _DEEP, _SHORE = (138, 192, 196), (84, 142, 158), (176, 138, 112)
_ROCK = ((226, 212, 204), (126, 108, 116))
_RIM = ((206, 180, 164), (122, 94, 98))
READY, GOOD, BAD = (240, 124, 84), (64, 190, 140), (236, 164, 56)


def blank(metre: float, reach: float) -> Canvas:
    """An empty picture that reaches so far from its middle [m]; metre: pixels."""
    side = max(5, round(2 * reach * metre))
    return Canvas.blank(side, side, metre)


def _noise(side: int, scale: int, seed: int) -> Field:
    rough = np.random.default_rng(seed).standard_normal((side, side), np.float32)
    smooth = blurred(rough, scale)
    return np.asarray(smooth / max(float(smooth.std()), 1e-6), np.float32)


def land(side: int, metre: float, hills: Array, puddles: Array, start: tuple[float, float]) -> Pixels:
    """The whole ground, side x side pixels: sand, hills with light and contour lines, puddles, the start."""
    c = Canvas.blank(side, side, metre, (0.0, 0.0))
    x, y = c.x - MARGIN, c.y - MARGIN
    high = height(hills, x, y)
    down, right = np.gradient(high, 1.0 / metre)
    light = 0.6 * right + 0.8 * down
    tones, shades = _COLOURS.shape[:2]
    tone = np.clip((high / 1.5 + 1.0) * (tones / 2), 0, tones - 1).astype(np.int32)
    shade = np.clip((light / 0.45 + 1.0) * (shades / 2), 0, shades - 1).astype(np.int32)
    c.rgb[:] = _COLOURS[tone, shade]
    c.rgb[:] += _grain(side, metre)[..., None]
    c.alpha[:] = 1.0
    _contours(c, high, np.hypot(right, down), metre)
    for index, (px, py, radius) in enumerate(puddles.tolist()):
        if radius > 0.0:
            _puddle(_around(c, px, py, radius + 0.3), radius, index)
    _start_pad(_around(c, *start, 1.0))
    return c.pixels()


def _around(c: Canvas, x: float, y: float, reach: float) -> Canvas:
    """The part of the land's picture within `reach` of a place [m], seen from there."""
    rows, columns = (
        slice(*(max(0, round((at + MARGIN + far) / c.pixel)) for far in (-reach, reach))) for at in (y, x)
    )
    part = np.s_[rows, columns]
    return Canvas(c.x[part] - MARGIN - x, c.y[part] - MARGIN - y, c.pixel, c.rgb[part], c.alpha[part])


def _colours() -> Field:
    """The sand's colour by height (-1.5 to 1.5 m) and by light (-0.45 to 0.45), [32, 96, 3]."""
    high, light = np.meshgrid(np.linspace(-1, 1, 32), np.linspace(-0.45, 0.45, 96), indexing="ij")
    ground = np.where((high < 0)[..., None], mix(_SAND, _LOW, -1.25 * high), mix(_SAND, _HIGH, high))
    ground = mix(ground, _LIT, np.clip(1.9 * light, 0.0, 0.7))
    return mix(ground, _DARK, np.clip(-1.8 * light, 0.0, 0.74))


_COLOURS = _colours()


@lru_cache(4)
def _grain(side: int, metre: float) -> Field:
    """Unevenness of the sand and wind ripples here and there, as light added [0..255]."""
    coarse = _noise(side, max(1, round(0.22 * metre)), 3)
    grain = 2.6 * coarse + 1.4 * _noise(side, max(1, round(0.04 * metre)), 4)
    at = np.arange(side, dtype=np.float32) / metre
    x, y = at[None, :], at[:, None]
    wave = np.sin(5.2 * (0.5 * x + y) + 0.9 * coarse + 1.3 * np.sin(0.7 * x))
    patch = np.clip(np.sin(0.55 * x + 1.0) * np.sin(0.48 * y + 2.0) - 0.25, 0.0, 0.6)
    return np.asarray(grain - 14.0 * patch * np.clip(1.5 * wave - 0.6, 0.0, 1.0), np.float32)


def _contours(c: Canvas, high: Field, steep: Field, metre: float) -> None:
    level = high / CONTOUR - 0.5
    nearest = np.round(level)
    away = np.abs(level - nearest) * CONTOUR / np.maximum(steep, 0.03)
    strong = nearest % 4 == 1
    width = np.where(strong, 0.055, 0.03)
    if metre < 20:
        width = np.where(strong, 0.045, 0.0)
    clear = np.clip(steep / 0.06, 0.0, 1.0)
    line = np.asarray(away - np.maximum(width, 0.6 / metre * (width > 0)), np.float32)
    c.fill(line, _LINE, np.where(strong, 0.5, 0.3) * clear * (width > 0))


def _puddle(c: Canvas, radius: float, kind: int) -> None:
    shape = c.blob(0.0, 0.0, radius, 40 + kind, 0.05)
    c.fill(shape - 0.1, _SHORE, 0.55, soft=0.12)
    c.fill(shape, mix(_WATER, _DEEP, -shape / (0.9 * radius)))
    c.stroke(shape + 0.05, 0.045, (226, 242, 236), 0.55)
    glint = c.ellipse(-0.3 * radius, -0.36 * radius, 0.34 * radius, 0.1 * radius)
    c.fill(np.maximum(glint, shape + 0.1), (240, 252, 250), 0.6)
    glint = c.ellipse(0.28 * radius, 0.3 * radius, 0.26 * radius, 0.06 * radius)
    c.fill(np.maximum(glint, shape + 0.1), (230, 248, 246), 0.35)


def _start_pad(c: Canvas) -> None:
    """Where the cargo was taken on: a worn mark."""
    ring = c.circle(0.0, 0.0, 0.75)
    around = np.arctan2(c.y, c.x)
    dashes = np.asarray(np.abs((around * 8 / np.pi) % 1.0 - 0.5) * 0.3 - 0.1, np.float32)
    c.fill(np.maximum(np.abs(ring) - 0.05, dashes), (255, 250, 238), 0.75)
    for side in (-1, 1):
        c.fill(c.line(-0.2, 0.2 * side, 0.2, -0.2 * side, 0.045), (255, 250, 238), 0.6)


def rock(metre: float, radius: float, kind: int, rim: bool = False) -> Pixels:
    """A rock with facets and a long shadow."""
    c = blank(metre, 1.9 * radius)
    rng = np.random.default_rng(kind)
    corners = []
    count = 7 + kind % 3
    for k in range(count):
        angle = 2 * np.pi * (k + 0.4 * rng.uniform()) / count
        far = radius * rng.uniform(0.84, 1.02)
        corners.append((far * np.cos(angle), far * np.sin(angle)))
    shape = c.polygon(corners, 0.06 * radius)
    light, dark = _RIM if rim else _ROCK
    moved = c.turned(0.0, 0.34 * radius, 0.42 * radius)
    c.fill(moved.polygon(corners, 0.05 * radius), SHADE, 0.4, soft=0.22 * radius)
    c.fill(shape - 0.035, mix(dark, SHADE, 0.7))
    c.fill(shape, mix(light, dark, 0.42 + (0.55 * c.x + 0.7 * c.y) / radius))
    top = c.polygon([(0.58 * px - 0.12 * radius, 0.56 * py - 0.14 * radius) for px, py in corners], 0.02)
    c.fill(top, mix((255, 248, 238), light, 0.35 + (0.5 * c.x + 0.7 * c.y) / radius))
    for px, py in corners[:: 2 + kind % 2]:
        ridge = c.line(0.55 * px - 0.1 * radius, 0.55 * py - 0.12 * radius, px, py, 0.018)
        c.fill(np.maximum(ridge, shape), mix(dark, SHADE, 0.4), 0.5)
    return c.pixels()


def tuft(metre: float, kind: int) -> Pixels:
    """A tuft of dry grass, or pebbles."""
    c = blank(metre, 0.5)
    rng = np.random.default_rng(kind)
    if kind % 3 == 0:
        for x, y, r in rng.uniform((-0.3, -0.25, 0.05), (0.3, 0.25, 0.11), (4, 3)):
            c.fill(c.ellipse(x + 0.03, y + 0.04, r, 0.8 * r), SHADE, 0.3, soft=0.05)
            c.fill(c.ellipse(x, y, r, 0.8 * r), mix((222, 200, 184), (150, 124, 122), 0.5 + 3.0 * (c.y - y)))
        return c.pixels()
    c.fill(c.ellipse(0.05, 0.07, 0.24, 0.16), SHADE, 0.25, soft=0.12)
    for k in range(11):
        angle = -np.pi / 2 + 1.5 * (k / 10 - 0.5) * 2 + 0.2 * rng.standard_normal()
        far = rng.uniform(0.2, 0.34)
        blade = c.line(0.02 * (k - 5), 0.06, far * np.cos(angle), 0.06 + far * np.sin(angle), 0.022)
        c.fill(blade, mix((120, 138, 92), (186, 182, 116), k % 4 / 3.0))
    return c.pixels()


def beacon(metre: float, phase: int, colour: tuple[int, int, int]) -> Pixels:
    """The pad on which to stop, with a ring that widens in six phases, and a lamp on each corner."""
    c = blank(metre, 1.45 * BEACON_REACH)
    reach = BEACON_REACH
    c.fill(c.circle(0.0, 0.0, reach), (250, 244, 230), 0.34)
    wave = reach * (0.35 + 0.65 * (phase + 0.5) / 6)
    c.stroke(c.circle(0.0, 0.0, wave), 0.09, colour, 0.75 * (1.0 - phase / 7))
    around = np.arctan2(c.y, c.x)
    dashes = np.asarray(np.abs((around * 9 / np.pi) % 1.0 - 0.5) * 0.4 - 0.14, np.float32)
    c.fill(np.maximum(np.abs(c.circle(0.0, 0.0, reach)) - 0.06, dashes), colour, 0.95)
    c.fill(c.box(0.06, 0.08, 0.62, 0.62, 0.16), SHADE, 0.35, soft=0.14)
    pad = c.box(0.0, 0.0, 0.6, 0.6, 0.15)
    c.fill(pad - 0.04, (92, 84, 96))
    c.fill(pad, mix((238, 234, 228), (198, 190, 188), 0.5 + 0.6 * (c.x + c.y)))
    c.stroke(pad + 0.1, 0.05, colour, 0.9)
    for x in (-0.42, 0.42):
        for y in (-0.42, 0.42):
            c.fill(c.circle(x, y, 0.16), colour, 0.35, soft=0.1)
            c.fill(c.circle(x, y, 0.085), mix(colour, (255, 255, 255), 0.25))
    for turn in range(4):
        arm = c.turned(turn * np.pi / 2)
        c.fill(arm.polygon([(0.1, 0.0), (0.26, -0.1), (0.26, 0.1)], 0.02), colour, 0.85)
    return c.pixels()


def rim_stones() -> list[tuple[float, float, float, int]]:
    """(x, y, radius, kind) of the stones around the ground, the same for all."""
    rng = np.random.default_rng(11)
    stones = []
    for along in np.arange(-0.3, SIDE + 0.6, 0.62):
        for side in range(4):
            at, off = along + 0.14 * rng.standard_normal(), -0.3 + 0.1 * rng.standard_normal()
            x, y = ((at, off), (SIDE - off, at), (at, SIDE - off), (off, at))[side]
            stones.append((float(x), float(y), float(rng.choice((0.27, 0.34, 0.42))), int(rng.integers(4))))
    return sorted(stones, key=lambda stone: stone[1])
