"""Cars from above, painted in units of half a car's width; they look along +x before they are turned."""

from __future__ import annotations

import numpy as np

from envs.paint import Canvas, Colour, Field, Pixels, mix

SHADOW = (24, 22, 30)
PAINTS: tuple[tuple[int, int, int], ...] = (
    (86, 136, 186),  # blue
    (190, 84, 70),  # brick
    (236, 230, 218),  # cream
    (104, 112, 124),  # slate
    (124, 158, 128),  # sage
    (146, 112, 158),  # plum
    (66, 72, 84),  # charcoal
)
EGO = (255, 190, 46)
_GLASS, _GLASS_LIGHT = (44, 54, 70), (116, 142, 164)
_TYRE, _DARK = (34, 33, 38), (30, 30, 38)


def blank(width: float, length: float, angle: float) -> tuple[Canvas, Canvas]:
    """A picture for a body of width x length [px], and the same seen from the body's own axes."""
    unit = width / 2
    reach = length * abs(np.cos(angle)) + width * abs(np.sin(angle))
    high = width * abs(np.cos(angle)) + length * abs(np.sin(angle))
    c = Canvas.blank(round(reach + 2.2 * unit), round(high + 2.2 * unit), unit)
    return c, c.turned(angle)


def car(width: float, length: float, angle: float, kind: str, paint: int) -> Pixels:
    """A car of `kind` ('ego', 'car', 'van' or 'truck'); `paint` chooses among PAINTS. Sizes in pixels."""
    c, body = blank(width, length, angle)
    half = length / width  # half the length in units
    shadow = c.turned(angle, 0.22, 0.3)
    c.fill(shadow.box(0.0, 0.0, half, 0.98, 0.4), SHADOW, 0.5, soft=0.28)
    colour = EGO if kind == "ego" else PAINTS[paint % len(PAINTS)]
    if kind == "truck":
        _truck(body, half, colour)
    elif kind == "van":
        _wheels(body, half, 0.55)
        _van(body, half, colour)
    else:
        _wheels(body, half, 0.55)
        _saloon(body, half, colour, striped=kind == "ego")
    return c.pixels()


def _sheen(c: Canvas, colour: Colour) -> Field:
    """Paint lit from above left: lighter along one flank, darker along the other."""
    light, dark = mix(colour, (255, 255, 255), 0.28), mix(colour, _DARK, 0.3)
    return mix(light, dark, 0.5 + 0.42 * c.y)


def _wheels(c: Canvas, half: float, at: float) -> None:
    for x in (-half * at, half * at):
        for y in (-0.92, 0.92):
            c.fill(c.box(x, y, 0.34, 0.15, 0.08), _TYRE)


def _shell(c: Canvas, x: float, half: float, colour: Colour, radius: float = 0.5) -> Field:
    """A painted body with its dark outline."""
    shape = c.box(x, 0.0, half, 0.93, radius)
    c.fill(shape - 0.05, mix(colour, _DARK, 0.72))
    c.fill(shape, _sheen(c, colour))
    return shape


def _lamps(c: Canvas, front: float, back: float) -> None:
    for side in (-1, 1):
        c.fill(c.box(front - 0.1, 0.6 * side, 0.1, 0.2, 0.09), (255, 246, 214))
        c.fill(c.box(back + 0.08, 0.62 * side, 0.07, 0.2, 0.06), (150, 34, 34))


def _glass(c: Canvas, points: list[tuple[float, float]]) -> None:
    shape = c.polygon(points, 0.06)
    c.fill(shape, mix(_GLASS_LIGHT, _GLASS, 0.55 + 0.5 * c.y))


def _saloon(c: Canvas, half: float, colour: Colour, *, striped: bool) -> None:
    shape = _shell(c, 0.0, half, colour)
    if striped:
        for y in (-0.2, 0.2):
            c.fill(np.maximum(np.abs(c.y - y) - 0.1, shape + 0.05), (56, 50, 58))
    c.fill(np.maximum(np.abs(shape + 0.2) - 0.03, 0.2 * half - c.x), mix(colour, _DARK, 0.35), 0.7)
    front, roof_front, roof_back, back = 0.36 * half, 0.06 * half, -0.48 * half, -0.76 * half
    _glass(c, [(front, -0.62), (front, 0.62), (roof_front, 0.5), (roof_front, -0.5)])
    _glass(c, [(back, -0.56), (back, 0.56), (roof_back, 0.48), (roof_back, -0.48)])
    for side in (-1, 1):
        _glass(c, [(roof_front + 0.12, 0.74 * side), (roof_back - 0.05, 0.74 * side),
                   (roof_back, 0.68 * side), (roof_front, 0.68 * side)])  # fmt: skip
        c.fill(c.box(0.3 * half, 1.0 * side, 0.09, 0.1, 0.05), mix(colour, _DARK, 0.4))
    roof = c.box((roof_front + roof_back) / 2, 0.0, (roof_front - roof_back) / 2, 0.56, 0.22)
    c.fill(roof, mix(mix(colour, (255, 255, 255), 0.4), colour, 0.5 + 0.55 * c.y))
    if striped:
        for y in (-0.2, 0.2):
            c.fill(np.maximum(np.abs(c.y - y) - 0.1, roof), (56, 50, 58))
    _lamps(c, half, -half)


