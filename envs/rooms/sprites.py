"""The things in a flat, painted in units of one cell with (0, 0) at the cell's middle."""

from __future__ import annotations

import numpy as np

from envs.sdf_canvas import Canvas, Field, Pixels, mix

SHADOW = (46, 30, 22)
SPREAD = 1.7
"""Side of a thing's picture, in cells: room for its shadow and for what stands tall."""


def blank(cell: int) -> Canvas:
    """An empty picture of SPREAD x SPREAD cells; where cells are small, things are drawn larger."""
    side = round(cell * SPREAD)
    return Canvas.blank(side, side, cell * float(np.interp(cell, (10, 40), (1.3, 1.0))))


def _shine(c: Canvas, slope: float = 1.0) -> Field:
    """0 where the light comes from (upper left) to 1 on the far side."""
    return np.asarray(0.5 + slope * (0.6 * c.x + 0.8 * c.y), np.float32)


# Litter

_BIG = 1.22


def paper(cell: int) -> Pixels:
    """A crumpled sheet."""
    c = blank(round(cell * _BIG))
    points = [(-0.2, -0.06), (-0.1, -0.19), (0.04, -0.17), (0.15, -0.2), (0.22, -0.05), (0.18, 0.1),
              (0.2, 0.17), (0.04, 0.2), (-0.06, 0.17), (-0.18, 0.19), (-0.22, 0.07)]  # fmt: skip
    shape = c.polygon(points, 0.015)
    c.fill(c.ellipse(0.04, 0.12, 0.25, 0.15), SHADOW, 0.38, soft=0.12)
    c.fill(shape - 0.024, (96, 88, 92))
    c.fill(shape, mix((255, 255, 252), (214, 212, 214), _shine(c, 1.3)))
    for a, b, d in (((-0.2, -0.06), (0.02, 0.02), (-0.1, -0.19)), ((0.02, 0.02), (0.2, 0.17), (0.22, -0.05)),
                    ((0.02, 0.02), (-0.06, 0.17), (-0.22, 0.07))):  # fmt: skip
        c.fill(np.maximum(c.polygon([a, b, d]), shape), (170, 172, 184), 0.55)
    c.fill(np.maximum(c.line(-0.02, -0.13, 0.11, -0.06, 0.012), shape), (92, 120, 168), 0.8)
    c.fill(np.maximum(c.line(-0.06, -0.07, 0.07, 0.0, 0.012), shape), (92, 120, 168), 0.8)
    return c.pixels()


def can(cell: int) -> Pixels:
    """A dented drink can, lying down."""
    c = blank(round(cell * _BIG))
    c.fill(c.ellipse(0.04, 0.12, 0.28, 0.13), SHADOW, 0.4, soft=0.1)
    t = c.turned(-0.45)
    body = t.box(0.0, 0.0, 0.23, 0.125, 0.03)
    c.fill(body - 0.016, (96, 40, 38))
    c.fill(body, mix((226, 84, 70), (150, 38, 42), 0.5 + 3.2 * t.y))
    c.fill(np.maximum(t.box(0.0, 0.0, 0.05, 0.2), body), (250, 240, 226), 0.92)
    c.fill(np.maximum(t.box(0.0, -0.065, 0.2, 0.018, 0.01), body), (255, 255, 255), 0.5)
    for side in (-1, 1):
        c.fill(t.ellipse(0.225 * side, 0.0, 0.045, 0.12), (206, 208, 212) if side < 0 else (168, 172, 178))
        c.stroke(t.ellipse(0.225 * side, 0.0, 0.035, 0.095), 0.016, (128, 132, 140))
    return c.pixels()


def banana(cell: int) -> Pixels:
    """A banana peel, its flaps spread."""
    c = blank(round(cell * _BIG))
    c.fill(c.ellipse(0.03, 0.1, 0.28, 0.19), SHADOW, 0.36, soft=0.12)
    flaps = ((2.75, 0.27), (0.35, 0.27), (1.5, 0.22), (4.65, 0.2))
    shape: Field = c.circle(0, 0, 0.09)
    for angle, length in flaps:
        t = c.turned(angle)
        shape = np.minimum(
            shape, np.maximum(t.circle(length * 0.5, -0.17, 0.25), t.circle(length * 0.5, 0.15, 0.23))
        )
    c.fill(shape - 0.018, (126, 88, 28))
    c.fill(shape, mix((255, 222, 92), (232, 178, 44), _shine(c, 1.2)))
    for angle, length in flaps[:3]:
        t = c.turned(angle)
        c.fill(t.line(0.05, -0.01, length * 0.86, -0.01, 0.014), (255, 246, 196), 0.75)
        c.fill(np.maximum(t.circle(length * 1.02, 0, 0.045), shape), (108, 72, 32))
    c.fill(c.circle(0.0, -0.19, 0.042), (108, 76, 36))
    return c.pixels()


