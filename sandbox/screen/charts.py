"""Charts for a dark window: drawn at twice the size and scaled down, and only when the data is new.

A chart keeps its picture; `draw` blits it for as long as `version`, size and theme stay the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pygame

from envs.world import Array
from sandbox.screen.plot_lines import (
    FINE,
    canvas_for,
    nice_ticks,
    note,
    settled,
    short,
    spread,
    stroke,
    thinned,
)
from sandbox.screen.theme import ACCENT, BAD, GOOD, LINE, MUTED, PANEL, SOFT, TEXT, Color, Theme, mix


class Cached:
    """A picture that is painted anew only when what it shows has changed."""

    def __init__(self) -> None:
        self.painted = 0
        """How many times it was painted (tests and benches read it)."""
        self._key: Hashable = None
        self._picture: pygame.Surface | None = None

    def _show(
        self, surface: pygame.Surface, rect: pygame.Rect, key: Hashable, paint: Callable[[], pygame.Surface]
    ) -> None:
        if rect.width < 8 or rect.height < 8:
            return
        key = (key, rect.size)
        if self._picture is None or key != self._key:
            self._picture, self._key = paint(), key
            self.painted += 1
        surface.blit(self._picture, rect.topleft)


@dataclass(frozen=True)
class Series:
    """One line: xs and ys [N]; low and high [N] are the edges of its band."""

    name: str
    xs: Array
    ys: Array
    color: Color = ACCENT
    low: Array | None = None
    high: Array | None = None


class LineChart(Cached):
    """Lines with bands over a light grid, each named where it ends."""

    def draw(
        self,
        surface: pygame.Surface,
        rect: pygame.Rect,
        theme: Theme,
        series: Sequence[Series],
        *,
        version: Hashable,
        ground: Color = PANEL,
        shown: tuple[float, ...] = (),
        x_name: str = "",
        empty: str = "nothing yet",
    ) -> None:
        """`version` changes whenever the data does; `shown` are values that the y axis must have."""
        key = (version, theme.scale, ground, shown, x_name, empty)
        self._show(surface, rect, key, lambda: _lines(rect.size, theme, series, ground, shown, x_name, empty))


@dataclass(frozen=True)
class Bar:
    """One row: its value, what each member of the ensemble says, a value to compare with, its text."""

    name: str
    value: float
    members: tuple[float, ...] = ()
    reference: float | None = None
    text: str = ""
    """What stands at the right instead of the value."""


class BarChart(Cached):
    """Named bars from a common zero, with the ensemble's spread and a mark for the reference."""

    def draw(
        self,
        surface: pygame.Surface,
        rect: pygame.Rect,
        theme: Theme,
        bars: Sequence[Bar],
        *,
        version: Hashable,
        ground: Color = PANEL,
        numbers: bool = True,
        signed: bool = True,
        empty: str = "nothing yet",
    ) -> None:
        """signed: colour by sign. numbers: write each value at the right."""
        key = (version, theme.scale, ground, numbers, signed, empty)
        self._show(surface, rect, key, lambda: _bars(rect.size, theme, bars, ground, numbers, signed, empty))


def _range(series: Sequence[Series], shown: tuple[float, ...]) -> tuple[float, float]:
    """The y axis: all lines and bands, what must be shown, and a little air on the sides that are open."""
    parts = [part for s in series for part in (s.ys, s.low, s.high) if part is not None and len(part)]
    values = np.concatenate([np.asarray(part, float) for part in parts] + [np.array(shown, float)])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    if high - low < 1e-9:
        return low - 0.5, high + 0.5
    air = 0.06 * (high - low)
    return (low if low in shown else low - air), (high if high in shown else high + air)


