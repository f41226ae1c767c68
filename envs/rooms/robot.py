"""The robot vacuum, painted in units of one cell; it looks along +x before it is turned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.rooms.rooms_state_layout import BUMPED, COL, HEADING, ROW
from envs.rooms.sprites import SHADOW, blank
from envs.sdf_canvas import Canvas, Field, Pixels, mix
from envs.world import Array

RADIUS = 0.37
THICK = 0.08  # how much of its side is seen below the top
LAMPS = {
    "awake": (56, 200, 150),
    "muddy": (240, 164, 48),
    "asleep": (132, 150, 200),
    "ghost": (150, 130, 220),
}
_SIDE = ((184, 176, 170), (112, 106, 110))
_TOP = ((255, 253, 248), (219, 211, 202))
_BAND = ((238, 120, 92), (150, 134, 214))
_GHOST_SIDE, _GHOST_TOP = ((150, 138, 196), (104, 92, 156)), ((226, 220, 252), (172, 160, 224))


TURNS = 24


def robot(cell: int, turn: int, mood: str) -> Pixels:
    """Seen from above and a little from the front, `turn` TURNS-ths of a full turn clockwise from rightwards.

    mood: 'awake', 'muddy' (splashed, amber lamp), 'asleep' (eyes shut) or 'ghost' (violet, no shadow).
    """
    c = blank(cell)
    angle = 2 * np.pi * turn / TURNS
    ghost = mood == "ghost"
    if not ghost:
        c.fill(c.ellipse(0.07, 0.15, 0.39, 0.35), SHADOW, 0.55, soft=0.12)
    top = c.circle(0.0, -THICK * 0.5, RADIUS)
    low = c.circle(0.0, THICK * 0.5, RADIUS)
    side = np.minimum(np.minimum(low, top), c.box(0.0, 0.0, RADIUS, THICK * 0.5))
    _brushes(c.turned(angle, 0.0, THICK * 0.5))
    c.fill(side - 0.02, (54, 48, 56))
    c.fill(side, mix(*(_GHOST_SIDE if ghost else _SIDE), 0.5 + 1.3 * c.x))
    c.fill(top, mix(*(_GHOST_TOP if ghost else _TOP), 0.42 + 0.6 * c.x + 0.8 * c.y))
    c.stroke(top + 0.035, 0.045, _BAND[ghost])
    body = c.turned(angle, 0.0, -THICK * 0.5)
    if mood == "muddy":
        _splashes(body, top)
    _face(body, top, asleep=mood == "asleep")
    _lamp(body, LAMPS[mood])
    return c.pixels()


def _brushes(body: Canvas) -> None:
    """Bristles at each front corner, peeping out."""
    for side in (-1, 1):
        for spread in (-0.5, 0.15, 0.8):
            angle = side * (0.85 + 0.5 * spread)
            x, y = 0.25, 0.25 * side
            tip = (x + 0.19 * np.cos(angle), y + 0.19 * np.sin(angle))
            body.fill(body.line(x, y, *tip, 0.014), (90, 84, 88), 0.85)


def _face(body: Canvas, top: Field, *, asleep: bool) -> None:
    """A dark visor at the front with two wide eyes."""
    visor = np.maximum(body.box(0.115, 0.0, 0.135, 0.24, 0.12), top + 0.07)
    body.fill(visor - 0.012, (214, 206, 198))
    body.fill(visor, mix((56, 64, 82), (30, 34, 48), 0.5 + 2.2 * body.x))
    for side in (-1, 1):
        if asleep:
            arc = np.abs(body.circle(0.16, 0.115 * side, 0.055)) - 0.016
            body.fill(np.maximum(arc, body.x - 0.16), (166, 190, 232))
        else:
            eye = body.ellipse(0.125, 0.112 * side, 0.078, 0.06)
            body.fill(eye - 0.03, (96, 226, 232), 0.35, soft=0.05)
            body.fill(eye, (140, 244, 244))
            body.fill(body.circle(0.155, 0.112 * side - 0.016, 0.022), (255, 255, 255))


def _lamp(body: Canvas, colour: tuple[int, int, int]) -> None:
    """The turret at the back with the status lamp in its middle."""
    body.fill(body.circle(-0.17, 0.0, 0.112), (150, 142, 138), 0.6, soft=0.03)
    body.fill(body.circle(-0.17, 0.0, 0.098), mix((238, 233, 226), (196, 189, 182), 0.5 - 3.0 * body.x))
    body.fill(body.circle(-0.17, 0.0, 0.09), colour, 0.4, soft=0.05)
    body.fill(body.circle(-0.17, 0.0, 0.056), colour)
    body.fill(body.circle(-0.187, -0.018, 0.016), (255, 255, 255), 0.85)


def _splashes(body: Canvas, top: Field) -> None:
    """Mud on the body."""
    for x, y, r in ((-0.05, 0.27, 0.06), (-0.24, -0.17, 0.07), (0.06, -0.28, 0.05), (-0.28, 0.1, 0.04),
                    (-0.02, -0.17, 0.03), (-0.16, 0.25, 0.035)):  # fmt: skip
        body.fill(np.maximum(body.circle(x, y, r), top), (100, 66, 40), 0.95)


def snore(cell: int, phase: int) -> Pixels:
    """One of the letters z that rise from a sleeper; `phase` 0, 1, 2 is how far it has risen."""
    c = blank(cell)
    s = 0.05 + 0.022 * phase
    x, y = 0.24 + 0.09 * phase, -0.3 - 0.14 * phase
    for x0, y0, x1, y1 in ((-s, -s, s, -s), (s, -s, -s, s), (-s, s, s, s)):
        letter = c.line(x + x0, y + y0, x + x1, y + y1, 0.022)
        c.fill(letter - 0.018, (40, 46, 70), 0.85)
    for x0, y0, x1, y1 in ((-s, -s, s, -s), (s, -s, -s, s), (-s, s, s, s)):
        c.fill(c.line(x + x0, y + y0, x + x1, y + y1, 0.022), (238, 242, 255))
    return c.pixels()


_ANGLES = np.array([-np.pi / 2, 0.0, np.pi / 2, np.pi])  # of the headings up, right, down, left


def moment(before: Array, after: Array, blend: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Robots [N, K] on the way between two states: (column, row) [N, 2] and which of TURNS they show.

    They lurch where they bump, and turn the shorter way in the first half of a step.
    """
    start, end = before[:, [COL, ROW]].astype(np.float64), after[:, [COL, ROW]].astype(np.float64)
    places = start + blend * (end - start)
    first, last = _ANGLES[before[:, HEADING]], _ANGLES[after[:, HEADING]]
    lurch = 0.2 * np.sin(np.pi * blend) * (after[:, BUMPED] > 0)
    places += lurch[:, None] * np.stack([np.cos(last), np.sin(last)], axis=1)
    away = (last - first + np.pi) % (2 * np.pi) - np.pi
    turn = (first + away * min(1.0, 2.0 * blend)) * (TURNS / (2 * np.pi))
    return places, np.round(turn).astype(np.int64) % TURNS
