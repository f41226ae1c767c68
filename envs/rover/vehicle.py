"""The rover and its cargo from above, painted in metres; it looks along +x before it is turned."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from envs.rover.landscape import BAD, SHADE, blank
from envs.sdf_canvas import Canvas, Field, Pixels, mix

TURNS = 72
LONG, WIDE = 0.5, 0.3  # half of the deck [m]
_TYRE, _HUB = (44, 40, 48), (150, 142, 146)
_DECK = ((255, 252, 244), (214, 204, 196))
_BAND, _GHOST_BAND = (238, 120, 92), (150, 134, 214)
_GHOST = ((226, 220, 252), (172, 160, 224))
_CRATE = ((240, 206, 150), (196, 146, 96))
_EYES = {"awake": (140, 244, 244), "asleep": (166, 190, 232), "worried": (255, 214, 110)}


def _axes(metre: float, turn: int, reach: float) -> tuple[Canvas, Canvas]:
    c = blank(metre, reach)
    return c, c.turned(2 * np.pi * turn / TURNS)


def rover(metre: float, turn: int, mood: str, roll: int = 0) -> Pixels:
    """`turn` TURNS-ths clockwise; mood 'awake', 'asleep', 'worried' or 'ghost'; roll 0..2: the treads."""
    c, body = _axes(metre, turn, 1.0)
    ghost = mood == "ghost"
    if not ghost:
        shadow = c.turned(2 * np.pi * turn / TURNS, 0.09, 0.12)
        c.fill(shadow.box(0.0, 0.0, LONG + 0.08, WIDE + 0.18, 0.14), SHADE, 0.5, soft=0.16)
    for side in (-1, 1):
        body.fill(body.line(-0.4, 0.34 * side, 0.4, 0.34 * side, 0.04), (96, 88, 96))
        for x in (-0.42, 0.0, 0.42):
            _wheel(body, x, 0.42 * side, roll, ghost)
    deck = body.box(0.0, 0.0, LONG, WIDE, 0.16)
    light, dark = _GHOST if ghost else _DECK
    body.fill(deck - 0.03, (70, 60, 70) if not ghost else (104, 92, 156))
    body.fill(deck, mix(light, dark, 0.45 + 0.7 * c.x + 0.9 * c.y))
    body.stroke(deck + 0.06, 0.05, _GHOST_BAND if ghost else _BAND, 0.95)
    rails = body.box(-0.17, 0.0, 0.25, 0.24, 0.05)
    body.fill(rails, (116, 106, 112) if not ghost else (140, 128, 190))
    body.fill(rails + 0.04, (150, 140, 142) if not ghost else (172, 160, 214))
    _face(body, mood)
    return c.pixels()


def _wheel(body: Canvas, x: float, y: float, roll: int, ghost: bool) -> None:
    tyre = body.box(x, y, 0.165, 0.095, 0.06)
    dark = (88, 78, 128) if ghost else _TYRE
    body.fill(tyre, mix(mix(dark, (255, 255, 255), 0.22), dark, 0.5 + 5.0 * (body.y - y)))
    treads = np.abs(((body.x - x) / 0.09 + roll / 3.0) % 1.0 - 0.5) * 0.09 - 0.014
    body.fill(np.maximum(np.asarray(treads, np.float32), tyre + 0.015), mix(dark, (255, 255, 255), 0.35), 0.7)
    body.fill(body.box(x, y, 0.05, 0.1, 0.02), mix(dark, _HUB, 0.6))


def _face(body: Canvas, mood: str) -> None:
    """The head at the front: a mast with two wide eyes that look ahead."""
    head = body.box(0.34, 0.0, 0.14, 0.25, 0.11)
    body.fill(head - 0.035, (60, 52, 62), 0.9)
    ghost = mood == "ghost"
    visor = mix((56, 64, 82), (30, 34, 48), 0.5 + 2.0 * body.x) if not ghost else (98, 84, 160)
    body.fill(head, visor)
    colour = _EYES.get(mood, (236, 230, 255))
    for side in (-1, 1):
        if mood == "asleep":
            arc: Field = np.abs(body.circle(0.4, 0.11 * side, 0.055)) - 0.018
            body.fill(np.maximum(arc, body.x - 0.4), colour)
            continue
        size = 0.062 if mood == "worried" else 0.075
        body.fill(body.ellipse(0.37, 0.11 * side, size, size) - 0.03, colour, 0.35, soft=0.05)
        body.fill(body.ellipse(0.37, 0.11 * side, size, 0.9 * size), colour)
        body.fill(body.circle(0.395, 0.11 * side - 0.015, 0.024), (255, 255, 255))


def crate(metre: float, turn: int, state: int) -> Pixels:
    """The cargo; state 0 whole, 1 shaken (its lid is askew), 2 broken."""
    c, box = _axes(metre, turn, 0.6)
    shadow = c.turned(2 * np.pi * turn / TURNS, 0.05, 0.07)
    c.fill(shadow.box(0.0, 0.0, 0.22, 0.22, 0.04), SHADE, 0.45, soft=0.07)
    shape = box.box(0.0, 0.0, 0.215, 0.215, 0.035)
    box.fill(shape - 0.025, (104, 66, 44))
    box.fill(shape, mix(*_CRATE, 0.45 + 1.1 * c.x + 1.4 * c.y))
    for y in (-0.07, 0.07):
        box.fill(np.maximum(box.box(0.0, y, 0.2, 0.008), shape), (142, 98, 62), 0.8)
    lid = box.turned(0.22 if state == 1 else 0.0)
    strap = np.minimum(lid.box(0.0, 0.0, 0.045, 0.23), lid.box(0.0, 0.0, 0.23, 0.045))
    box.fill(np.maximum(strap, shape), (78, 160, 168) if state < 2 else BAD)
    if state < 2:
        _glass(lid)
        return c.pixels()
    crack = [(-0.21, -0.1), (-0.08, -0.03), (-0.1, 0.06), (0.05, 0.03), (0.08, 0.14), (0.21, 0.12)]
    for (x0, y0), (x1, y1) in pairwise(crack):
        box.fill(box.line(x0, y0, x1, y1, 0.03), (70, 40, 34))
    for k in range(5):
        angle = 1.3 * k + 0.5
        shard = box.turned(angle, 0.27 * np.cos(angle), 0.27 * np.sin(angle))
        box.fill(shard.polygon([(-0.05, 0.0), (0.05, -0.03), (0.02, 0.05)]), (188, 226, 230))
    return c.pixels()


def _glass(box: Canvas) -> None:
    """The sign for something fragile."""
    box.fill(box.circle(0.0, 0.0, 0.11), (255, 252, 244))
    cup = np.maximum(box.ellipse(-0.01, -0.02, 0.05, 0.055), -(box.y + 0.055))
    box.fill(cup, (206, 80, 66))
    box.fill(box.box(0.0, 0.045, 0.012, 0.03), (206, 80, 66))
    box.fill(box.box(0.0, 0.072, 0.04, 0.012), (206, 80, 66))


def rattle(metre: float, strength: int) -> Pixels:
    """Arcs beside a cargo that is shaken; strength 1 to 3."""
    c = blank(metre, 0.8)
    around = np.abs(c.y) - 0.6 * np.abs(c.x)
    for k in range(strength):
        arc = np.abs(c.circle(0.0, 0.0, 0.36 + 0.13 * k)) - 0.035
        c.fill(np.maximum(arc, around), (255, 255, 255), 0.5)
        c.fill(np.maximum(arc + 0.014, around), (214, 84, 58), 0.95)
    return c.pixels()


def dust(metre: float, phase: int) -> Pixels:
    """A puff that rises where something was struck, in four phases."""
    c = blank(metre, 0.9)
    for k in range(7):
        angle, far = 0.9 * k, 0.16 + 0.13 * phase
        puff = c.circle(far * np.cos(angle), far * np.sin(angle), 0.16 + 0.03 * phase - 0.01 * k)
        c.fill(puff, (246, 226, 196), 0.6 - 0.13 * phase, soft=0.1)
    return c.pixels()


def splash(metre: float, phase: int) -> Pixels:
    """Rings in the water around the wheels, in four phases."""
    c = blank(metre, 1.0)
    for k in range(2):
        radius = 0.5 + 0.09 * ((phase + 2 * k) % 4)
        c.stroke(c.circle(0.0, 0.0, radius), 0.05, (240, 252, 250), 0.55 - 0.12 * ((phase + 2 * k) % 4))
    return c.pixels()
