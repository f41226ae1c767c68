"""Pictures painted with signed distances: smooth edges and soft shadows at any size, numpy only.

A shape is an array of distances to its outline (negative inside) at every pixel's centre; after
Íñigo Quílez, "2D distance functions". Nothing here needs a screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Field: TypeAlias = NDArray[np.floating[Any]]
Colour: TypeAlias = tuple[int, int, int] | Field
Pixels: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True)
class Canvas:
    """A transparent picture in units of its own: x to the right, y down.

    x, y: each pixel's place [units]; pixel: its side [units]; rgb (premultiplied, 0..255) and alpha
    are painted on. The shapes' methods return distances [height, width] in units.
    """

    x: Field
    y: Field
    pixel: float
    rgb: Field
    alpha: Field

    @classmethod
    def blank(cls, width: int, height: int, unit: float, origin: tuple[float, float] = (0.5, 0.5)) -> Canvas:
        """width, height [px]; unit: pixels per unit; origin: where (0, 0) is, in fractions of the picture."""
        across = (np.arange(width, dtype=np.float32) + 0.5 - width * origin[0]) / unit
        down = (np.arange(height, dtype=np.float32) + 0.5 - height * origin[1]) / unit
        x, y = (np.ascontiguousarray(a, np.float32) for a in np.meshgrid(across, down))
        rgb = np.zeros((height, width, 3), np.float32)
        return cls(x, y, 1.0 / unit, rgb, np.zeros((height, width), np.float32))

    def turned(self, angle: float, x: float = 0.0, y: float = 0.0) -> Canvas:
        """The same picture seen in axes moved to (x, y), then turned clockwise by `angle` [rad]."""
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        dx, dy = self.x - np.float32(x), self.y - np.float32(y)
        return replace(self, x=cos * dx + sin * dy, y=cos * dy - sin * dx)

    # Shapes

    def circle(self, x: float, y: float, radius: float) -> Field:
        return np.asarray(np.hypot(self.x - x, self.y - y) - radius, np.float32)

    def ellipse(self, x: float, y: float, rx: float, ry: float) -> Field:
        """Exact near the outline, which is all that painting needs."""
        px, py = (self.x - x) / rx, (self.y - y) / ry
        length = np.hypot(px, py)
        slope = np.hypot(px / rx, py / ry)
        return np.asarray(length * (length - 1.0) / np.maximum(slope, 1e-6), np.float32)

    def box(self, x: float, y: float, half_x: float, half_y: float, radius: float = 0.0) -> Field:
        """A rectangle with rounded corners, given by its centre and half its sides."""
        qx = np.abs(self.x - x) - (half_x - radius)
        qy = np.abs(self.y - y) - (half_y - radius)
        outside = np.hypot(np.maximum(qx, 0.0), np.maximum(qy, 0.0))
        return np.asarray(outside + np.minimum(np.maximum(qx, qy), 0.0) - radius, np.float32)

    def line(self, x0: float, y0: float, x1: float, y1: float, radius: float) -> Field:
        """A line with round ends, 2 * radius thick."""
        dx, dy = x1 - x0, y1 - y0
        px, py = self.x - x0, self.y - y0
        along = np.clip((px * dx + py * dy) / max(dx * dx + dy * dy, 1e-9), 0.0, 1.0)
        return np.asarray(np.hypot(px - along * dx, py - along * dy) - radius, np.float32)

    def polygon(self, points: Sequence[tuple[float, float]], radius: float = 0.0) -> Field:
        """Any polygon, its outline swollen by `radius` (which rounds the corners)."""
        nearest = np.full(self.x.shape, np.inf, np.float32)
        inside = np.zeros(self.x.shape, np.bool_)
        for (x0, y0), (x1, y1) in zip(points, (*points[1:], points[0]), strict=True):
            nearest = np.minimum(nearest, self.line(x0, y0, x1, y1, 0.0))
            if y0 != y1:
                crosses = (y0 > self.y) != (y1 > self.y)
                inside ^= crosses & (self.x < (x1 - x0) * (self.y - y0) / (y1 - y0) + x0)
        return np.asarray(np.where(inside, -nearest, nearest) - radius, np.float32)

    def blob(self, x: float, y: float, radius: float, seed: int, wobble: float = 0.16) -> Field:
        """A puddle: a circle whose radius wavers by `wobble` in a way given by `seed`."""
        rng = np.random.default_rng(seed)
        angle = np.arctan2(self.y - y, self.x - x)
        wave = sum(rng.uniform(0.5, 1.0) / k * np.sin(k * angle + rng.uniform(0, 6.28)) for k in (2, 3, 4, 5))
        return np.asarray(np.hypot(self.x - x, self.y - y) - radius * (1 + wobble * wave), np.float32)

    # Paint

    def fill(self, distance: Field, colour: Colour, alpha: float | Field = 1.0, soft: float = 0.0) -> None:
        """Paint the inside of a shape over what is there; `soft` blurs its edge by so many units."""
        if soft > 0.0:
            t = np.clip(0.5 - distance / (2.0 * soft), 0.0, 1.0)
            cover = t * t * (3.0 - 2.0 * t)
        else:
            cover = np.clip(0.5 - distance / self.pixel, 0.0, 1.0)
        cover = np.asarray(cover * alpha, np.float32)
        rows, columns = (np.flatnonzero(cover.any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            return
        part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        cover = cover[part]
        rgb, under = self.rgb[part], self.alpha[part]
        paint = (
            colour[part]
            if isinstance(colour, np.ndarray) and colour.ndim == 3
            else np.asarray(colour, np.float32)
        )
        rgb *= 1.0 - cover[..., None]
        rgb += paint * cover[..., None]
        under *= 1.0 - cover
        under += cover

    def stroke(self, distance: Field, width: float, colour: Colour, alpha: float | Field = 1.0) -> None:
        """Paint the outline of a shape, `width` units thick."""
        self.fill(np.abs(distance) - width / 2, colour, alpha)

    def within(self, mask: Field) -> None:
        """Keep only what lies inside a shape."""
        cover = np.clip(0.5 - mask / self.pixel, 0.0, 1.0)
        np.multiply(self.rgb, cover[..., None], out=self.rgb)
        np.multiply(self.alpha, cover, out=self.alpha)

    def pixels(self) -> Pixels:
        """RGBA with straight alpha, uint8 [height, width, 4]."""
        rgb = self.rgb / np.maximum(self.alpha, 1e-4)[..., None]
        rgba = np.concatenate([rgb, 255.0 * self.alpha[..., None]], axis=-1)
        return np.asarray(np.clip(rgba + 0.5, 0, 255), np.uint8)


def mix(a: Colour, b: Colour, t: float | Field) -> Field:
    """The colour at `t` in [0, 1] on the way from a to b; an array of t gives a gradient [..., 3]."""
    share = np.clip(np.asarray(t, np.float32), 0.0, 1.0)[..., None]
    return np.asarray(np.asarray(a, np.float32) * (1 - share) + np.asarray(b, np.float32) * share, np.float32)


def blurred(picture: Field, radius: int) -> Field:
    """A [h, w] array blurred by three box filters (near to a Gaussian); edges repeat."""
    if radius < 1:
        return picture
    for axis in (0, 1, 0, 1, 0, 1):
        pad = [(0, 0), (0, 0)]
        pad[axis] = (radius + 1, radius)
        sums = np.cumsum(np.pad(picture, pad, mode="edge"), axis=axis, dtype=np.float32)
        width = 2 * radius + 1
        low, high = (np.take(sums, range(a, a + picture.shape[axis]), axis=axis) for a in (0, width))
        picture = (high - low) / width
    return np.asarray(picture, np.float32)


def hashed(*numbers: int) -> int:
    """A fixed 32-bit number for some integers: the same chair in the same corner each time."""
    word = 0x9E3779B9
    for number in numbers:
        word = ((word ^ (number & 0xFFFFFFFF)) * 0x85EBCA6B) & 0xFFFFFFFF
        word ^= word >> 15
        word = (word * 0xC2B2AE35) & 0xFFFFFFFF
        word ^= word >> 13
    return word
