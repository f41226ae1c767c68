"""More things in a flat: the cat, the bin, keys and doors, painted like those in sprites.py."""

from __future__ import annotations

import numpy as np

from envs.rooms.sprites import SHADOW, blank
from envs.sdf_canvas import Canvas, Field, Pixels, mix

_FUR, _FUR_DARK, _OUTLINE = (248, 178, 104), (214, 132, 66), (92, 54, 34)
_WOOD, _WOOD_DARK, _BRASS = (196, 146, 100), (140, 94, 60), (240, 196, 92)


def cat(cell: int, awake: bool) -> Pixels:
    """A ginger cat curled up on a cushion, asleep, or looking up."""
    c = blank(cell)
    c.fill(c.ellipse(0.05, 0.14, 0.44, 0.34), SHADOW, 0.4, soft=0.1)
    cushion = c.ellipse(0.0, 0.06, 0.42, 0.34)
    c.fill(cushion - 0.016, (96, 66, 92))
    c.fill(cushion, mix((176, 138, 172), (132, 98, 132), 0.5 + c.x + c.y))
    c.stroke(c.ellipse(0.0, 0.06, 0.36, 0.28), 0.016, (210, 180, 206), 0.8)
    body = c.ellipse(0.02, 0.03, 0.3, 0.22)
    tail = np.abs(c.ellipse(0.02, 0.05, 0.3, 0.22)) - 0.055
    tail = np.maximum(tail, np.minimum(-c.y + 0.06, c.x + 0.24))
    head_x, head_y = -0.14, (-0.1 if awake else 0.02)
    c.fill(body - 0.02, _OUTLINE)
    c.fill(body, mix(_FUR, _FUR_DARK, 0.5 + 1.4 * (c.y - 0.02)))
    for k in range(4):
        t = c.turned(0.25 * k - 0.2, 0.07 + 0.07 * k, -0.13 + 0.02 * k * k)
        c.fill(np.maximum(t.box(0.0, 0.0, 0.016, 0.075, 0.016), body), _FUR_DARK)
    c.fill(np.maximum(tail - 0.018, -body - 0.3), _OUTLINE)
    c.fill(tail, mix(_FUR, _FUR_DARK, 0.4))
    _cat_head(c.turned(0.0, head_x, head_y), awake=awake)
    return c.pixels()


def _cat_head(c: Canvas, *, awake: bool) -> None:
    skull = c.ellipse(0.0, 0.0, 0.165, 0.14)
    ears = np.minimum(
        c.polygon([(-0.15, -0.05), (-0.135, -0.2), (-0.03, -0.12)], 0.01),
        c.polygon([(0.15, -0.05), (0.135, -0.2), (0.03, -0.12)], 0.01),
    )
    shape = np.minimum(skull, ears)
    c.fill(shape - 0.02, _OUTLINE)
    c.fill(shape, mix(_FUR, _FUR_DARK, 0.35 + 1.6 * c.y))
    for side in (-1, 1):
        c.fill(
            c.polygon([(0.125 * side, -0.08), (0.12 * side, -0.16), (0.065 * side, -0.115)]), (244, 162, 148)
        )
        if awake:
            c.fill(c.ellipse(0.068 * side, -0.01, 0.036, 0.044), (206, 232, 120))
            c.fill(c.ellipse(0.068 * side, -0.01, 0.013, 0.04), (34, 30, 30))
        else:
            lid = np.maximum(np.abs(c.circle(0.07 * side, -0.015, 0.036)) - 0.012, -c.y - 0.01)
            c.fill(lid, _OUTLINE)
        c.fill(c.ellipse(0.036 * side, 0.06, 0.045, 0.034), (255, 238, 218))
    c.fill(c.polygon([(-0.018, 0.034), (0.018, 0.034), (0.0, 0.054)], 0.006), (226, 110, 110))


def startled(cell: int) -> Pixels:
    """The mark over a cat that is disturbed."""
    c = blank(cell)
    shape = np.minimum(c.line(0.12, -0.52, 0.11, -0.4, 0.032), c.circle(0.105, -0.31, 0.034))
    c.fill(shape - 0.024, (70, 40, 30))
    c.fill(shape, (255, 214, 84))
    return c.pixels()


def bin_(cell: int) -> Pixels:
    """A wire basket for waste paper, standing."""
    c = blank(cell)
    c.fill(c.ellipse(0.09, 0.32, 0.29, 0.11), SHADOW, 0.45, soft=0.1)
    body = c.polygon([(-0.28, -0.16), (0.28, -0.16), (0.21, 0.31), (-0.21, 0.31)], 0.03)
    body = np.minimum(body, c.ellipse(0.0, 0.31, 0.24, 0.07))
    rim, mouth = c.ellipse(0.0, -0.18, 0.32, 0.12), c.ellipse(0.0, -0.18, 0.26, 0.082)
    c.fill(np.minimum(body, rim) - 0.02, (36, 60, 52))
    c.fill(body, mix((96, 158, 128), (52, 104, 88), 0.5 + 1.6 * c.x))
    taper = c.x / (0.3 - 0.14 * (c.y + 0.16))
    ribs: Field = np.abs((taper * 3.5) % 1.0 - 0.5) / 12 - 0.012
    c.fill(np.maximum(ribs, body + 0.03), (36, 84, 70), 0.55)
    c.fill(rim, mix((132, 190, 158), (74, 130, 108), 0.5 + 1.3 * c.x))
    c.fill(mouth, (30, 48, 44))
    sheet = c.polygon([(-0.16, -0.16), (-0.1, -0.27), (0.02, -0.2), (0.0, -0.13)], 0.01)
    c.fill(np.maximum(sheet, mouth - 0.03), (238, 236, 232))
    arrow = c.polygon([(-0.1, 0.03), (0.1, 0.03), (0.0, 0.17)], 0.02)
    shaft = c.box(0.0, -0.01, 0.04, 0.06, 0.01)
    c.fill(np.minimum(arrow, shaft), (240, 248, 238), 0.92)
    return c.pixels()


