"""Teachers that other people's packages bring, by an entry point or as `module:name`.

    [project.entry-points."teachbox.teachers"]
    impatient = "my_package.teachers:ImpatientTeacher"

What is named is a `TeacherFactory`: it is called with a task and a seed, and gives a `Teacher`. Nothing is
imported before a teacher of that name is made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agents.teachers.teacher_protocol import REQUIRED_MEMBERS, Teacher, UnknownTeacher
from envs.extensions import BrokenExtension, import_object, installed, load_installed, told
from envs.world import Task

ENTRY_POINT_GROUP = "teachbox.teachers"
"""The entry points by which other packages bring teachers."""


def installed_teachers() -> list[str]:
    """Names of the teachers that installed packages bring."""
    return sorted(installed(ENTRY_POINT_GROUP))


def external_teacher(name: str, task: Task, seed: int) -> Teacher | None:
    """The teacher of an entry point called `name`, or of `module:name`; None if `name` is neither.

    Raises UnknownTeacher, with a sentence, for one that can't be loaded, made or used.
    """
    factory = _factory(name)
    if factory is None:
        return None
    try:
        made = factory(task, seed)
    except Exception as error:
        raise UnknownTeacher(f"teacher {name!r} can't be made for {task.id}: {told(error)}") from error
    if not isinstance(made, Teacher):
        missing = ", ".join(part for part in REQUIRED_MEMBERS if not hasattr(made, part))
        raise UnknownTeacher(
            f"teacher {name!r} made a {type(made).__name__}, which is no teacher: it has no {missing} "
            "(see agents.teachers.teacher_protocol.Teacher)"
        )
    return made


def _factory(name: str) -> Callable[[Task, int], Any] | None:
    try:
        found = (
            load_installed(ENTRY_POINT_GROUP, name)
            if name in installed(ENTRY_POINT_GROUP)
            else import_object(name, must_exist=True)
        )
    except BrokenExtension as error:
        raise UnknownTeacher(f"teacher {name!r}: {error}") from error
    if found is None:
        return None
    if not callable(found):
        raise UnknownTeacher(f"teacher {name!r} is a {type(found).__name__}: name a class or a function")
    factory: Callable[[Task, int], Any] = found
    return factory