LITTER_KINDS = (paper, can, banana)

# Vases

_GLAZE, _GLAZE_DARK = (52, 122, 142), (24, 70, 92)
_PETALS = (
    ((236, 98, 110), (250, 214, 120)),
    ((250, 196, 84), (150, 84, 40)),
    ((238, 232, 244), (244, 190, 80)),
)


def _flower(c: Canvas, x: float, y: float, size: float, kind: int, turn: float = 0.0) -> None:
    petal, heart = _PETALS[kind % len(_PETALS)]
    for k in range(5):
        angle = turn + k * 2 * np.pi / 5
        px, py = x + 0.62 * size * np.cos(angle), y + 0.62 * size * np.sin(angle)
        c.fill(c.circle(px, py, 0.52 * size), mix(petal, SHADOW, 0.12 + 0.1 * np.sin(angle)))
    c.fill(c.circle(x, y, 0.36 * size), heart)


def vase(cell: int, kind: int) -> Pixels:
    """A glazed vase with three flowers, standing."""
    c = blank(cell)
    c.fill(c.ellipse(0.09, 0.33, 0.27, 0.1), SHADOW, 0.45, soft=0.1)
    for x, y, x1 in ((-0.15, -0.3, -0.03), (0.14, -0.34, 0.03), (0.0, -0.46, 0.0)):
        c.fill(c.line(x, y, x1, 0.0, 0.017), (70, 116, 72))
    for x, y, angle in ((-0.13, -0.12, -2.5), (0.14, -0.15, -0.55), (0.05, -0.24, -1.0)):
        t = c.turned(angle, x, y)
        c.fill(np.maximum(t.circle(0.04, -0.07, 0.12), t.circle(0.04, 0.07, 0.12)), (92, 146, 84))
    belly = c.ellipse(0.0, 0.15, 0.205, 0.2)
    neck = c.polygon([(-0.085, -0.06), (0.085, -0.06), (0.12, 0.1), (-0.12, 0.1)])
    foot = c.box(0.0, 0.33, 0.115, 0.035, 0.02)
    lip = c.box(0.0, -0.065, 0.125, 0.03, 0.028)
    body = np.minimum(np.minimum(belly, neck), np.minimum(foot, lip))
    c.fill(body - 0.018, (18, 44, 60))
    c.fill(body, mix(_GLAZE, _GLAZE_DARK, 0.35 + 2.3 * c.x))
    band = np.maximum(np.abs(c.y - 0.14 - 0.35 * c.x * c.x) - 0.05, body)
    c.fill(band, mix((250, 240, 220), (206, 190, 172), 0.4 + 2.3 * c.x))
    zigzag = np.abs(c.y - 0.14 - 0.35 * c.x * c.x - 0.028 * np.sign(np.sin(c.x * 40.0)))
    c.fill(np.maximum(zigzag - 0.012, band), (206, 104, 78))
    c.fill(np.maximum(c.ellipse(-0.1, 0.06, 0.03, 0.07), body), (206, 238, 242), 0.75)
    _flower(c, -0.17, -0.31, 0.105, kind + 1, 0.4)
    _flower(c, 0.16, -0.35, 0.1, kind + 2, 1.0)
    _flower(c, 0.0, -0.46, 0.12, kind, 0.1)
    return c.pixels()


def shards(cell: int, kind: int) -> Pixels:
    """What is left of a vase: spilt water, sherds, flowers on the floor."""
    c = blank(cell)
    c.fill(c.blob(0.02, 0.06, 0.36, 11 + kind, 0.22), (120, 158, 178), 0.5)
    c.fill(c.blob(-0.04, 0.02, 0.26, 5 + kind, 0.2), (206, 230, 238), 0.45)
    rng = np.random.default_rng(90 + kind)
    for k in range(7):
        angle, far = k * 0.9 + rng.uniform(-0.2, 0.2), rng.uniform(0.1, 0.33)
        t = c.turned(rng.uniform(0, 6.28), far * np.cos(angle), 0.06 + 0.85 * far * np.sin(angle))
        s = rng.uniform(0.085, 0.15)
        sherd = t.polygon([(-s, -0.35 * s), (0.9 * s, -0.7 * s), (rng.uniform(-0.2, 0.5) * s, 0.75 * s)])
        c.fill(sherd - 0.04, SHADOW, 0.25, soft=0.05)
        c.fill(sherd - 0.016, (18, 44, 60))
        c.fill(sherd, (250, 240, 220) if k % 4 == 3 else mix(_GLAZE, _GLAZE_DARK, 0.5 + 4 * t.x))
    for x, y, x1, y1 in ((-0.28, 0.22, -0.08, 0.14), (0.08, -0.1, 0.25, -0.24)):
        c.fill(c.line(x, y, x1, y1, 0.016), (70, 116, 72))
    _flower(c, -0.3, 0.24, 0.085, kind + 1, 0.3)
    _flower(c, 0.27, -0.26, 0.09, kind, 1.1)
    return c.pixels()


