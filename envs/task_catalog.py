"""Names to tasks: those that come with teachbox, other packages' and Gymnasium's; and what draws them."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import gymnasium

from envs import extensions, kernels
from envs.extensions import BrokenExtension, installed, load_installed, told
from envs.external.make_task import make_external_task
from envs.lanes.lanes_tasks import lanes_ambulance, lanes_crossing, lanes_cruise, lanes_merge
from envs.rooms.rooms_tasks import rooms_keys, rooms_loophole, rooms_reach, rooms_tidy
from envs.rover.rover_tasks import rover_deliver
from envs.simulation import touch_kernels
from envs.world import Renderer, Task, TaskOption

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

log = logging.getLogger("teachbox")
_warned: set[str] = set()


class UnknownTask(ValueError):
    """No world of that name; the text is a sentence for the person who typed it."""


def task_ids() -> tuple[str, ...]:
    """The tasks that come with teachbox."""
    return tuple(TASKS)


def installed_task_ids() -> tuple[str, ...]:
    """The tasks that other installed packages bring (entry points `teachbox.tasks`). Imports none."""
    return tuple(id for id in installed(extensions.TASKS) if id not in TASKS)


def is_installed(id: str) -> bool:
    """Whether the task comes with teachbox or with an installed package, so that a file may name it."""
    return id in TASKS or id in installed(extensions.TASKS)


def task(id: str, **options: TaskOption) -> Task:
    """The task called `id`, made with options (size, difficulty, split): the keywords of its factory.

    `id` is a task of teachbox or of an installed package, `module:name` of a task or of a function that
    makes one, or any other Gymnasium id ("CartPole-v1", "module:Id"), which gives an ExternalTask. Raises
    UnknownTask for a name that is none of these, or a world that can't be taught in.
    """
    if id in TASKS:
        return TASKS[id](**options)
    found = _of_others(id)
    if found is not None:
        return _made(id, found, options)
    close = difflib.get_close_matches(id, [*TASKS, *installed_task_ids()], n=1, cutoff=0.6)
    if close and id.split(":")[-1] not in gymnasium.registry:
        raise UnknownTask(f"there is no world {id!r}: did you mean {close[0]!r}?")
    try:
        make: Callable[..., Task] = make_external_task
        return make(id, **options)
    except ValueError as error:  # ExternalWorldError, or the keys file can't be used
        raise UnknownTask(str(error)) from error


def _of_others(id: str) -> Callable[..., Task] | None:
    """The function that makes another package's task; None if `id` names none."""
    try:
        if id in installed(extensions.TASKS):
            found = load_installed(extensions.TASKS, id)
        else:
            found = extensions.import_object(id)
    except BrokenExtension as error:
        raise UnknownTask(str(error)) from error
    if isinstance(found, Task):
        given = found
        return lambda: given
    if callable(found) and not (isinstance(found, type) and issubclass(found, gymnasium.Env)):
        make: Callable[..., Task] = found
        return make
    if found is not None and id in installed(extensions.TASKS):
        raise UnknownTask(f"{id} is a {type(found).__name__}, not a function that makes a task")
    return None


def _made(id: str, make: Callable[..., Task], options: Mapping[str, TaskOption]) -> Task:
    try:
        made = make(**options)
    except Exception as error:
        raise UnknownTask(f"{id} can't be made: {told(error)}") from error
    if not isinstance(made, Task):
        raise UnknownTask(f"{id} made a {type(made).__name__}, not an envs.world.Task")
    return replace(made, id=id, factory=make)


def listed_tasks(tell: Callable[[str], None]) -> Iterator[Task]:
    """The tasks of teachbox and of installed packages; `tell` gets a sentence for each broken one."""
    for id in (*TASKS, *installed_task_ids()):
        try:
            yield task(id)
        except UnknownTask as error:
            tell(str(error))


def renderer(task: Task) -> Renderer:
    """What draws the task's states: an installed renderer (entry point `teachbox.renderers`, named by the
    task or its world), else the world's own, else a plain one. Imports pygame."""
    for name in (task.id, task.world.name):
        if name in installed(extensions.RENDERERS):
            try:
                drawn: Renderer = load_installed(extensions.RENDERERS, name)(task)
                return drawn
            except Exception as error:
                warn(f"The renderer {name!r} can't draw {task.id}: {told(error)}")
    hook = task.world.hooks.renderer
    if hook is not None:
        return hook(task)
    from envs.plain_renderer import PlainRenderer

    return PlainRenderer(task)


def warn(sentence: str) -> None:
    """Log a warning, each only once."""
    if sentence not in _warned:
        _warned.add(sentence)
        log.warning(sentence)


def warm_up(progress: Callable[[str, int, int], None] = lambda title, done, of: None) -> None:
    """Compile every world's kernels (or load them from the cache) and mark them as warm."""
    count = len(TASKS) + len(installed_task_ids())
    for done, one in enumerate(listed_tasks(warn)):
        progress(one.id, done, count)
        if not one.is_costly:
            warm_up_task(one)
    progress("ready", count, count)


def warm_up_task(task: Task) -> None:
    """Compile the kernels of this task's world; those of a world are the same for all its tasks."""
    touch_kernels(task, task.world.kernel)
    kernels.mark_warm(task.world.name, task.world.kernel.step)


def is_warm() -> bool:
    """Whether the kernels of all worlds have been compiled before."""
    every = (one for one in listed_tasks(warn) if not one.is_costly)
    return all(kernels.is_warm(one.world.name, one.world.kernel.step) for one in every)
