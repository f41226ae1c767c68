"""The road and what stands beside it, painted with numpy; everything repeats every PERIOD metres."""

from __future__ import annotations

import numpy as np

from envs.sdf_canvas import Canvas, Colour, Field, Pixels, mix

PERIOD = 96.0  # [m]; a whole number of dashes
DASH, GAP = 4.0, 8.0  # [m]
GRASS, GRASS_DARK = (160, 178, 118), (138, 160, 102)
GRAVEL, ASPHALT, LINE = (206, 190, 158), (98, 94, 97), (248, 240, 220)


def _smooth_noise(height: int, width: int, across: float, along: float, seed: int) -> Field:
    """Noise of unit spread that repeats in both directions; across, along: the size of its patches [px]."""
    noise = np.random.default_rng(seed).standard_normal((height, width), np.float32)
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    soft = np.exp(-2 * np.pi**2 * ((fy * across) ** 2 + (fx * along) ** 2)).astype(np.float32)
    smooth = np.fft.irfft2(np.fft.rfft2(noise) * soft, s=(height, width))
    return np.asarray(smooth / (smooth.std() + 1e-9), np.float32)


def road(width: int, height: int, lanes: int, top: float, lane: float, metre: float) -> Pixels:
    """PERIOD metres of the whole picture: grass, road from `top` [px] down, `lane` [px] a lane.

    metre: pixels to a metre along the road.
    """
    y = (np.arange(height, dtype=np.float32) + 0.5)[:, None]
    x = (np.arange(width, dtype=np.float32) + 0.5)[None, :] / metre
    patches = _smooth_noise(height, width, lane * 0.35, lane * 0.8, 3)
    blades = _smooth_noise(height, width, 1.2, 0.7, 4)
    picture = mix(GRASS, GRASS_DARK, 0.5 + 0.28 * patches) + 3.5 * blades[..., None]
    bottom = top + lanes * lane
    verge = 0.2 * lane + 0.012 * lane * _smooth_noise(1, width, 0.1, lane * 0.1, 5)
    away = np.maximum(top - y, y - bottom)  # distance from the tarmac [px]
    _lay(picture, away - verge * 1.9, mix(GRASS_DARK, GRAVEL, 0.3), 0.8, lane * 0.1)
    _lay(picture, away - verge, GRAVEL, 1.0, 1.5)
    _lay(picture, away - verge, (176, 160, 130), 0.14 * np.clip(1.5 * blades, 0, 1), 1.0)
    place = (y - top) / lane
    tracks = 0.5 - 0.5 * np.cos(4 * np.pi * place)
    grit = _smooth_noise(height, width, 0.7, 1.4, 6)
    worn = _smooth_noise(height, width, lane * 0.06, lane * 1.1, 8)
    tarmac = mix(ASPHALT, (84, 80, 83), 0.35 * tracks + 0.1 * worn) + 2.2 * grit[..., None]
    _lay(picture, away - 0.06 * lane, tarmac, 1.0, 0.7)
    half = max(0.6, 0.018 * lane)
    for edge in (top + 0.07 * lane, bottom - 0.07 * lane):
        _lay(picture, np.abs(y - edge) - half + 0 * x, LINE, 0.92, 0.7)
    phase = x % (DASH + GAP)
    ends = np.abs(phase - DASH / 2 - 1.0) - DASH / 2
    for k in range(1, lanes):
        dash = np.maximum(np.abs(y - (top + k * lane)) - half, ends * metre)
        _lay(picture, dash, LINE, 0.92, 0.7)
    alpha = np.full((height, width, 1), 255, np.float32)
    return np.asarray(np.clip(np.concatenate([picture, alpha], axis=-1), 0, 255), np.uint8)


def _lay(picture: Field, distance: Field, colour: Colour, alpha: float | Field, soft: float) -> None:
    """Cover the inside of a shape, its edge `soft` pixels wide on either side."""
    rows = np.flatnonzero((distance < soft).any(axis=1))
    if not len(rows):
        return
    part = slice(rows[0], rows[-1] + 1)
    strength = alpha[part] if isinstance(alpha, np.ndarray) else alpha
    paint = np.asarray(colour, np.float32)
    if paint.ndim == 3:
        paint = paint[part]
    cover = np.asarray(np.clip(0.5 - distance[part] / (2 * soft), 0, 1) * strength, np.float32)[..., None]
    picture[part] += cover * (paint - picture[part])


# Things beside the road, in units of their own radius. A tree is a shadow and three layers of crown,
# drawn one over the other; the higher one leans the farther out, as it does seen from above.

LEAVES: tuple[tuple[tuple[int, int, int], tuple[int, int, int]], ...] = (
    ((86, 128, 84), (142, 178, 104)),
    ((98, 134, 78), (168, 184, 98)),
    ((170, 120, 62), (226, 176, 92)),
    ((70, 112, 92), (116, 160, 122)),
)


def shade(size: int) -> Pixels:
    """The shadow under a tree or a bush."""
    c = Canvas.blank(size, size, size / 2.6)
    c.fill(c.ellipse(0.22, 0.28, 0.92, 0.8), (34, 48, 36), 0.42, soft=0.22)
    return c.pixels()


