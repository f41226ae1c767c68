"""What other people's packages bring, by entry points (`teachbox.tasks`, ...) or as `module:name`.

Nothing of theirs is imported until it is asked for, and what is broken is told in one sentence.
"""

from __future__ import annotations

import importlib
import sys
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

TASKS, RENDERERS = "teachbox.tasks", "teachbox.renderers"


class BrokenExtension(ValueError):
    """Something that another package brings can't be used; the text is a sentence that names it."""


def installed(group: str) -> dict[str, EntryPoint]:
    """The entry points of a group by name; of two with one name the first that is found."""
    return _installed(group, tuple(sys.path))


@lru_cache
def _installed(group: str, path: tuple[str, ...]) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for one in entry_points(group=group):
        found.setdefault(one.name, one)
    return found


def load_installed(group: str, name: str) -> Any:
    """What the entry point stands for; KeyError if there is none, BrokenExtension if it can't be loaded."""
    point = installed(group)[name]
    try:
        return point.load()
    except Exception as error:
        raise BrokenExtension(f"{_named(point)} can't be loaded: {told(error)}") from error


def _named(point: EntryPoint) -> str:
    package = f" of the package {point.dist.name}" if point.dist is not None else ""
    return f"{point.name!r}{package} ({point.value})"


def told(error: Exception) -> str:
    """An exception in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}".removesuffix(": ")


def import_object(reference: str, *, must_exist: bool = False) -> Any:
    """What `module:name` stands for; None if it is not of this form, or there is no such module or name.

    The module may also lie in the folder that the program was started in. Raises BrokenExtension for a
    module that fails while it is imported; if it `must_exist`, for one that isn't there or lacks the name.
    """
    module, _, name = reference.partition(":")
    if not name.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        return None
    try:
        found = vars(_imported(module)).get(name)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            if must_exist:
                raise BrokenExtension(
                    f"{reference} can't be loaded: there is no module {error.name!r}, neither installed "
                    f"nor in {Path.cwd()}"
                ) from error
            return None
        raise BrokenExtension(f"{reference} can't be loaded: {told(error)}") from error
    except Exception as error:
        raise BrokenExtension(f"{reference} can't be loaded: {told(error)}") from error
    if found is None and must_exist:
        raise BrokenExtension(f"{reference} can't be loaded: the module {module!r} has no {name!r}")
    return found


def _imported(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        here = str(Path.cwd())
        if error.name != module.split(".")[0] or here in sys.path:
            raise
        sys.path.append(here)
        importlib.invalidate_caches()
        return importlib.import_module(module)
