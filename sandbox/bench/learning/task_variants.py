"""The tasks that figures are made for: every one of the catalogue, and the variants that the docs name."""

from __future__ import annotations

from envs import task_catalog
from envs.variants import MEASURED
from envs.world import Task


def variants(world: str | None = None) -> list[Task]:
    """Every task with its default options and its named variants, or those of one world."""
    ids = task_catalog.task_ids() if world is None else (world,)
    return [task_catalog.task(id, **options) for id in ids for options in MEASURED.get(id, ({},))]


def title(task: Task) -> str:
    """How a task is called in tables: its id without the namespace, and what makes it a variant."""
    plain = task.id.removeprefix("teachbox/")
    usual = task_catalog.task(task.id).options if task.id in task_catalog.task_ids() else task.options
    other = [f"{k}={v}" for k, v in task.options.items() if usual.get(k) != v and k != "split"]
    return " ".join([plain, *other])