def crown(size: int, level: int, tint: int) -> Pixels:
    """One layer of a leafy crown, `level` 0 (lowest, widest) to 2."""
    c = Canvas.blank(size, size, size / 2.6)
    dark, light = LEAVES[tint]
    radius = (0.92, 0.68, 0.4)[level]
    lumps = 8 - 2 * level
    shape = c.circle(0.0, 0.0, radius * 0.8)
    for k in range(lumps):
        angle = 2 * np.pi * k / lumps + 0.7 * level + tint
        shape = np.minimum(
            shape, c.circle(0.72 * radius * np.cos(angle), 0.72 * radius * np.sin(angle), 0.33 * radius)
        )
    if level == 0:
        c.fill(shape - 0.035, mix(dark, (24, 36, 30), 0.5))
    else:
        c.fill(
            c.turned(0.0, 0.06, 0.08).circle(0.0, 0.0, radius), mix(dark, (24, 36, 30), 0.4), 0.4, soft=0.14
        )
    tone = mix(dark, light, 0.2 + 0.32 * level)
    c.fill(shape, mix(mix(tone, light, 0.4), tone, 0.5 + (0.7 * c.x + 0.8 * c.y) / (2 * radius)))
    return c.pixels()


def spruce(size: int, level: int, tint: int) -> Pixels:
    """One layer of a conifer: a star of branches."""
    c = Canvas.blank(size, size, size / 2.6)
    radius = (0.88, 0.62, 0.34)[level]
    corners = []
    for k in range(20):
        far = radius * (1.0 if k % 2 == 0 else 0.66)
        angle = np.pi * k / 10 + 0.35 * level + tint
        corners.append((far * np.cos(angle), far * np.sin(angle)))
    shape = c.polygon(corners, 0.03)
    tone = mix((44, 84, 70), (112, 150, 112), 0.1 + 0.3 * level)
    c.fill(shape - 0.03, (26, 46, 42), 0.8 if level == 0 else 0.35)
    c.fill(shape, mix(mix(tone, (160, 190, 140), 0.25), tone, 0.5 + (0.7 * c.x + 0.8 * c.y) / (2 * radius)))
    return c.pixels()


def bush(size: int, tint: int) -> Pixels:
    """A low bush, some in flower."""
    c = Canvas.blank(size, size, size / 2.6)
    dark, light = LEAVES[tint % 2]
    c.fill(c.ellipse(0.12, 0.18, 0.82, 0.66), (34, 48, 36), 0.4, soft=0.2)
    shape = np.minimum(
        np.minimum(c.circle(-0.32, 0.08, 0.42), c.circle(0.34, 0.1, 0.4)), c.circle(0.02, -0.16, 0.46)
    )
    c.fill(shape - 0.035, mix(dark, (24, 36, 30), 0.45))
    c.fill(shape, mix(mix(light, (255, 255, 240), 0.15), dark, 0.45 + 0.5 * (c.x + c.y)))
    if tint % 3:
        petal = ((240, 226, 236), (236, 150, 140))[tint % 2]
        for k in range(7):
            angle = 2.4 * k + tint
            c.fill(
                c.circle(
                    0.5 * np.cos(angle) * (k / 7) ** 0.5, 0.34 * np.sin(angle) * (k / 7) ** 0.5 - 0.03, 0.075
                ),
                petal,
            )
    return c.pixels()


def flowers(size: int, tint: int) -> Pixels:
    """A patch of meadow flowers."""
    c = Canvas.blank(size, size, size / 2.6)
    colour = ((248, 240, 222), (240, 196, 92), (226, 140, 128), (176, 158, 206))[tint % 4]
    rng = np.random.default_rng(tint)
    for x, y in rng.uniform(-0.85, 0.85, (11, 2)):
        c.fill(c.circle(x, 0.7 * y, 0.1), (112, 140, 84), 0.6, soft=0.06)
        c.fill(c.circle(x, 0.7 * y, 0.07), colour)
    return c.pixels()


def stone(size: int, tint: int) -> Pixels:
    """A boulder."""
    c = Canvas.blank(size, size, size / 2.6)
    c.fill(c.ellipse(0.15, 0.2, 0.6, 0.45), (34, 48, 36), 0.4, soft=0.18)
    shape = c.blob(0.0, 0.0, 0.5, 7 + tint, 0.16)
    c.fill(shape - 0.03, (92, 88, 86))
    c.fill(shape, mix((222, 214, 204), (150, 142, 138), 0.5 + 0.8 * (c.x + c.y)))
    return c.pixels()


def house_shadow(size: int) -> Pixels:
    """The shadow of a house."""
    c = Canvas.blank(size, size, size / 2.6)
    c.fill(c.box(0.2, 0.22, 0.8, 0.6), (34, 48, 36), 0.5, soft=0.16)
    return c.pixels()


def storey(size: int) -> Pixels:
    """A slice of a house's walls."""
    c = Canvas.blank(size, size, size / 2.6)
    c.fill(c.box(0.0, 0.0, 0.74, 0.54, 0.02), (226, 210, 186))
    return c.pixels()


def roof(size: int, tint: int) -> Pixels:
    """A gabled roof with a chimney."""
    c = Canvas.blank(size, size, size / 2.6)
    sunny, shady = (((206, 112, 84), (168, 82, 64)), ((150, 142, 148), (112, 104, 114)))[tint % 2]
    shape = c.box(0.0, 0.0, 0.8, 0.6, 0.03)
    c.fill(shape - 0.03, mix(shady, (30, 24, 28), 0.55))
    c.fill(shape, np.where((c.y < 0)[..., None], mix(sunny, sunny, 0.0), mix(shady, shady, 0.0)))
    tiles = np.abs((c.y * 9) % 1.0 - 0.5) / 9 - 0.045
    c.fill(np.maximum(-tiles, shape + 0.02), (255, 236, 220), 0.16)
    c.fill(c.box(0.0, 0.0, 0.8, 0.025), mix(sunny, (255, 240, 226), 0.45))
    c.fill(c.box(0.46, -0.24, 0.1, 0.09, 0.02), (96, 74, 72))
    c.fill(c.box(0.44, -0.27, 0.09, 0.08, 0.02), (206, 178, 160))
    c.fill(c.box(0.44, -0.27, 0.045, 0.04, 0.02), (60, 48, 50))
    return c.pixels()
