"""A plot of curves with their intervals as SVG text, drawn without a plotting library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 16, 48
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


def plot(lines: Sequence[Line], across: str, up: str) -> str:
    """The curves in one picture; the vertical axis goes from 0 (or lower) to 1 (or higher)."""
    most = max(max(line.x) for line in lines)
    bottom = min(0.0, min(min(line.low) for line in lines))
    top = max(1.0, max(max(line.high) for line in lines))

    def place(x: float, y: float) -> str:
        wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        return f"{LEFT + wide * x / most:.1f},{TOP + tall * (top - y) / (top - bottom):.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="12"><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    ]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        start, end = place(0, share).split(","), place(most, share).split(",")
        foot = place(most * share, bottom).split(",")
        parts.append(
            f'<path d="M{start[0]} {start[1]}H{end[0]}" stroke="#ddd"/>'
            f'<text x="{LEFT - 8}" y="{start[1]}" dy="4" text-anchor="end">{share:g}</text>'
            f'<text x="{foot[0]}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{most * share:,.0f}</text>'
        )
    for index, line in enumerate(lines):
        colour = COLOURS[index % len(COLOURS)]
        there = [place(x, y) for x, y in zip(line.x, line.high, strict=True)]
        back = [place(x, y) for x, y in zip(line.x, line.low, strict=True)][::-1]
        middle = " ".join(place(x, y) for x, y in zip(line.x, line.y, strict=True))
        parts.append(
            f'<polygon points="{" ".join(there + back)}" fill="{colour}" opacity="0.15"/>'
            f'<polyline points="{middle}" fill="none" stroke="{colour}" stroke-width="2"/>'
            f'<text x="{WIDTH - RIGHT - 8}" y="{HEIGHT - BOTTOM - 12 - 16 * (len(lines) - 1 - index)}" '
            f'text-anchor="end" fill="{colour}">{escape(line.name)}</text>'
        )
    parts.append(
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(across)}</text>'
        f'<text x="14" y="{HEIGHT / 2}" text-anchor="middle" '
        f'transform="rotate(-90 14 {HEIGHT / 2})">{escape(up)}</text></svg>'
    )
    return "\n".join(parts) + "\n"
