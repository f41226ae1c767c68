"""Rooms as planes or as a small picture, in place of the features of rooms_feature_obs.py.

grid [planes, edge, edge]: one plane for each of PLANES, 1 where there is such a thing and 0.5 where it
was spoiled (shards, a dirty carpet, a forced door); those of OWN are the same number everywhere. Either
a window round the robot (what lies outside the flat is wall), or the whole flat. North is always up.
pixels [84, 84, 3]: the whole flat from above in plain colours, as shares of 255, and four lamps below:
muddy, holding, spoiled, asleep.
"""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np

from envs.kernels import kernel
from envs.rooms.rooms_state_layout import (
    BIN,
    BROKEN,
    CARPET,
    CAT,
    COL,
    DIRTIED,
    DIRTY,
    DOCK,
    DOOR,
    DOORWAY,
    FLOOR,
    FORCED,
    FORCED_DOORS,
    HEADER,
    HEADING,
    HOLDING,
    KEY,
    LITTER,
    MUD,
    MUD_STEPS,
    MUDDY,
    PARKED,
    ROW,
    SHARDS,
    SIZE,
    VASE,
    VIEW,
    WALL,
)
from envs.world import Array

OWN = ("muddy", "holding", "spoiled", "parked")
PLANES = (
    *("wall", "doorway", "fetch", "home", "vase", "mud", "carpet", "cat", "door"),
    "robot",
    *OWN,
)
_ROBOT = PLANES.index("robot")
PIXELS = (84, 84, 3)

_CODES = 15
_PLANE_OF = np.full(_CODES, -1)  # floor is on no plane
_SHARE = np.ones(_CODES, np.float32)
for _name, _codes in {
    "wall": (WALL,),
    "doorway": (DOORWAY, FORCED),
    "fetch": (LITTER, KEY),
    "home": (DOCK, BIN),
    "vase": (VASE, SHARDS),
    "mud": (MUD,),
    "carpet": (CARPET, DIRTY),
    "cat": (CAT,),
    "door": (DOOR,),
}.items():
    _PLANE_OF[list(_codes)] = PLANES.index(_name)
_SHARE[[SHARDS, DIRTY, FORCED]] = 0.5


@kernel
def _own(state: np.ndarray, own: np.ndarray) -> None:
    """own[4]: the levels of OWN, each 0..1."""
    spoiled = state[BROKEN] + state[DIRTIED] + state[FORCED_DOORS]
    own[0] = state[MUDDY] / float(MUD_STEPS)
    own[1] = min(state[HOLDING], 2) / 2.0
    own[2] = 1.0 if spoiled > 0 else 0.0
    own[3] = float(state[PARKED])


