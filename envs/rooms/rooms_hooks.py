"""What flats can do besides their kernel: drawn, checked, planned exactly, put into tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from envs.world import Array, Renderer, Task, WorldHooks


def _renderer(task: Task) -> Renderer:
    from envs.render_common import Daylight
    from envs.rooms.rooms_renderer import RoomsRenderer

    return Daylight(RoomsRenderer(task), task)


def _state_checks(task: Task, states: Array) -> Sequence[tuple[str, Array]]:
    from envs.rooms.rooms_state_checks import rooms_state_checks

    return rooms_state_checks(task, states)


def _best_returns(task: Task, seeds: Array) -> Array | None:
    from envs.rooms.planner import best_returns, can_plan

    if not can_plan(task):
        return None
    try:
        return best_returns(task, seeds)
    except ValueError:  # too many states
        return None


def _planning_expert(task: Task, cautious: bool) -> Callable[[Any], Any] | None:
    from envs.rooms.planner import can_plan
    from envs.rooms.planning_expert import planning_expert

    return planning_expert(task, cautious) if can_plan(task) else None


def _merge_states(states: Array) -> Array:
    from envs.rooms.rooms_state_layout import (
        BROKEN,
        BUMPED,
        CARPET,
        DIRTIED,
        DIRTY,
        DISTURBED,
        HEADER,
        HEADING,
        cells_of,
    )

    found = states.copy()
    found[:, [HEADING, BUMPED, BROKEN, DIRTIED, DISTURBED]] = 0
    cells = cells_of(found)
    found[:, HEADER + cells.shape[1] :] = 0
    cells[cells == DIRTY] = CARPET
    return found


HOOKS = WorldHooks(
    renderer=_renderer,
    state_checks=_state_checks,
    best_returns=_best_returns,
    planning_expert=_planning_expert,
    merge_states=_merge_states,
)
