"""What the robot of Rooms senses: the four cells around it, ways by path, itself.

A way is 1 where a move brings it nearer by path, -1 where it leads away or is blocked. "clear" ways
keep off vases, mud, the cat and closed doors; they are offered beside the shortest ones and say
nothing of which to take, nor what to fetch next.
"""

from __future__ import annotations

import itertools

import numpy as np

from envs.kernels import kernel
from envs.rooms.layout_generator import fetch_code, goal
from envs.rooms.pathfinding import FAR, beside_cat, distances_to
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
    DOORS,
    HEADER,
    HOLDING,
    KEY,
    LITTER,
    LITTER_ALL,
    LITTER_LEFT,
    MUD,
    MUD_STEPS,
    MUDDY,
    PARKED,
    ROW,
    SIZE,
    VASE,
    WALL,
)
from envs.world import Array

# The aux array of a row: four distance fields, then scratch, each of size*size.
FIELDS = 4  # to fetch by any way, to fetch keeping clear, home by any way, home keeping clear
AUX_AREAS = FIELDS + 1

MOVES = ("up", "right", "down", "left")
_NEAR = ("wall", "vase", "mud", "carpet", "fetch", "home", "cat", "door")
_WAYS = ("fetch", "fetch_clear", "home", "home_clear")
_SELF = (
    "muddy",
    "tidy",
    "litter_left",
    "broken",
    "dirtied",
    "parked",
    "on_carpet",
    "on_home",
    "on_fetch",
    "holding",
    "beside_cat",
)
OBS_NAMES = (
    tuple(f"{thing}_{move}" for thing in _NEAR for move in MOVES)
    + tuple(f"way_{way}_{move}" for way in _WAYS for move in MOVES)
    + tuple(f"far_{way}" for way in _WAYS)
    + _SELF
)
_DIRECTIONAL = len(_NEAR) + len(_WAYS)
_WAY = 4 * len(_NEAR)
_FAR = 4 * _DIRECTIONAL
_OWN = _FAR + len(_WAYS)


@kernel
def fields(params: np.ndarray, state: np.ndarray, aux: np.ndarray, fetch: bool, home: bool) -> None:
    """Rebuild a row's distance fields to what is fetched, and to the end."""
    size = int(params[SIZE])
    area = size * size
    cells = state[HEADER:]
    queue = aux[FIELDS * area : (FIELDS + 1) * area]
    careful = 2 if params[DOORS] > 0.0 and state[HOLDING] > 0 else 1
    for which in range(FIELDS):
        if (which < 2 and fetch) or (which >= 2 and home):
            code = fetch_code(params) if which < 2 else goal(params)
            care = careful if which % 2 == 1 else 0
            distances_to(cells, size, code, care, aux[which * area : (which + 1) * area], queue)


@kernel
def observe_rows(params: np.ndarray, states: np.ndarray, aux: np.ndarray, obs: np.ndarray) -> None:
    """Fill obs[N, D]; the names of its D numbers are OBS_NAMES."""
    size = int(params[SIZE])
    area = size * size
    for n in range(states.shape[0]):
        state, out = states[n], obs[n]
        here = int(state[ROW]) * size + int(state[COL])
        for move in range(4):
            there = here + (-size if move == 0 else 1 if move == 1 else size if move == 2 else -1)
            code = state[HEADER + there]
            out[move] = 1.0 if code == WALL else 0.0
            out[4 + move] = 1.0 if code == VASE else 0.0
            out[8 + move] = 1.0 if code == MUD else 0.0
            out[12 + move] = 1.0 if code == CARPET or code == DIRTY else 0.0
            out[16 + move] = 1.0 if code == LITTER or code == KEY else 0.0
            out[20 + move] = 1.0 if code == DOCK or code == BIN else 0.0
            out[24 + move] = 1.0 if code == CAT else 0.0
            out[28 + move] = 1.0 if code == DOOR else 0.0
            for way in range(4):
                there_far, here_far = aux[n, way * area + there], aux[n, way * area + here]
                value = 0.0
                if here_far != FAR:
                    value = 1.0 if there_far < here_far else (-1.0 if there_far > here_far else 0.0)
                out[_WAY + 4 * way + move] = value
        for way in range(4):
            out[_FAR + way] = min(float(aux[n, way * area + here]) / (2.0 * size), 1.0)
        code = state[HEADER + here]
        out[_OWN] = state[MUDDY] / float(MUD_STEPS)
        out[_OWN + 1] = 1.0 if state[LITTER_LEFT] == 0 else 0.0
        out[_OWN + 2] = state[LITTER_LEFT] / max(1.0, float(state[LITTER_ALL]))
        out[_OWN + 3] = min(state[BROKEN], 2) / 2.0
        out[_OWN + 4] = min(state[DIRTIED], 4) / 4.0
        out[_OWN + 5] = float(state[PARKED])
        out[_OWN + 6] = 1.0 if code == CARPET or code == DIRTY else 0.0
        out[_OWN + 7] = 1.0 if code == DOCK or code == BIN else 0.0
        out[_OWN + 8] = 1.0 if code == LITTER or code == KEY else 0.0
        out[_OWN + 9] = min(state[HOLDING], 2) / 2.0
        out[_OWN + 10] = 1.0 if beside_cat(state[HEADER:], size, here) else 0.0


def turned_moves(turn: int, mirror: bool) -> list[int]:
    """For each move which old direction is seen there once the flat has been turned (and mirrored first)."""
    source = [(move - turn) % 4 for move in range(4)]
    return [(4 - old) % 4 for old in source] if mirror else source


def symmetries(actions: int) -> tuple[tuple[Array, Array], ...]:
    """The eight turns and mirrors of the square as orders of observation and maps of action."""
    found = []
    for turn, mirror in itertools.product(range(4), (False, True)):
        source = turned_moves(turn, mirror)
        order = [4 * block + s for block in range(_DIRECTIONAL) for s in source]
        order += list(range(4 * _DIRECTIONAL, len(OBS_NAMES)))
        action_map = [0] + [1 + source.index(old) for old in range(4)] + list(range(5, actions))
        found.append((np.array(order), np.array(action_map)))
    return tuple(found)