def _van(c: Canvas, half: float, colour: Colour) -> None:
    _shell(c, 0.0, half, colour, 0.36)
    front = half - 0.25
    _glass(c, [(front, -0.66), (front, 0.66), (front - 0.5, 0.56), (front - 0.5, -0.56)])
    roof = c.box(-0.32, 0.0, half - 0.55, 0.68, 0.2)
    c.fill(roof, mix(mix(colour, (255, 255, 255), 0.36), colour, 0.5 + 0.5 * c.y))
    for k in range(-1, 2):
        c.fill(c.box(-0.32 + 0.52 * half * k, 0.0, 0.035, 0.54), mix(colour, _DARK, 0.28), 0.8)
    _lamps(c, half, -half)


def _truck(c: Canvas, half: float, colour: Colour) -> None:
    for x in (-0.78 * half, -0.62 * half, 0.52 * half, 0.8 * half):
        for y in (-0.9, 0.9):
            c.fill(c.box(x, y, 0.32, 0.14, 0.06), _TYRE)
    cab = 0.24 * half
    _shell(c, half - cab, cab, colour, 0.3)
    front = half - 0.12
    _glass(c, [(front, -0.7), (front, 0.7), (front - 0.42, 0.6), (front - 0.42, -0.6)])
    c.fill(c.box(half - 1.35 * cab, 0.0, 0.3 * cab, 0.6, 0.15), mix(colour, (255, 255, 255), 0.3))
    load = c.box(-0.27 * half, 0.0, 0.73 * half, 0.95, 0.1)
    c.fill(load - 0.05, (70, 66, 70))
    c.fill(load, mix((250, 246, 238), (206, 200, 194), 0.5 + 0.45 * c.y))
    ribs = np.abs((c.x / (0.1 * half)) % 1.0 - 0.5) * 0.1 * half - 0.02
    c.fill(np.maximum(ribs, load + 0.08), (186, 180, 176), 0.7)
    c.fill(np.maximum(np.abs(c.y - 0.1) - 0.16, load + 0.02), colour, 0.85)
    _lamps(c, half, -half)


def glow(size: float, colour: tuple[int, int, int]) -> Pixels:
    """A lit lamp: a bright spot in its own light; `size` [px] is the whole picture's side."""
    c = Canvas.blank(max(3, round(size)), max(3, round(size)), max(1.5, size / 2))
    c.fill(c.circle(0, 0, 0.55), colour, 0.55, soft=0.45)
    c.fill(c.circle(0, 0, 0.3), mix(colour, (255, 255, 255), 0.35), 0.95, soft=0.12)
    return c.pixels()


def halo(width: float, length: float, angle: float) -> Pixels:
    """Light around the car that is driven, so that it is found at a glance."""
    c, body = blank(width * 1.5, length * 1.2, angle)
    shape = body.box(0.0, 0.0, length / width * 0.8, 0.72, 0.5)
    c.fill(shape - 0.12, (255, 244, 200), 0.65, soft=0.3)
    return c.pixels()


def burst(size: int) -> Pixels:
    """The star of a crash."""
    c = Canvas.blank(size, size, size / 2)
    for points, radius, colour in (
        (11, 0.92, (216, 84, 44)),
        (11, 0.68, (250, 186, 66)),
        (9, 0.4, (255, 248, 220)),
    ):
        corners = []
        for k in range(2 * points):
            far = radius * (1.0 if k % 2 == 0 else 0.6) * (1.0 if k % 3 else 0.88)
            angle = np.pi * k / points + 0.2 * radius
            corners.append((far * np.cos(angle), far * np.sin(angle)))
        c.fill(c.polygon(corners, 0.02), colour)
    return c.pixels()


def smoke(size: int, kind: int) -> Pixels:
    """A puff of smoke."""
    c = Canvas.blank(size, size, size / 2)
    shape = np.minimum(c.blob(-0.1, 0.05, 0.55, 70 + kind, 0.2), c.circle(0.3, -0.2, 0.36))
    c.fill(shape, mix((238, 234, 230), (150, 146, 150), 0.5 + 0.5 * (c.x + c.y)), 0.7, soft=0.28)
    return c.pixels()
