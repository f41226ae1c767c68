"""About this installation: what is here, and compiling the worlds once before the window opens."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

PACKAGES = (
    "teachbox",
    "numpy",
    "numba",
    "gymnasium",
    "torch",
    "stable-baselines3",
    "pygame-ce",
    "sqlalchemy",
    "av",
)


def versions() -> dict[str, str]:
    """Installed versions, from the packages' own records: nothing is imported for it."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found


def devices() -> list[str]:
    """What torch could compute on here (learning uses one CPU thread unless told otherwise)."""
    import torch

    found = [f"cpu ({os.cpu_count()} cores)"]
    found += [
        f"cuda:{index} ({torch.cuda.get_device_name(index)})" for index in range(torch.cuda.device_count())
    ]
    if torch.backends.mps.is_available():
        found.append("mps")
    return found


def collect() -> dict[str, Any]:
    """All that `teachbox info` tells."""
    from agents import learner_catalog as learners
    from agents.teachers.synthetic import TEACHERS
    from agents.teachers.teacher_extensions import installed_teachers
    from envs import task_catalog as worlds
    from envs.kernels import mode
    from sandbox.session.folder import default_root

    broken: list[str] = []
    listed = {entry.name: entry.about for entry in learners.listed_entries(broken.append)}
    return {
        "versions": versions(),
        "system": platform.platform(),
        "kernels": mode(),
        "worlds": {one.id: one.title for one in worlds.listed_tasks(worlds.warn)},
        "learners": listed,
        "teachers": [*TEACHERS, *installed_teachers()],
        "devices": devices(),
        "sessions": str(default_root()),
        "broken": broken,
    }


def show(facts: dict[str, Any]) -> None:
    """Print them for a person."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for heading, value in facts.items():
        rows = value.items() if isinstance(value, dict) else [("", value)]
        if isinstance(value, list):
            rows = [("", line) for line in value]
        for index, (name, text) in enumerate(rows):
            table.add_row(heading if index == 0 else "", name, str(text))
    Console(highlight=False).print(table)


def compile_kernels() -> None:
    """Compile every world's kernels unless that was done before, and show how far it is."""
    from envs import kernels, task_catalog

    if kernels.mode() == "plain" or task_catalog.is_warm():
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("", total=None)

        def show_step(title: str, done: int, of: int) -> None:
            text = "the worlds are compiled" if done == of else f"compiling {title} (once)"
            progress.update(bar, description=text, completed=done, total=of, refresh=True)

        task_catalog.warm_up(show_step)


def warm() -> None:
    """Compile the worlds once, so that the window opens at once."""

    compile_kernels()


def info(as_json: Annotated[bool, typer.Option("--json", help="As one line of JSON.")] = False) -> None:
    """Versions, worlds, learners, teachers, devices and where sessions are kept."""

    if as_json:
        import json

        typer.echo(json.dumps(collect()))
    else:
        show(collect())
