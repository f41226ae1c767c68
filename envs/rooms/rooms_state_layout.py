"""What a flat's numbers mean: codes of cells, places in the state, params and terms."""

from __future__ import annotations

import numpy as np

from envs.world import Array, Term

# Codes of the cells.
FLOOR, WALL, DOORWAY, DOCK, LITTER, VASE, SHARDS, MUD, CARPET, DIRTY, CAT, BIN, KEY, DOOR, FORCED = range(15)

# The state, int16 [HEADER + size*size]: the header, then the cells by rows.
(
    CLOCK,  # steps since the start
    ROW,
    COL,
    HEADING,  # 0 up, 1 right, 2 down, 3 left
    MUDDY,  # moves for which the wheels still leave mud
    PARKED,  # 1: done and asleep, the visible absorbing state
    LITTER_LEFT,  # pieces not yet picked up, or, where they are carried, not yet in the bin
    LITTER_ALL,
    BROKEN,  # vases
    DIRTIED,  # times that mud was left on a carpet
    BUMPED,  # 1: the last move was into something
    HOLDING,  # 1 with a piece in hand (carrying tasks); keys in hand (tasks with doors)
    DISTURBED,  # steps spent beside the cat
    FORCED_DOORS,  # doors broken open
) = range(14)
HEADER = 14
MUD_STEPS = 4

# Where the observation tells of the past (rooms_wide_obs.py) two parts more follow the cells: how often the
# robot has come to each cell [size*size], its start counted, and these numbers of the episode.
(
    DISTINCT,  # cells where it has been
    HOME_VISITS,  # times it came to the dock or bin
    CARPET_STEPS,  # moves that ended on a carpet
    FETCHED_AT,  # CLOCK when something was fetched last, 0 before
    BEGAN,  # the cell where it began
) = range(5)
MEMORY = 5  # an odd number: with it and without, no two flats have states of one length

# The world's params, float64.
SIZE, LITTER_MIN, LITTER_MAX, VASES, MUDS, RUGS, DIVISIONS, SPLIT, CATS, CARRY, DOORS, VIEW = range(12)
# VIEW: edge of the window that the grid shows, 0 for the whole flat. From DRAWN on stand, if the flat
# was drawn by somebody, its cells: a code each, START more where the robot may begin.
DRAWN, START = 12, 100

# Terms that all tasks have, and the two that some have beside them.
T_LITTER, T_VASE, T_DIRT, T_HOME, T_BUMP, T_MOVE, T_CAT = range(7)
T_DROP, T_BINNED = 7, 8  # carrying tasks
T_KEY, T_FORCED = 7, 8  # tasks with doors
TERMS = (
    Term("litter", "pieces", "a piece of litter picked up"),
    Term("vase", "vases", "a vase broken"),
    Term("dirt", "cells", "mud carried onto a carpet"),
    Term("home", "times", "home on the dock with everything done"),
    Term("bump", "times", "driven against a wall or the cat"),
    Term("move", "steps", "a step driven"),
    Term("cat", "steps", "driven close past the sleeping cat"),
)
CARRY_TERMS = (
    Term("drop", "pieces", "a piece put down somewhere else than in the bin"),
    Term("binned", "pieces", "a piece put into the bin"),
)
DOOR_TERMS = (
    Term("key", "keys", "a key picked up"),
    Term("forced", "doors", "a closed door forced open"),
)


def edge_of(numbers: int) -> int:
    """The edge length of the flat that states of so many numbers are of, with or without memory."""
    area = numbers - HEADER
    with_memory = round(float(np.sqrt(max(0, area - MEMORY) / 2)))
    return with_memory if 2 * with_memory**2 + MEMORY == area else round(float(np.sqrt(area)))


def cells_of(states: Array) -> Array:
    """The cells of states [..., K] as a view [..., edge * edge]."""
    return states[..., HEADER : HEADER + edge_of(states.shape[-1]) ** 2]
