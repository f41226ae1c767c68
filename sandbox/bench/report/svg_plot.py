"""A plot of curves with their intervals as SVG text, drawn without a plotting library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 16, 48
BESIDE, ASIDE = 4, 210
"""Over so many curves their names stand beside the picture, with so much room."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Told apart by people who see colours differently (Okabe and Ito)."""


@dataclass(frozen=True)
class Line:
    """One curve: y over x, with its interval."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


def plot(lines: Sequence[Line], across: str, up: str, log: bool = False) -> str:
    """The curves in one picture; the vertical axis goes from 0 (or lower) to 1 (or higher).

    log: the horizontal axis in steps of a factor. Names of many curves stand beside the picture.
    """
    most, least = max(max(line.x) for line in lines), min(min(line.x) for line in lines)
    bottom = min(0.0, min(min(line.low) for line in lines))
    top = max(1.0, max(max(line.high) for line in lines))
    right = RIGHT if len(lines) <= BESIDE else ASIDE

    def along(x: float) -> float:
        return math.log(x / least) / max(math.log(most / least), 1e-9) if log else x / most

    def place(x: float, y: float) -> tuple[float, float]:
        wide, tall = WIDTH - LEFT - right, HEIGHT - TOP - BOTTOM
        return round(LEFT + wide * along(x), 1), round(TOP + tall * (top - y) / (top - bottom), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="12"><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    ]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        value = least * (most / least) ** share if log else most * share
        (start, y), (end, _) = place(least if log else 0.0, share), place(most, share)
        foot = place(value, bottom)[0]
        parts.append(
            f'<path d="M{start} {y}H{end}" stroke="#ddd"/>'
            f'<text x="{LEFT - 8}" y="{y}" dy="4" text-anchor="end">{share:g}</text>'
            f'<text x="{foot}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{value:,.0f}</text>'
        )
    for index, line in enumerate(lines):
        there = [place(x, y) for x, y in zip(line.x, line.high, strict=True)]
        back = [place(x, y) for x, y in zip(line.x, line.low, strict=True)][::-1]
        middle = [place(x, y) for x, y in zip(line.x, line.y, strict=True)]
        parts.append(_curve(index, [*there, *back], middle, faint=len(lines) > BESIDE))
        from_below = len(lines) - 1 - index
        x, y = WIDTH - right - 8, HEIGHT - BOTTOM - 12 - 16 * from_below
        if len(lines) > BESIDE:
            x, y = WIDTH - right + 12, TOP + 12 + 18 * index
        anchor = "start" if len(lines) > BESIDE else "end"
        parts.append(
            f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{_colour(index)}">'
            f"{'' if index < len(COLOURS) else '- - '}{escape(line.name)}</text>"
        )
    centre = (WIDTH - right + LEFT) / 2
    parts.append(
        f'<text x="{centre}" y="{HEIGHT - 8}" text-anchor="middle">{escape(across)}</text>'
        f'<text x="14" y="{HEIGHT / 2}" text-anchor="middle" '
        f'transform="rotate(-90 14 {HEIGHT / 2})">{escape(up)}</text></svg>'
    )
    return "\n".join(parts) + "\n"


def _curve(
    index: int, around: Sequence[tuple[float, float]], middle: Sequence[tuple[float, float]], faint: bool
) -> str:
    """A curve in its interval; each of its points is marked where there are many curves."""
    colour, dashes = _colour(index), "" if index < len(COLOURS) else ' stroke-dasharray="6 4"'
    band = " ".join(f"{x},{y}" for x, y in around)
    path = " ".join(f"{x},{y}" for x, y in middle)
    marks = "".join(f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in middle) if faint else ""
    return (
        f'<polygon points="{band}" fill="{colour}" opacity="{0.06 if faint else 0.15}"/>'
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>{marks}'
    )


def _colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]
