"""Fine lines and round numbers: what the charts are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pygame

from envs.world import Array
from sandbox.screen.theme import MUTED, Color, Theme

FINE = 2
"""Lines are drawn this many times larger, then scaled down: smooth edges."""


def nice_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """At most about `most` round numbers within low..high."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low]
    raw = (high - low) / max(most, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def short(value: float) -> str:
    """A number in few characters: 1.2M, 35k, 0.25."""
    size = abs(value)
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if size >= limit * 0.9995:
            return f"{value / limit:.{0 if size >= 100 * limit else 1}f}".removesuffix(".0") + unit
    text = f"{value:.0f}" if size >= 100 else f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def thinned(values: Array, most: int) -> Array:
    """Means over neighbours, so that at most `most` are left."""
    if len(values) <= most:
        return np.asarray(values, float)
    edges = np.linspace(0, len(values), most + 1).astype(int)
    return np.add.reduceat(np.asarray(values, float), edges[:-1]) / np.diff(edges)


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions near the wanted ones, at least `gap` apart, within low..high as far as there is room."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = list(wanted)
    below = low - gap
    for i in order:
        placed[i] = below = max(wanted[i], below + gap)
    above = high + gap
    for i in reversed(order):
        placed[i] = above = min(placed[i], above - gap)
    return placed


def canvas_for(size: tuple[int, int], ground: Color) -> pygame.Surface:
    canvas = pygame.Surface((size[0] * FINE, size[1] * FINE))
    canvas.fill(ground)
    return canvas


def settled(canvas: pygame.Surface, size: tuple[int, int]) -> pygame.Surface:
    """The fine canvas at its real size, in the format of the window."""
    picture = pygame.transform.smoothscale(canvas, size)
    return picture.convert() if pygame.display.get_surface() else picture


def note(size: tuple[int, int], theme: Theme, ground: Color, text: str) -> pygame.Surface:
    picture = settled(canvas_for(size, ground), size)
    theme.text(picture, text, (size[0] / 2, size[1] / 2), "small", MUTED, anchor="center", width=size[0] - 8)
    return picture


def stroke(canvas: pygame.Surface, color: Color, points: Sequence[tuple[float, float]], width: int) -> None:
    """A line of that width with round joints and a dot at its end."""
    if len(points) > 1:
        pygame.draw.lines(canvas, color, False, points, width)
        if width > FINE and len(points) < 400:
            for point in points:
                pygame.draw.circle(canvas, color, point, width / 2)
    pygame.draw.circle(canvas, color, points[-1], width * 1.4)
