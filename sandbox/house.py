"""About this installation: what is here, and compiling the worlds once before the window opens."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

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
    from agents import catalog as learners
    from envs import catalog as worlds
    from envs.kernels import MODE

    return {
        "versions": versions(),
        "system": platform.platform(),
        "kernels": MODE,
        "worlds": {name: worlds.task(name).title for name in worlds.task_ids()},
        "learners": {name: entry.about for name, entry in learners.LEARNERS.items()},
        "devices": devices(),
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
    """Compile every world's kernel, or load it from the cache, and show how far it is."""
    import numpy as np

    from envs import catalog
    from envs.kernels import MODE
    from envs.simulation import Simulation

    if MODE == "plain":
        return
    names = catalog.task_ids()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("", total=3 * len(names))
        for name in names:
            progress.update(bar, description=f"compiling {name} (once)")
            task = catalog.task(name)
            rows = Simulation(task, 1)
            progress.advance(bar)
            rows.step(np.zeros((1, *(task.world.action_space.shape or ()))))
            progress.advance(bar)
            rows.put(np.ones(1, np.bool_), rows.states.copy(), rows.rng.copy())
            progress.advance(bar)
        progress.update(bar, description="the worlds are ready")
