"""The robot vacuum, painted in units of one cell; it looks along +x before it is turned."""

from __future__ import annotations

import numpy as np

from envs.paint import Canvas, Pixels, mix
from envs.rooms.sprites import SHADOW, blank

RADIUS = 0.35
THICK = 0.07  # how much of its side is seen below the top
STATUS = {"awake": (72, 205, 160), "muddy": (236, 170, 60), "asleep": (120, 140, 190)}


def robot(cell: int, angle: float, mood: str) -> Pixels:
    """Seen from above and a little from the front; `angle` clockwise from rightwards [rad].

    mood: 'awake', 'muddy' (splashed, amber lamp) or 'asleep' (eyes shut).
    """
    c = blank(cell)
    c.fill(c.ellipse(0.07, 0.14, 0.37, 0.33), SHADOW, 0.5, soft=0.12)
    low, top = c.circle(0.0, THICK * 0.6, RADIUS), c.circle(0.0, -THICK * 0.4, RADIUS)
    side = np.minimum(np.minimum(low, top), c.box(0.0, THICK * 0.1, RADIUS, THICK * 0.5))
    _brushes(c.turned(angle, 0.0, THICK * 0.6))
    c.fill(side - 0.016, (58, 52, 54))
    c.fill(side, mix((178, 170, 166), (118, 112, 114), 0.5 + 1.3 * c.x))
    c.fill(top, mix((255, 253, 248), (221, 214, 206), 0.42 + 1.0 * (0.6 * c.x + 0.8 * c.y)))
    c.stroke(c.circle(0.0, -THICK * 0.4, RADIUS - 0.035), 0.014, (188, 180, 172), 0.8)
    body = c.turned(angle, 0.0, -THICK * 0.4)
    if mood == "muddy":
        _splashes(body, top)
    _face(body, top, asleep=mood == "asleep")
    _lamp(body, mood)
    return c.pixels()


def _brushes(body: Canvas) -> None:
    """Three bristles at each front corner, peeping out."""
    for side in (-1, 1):
        for spread in (-0.5, 0.15, 0.8):
            angle = side * (0.85 + 0.5 * spread)
            x, y = 0.24, 0.24 * side
            body.fill(
                body.line(x, y, x + 0.2 * np.cos(angle), y + 0.2 * np.sin(angle), 0.014), (90, 84, 88), 0.85
            )


def _face(body: Canvas, top: np.ndarray, *, asleep: bool) -> None:
    """A dark visor at the front with two eyes."""
    visor = np.maximum(body.box(0.15, 0.0, 0.1, 0.2, 0.085), top + 0.02)
    body.fill(visor, mix((52, 60, 76), (32, 36, 50), 0.5 + 2.2 * body.x))
    for side in (-1, 1):
        if asleep:
            arc = np.abs(body.circle(0.175, 0.09 * side, 0.045)) - 0.013
            body.fill(np.maximum(arc, body.x - 0.175), (150, 176, 220))
        else:
            eye = body.ellipse(0.155, 0.092 * side, 0.058, 0.044)
            body.fill(eye - 0.03, (96, 226, 232), 0.3, soft=0.05)
            body.fill(eye, (132, 240, 240))
            body.fill(body.circle(0.175, 0.092 * side - 0.012, 0.016), (255, 255, 255))


def _lamp(body: Canvas, mood: str) -> None:
    """The turret at the back with the status lamp in its middle."""
    body.fill(body.circle(-0.13, 0.0, 0.105), (150, 142, 138), 0.6, soft=0.03)
    body.fill(body.circle(-0.13, 0.0, 0.092), mix((238, 233, 226), (196, 189, 182), 0.5 - 3.0 * body.x))
    body.fill(body.circle(-0.13, 0.0, 0.085), STATUS[mood], 0.35, soft=0.05)
    body.fill(body.circle(-0.13, 0.0, 0.048), STATUS[mood])
    body.fill(body.circle(-0.145, -0.015, 0.014), (255, 255, 255), 0.85)


def _splashes(body: Canvas, top: np.ndarray) -> None:
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
