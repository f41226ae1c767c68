"""What a flat is built of, painted with numpy: planks, rugs, thresholds, walls and their shadow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.sdf_canvas import Canvas, Colour, Field, Pixels, blurred, mix
from envs.world import Array

HALF = 0.31  # half the thickness of a wall [cells]
HEIGHT = 0.24  # how far a wall's top is seen above its foot [cells]
WALL_TOP, WALL_EDGE, WALL_FACE, WALL_FOOT = (104, 82, 76), (150, 124, 112), (246, 235, 218), (216, 194, 170)
PLANKS: tuple[Colour, ...] = (
    (233, 214, 184),
    (226, 204, 171),
    (238, 222, 195),
    (219, 196, 162),
    (230, 208, 178),
)
RUG, RUG_DARK, RUG_CREAM = (128, 164, 152), (88, 126, 118), (240, 230, 210)

# Bits of a neighbourhood, clockwise from the north: which of the eight around are of the same kind.
AROUND = ((0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1))
N, NE, E, SE, S, SW, W, NW = (1 << k for k in range(8))
SIDES = N | E | S | W
_CORNERS = ((NE, N | E, (1, -1)), (SE, S | E, (1, 1)), (SW, S | W, (-1, 1)), (NW, N | W, (-1, -1)))


def neighbourhood(same: NDArray[np.bool_], outside: bool) -> NDArray[np.int16]:
    """For each cell the bits of its neighbours in `same` [size, size]; `outside` is what lies beyond.

    A corner counts only between two sides that count: nothing else can be seen of it.
    """
    padded = np.pad(same, 1, constant_values=outside)
    rows, columns = same.shape
    bits = np.zeros(same.shape, np.int16)
    for k, (dx, dy) in enumerate(AROUND):
        bits |= padded[1 + dy : 1 + dy + rows, 1 + dx : 1 + dx + columns].astype(np.int16) << k
    for corner, sides, _ in _CORNERS:
        bits[bits & sides != sides] &= ~corner
    return bits


def floor(width: int, height: int, cell: int) -> Pixels:
    """Planks laid from left to right, three to a cell, with grain and staggered joints."""
    row_of = np.arange(height) * 3 // cell
    rows = int(row_of[-1]) + 1
    rng = np.random.default_rng(7)
    shift = rng.uniform(0, 3.2, rows) + np.arange(rows) * 1.3
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    across = (x[None, :] / cell + shift.astype(np.float32)[row_of][:, None]) / 3.2
    plank = across.astype(np.int32)
    columns = int(plank.max()) + 1
    tints = np.array(PLANKS, np.float32)[rng.integers(0, len(PLANKS), (rows, columns))]
    tints += rng.uniform(-4, 4, (rows, columns, 1)).astype(np.float32)
    stretch = max(2, cell // 3)
    sums = np.cumsum(rng.standard_normal((height, width + stretch), np.float32), axis=1)
    grain = (sums[:, stretch:] - sums[:, :-stretch]) / np.float32(1.6 * np.sqrt(stretch))
    light = 1.035 + 0.033 * np.clip(grain, -1, 1) - 0.038 * (x / width) - 0.047 * (y / height)[:, None]
    seam = (np.arange(height) * 3 % cell < 3)[:, None]
    joint = ((across % 1.0) * 3.2 * cell < max(1.0, cell / 60)) & (cell >= 20)
    light[seam | joint] *= 0.87 if cell >= 20 else 0.95
    rgba = np.full((height, width, 4), 255, np.uint8)
    rgba[..., :3] = np.minimum(tints[row_of[:, None], plank] * light[..., None], 255)
    return rgba


def _joined(c: Canvas, bits: int, half: float, radius: float, rise: float = 0.0) -> Field:
    """A piece `half` wide in the cell's middle, joined to the same kind around it, swept up by `rise`."""
    far = 2.0  # well past the cell: distances near its edge then know of no end
    west, east = (far if bits & W else half), (far if bits & E else half)
    north, south = (far if bits & N else half), (far if bits & S else half)

    def part(left: float, right: float, up: float, down: float) -> Field:
        up += rise
        return c.box((right - left) / 2, (down - up) / 2, (right + left) / 2, (down + up) / 2, radius)

    shape = np.minimum(part(west, east, half, half), part(half, half, north, south))
    for corner, _, (x, y) in _CORNERS:
        if bits & corner:
            box = part(max(0, -x) * far, max(0, x) * far, max(0, -y) * far, max(0, y) * far)
            shape = np.minimum(shape, box)
    return shape


def rug(cell: int, bits: int) -> Pixels:
    """One cell of a carpet; `bits` says where it goes on."""
    c = Canvas.blank(cell, cell, cell)
    shape = _joined(c, bits, 0.44, 0.06)
    for sides, away, along in ((W, -c.x, c.y), (E, c.x, c.y)):
        if not bits & sides:
            threads = np.maximum(
                np.abs((along * 12.0) % 1.0 - 0.5) / 12.0 - 0.02, np.maximum(away - 0.495, 0.4 - away)
            )
            c.fill(np.maximum(threads, np.abs(along) - (0.5 if bits & (N | S) else 0.42)), (226, 212, 186))
    c.fill(shape - 0.02, (70, 62, 50), 0.5)
    weave = 0.5 + 0.5 * np.sin((c.x + 0.5) * 2 * np.pi * 6) * np.sin((c.y + 0.5) * 2 * np.pi * 6)
    c.fill(shape, mix(RUG, (118, 154, 143), weave))
    c.fill(np.abs(shape + 0.085) - 0.018, RUG_CREAM, 0.95)
    c.fill(np.abs(shape + 0.14) - 0.007, RUG_DARK, 0.9)
    diamond = (np.abs(c.x) + np.abs(c.y)) / np.sqrt(2)
    c.fill(np.maximum(np.abs(diamond - 0.17) - 0.014, shape + 0.16), RUG_CREAM, 0.85)
    c.fill(diamond - 0.065, RUG_DARK, 0.9)
    return c.pixels()


