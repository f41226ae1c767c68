"""Cars from above, painted in units of half a car's width; they look along +x before they are turned."""

from __future__ import annotations

import numpy as np

from envs.sdf_canvas import Canvas, Colour, Field, Pixels, mix

SHADOW = (24, 22, 30)
PAINTS: tuple[tuple[int, int, int], ...] = (
    (86, 136, 186),  # blue
    (190, 84, 70),  # brick
    (236, 230, 218),  # cream
    (146, 156, 168),  # silver
    (120, 164, 126),  # sage
    (158, 118, 170),  # plum
    (84, 166, 172),  # teal
)
EGO, GHOST = (255, 192, 40), (190, 176, 236)
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
    """A car of `kind` (ego, car, van, truck, ambulance); `paint` chooses among PAINTS. Sizes in pixels."""
    c, body = blank(width, length, angle)
    half = length / width  # half the length in units
    shadow = c.turned(angle, 0.22, 0.3)
    c.fill(shadow.box(0.0, 0.0, half, 0.98, 0.4), SHADOW, 0.5, soft=0.28)
    colour = EGO if kind == "ego" else PAINTS[paint % len(PAINTS)]
    if kind == "truck":
        _truck(body, half, colour)
    elif kind == "ambulance":
        _wheels(body, half, 0.55)
        _ambulance(body, half)
    elif kind == "van":
        _wheels(body, half, 0.55)
        _van(body, half, colour)
    else:
        _wheels(body, half, 0.55)
        _saloon(body, half, colour, striped=kind == "ego")
    return c.pixels()


def ghost(width: float, length: float) -> Pixels:
    """Another agent's car: a pale shape that others shine through."""
    c, _ = blank(width, length, 0.0)
    half = length / width
    shape = c.box(0.0, 0.0, half, 0.9, 0.5)
    c.fill(shape, mix((236, 230, 255), GHOST, 0.5 + 0.5 * c.y), 0.4)
    c.stroke(shape + 0.07, 0.12, (244, 240, 255), 0.75)
    c.fill(c.box(0.22 * half, 0.0, 0.16 * half, 0.6, 0.14), (98, 84, 160), 0.6)
    return c.pixels()


def _sheen(c: Canvas, colour: Colour) -> Field:
    """Paint lit from above left: lighter along one flank, darker along the other."""
    light, dark = mix(colour, (255, 255, 255), 0.18), mix(colour, _DARK, 0.22)
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
    front, roof_front, roof_back, back = 0.42 * half, 0.1 * half, -0.5 * half, -0.78 * half
    stripe = np.maximum(np.abs(c.y) - 0.2, shape + 0.04)
    if striped:
        c.fill(stripe, (255, 252, 240))
    bonnet = np.maximum(np.abs(c.box(0.3 * half, 0.0, 0.62 * half, 0.66, 0.4)) - 0.025, front + 0.1 - c.x)
    c.fill(bonnet, mix(colour, _DARK, 0.4), 0.7)
    _glass(c, [(front, -0.66), (front, 0.66), (roof_front, 0.52), (roof_front, -0.52)])
    _glass(c, [(back, -0.56), (back, 0.56), (roof_back, 0.5), (roof_back, -0.5)])
    for side in (-1, 1):
        _glass(c, [(roof_front + 0.1, 0.72 * side), (roof_back - 0.05, 0.72 * side),
                   (roof_back, 0.66 * side), (roof_front, 0.66 * side)])  # fmt: skip
        c.fill(c.box(0.34 * half, 1.0 * side, 0.09, 0.1, 0.05), mix(colour, _DARK, 0.4))
    roof = c.box((roof_front + roof_back) / 2, 0.0, (roof_front - roof_back) / 2, 0.57, 0.2)
    c.fill(roof, mix(mix(colour, (255, 255, 255), 0.3), colour, 0.5 + 0.55 * c.y))
    if striped:
        c.fill(np.maximum(stripe, roof), (255, 252, 240))
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


def _ambulance(c: Canvas, half: float) -> None:
    white, red, blue = (248, 248, 244), (214, 62, 52), (58, 104, 214)
    shape = _shell(c, 0.0, half, white, 0.36)
    for side in (-1, 1):
        c.fill(np.maximum(np.abs(c.y - 0.74 * side) - 0.1, shape + 0.05), red)
    front = half - 0.3
    _glass(c, [(front, -0.62), (front, 0.62), (front - 0.5, 0.54), (front - 0.5, -0.54)])
    bar = front - 0.78
    c.fill(c.box(bar, 0.0, 0.17, 0.7, 0.08), (70, 74, 86))
    for side in (-1, 1):
        c.fill(c.box(bar, 0.4 * side, 0.13, 0.27, 0.08), blue)
    middle = -0.32 * half
    c.fill(np.minimum(c.box(middle, 0.0, 0.46, 0.15), c.box(middle, 0.0, 0.15, 0.46)), red)
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