def key(cell: int) -> Pixels:
    """A brass key."""
    c = blank(cell)
    c.fill(c.turned(-0.6, 0.04, 0.07).box(0.0, 0.0, 0.28, 0.09, 0.08), SHADOW, 0.35, soft=0.1)
    t = c.turned(-0.6)
    bow = np.abs(t.circle(-0.17, 0.0, 0.105)) - 0.038
    shaft = t.box(0.09, 0.0, 0.19, 0.032, 0.02)
    bits = np.minimum(t.box(0.24, 0.07, 0.028, 0.065, 0.012), t.box(0.15, 0.055, 0.026, 0.05, 0.012))
    shape = np.minimum(np.minimum(bow, shaft), bits)
    c.fill(shape - 0.024, (104, 70, 20))
    c.fill(shape, mix((255, 230, 138), (222, 160, 48), 0.5 + 2.5 * t.y))
    return c.pixels()


def door(cell: int, upright: bool) -> Pixels:
    """A closed door with a lock, in a wall that runs down the picture (`upright`) or across it."""
    c = blank(cell)
    if upright:
        leaf = c.box(0.0, 0.0, 0.1, 0.5, 0.02)
        c.fill(c.box(0.12, 0.05, 0.1, 0.46), SHADOW, 0.35, soft=0.08)
        c.fill(leaf - 0.02, (74, 46, 30))
        c.fill(leaf, mix(_WOOD, _WOOD_DARK, 0.5 + 3.0 * c.x))
        for y in (-0.25, 0.25):
            c.stroke(c.box(0.0, y, 0.055, 0.17, 0.02), 0.016, _WOOD_DARK, 0.8)
        _lock(c.turned(0.0, 0.0, 0.02))
        return c.pixels()
    top, face = c.box(0.0, -0.2, 0.5, 0.06, 0.01), c.box(0.0, 0.06, 0.5, 0.24, 0.01)
    c.fill(c.box(0.03, 0.32, 0.46, 0.05), SHADOW, 0.4, soft=0.08)
    c.fill(np.minimum(top, face) - 0.02, (74, 46, 30))
    c.fill(face, mix(_WOOD, _WOOD_DARK, 0.45 + 1.2 * c.y))
    for x in (-0.25, 0.25):
        c.stroke(c.box(x, 0.07, 0.16, 0.15, 0.02), 0.02, _WOOD_DARK, 0.8)
    c.fill(top, mix(_WOOD, (255, 236, 206), 0.25))
    _lock(c.turned(0.0, 0.0, 0.06))
    return c.pixels()


def _lock(c: Canvas) -> None:
    """A brass padlock: what a key is for."""
    c.fill(np.abs(c.circle(0.0, -0.07, 0.065)) - 0.022, (110, 104, 104))
    plate = c.box(0.0, 0.02, 0.105, 0.085, 0.03)
    c.fill(plate - 0.016, (92, 60, 20))
    c.fill(plate, mix((255, 226, 130), _BRASS, 0.5 + 3 * c.y))
    hole = np.minimum(c.circle(0.0, 0.0, 0.026), c.box(0.0, 0.04, 0.012, 0.03))
    c.fill(hole, (62, 40, 20))


def forced(cell: int, upright: bool) -> Pixels:
    """A door that was broken open: splintered boards on the sill."""
    c = blank(cell)
    t = c.turned(0.0 if upright else np.pi / 2)
    rng = np.random.default_rng(5)
    for x, y, turn, length in ((-0.02, -0.3, 0.25, 0.2), (0.14, -0.06, 1.0, 0.22), (-0.13, 0.06, -0.5, 0.19),
                               (0.05, 0.3, -0.2, 0.21)):  # fmt: skip
        b = t.turned(turn, x, y)
        jag = rng.uniform(-0.05, 0.05, 4)
        corners = [(-0.07, -length + jag[0]), (0.0, -length + jag[1] - 0.05), (0.07, -length + jag[2])]
        board = b.polygon([*corners, (0.07, length), (0.0, length + jag[3]), (-0.07, length - 0.05)])
        c.fill(board - 0.03, SHADOW, 0.3, soft=0.05)
        c.fill(board - 0.016, (74, 46, 30))
        c.fill(board, mix(_WOOD, _WOOD_DARK, 0.5 + 3 * b.x))
    lock = c.turned(0.6, 0.16, 0.17)
    _lock(lock)
    return c.pixels()
