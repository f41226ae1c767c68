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
from sandbox.screen.theme import ACCENT, BAD, GOOD, LINE, MUTED, PANEL, SOFT, TEXT, Color, Theme, mix, rounded

FINE = 2
"""Lines are drawn this many times larger, then scaled down: smooth edges."""


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
        floor: float | None = None,
        x_name: str = "",
        empty: str = "nothing yet",
    ) -> None:
        """`version` changes whenever the data does; `floor` is a value that the y axis must show."""
        key = (version, theme.scale, ground, x_name, empty)
        self._show(surface, rect, key, lambda: _lines(rect.size, theme, series, ground, floor, x_name, empty))


@dataclass(frozen=True)
class Bar:
    """One row: its value, what each member of the ensemble says, and a value to compare with."""

    name: str
    value: float
    members: tuple[float, ...] = ()
    reference: float | None = None


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


class Sparkline(Cached):
    """A line without axes, for one glance."""

    def draw(
        self,
        surface: pygame.Surface,
        rect: pygame.Rect,
        values: Sequence[float],
        *,
        version: Hashable,
        color: Color = ACCENT,
        ground: Color = PANEL,
    ) -> None:
        self._show(surface, rect, (version, color, ground), lambda: _spark(rect.size, values, color, ground))


@dataclass(frozen=True)
class Mark:
    """Something on a time line: where (0..1), and how it looks."""

    at: float
    color: Color = SOFT
    up: bool = True


