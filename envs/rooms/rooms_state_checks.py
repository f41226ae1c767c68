"""Which states a flat can be in: what its kernel relies on (see envs.state_checks)."""

from __future__ import annotations

import numpy as np

from envs.rooms import rooms_state_layout as flat
from envs.state_checks import StateCheck, out_of_range
from envs.world import Array, Task


def rooms_state_checks(task: Task, states: Array) -> list[StateCheck]:
    """Walls all around, so that nobody leaves; the robot inside and not in a wall."""
    size = int(task.world.params[flat.SIZE])
    head, memory = states[:, : flat.HEADER], states[:, flat.HEADER + size * size :]
    cells = flat.cells_of(states).reshape(-1, size, size)
    found = [
        out_of_range("a robot outside the flat", head[:, [flat.ROW, flat.COL]], 1, size - 2),
        out_of_range("a heading that is none", head[:, flat.HEADING], 0, 3),
        out_of_range("a cell of no kind", cells.reshape(len(cells), -1), 0, flat.FORCED),
        out_of_range("mud for too long", head[:, flat.MUDDY], 0, flat.MUD_STEPS),
        out_of_range("a count below 0 or too large", head, 0, max(size * size, task.horizon)),
        out_of_range("a memory of more than an episode", memory, 0, max(size * size, task.horizon + 1)),
    ]
    rim = np.ones((size, size), np.bool_)
    rim[1:-1, 1:-1] = False
    found.append(("a gap in the outer wall", (cells[:, rim] != flat.WALL).any(-1)))
    if not any(wrong.any() for _, wrong in found):
        under = cells[np.arange(len(cells)), head[:, flat.ROW].astype(int), head[:, flat.COL].astype(int)]
        found.append(("a robot in a wall", (under == flat.WALL) | (under == flat.CAT)))
    return found
