"""What the rover's ground can do besides its kernel: drawn, driven by rule.

No state checks: its kernel looks nothing up by the numbers of a state.
"""

from __future__ import annotations

from envs.world import Act, Renderer, Task, WorldHooks


def _renderer(task: Task) -> Renderer:
    from envs.render_common import Daylight
    from envs.rover.rover_renderer import RoverRenderer

    return Daylight(RoverRenderer(task), task)


def _rule_driver(task: Task) -> Act | None:
    from envs.rover.rover_expert import CarefulDriver

    return CarefulDriver(task.world).act


HOOKS = WorldHooks(renderer=_renderer, rule_driver=_rule_driver)
