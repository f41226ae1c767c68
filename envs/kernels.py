"""How a kernel is compiled: the same plain Python source, with numba or without.

`@kernel` marks a function written in the subset of Python that numba understands. In plain mode
(`use_plain`, or ``TEACHBOX_KERNEL=plain`` in the environment) it stays plain Python and numba is
never imported: nothing then waits for the compiler. Otherwise it is compiled at first use and
cached on disk. The two differ in the last bits of floats, so recordings say which made them.

numba's cache does not notice when a function that a kernel calls in another file has changed, so
the cache folder is named by the sources of all of `envs`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar, cast

from platformdirs import user_cache_path

F = TypeVar("F", bound=Callable[..., Any])

_plain = os.environ.get("TEACHBOX_KERNEL") == "plain"
_marked: list[str] = []
_KEPT = 8  # caches of other states of the sources, for those who go back and forth


def mode() -> str:
    """ "plain" or "compiled": what the kernels of this process are."""
    return "plain" if _plain else "compiled"


def use_plain() -> None:
    """Leave the kernels of this process uncompiled. Only before a world has been imported."""
    global _plain
    if _marked and not _plain:
        raise RuntimeError(f"{_marked[0]} is compiled already: choose plain mode before importing a world")
    _plain = True


def kernel(function: F) -> F:
    """Compile `function` with numba, or leave it as it is in plain mode."""
    _marked.append(function.__qualname__)
    if _plain:
        return function
    import numba

    numba.config.CACHE_DIR = str(cache_folder())  # type: ignore[attr-defined]
    compiled: Any = numba.njit(cache=True, error_model="numpy")(function)
    return cast(F, compiled)


@cache
def cache_folder() -> Path:
    """Where compiled kernels are kept: one folder for each state of the sources and of numba."""
    here = Path(__file__).parent
    digest = hashlib.sha256(f"{sys.version} {version('numba')} {here}".encode())
    for source in sorted(here.rglob("*.py")):
        digest.update(source.read_bytes())
    return user_cache_path("teachbox") / "kernels" / digest.hexdigest()[:16]


def is_warm() -> bool:
    """Whether the kernels of these sources have been compiled before."""
    return (cache_folder() / "warm").exists()


def mark_warm() -> None:
    """Say that every kernel has been compiled (see envs.catalog.warm_up); forget the oldest caches."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    (cache_folder() / "warm").touch()
    kept = sorted(cache_folder().parent.iterdir(), key=lambda folder: folder.stat().st_mtime)
    for old in kept[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
