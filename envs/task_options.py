"""A task made again with other options, in which all that somebody changed in it stays."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from envs.code_digest import is_same
from envs.world import Task

_MADE = ("options", "factory")


def takes_option(task: Task, name: str) -> bool:
    """Whether the task can be made again with another value of this keyword."""
    if task.factory is None:
        return False
    return name in task.options or name in inspect.signature(task.factory).parameters


def with_options(task: Task, options: Mapping[str, Any]) -> Task:
    """The task as its factory makes it of `options`, but for what was changed since it was made.

    `dataclasses.replace(task, true_reward=...)` changes a task: its wish is then its own under any options.
    """
    if task.factory is None:
        raise ValueError(f"{task.id} does not say how it was made: decorate its factory with task_factory")
    was, now = task.factory(**task.options), task.factory(**options)
    own = {name: value for name, value in _parts(task).items() if not is_same(value, _parts(was)[name])}
    return replace(now, **own)


def _parts(task: Task) -> dict[str, Any]:
    return {one.name: getattr(task, one.name) for one in fields(task) if one.name not in _MADE}


def as_made(task: Task) -> Task | None:
    """The task as its factory made it, without what was changed since; None if nobody knows."""
    return None if task.factory is None else task.factory(**task.options)