# Floor marks


def mud(cell: int, kind: int) -> Pixels:
    """A puddle of mud with drops around it."""
    c = blank(cell)
    puddle = c.blob(0.0, 0.03, 0.38, 31 + kind, 0.15)
    for k in range(3):
        angle = 1.2 + kind + 2.1 * k
        puddle = np.minimum(
            puddle, c.circle(0.43 * np.cos(angle), 0.03 + 0.42 * np.sin(angle), 0.035 + 0.012 * k)
        )
    c.fill(puddle - 0.03, (60, 38, 24), 0.35, soft=0.05)
    c.fill(puddle, mix((122, 84, 54), (84, 54, 34), _shine(c)))
    c.fill(c.blob(0.02, 0.06, 0.27, 47 + kind, 0.2), (72, 45, 28), 0.75)
    c.fill(c.ellipse(-0.13, -0.12, 0.11, 0.045), (206, 172, 140), 0.7)
    c.fill(c.circle(0.03, -0.16, 0.024), (206, 172, 140), 0.7)
    c.stroke(c.ellipse(0.1, 0.12, 0.09, 0.045), 0.016, (156, 116, 82), 0.7)
    return c.pixels()


def prints(cell: int, kind: int) -> Pixels:
    """Muddy tracks of two wheels, as left on a carpet."""
    c = blank(cell)
    t = c.turned((0.5, -0.6, 2.0, 1.2)[kind % 4])
    c.fill(c.blob(0.0, 0.0, 0.3, 61 + kind, 0.25), (92, 58, 34), 0.3, soft=0.08)
    for side in (-1, 1):
        track = t.box(0.0, 0.17 * side, 0.37, 0.072, 0.05)
        tread = np.abs(((t.x + 0.25 * side * t.y) * 9.0) % 1.0 - 0.5) / 9.0 - 0.034
        c.fill(track, (92, 58, 34), 0.4)
        c.fill(np.maximum(track, tread), (74, 44, 26), 0.92)
    for k in range(5):
        angle = 0.7 * kind + 1.3 * k
        c.fill(
            c.circle(0.38 * np.cos(angle), 0.36 * np.sin(angle), 0.018 + 0.01 * (k % 3)), (74, 44, 26), 0.9
        )
    return c.pixels()


def speck(cell: int, kind: int) -> Pixels:
    """A piece that flies about when a vase breaks."""
    c = blank(cell)
    s = 0.05 + 0.015 * (kind % 3)
    if kind % 3 == 2:
        c.fill(c.circle(0, 0, s), _PETALS[kind % 2][0])
    else:
        t = c.turned(0.9 * kind)
        sherd = t.polygon([(-s, -0.5 * s), (0.6 * s, -0.9 * s), (0.7 * s, 0.8 * s)])
        c.fill(sherd - 0.014, (18, 44, 60))
        c.fill(sherd, _GLAZE if kind % 2 else (250, 240, 220))
    return c.pixels()


def dock(cell: int) -> Pixels:
    """The charging dock: a pad to park on and a stand with a lamp behind it."""
    c = blank(cell)
    pad = c.box(0.0, 0.0, 0.41, 0.4, 0.12)
    c.fill(pad - 0.03, SHADOW, 0.3, soft=0.08)
    c.fill(pad, mix((98, 112, 122), (68, 80, 92), _shine(c)))
    c.stroke(c.box(0.0, 0.0, 0.35, 0.34, 0.09), 0.03, (126, 214, 190), 0.9)
    bolt = [(0.05, -0.14), (-0.12, 0.09), (-0.01, 0.09), (-0.06, 0.25), (0.12, 0.01), (0.01, 0.01)]
    c.fill(c.polygon(bolt, 0.012), (170, 240, 218), 0.95)
    stand = c.box(0.0, -0.38, 0.36, 0.115, 0.06)
    c.fill(c.box(0.0, -0.27, 0.34, 0.05, 0.04), SHADOW, 0.5, soft=0.06)
    c.fill(stand - 0.014, (44, 52, 62))
    c.fill(stand, mix((246, 243, 236), (208, 204, 198), 0.5 + 4 * (c.y + 0.38)))
    for x in (-0.08, 0.08):
        c.fill(c.box(x, -0.3, 0.05, 0.022, 0.015), (214, 168, 82))
    c.fill(c.circle(0.26, -0.4, 0.09), (90, 220, 180), 0.35, soft=0.07)
    c.fill(c.circle(0.26, -0.4, 0.032), (66, 200, 158))
    return c.pixels()