@kernel
def observe_grid(params: np.ndarray, states: np.ndarray, aux: np.ndarray, obs: np.ndarray) -> None:
    """Fill obs[N, D] with planes, edge * edge numbers each."""
    size, view = int(params[SIZE]), int(params[VIEW])
    edge = view if view > 0 else size
    area = edge * edge
    own = np.empty(4, np.float32)
    for n in range(states.shape[0]):
        state, out = states[n], obs[n]
        row, col = int(state[ROW]), int(state[COL])
        top, left = (row - view // 2, col - view // 2) if view > 0 else (0, 0)
        out[: (_ROBOT + 1) * area] = 0.0
        for at in range(area):
            y, x = top + at // edge, left + at % edge
            inside = 0 <= y < size and 0 <= x < size
            code = state[HEADER + y * size + x] if inside else WALL
            if code != FLOOR:
                out[_PLANE_OF[code] * area + at] = _SHARE[code]
        out[_ROBOT * area + (row - top) * edge + col - left] = 1.0
        _own(state, own)
        for k in range(4):
            out[(_ROBOT + 1 + k) * area : (_ROBOT + 2 + k) * area] = own[k]


def _colours(table: dict[int, tuple[int, int, int]]) -> Array:
    colours = np.zeros((_CODES, 3), np.float32)
    for code, colour in table.items():
        colours[code] = colour
    return colours


_FLOOR_COLOUR = (233, 214, 184)
_GROUND = _colours(
    dict.fromkeys(range(_CODES), _FLOOR_COLOUR)
    | {WALL: (104, 82, 76), DOORWAY: (178, 132, 96), FORCED: (178, 132, 96), DOOR: (178, 132, 96)}
    | {CARPET: (128, 164, 152), DIRTY: (128, 164, 152), MUD: (150, 112, 72)}
)
_THING = _colours(
    {DOCK: (70, 150, 230), BIN: (52, 104, 88), LITTER: (255, 255, 255), KEY: (240, 190, 40)}
    | {VASE: (200, 60, 160), SHARDS: (120, 50, 100), DIRTY: (96, 64, 40), MUD: (96, 64, 40)}
    | {CAT: (248, 150, 60), DOOR: (110, 60, 30), FORCED: (60, 40, 30)}
)
_HAS_THING = _THING.sum(axis=1) > 0
_ROBOT_COLOURS = np.array([(40, 40, 48), (150, 90, 30), (110, 120, 170)], np.float32)
_NOSE = np.array((120, 240, 240), np.float32)
_LAMPS = np.array([(240, 164, 48), (255, 255, 255), (230, 60, 60), (120, 150, 255)], np.float32)
_FIELD, _LAMP = 80, 18  # edge of the flat in the picture, width of a lamp [px]


@kernel
def _box(
    picture: np.ndarray, top: int, left: int, height: int, width: int, colour: np.ndarray, share: float
) -> None:
    for channel in range(3):
        level = np.float32(np.rint(colour[channel] * share)) / np.float32(255)
        picture[top : top + height, left : left + width, channel] = level


@kernel
def observe_pixels(params: np.ndarray, states: np.ndarray, aux: np.ndarray, obs: np.ndarray) -> None:
    """Fill obs[N, D] with pictures; every number is a whole share of 255."""
    size = int(params[SIZE])
    edge = _FIELD // size
    inset = max(1, edge // 5)
    thing = edge - 2 * inset
    up, side = (_FIELD - edge * size) // 2, (84 - edge * size) // 2
    own = np.empty(4, np.float32)
    for n in range(states.shape[0]):
        state, picture = states[n], obs[n].reshape((84, 84, 3))
        picture[:] = 0.0
        for cell in range(size * size):
            code = state[HEADER + cell]
            top, left = up + cell // size * edge, side + cell % size * edge
            _box(picture, top, left, edge, edge, _GROUND[code], 1.0)
            if _HAS_THING[code]:
                _box(picture, top + inset, left + inset, thing, thing, _THING[code], 1.0)
        _own(state, own)
        look = 2 if own[3] > 0.0 else 1 if own[0] > 0.0 else 0
        top, left = up + int(state[ROW]) * edge, side + int(state[COL]) * edge
        inset_robot, heading = edge // 8, int(state[HEADING])
        body = edge - 2 * inset_robot
        _box(picture, top + inset_robot, left + inset_robot, body, body, _ROBOT_COLOURS[look], 1.0)
        nose = max(1, edge // 3)
        middle = (edge - nose) // 2
        across = middle if heading % 2 == 0 else (edge - nose if heading == 1 else 0)
        down = middle if heading % 2 == 1 else (edge - nose if heading == 2 else 0)
        _box(picture, top + down, left + across, nose, nose, _NOSE, 1.0)
        for k in range(4):
            _box(picture, 81, 3 + 20 * k, 3, _LAMP, _LAMPS[k], 0.1 + 0.9 * own[k])


@cache
def pixel_names() -> tuple[str, ...]:
    """Names of the numbers of a picture."""
    height, width, _ = PIXELS
    return tuple(
        f"{c}_{y}_{x}" for y in range(height) for x in range(width) for c in ("red", "green", "blue")
    )


@cache
def grid_names(edge: int) -> tuple[str, ...]:
    """Names of the numbers of a grid."""
    return tuple(f"{plane}_{y}_{x}" for plane in PLANES for y in range(edge) for x in range(edge))


@cache
def grid_symmetries(edge: int, actions: int) -> tuple[tuple[Array, Array], ...]:
    """The eight turns and mirrors of a grid, as in World.symmetries."""
    index = np.arange(len(PLANES) * edge * edge).reshape(len(PLANES), edge, edge)
    found = []
    for turn, mirror in itertools.product(range(4), (False, True)):
        order = np.rot90(index[..., ::-1] if mirror else index, turn, axes=(1, 2)).ravel()
        # Moves are up, right, down, left; a quarter turn to the left makes up left, a mirror right left.
        moves = [((4 - move) % 4 if mirror else move) for move in range(4)]
        moves = [(move - turn) % 4 for move in moves]
        found.append((order, np.array([0, *(1 + move for move in moves), *range(5, actions)])))
    return tuple(found)
