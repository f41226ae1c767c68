"""What roads can do besides their kernel: drawn, checked, driven by rule."""

from __future__ import annotations

from collections.abc import Sequence

from envs.world import Act, Array, Renderer, Task, WorldHooks


def _renderer(task: Task) -> Renderer:
    from envs.lanes.lanes_renderer import LanesRenderer
    from envs.render_common import Daylight

    return Daylight(LanesRenderer(task), task)


def _state_checks(task: Task, states: Array) -> Sequence[tuple[str, Array]]:
    from envs.lanes.lanes_state_checks import lanes_state_checks

    return lanes_state_checks(task, states)


def _rule_driver(task: Task) -> Act | None:
    from envs.lanes.lanes_expert import CarefulDriver

    try:
        return CarefulDriver(task.world).act
    except ValueError:  # it sees features only
        return None


HOOKS = WorldHooks(renderer=_renderer, state_checks=_state_checks, rule_driver=_rule_driver)
