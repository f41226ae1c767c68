"""The slip road, the zebra and the people on it, painted with numpy."""

from __future__ import annotations

import numpy as np

from envs.lanes.crosswalk import HALF
from envs.lanes.crosswalk import LINE as STOP_LINE
from envs.lanes.lanes_state_layout import CLOCK, GUEST, HEADING, SITE, WALK, extras_of
from envs.lanes.merging import BEND, OFF, ZONE
from envs.lanes.scenery import ASPHALT, DASH, GRAVEL, LINE
from envs.sdf_canvas import Canvas, Pixels, hashed, mix
from envs.world import Array

BEFORE, TAPER = 120.0, 18.0  # of the slip road shown before its mouth and after its zone [m]
OVER = 0.12  # it covers so much of the road, whose edge line it replaces [lanes]
_COATS = ((206, 92, 74), (64, 112, 158), (236, 190, 92), (118, 92, 150), (78, 132, 104), (226, 226, 220))
_HAIR = ((62, 46, 38), (120, 84, 52), (40, 38, 44), (196, 168, 120))


def slip_road(metre: float, lane: float, height: int) -> Pixels:
    """The slip road from BEFORE its mouth on; the picture begins OVER lanes above the road's edge [px]."""
    width = round((BEFORE + ZONE + TAPER) * metre)
    x = (np.arange(width, dtype=np.float32) + 0.5)[None, :] / metre - BEFORE
    y = (np.arange(height, dtype=np.float32) + 0.5)[:, None] / lane - OVER
    share = np.clip(-x / BEND, 0, 1)
    bend = OFF * share * share * (3 - 2 * share)  # as in ramp.bend
    near, far = bend, bend + 1.0 - np.clip((x - ZONE) / TAPER, 0, 1)
    inside = np.maximum(near - OVER - y, y - far) * lane  # [px] out of the tarmac
    rgba = np.zeros((height, width, 4), np.float32)

    def lay(distance: np.ndarray, colour: tuple[int, int, int], alpha: float = 1.0) -> None:
        cover = (np.clip(0.5 - distance, 0, 1) * alpha)[..., None]
        old = rgba[..., 3:] * (1 - cover)
        rgba[..., :3] = (rgba[..., :3] * old + np.asarray(colour, np.float32) * cover) / np.maximum(
            old + cover, 1e-4
        )
        rgba[..., 3:] = old + cover

    verge = np.maximum(inside - 0.2 * lane, (-y - OVER + 0.001) * lane)
    lay(np.where(y < 0, np.maximum(verge, inside), verge), GRAVEL)
    lay(inside, ASPHALT)
    half = max(0.6, 0.018 * lane)
    shown = np.maximum(inside, 0 * x)
    lay(np.maximum(np.abs(y - far + 0.07) * lane - half, shown), LINE, 0.92)
    solid = np.maximum(np.abs(y - near - 0.05) * lane - half, (x - 0.0) * metre)
    lay(np.maximum(solid, (-BEND * 1.4 - x) * metre), LINE, 0.92)
    dashes = (np.abs(x % (DASH + 2.0) - 0.5 * DASH) - 0.35 * DASH) * metre
    between = np.maximum(np.maximum(-x, x - ZONE) * metre, dashes)
    lay(np.maximum(np.abs(y) * lane - 1.6 * half, between), LINE, 0.92)
    edge = np.abs(y + 0.07) * lane - half
    lay(np.maximum(edge, (ZONE + 0.7 * TAPER - x) * metre), LINE, 0.92)
    rgba[..., 3] *= 255.0
    return np.asarray(np.clip(rgba, 0, 255), np.uint8)


def zebra(metre: float, lane: float, lanes: int) -> Pixels:
    """Stripes over all lanes, and the line before them; the zebra's middle is the picture's."""
    width, height = round(2 * (STOP_LINE + 1.0) * metre), round(lanes * lane)
    c = Canvas.blank(width, height, 1.0)
    bars = 3 * lanes
    for k in range(bars):
        y = (k + 0.5) / bars * height - height / 2
        c.fill(c.box(0.0, y, HALF * metre, 0.28 * height / bars, 0.5), LINE, 0.94)
    c.fill(c.box(-STOP_LINE * metre, 0.0, max(1.0, 0.22 * metre), 0.465 * height, 0.5), LINE, 0.9)
    return c.pixels()


def person(size: int, tint: int, stride: int, down: bool) -> Pixels:
    """Somebody on foot from above; stride 0 stands, 1 and 2 walk."""
    c = Canvas.blank(size, size, size / 2.6)
    c = c if down else c.turned(np.pi)
    coat, hair = _COATS[tint % len(_COATS)], _HAIR[tint % len(_HAIR)]
    dark = mix(coat, (30, 28, 36), 0.55)
    c.fill(c.ellipse(0.16, 0.2, 0.8, 0.5), (24, 24, 30), 0.4, soft=0.25)
    swing = (0.0, 0.34, -0.34)[stride]
    for side in (-1, 1):
        c.fill(c.ellipse(0.26 * side, swing * side, 0.17, 0.34), (52, 50, 62))
        c.fill(c.line(0.62 * side, 0.0, 0.6 * side, -0.9 * swing * side + 0.12, 0.15), dark)
    c.fill(c.ellipse(0.0, 0.0, 0.74, 0.4) - 0.05, dark)
    c.fill(c.ellipse(0.0, 0.0, 0.74, 0.4), mix(mix(coat, (255, 255, 255), 0.2), coat, 0.5 + 0.8 * c.y))
    c.fill(c.circle(0.0, 0.06, 0.36), mix(hair, (20, 18, 22), 0.4))
    c.fill(c.circle(0.0, 0.04, 0.32), hair)
    c.fill(c.circle(0.0, 0.3, 0.1), (236, 196, 164))
    return c.pixels()


def crowd(before: Array, after: Array, blend: float) -> list[tuple[float, float, int, int, bool]]:
    """Those at the zebra between two states: X [m], Y [lanes], then what `person` wants."""
    was, now = extras_of(before), extras_of(after)
    if now[SITE] != was[SITE]:
        now = was  # the next zebra shows from the next step on
    site, y, count = float(was[SITE]), float(was[WALK] + blend * (now[WALK] - was[WALK])), int(was[GUEST])
    step = int(before[CLOCK]) // 2 % 2
    down = was[HEADING] > 0 or (was[HEADING] == 0 and was[WALK] > 0)
    people = []
    for k in range(count):
        stride = 1 + (step + k) % 2 if now[WALK] != was[WALK] else 0
        x = site + 1.6 * (k - (count - 1) / 2)
        people.append((x, y + 0.08 * (k % 2), hashed(round(site), k) % 60, stride, bool(down)))
    return people