def timeline(
    surface: pygame.Surface,
    rect: pygame.Rect,
    fraction: float,
    *,
    color: Color = ACCENT,
    track: Color = LINE,
    marks: Sequence[Mark] = (),
    focused: bool = False,
) -> None:
    """A thin track filled up to `fraction`, marks above or below it, and a knob. Drawn each frame."""
    thick, knob = _track(rect)
    left, right = rect.left + knob, rect.right - knob
    line = pygame.Rect(left, rect.centery - thick // 2, right - left, thick)
    rounded(surface, line, track, thick // 2)
    x = left + round((right - left) * min(max(fraction, 0.0), 1.0))
    if x - left >= thick:
        rounded(surface, pygame.Rect(left, line.top, x - left, thick), color, thick // 2)
    for mark in marks:
        at, tall = left + round((right - left) * mark.at), max(3, thick)
        top = line.top - tall - 1 if mark.up else line.bottom + 1
        pygame.draw.rect(surface, mark.color, (at - 1, top, 3, tall), border_radius=1)
    if focused:
        pygame.draw.aacircle(surface, mix(color, TEXT, 0.3), (x, line.centery), knob + 2)
    pygame.draw.aacircle(surface, TEXT, (x, line.centery), knob)


def _track(rect: pygame.Rect) -> tuple[int, int]:
    """(thickness of the track, radius of the knob); odd thickness fits its round ends."""
    thick = max(3, min(rect.height // 4, 8)) | 1
    return thick, max(4, min(rect.height // 2 - 1, thick + 3))


def fraction_at(rect: pygame.Rect, x: float) -> float:
    """The fraction of a `timeline` in `rect` that lies under the pixel column `x`."""
    _, knob = _track(rect)
    return min(max((x - rect.left - knob) / max(rect.width - 2 * knob, 1), 0.0), 1.0)


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


def _canvas(size: tuple[int, int], ground: Color) -> pygame.Surface:
    canvas = pygame.Surface((size[0] * FINE, size[1] * FINE))
    canvas.fill(ground)
    return canvas


def _settled(canvas: pygame.Surface, size: tuple[int, int]) -> pygame.Surface:
    """The fine canvas at its real size, in the format of the window."""
    picture = pygame.transform.smoothscale(canvas, size)
    return picture.convert() if pygame.display.get_surface() else picture


def _note(size: tuple[int, int], theme: Theme, ground: Color, text: str) -> pygame.Surface:
    picture = _settled(_canvas(size, ground), size)
    theme.text(picture, text, (size[0] / 2, size[1] / 2), "small", MUTED, anchor="center", width=size[0] - 8)
    return picture


def _range(series: Sequence[Series], floor: float | None) -> tuple[float, float]:
    """The y axis: all lines and bands, `floor` if given, a little air."""
    parts = [part for s in series for part in (s.ys, s.low, s.high) if part is not None and len(part)]
    values = np.concatenate([np.asarray(part, float) for part in parts])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    if floor is not None:
        low, high = min(low, floor), max(high, floor)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    air = 0.06 * (high - low)
    return (low if low == floor else low - air), high + air


def _lines(
    size: tuple[int, int],
    theme: Theme,
    series: Sequence[Series],
    ground: Color,
    floor: float | None,
    x_name: str,
    empty: str,
) -> pygame.Surface:
    series = [s for s in series if len(s.xs)]
    if not series:
        return _note(size, theme, ground, empty)
    low, high = _range(series, floor)
    start, stop = min(float(s.xs[0]) for s in series), max(float(s.xs[-1]) for s in series)
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

    canvas = _canvas(size, ground)
    grid = mix(ground, LINE, 0.75)
    for tick in ticks:
        y = at(np.array([start]), np.array([tick]))[0][1]
        pygame.draw.line(canvas, grid, (FINE * plot.left, y), (FINE * plot.right, y), FINE)
    for one in series:
        _band(canvas, one, at, plot.width)
    for one in series:
        points = at(thinned(one.xs, plot.width), thinned(one.ys, plot.width))
        _stroke(canvas, one.color, points, theme.px(2) * FINE)
    picture = _settled(canvas, size)
    for tick in ticks:
        y = at(np.array([start]), np.array([tick]))[0][1] / FINE
        theme.text(picture, short(tick), (plot.left - theme.px(6), y), "tiny", MUTED, anchor="midright")
    for tick in nice_ticks(start, stop, max(2, plot.width // theme.px(58))):
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


def _stroke(canvas: pygame.Surface, color: Color, points: Sequence[tuple[float, float]], width: int) -> None:
    """A line of that width with round joints and a dot at its end."""
    if len(points) > 1:
        pygame.draw.lines(canvas, color, False, points, width)
        if width > FINE and len(points) < 400:
            for point in points:
                pygame.draw.circle(canvas, color, point, width / 2)
    pygame.draw.circle(canvas, color, points[-1], width * 1.4)


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
        return _note(size, theme, ground, empty)
    names = min(max(theme.width(b.name, "small") for b in bars) + theme.px(10), size[0] * 2 // 5)
    right = theme.width("-0.00", "tiny", mono=True) + theme.px(10) if numbers else theme.px(8)
    said = [v for b in bars for v in (b.value, *b.members, b.reference or 0.0) if math.isfinite(v)]
    low, high = min(0.0, *said), max(0.0, *said)
    span = (high - low) or 1.0
    width = max(8, size[0] - names - right - theme.px(4))

    def x(value: float) -> float:
        return names + theme.px(2) + (value - low) / span * width

    height = min(size[1] / len(bars), theme.px(30))
    canvas = _canvas(size, ground)
    for index, bar in enumerate(bars):
        _bar(canvas, theme, bar, x, (index + 0.5) * height, height, signed)
    zero = FINE * x(0.0)
    pygame.draw.line(canvas, mix(LINE, MUTED, 0.5), (zero, 0), (zero, FINE * height * len(bars)), FINE)
    picture = _settled(canvas, size)
    for index, bar in enumerate(bars):
        y = (index + 0.5) * height
        theme.text(picture, bar.name, (0, y), "small", SOFT, anchor="midleft", width=names - theme.px(6))
        if numbers:
            theme.text(picture, short(bar.value), (size[0], y), "tiny", MUTED, mono=True, anchor="midright")
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


def _spark(size: tuple[int, int], values: Sequence[float], color: Color, ground: Color) -> pygame.Surface:
    canvas = _canvas(size, ground)
    ys = thinned(np.asarray(values, float), size[0])
    ys = ys[np.isfinite(ys)]
    if len(ys):
        low, span = ys.min(), (ys.max() - ys.min()) or 1.0
        inset = 4.0
        xs = np.linspace(inset, size[0] - inset, len(ys)) if len(ys) > 1 else np.array([size[0] - inset])
        up = inset + (size[1] - 2 * inset) * (1 - (ys - low) / span)
        _stroke(canvas, color, list(zip(FINE * xs, FINE * up, strict=True)), 3)
    return _settled(canvas, size)
