"""Which variants of each task there are: what tests hold to the contract and benches measure.

Every value of the keywords for what is seen and how one acts is found by itself; a test fails if a task
takes a keyword that is named nowhere here.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from itertools import product
from typing import Any, get_args, get_type_hints

from envs import task_catalog

VIEWS: Mapping[str, str] = {"observation": "OBSERVATIONS", "actions": "CONTROLS"}
"""Keywords for what is seen and how one acts, and what the tuple of their values is called where a world's
tasks are made (`envs/<world>/<world>_tasks.py`); its first is the usual one."""
BESIDES = ("size", "difficulty", "split", "layout", "view")
"""Keywords for how much there is and which layouts are drawn, and how far a grid reaches."""
MEASURED: Mapping[str, tuple[dict[str, Any], ...]] = {"teachbox/RoomsTidy-v0": ({}, {"size": 13})}
"""What benches measure of a task where that is more than the usual."""


def views(id: str) -> list[dict[str, Any]]:
    """Options for each way to see and act in a task; the first is {}, the usual one."""
    made_in, taken = sys.modules[task_catalog.TASKS[id].__module__], keywords_of(id)
    every: dict[str, tuple[Any, ...]] = {
        keyword: getattr(made_in, values) for keyword, values in VIEWS.items() if keyword in taken
    }
    chosen = (dict(zip(every, values, strict=True)) for values in product(*every.values()))
    return [{key: value for key, value in one.items() if value != every[key][0]} for one in chosen]


def name(id: str, options: Mapping[str, Any]) -> str:
    """A short name: the task and what makes it a variant."""
    return "-".join([id.split("/")[1].removesuffix("-v0"), *(str(value) for value in options.values())])


def named() -> dict[str, tuple[str, dict[str, Any]]]:
    """Every view of every task, by name: (id, options)."""
    return {name(id, options): (id, options) for id in task_catalog.task_ids() for options in views(id)}


def keywords_of(id: str) -> set[str]:
    """The keywords that a task takes."""
    make = task_catalog.TASKS[id]
    hints = get_type_hints(make)
    found: set[str] = set()
    for parameter in inspect.signature(make).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:  # Unpack of a TypedDict
            found |= set(get_args(hints[parameter.name])[0].__annotations__)
        else:
            found.add(parameter.name)
    return found