def _lines(
    size: tuple[int, int],
    theme: Theme,
    series: Sequence[Series],
    ground: Color,
    shown: tuple[float, ...],
    x_name: str,
    empty: str,
) -> pygame.Surface:
    series = [s for s in series if len(s.xs)]
    if not series:
        return note(size, theme, ground, empty)
    low, high = _range(series, shown)
    start, stop = min(float(s.xs[0]) for s in series), max(float(s.xs[-1]) for s in series)
    few = [start] if stop <= start else None
    stop = stop if stop > start else start + 1.0
    ticks = nice_ticks(low, high, max(2, size[1] // theme.px(44)))
    left = max(theme.width(short(t), "tiny") for t in ticks) + theme.px(8)
    right = max(theme.width(f"{s.name} {short(s.ys[-1])}", "tiny") for s in series) + theme.px(14)
    bottom = theme.line("tiny") + theme.px(4)
    plot = pygame.Rect(
        left, theme.px(6), max(8, size[0] - left - right), max(8, size[1] - bottom - theme.px(6))
    )

    def at(x: Array, y: Array) -> list[tuple[float, float]]:
        across = (np.asarray(x, float) - start) / (stop - start)
        up = (np.asarray(y, float) - low) / (high - low)
        return list(
            zip(
                FINE * (plot.left + across * plot.width),
                FINE * (plot.bottom - up * plot.height),
                strict=True,
            )
        )

    canvas = canvas_for(size, ground)
    grid = mix(ground, LINE, 0.75)
    for tick in ticks:
        y = at(np.array([start]), np.array([tick]))[0][1]
        pygame.draw.line(canvas, grid, (FINE * plot.left, y), (FINE * plot.right, y), FINE)
    for one in series:
        _band(canvas, one, at, plot.width)
    for one in series:
        points = at(thinned(one.xs, plot.width), thinned(one.ys, plot.width))
        stroke(canvas, one.color, points, theme.px(2) * FINE)
    picture = settled(canvas, size)
    for tick in ticks:
        y = at(np.array([start]), np.array([tick]))[0][1] / FINE
        theme.text(picture, short(tick), (plot.left - theme.px(6), y), "tiny", MUTED, anchor="midright")
    for tick in few or nice_ticks(start, stop, max(2, plot.width // theme.px(58))):
        x = at(np.array([tick]), np.array([low]))[0][0] / FINE
        theme.text(picture, short(tick), (x, size[1]), "tiny", MUTED, anchor="midbottom")
    if x_name:
        at_x = size[0] - theme.width(x_name, "tiny")
        theme.text(picture, x_name, (at_x, size[1]), "tiny", MUTED, anchor="bottomleft")
    _end_labels(picture, theme, [(s, at(s.xs[-1:], s.ys[-1:])[0][1] / FINE) for s in series], plot)
    return picture


def _band(
    canvas: pygame.Surface, one: Series, at: Callable[[Array, Array], list[tuple[float, float]]], most: int
) -> None:
    """The area between low and high, translucent."""
    if one.low is None or one.high is None or len(one.xs) < 2:
        return
    xs = thinned(one.xs, most)
    outline = at(xs, thinned(one.high, most)) + at(xs, thinned(one.low, most))[::-1]
    veil = pygame.Surface(canvas.get_size(), pygame.SRCALPHA)
    pygame.draw.polygon(veil, (*one.color, 46), outline)
    canvas.blit(veil, (0, 0))


def _end_labels(
    picture: pygame.Surface, theme: Theme, ends: Sequence[tuple[Series, float]], plot: pygame.Rect
) -> None:
    """Each line's name and last value beside its end, pushed apart where they would collide."""
    step = theme.line("tiny")
    ys = spread([y for _, y in ends], step, plot.top + step / 2, plot.bottom - step / 2)
    for (one, _), y in zip(ends, ys, strict=True):
        x = plot.right + theme.px(9)
        box = theme.text(picture, one.name, (x, y), "tiny", one.color, anchor="midleft")
        theme.text(picture, f" {short(one.ys[-1])}", (box.right, y), "tiny", SOFT, anchor="midleft")


def _bars(
    size: tuple[int, int],
    theme: Theme,
    bars: Sequence[Bar],
    ground: Color,
    numbers: bool,
    signed: bool,
    empty: str,
) -> pygame.Surface:
    if not bars:
        return note(size, theme, ground, empty)
    names = min(max(theme.width(b.name, "small") for b in bars) + theme.px(10), size[0] * 2 // 5)
    texts = [b.text or short(b.value) for b in bars]
    right = max(theme.width(text, "tiny", mono=True) for text in (*texts, "-0.00")) + theme.px(10)
    right = right if numbers else theme.px(8)
    said = [v for b in bars for v in (b.value, *b.members, b.reference or 0.0) if math.isfinite(v)]
    low, high = min(0.0, *said), max(0.0, *said)
    span = (high - low) or 1.0
    width = max(8, size[0] - names - right - theme.px(4))

    def x(value: float) -> float:
        return names + theme.px(2) + (value - low) / span * width

    height = min(size[1] / len(bars), theme.px(30))
    canvas = canvas_for(size, ground)
    for index, bar in enumerate(bars):
        _bar(canvas, theme, bar, x, (index + 0.5) * height, height, signed)
    zero = FINE * x(0.0)
    pygame.draw.line(canvas, mix(LINE, MUTED, 0.5), (zero, 0), (zero, FINE * height * len(bars)), FINE)
    picture = settled(canvas, size)
    for index, bar in enumerate(bars):
        y = (index + 0.5) * height
        theme.text(picture, bar.name, (0, y), "small", SOFT, anchor="midleft", width=names - theme.px(6))
        if numbers:
            theme.text(picture, texts[index], (size[0], y), "tiny", MUTED, mono=True, anchor="midright")
    return picture


def _bar(
    canvas: pygame.Surface,
    theme: Theme,
    bar: Bar,
    x: Callable[[float], float],
    y: float,
    height: float,
    signed: bool,
) -> None:
    """One row: the bar, the members as dots on a whisker, the reference as a hollow diamond."""
    color = ACCENT if not signed else (GOOD if bar.value >= 0 else BAD)
    thick = max(4.0, height * 0.46)
    a, b = sorted((x(0.0), x(bar.value)))
    body = pygame.Rect(
        round(FINE * a), round(FINE * (y - thick / 2)), round(FINE * (b - a)), round(FINE * thick)
    )
    pygame.draw.rect(canvas, color, body, border_radius=round(FINE * min(thick / 3, 4)))
    bright = mix(color, TEXT, 0.65)
    if len(bar.members) > 1:
        ends = FINE * x(min(bar.members)), FINE * x(max(bar.members))
        pygame.draw.line(canvas, bright, (ends[0], FINE * y), (ends[1], FINE * y), FINE)
        for member in bar.members:
            pygame.draw.circle(canvas, bright, (FINE * x(member), FINE * y), FINE * theme.px(2))
    if bar.reference is not None:
        at, r = (FINE * x(bar.reference), FINE * y), FINE * max(4.0, thick * 0.55)
        corners = [(at[0], at[1] - r), (at[0] + r * 0.7, at[1]), (at[0], at[1] + r), (at[0] - r * 0.7, at[1])]
        pygame.draw.polygon(canvas, TEXT, corners, FINE)
