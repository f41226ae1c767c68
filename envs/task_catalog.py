"""Names to worlds and tasks; renderers are imported on demand, so that no window is needed here."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from importlib import import_module
from typing import Any

from envs import kernels
from envs.external.external_simulation import AnySimulation, ExternalSimulation
from envs.external.external_task import ExternalTask
from envs.external.make_task import make_external_task
from envs.lanes.lanes_tasks import lanes_ambulance, lanes_crossing, lanes_cruise, lanes_merge
from envs.rooms.rooms_tasks import rooms_keys, rooms_loophole, rooms_reach, rooms_tidy
from envs.rover.rover_tasks import rover_deliver
from envs.simulation import Simulation, touch_kernels
from envs.world import Renderer, Task

TASKS: dict[str, Callable[..., Task]] = {
    "teachbox/RoomsTidy-v0": rooms_tidy,
    "teachbox/RoomsReach-v0": rooms_reach,
    "teachbox/RoomsLoophole-v0": rooms_loophole,
    "teachbox/RoomsKeys-v0": rooms_keys,
    "teachbox/LanesCruise-v0": lanes_cruise,
    "teachbox/LanesMerge-v0": lanes_merge,
    "teachbox/LanesAmbulance-v0": lanes_ambulance,
    "teachbox/LanesCrossing-v0": lanes_crossing,
    "teachbox/RoverDeliver-v0": rover_deliver,
}
RENDERERS = {
    "rooms": "envs.rooms.rooms_renderer:RoomsRenderer",
    "lanes": "envs.lanes.lanes_renderer:LanesRenderer",
    "rover": "envs.rover.rover_renderer:RoverRenderer",
}


class UnknownWorld(ValueError):
    """No world of that name; the text is a sentence for the person who typed it."""


def task_ids() -> tuple[str, ...]:
    """The tasks that come with teachbox."""
    return tuple(TASKS)


def task(id: str, **options: Any) -> Task:
    """The task called `id`, made with keywords (size, difficulty, split).

    Any other Gymnasium id ("CartPole-v1", "module:Id") gives a ForeignTask. Raises UnknownWorld for a
    name that is neither, or a world that can't be taught in.
    """
    if id in TASKS:
        return TASKS[id](**options)
    close = difflib.get_close_matches(id, TASKS, n=1, cutoff=0.6)
    if close:
        raise UnknownWorld(f"there is no world {id!r}: did you mean {close[0]!r}?")
    try:
        return make_external_task(id, **options)
    except ValueError as error:  # ForeignWorldError, or the keys file can't be used
        raise UnknownWorld(str(error)) from error


def simulation(task: Task, rows: int, seed: int = 0) -> AnySimulation:
    """N rows of a task."""
    if isinstance(task, ExternalTask):
        return ExternalSimulation(task, rows, seed=seed)
    return Simulation(task, rows, seed=seed)


def renderer(task: Task) -> Renderer:
    """What draws the task's states, by the light of the time of day; imports pygame."""
    module, name = RENDERERS[task.world.name].split(":")
    made: Renderer = import_module("envs.render_common").Daylight(
        getattr(import_module(module), name)(task), task
    )
    return made


def warm_up(progress: Callable[[str, int, int], None] = lambda title, done, of: None) -> None:
    """Compile every world's kernels (or load them from the cache) and mark them as warm."""
    for done, (name, make) in enumerate(TASKS.items()):
        progress(name, done, len(TASKS))
        warm_up_task(make())
    progress("ready", len(TASKS), len(TASKS))


def warm_up_task(task: Task) -> None:
    """Compile the kernels of this task's world; those of a world are the same for all its tasks."""
    touch_kernels(task, task.world.kernel)
    kernels.mark_warm(task.world.name)


def is_warm() -> bool:
    """Whether the kernels of all worlds have been compiled before."""
    return all(kernels.is_warm(world) for world in RENDERERS)