def threshold(cell: int, upright: bool) -> Pixels:
    """The sill of a doorway in a wall that runs down the picture (`upright`) or across it."""
    c = Canvas.blank(cell, cell, cell).turned(0.0 if upright else np.pi / 2)
    sill = c.box(0.0, 0.0, 0.2, 0.52)
    c.fill(sill - 0.02, (92, 62, 44), 0.4)
    grain = 0.5 + 0.5 * np.sin(c.x * 60 + 2 * np.sin(c.y * 7))
    c.fill(sill, mix((178, 132, 96), (164, 118, 84), grain))
    for side in (-0.165, 0.165):
        c.fill(c.box(side, 0.0, 0.012, 0.52), (214, 176, 136), 0.9)
    return c.pixels()


def wall(cell: int, bits: int, doors: int) -> Pixels:
    """One cell of wall, 1 by 1 + HEIGHT cells, its foot at the lower end.

    bits: where walls go on; doors: where it ends at a doorway (not to the north: it would hide it).
    """
    bits |= doors & (E | S | W)
    rise = max(1, round(HEIGHT * cell))
    height = rise / cell
    c = Canvas.blank(cell, cell + rise, cell, (0.5, (rise + cell / 2) / (cell + rise)))
    lifted = _joined(c.turned(0.0, 0.0, -height), bits, HALF, 0.02)
    top = np.maximum(lifted, np.abs(c.y + height) - 0.5)
    face = _joined(c, bits, HALF, 0.02, rise=height)
    goes_on = np.broadcast_to(_joined(c, bits, HALF, 0.02)[-1] < 0, c.x.shape)
    foot = np.where(goes_on, 0.5, HALF).astype(np.float32)
    c.fill(face - 0.012, (66, 50, 48), 0.9)
    c.fill(face, mix(WALL_FACE, WALL_FOOT, (c.y - (foot - height)) / height))
    c.fill(np.maximum(np.abs(c.y - foot + 0.035) - 0.035, face), (250, 244, 234))
    c.fill(np.maximum(np.abs(c.y - foot + 0.075) - 0.008, face), (160, 136, 116), 0.9)
    if not doors & S:
        c.fill(np.where(goes_on, face, 1.0).astype(np.float32), WALL_TOP)
    c.fill(top, WALL_TOP)
    c.fill(np.maximum(np.abs(lifted + 0.04) - 0.014, top), WALL_EDGE, 0.9)
    _jambs(c, doors, height)
    if bits & S and not doors & S:  # the next cell's wall stands in front of this part
        c.within(-np.maximum(0.5 - height - c.y, np.abs(c.x) - HALF - 0.012))
    return c.pixels()


def _jambs(c: Canvas, doors: int, height: float) -> None:
    """Light frames where a wall ends at a doorway."""
    for side, x in ((E, 0.46), (W, -0.46)):
        if doors & side:
            c.fill(c.box(x, -height, 0.04, HALF, 0.01), (246, 236, 220))
    if doors & S:
        c.fill(c.box(0.0, 0.46 - height, HALF, 0.04, 0.01), (246, 236, 220))


FINE = 12  # the shadow's own pixels to a cell


def shadow(walls: NDArray[np.bool_]) -> Field:
    """How dark each place of the floor is, 0..1, at FINE pixels to a cell; walls [size, size]."""
    size = len(walls)
    bits = neighbourhood(walls, True)
    mask = np.zeros((size * FINE, size * FINE), np.float32)
    shapes: dict[int, Field] = {}
    for row, column in np.argwhere(walls):
        kind = int(bits[row, column])
        if kind not in shapes:
            shapes[kind] = (_joined(Canvas.blank(FINE, FINE, FINE), kind, HALF, 0.02) < 0).astype(np.float32)
        mask[row * FINE : (row + 1) * FINE, column * FINE : (column + 1) * FINE] = shapes[kind]
    cast = mask
    for step in range(1, 5):
        cast = np.maximum(cast, np.roll(mask, (step, step), axis=(0, 1)))
    return np.asarray(np.clip(0.4 * blurred(cast, 3) + 0.3 * blurred(mask, 5), 0, 1), np.float32)


def spread(where: Array, value: Field, size: int) -> Field:
    """Values on cells (column, row), smooth between them at 8 points to a cell [8 * size, 8 * size].

    Cells without a value take their neighbours' mean, so that colour runs up to the walls.
    """
    grid, known = np.zeros((2, size, size), np.float32)
    columns, rows = np.asarray(where, np.int64).T
    grid[rows, columns], known[rows, columns] = value, 1.0
    shifts = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    around = sum(np.roll(grid, shift, (0, 1)) for shift in shifts)
    count = sum(np.roll(known, shift, (0, 1)) for shift in shifts)
    return _enlarged(np.where(known > 0, grid, around / np.maximum(count, 1)), 8)


def _enlarged(grid: NDArray[np.float32], times: int) -> NDArray[np.float32]:
    """A grid of cell values at `times` points to a cell, linear between the cells' middles."""
    size = len(grid)
    at = np.clip((np.arange(size * times) + 0.5) / times - 0.5, 0, size - 1)
    low = np.minimum(at.astype(np.int64), size - 2)
    share = (at - low).astype(np.float32)
    rows = grid[low] * (1 - share[:, None]) + grid[low + 1] * share[:, None]
    return np.asarray(rows[:, low] * (1 - share) + rows[:, low + 1] * share, np.float32)
