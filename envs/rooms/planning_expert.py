"""An expert driver in a flat: follows an exact plan, and as an over-cautious one keeps clear of vases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.rooms.rooms_state_layout import BIN, COL, DOCK, HEADER, ROW, SIZE, VASE, WALL, cells_of
from envs.world import Array, Task

Expert = Callable[[Any], Any]
"""simulation of one row -> the action to take there."""


def planning_expert(task: Task, cautious: bool) -> Expert:
    """Drives by an exact plan under the task's wish (`planner.can_plan` says whether there is one)."""
    from envs.rooms.planner import plan_flat

    plans: list[Any] = []
    closed: list[Array] = []  # the cells that the present plan doesn't enter

    def act(sim: Any) -> int:
        state = sim.states[0]
        if not plans or np.isin(_cell(task, state), closed[0]):  # at the start, or slipped off the way
            plans.clear()
            closed[:] = [_near_harm(task, state) if cautious else np.zeros(0, np.int64)]
            plans.append(plan_flat(task, _walled(state, closed[0])))
        return int(plans[0].action(_walled(state, closed[0])))

    return act


def _cell(task: Task, state: Array) -> int:
    """Where the robot is in a flat's state [K]."""
    return HEADER + int(state[ROW]) * int(task.world.params[SIZE]) + int(state[COL])


def _near_harm(task: Task, state: Array) -> NDArray[np.int64]:
    """Vases and the four cells round each; but for the dock, the bin and where the robot is."""
    size = int(task.world.params[SIZE])
    vases = np.flatnonzero(cells_of(state) == VASE) + HEADER
    found = np.unique(vases[:, None] + np.array([0, -size, 1, size, -1]))
    return found[~np.isin(state[found], (WALL, DOCK, BIN)) & (found != _cell(task, state))]


def _walled(state: Array, closed: NDArray[np.int64]) -> Array:
    """The same flat with walls in the cells `closed`."""
    found = state.copy()
    found[closed] = WALL
    return found
