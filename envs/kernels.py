"""How a kernel is compiled: the same plain Python source, with numba or without.

`@kernel` marks a function written in the subset of Python that numba understands. In plain mode
(`use_plain`, or ``TEACHBOX_KERNEL=plain`` in the environment) it stays plain Python and numba is
never imported: nothing then waits for the compiler. Otherwise it is compiled at first use and
cached on disk. The two differ in the last bits of floats, so recordings say which made them.

A process that wants its first picture soon begins plain and fetches compiled twins behind it
(`fetch`): from then on `fastest` gives the twin of a kernel, which a simulation takes when it is reset.

numba's cache does not notice when a function that a kernel calls in another file has changed, so
the cache folder is named by the sources of all of `envs`; that of a kernel of another package by its
sources as well.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import CellType, FunctionType
from typing import Any, TypeVar, cast

from platformdirs import user_cache_path

F = TypeVar("F", bound=Callable[..., Any])

_plain = os.environ.get("TEACHBOX_KERNEL") == "plain"
_marked: dict[Any, str] = {}
_inlined: set[Any] = set()
_compiled_copies: dict[Any, Any] = {}
_loaded: dict[Any, Any] = {}
_MAX_CACHES = 8  # caches of other states of the sources, for those who go back and forth


def mode() -> str:
    """ "plain" or "compiled": what the kernels of this process are."""
    return "plain" if _plain else "compiled"


def use_plain() -> None:
    """Leave the kernels of this process uncompiled. Only before a world has been imported."""
    global _plain
    if _marked and not _plain:
        first = next(iter(_marked.values()))
        raise RuntimeError(f"{first} is compiled already: choose plain mode before importing a world")
    _plain = True


def mode_of(function: Any) -> str:
    """ "plain" or "compiled": what this kernel is."""
    return "plain" if isinstance(function, FunctionType) else "compiled"


def kernel(function: F) -> F:
    """Compile `function` with numba, or leave it as it is in plain mode."""
    _marked[function] = function.__qualname__
    return function if _plain else cast(F, _compile(function, function in _inlined))


def inlined(function: F) -> F:
    """A kernel copied into those that call it: for small ones that take arrays and run millions of times.

    Each array handed over costs more than they do; the price is a longer compilation.
    """
    _inlined.add(function)
    return kernel(function)


def fastest(function: F) -> F:
    """The compiled twin of a plain kernel once it has been fetched; till then the kernel itself."""
    return cast(F, _loaded.get(function, function))


def is_slow(function: Any) -> bool:
    """Whether this kernel is plain and its compiled twin has not been fetched: a hundred times slower."""
    return _plain and function in _marked and function not in _loaded


def load_compiled(functions: Iterable[Any], warm_up: Callable[[dict[Any, Any]], None]) -> None:
    """In plain mode: load the compiled twins of these kernels, let `use` call them once (that is when they
    are loaded), and only then let `fastest` give them. Slow (tenths of a second): for a thread.
    """
    wanted = [function for function in functions if function in _marked and function not in _loaded]
    if not _plain or not wanted:
        return
    twins = {function: _compiled_copy(function) for function in wanted}
    warm_up(twins)
    _loaded.update(twins)


def _compile(function: Any, inline: bool) -> Any:
    import numba

    numba.config.CACHE_DIR = str(cache_folder_of(function))  # type: ignore[attr-defined]
    return numba.njit(cache=True, error_model="numpy", forceinline=inline)(function)


def _compiled_copy(function: Any) -> Any:
    """A compiled copy of a plain kernel, in which the names of other kernels mean twins too."""
    function = getattr(function, "__wrapped__", function)
    if function in _compiled_copies:
        return _compiled_copies[function]
    names: dict[str, Any] = {}
    cells = (
        tuple(CellType(_compiled_value(cell.cell_contents)) for cell in function.__closure__ or ()) or None
    )
    copy = FunctionType(function.__code__, names, function.__name__, function.__defaults__, cells)
    copy.__qualname__, copy.__module__ = function.__qualname__, function.__module__
    _compiled_copies[function] = _compile(copy, function in _inlined)
    names.update({name: _compiled_value(value) for name, value in function.__globals__.items()})
    return _compiled_copies[function]


def _compiled_value(value: Any) -> Any:
    """What a name means to a twin: kernels become twins, all else stays."""
    if not isinstance(value, FunctionType):
        return value
    plain = getattr(value, "__wrapped__", value)
    return _compiled_copy(plain) if plain in _marked else value


@cache
def cache_folder() -> Path:
    """Where compiled kernels are kept: one folder for each state of the sources and of numba."""
    here = Path(__file__).parent
    digest = hashlib.sha256(f"{sys.version} {version('numba')} {here}".encode())
    for source in sorted(here.rglob("*.py")):
        digest.update(source.read_bytes())
    return user_cache_path("teachbox") / "kernels" / digest.hexdigest()[:16]


def cache_folder_of(function: Any) -> Path:
    """Where this kernel is kept once it is compiled."""
    plain = inspect.unwrap(function)
    root = Path(plain.__code__.co_filename)
    if not root.is_file() or root.is_relative_to(Path(__file__).parent):
        return cache_folder()
    while (root.parent / "__init__.py").is_file():
        root = root.parent
    return _cache_folder_of_others(root)


@cache
def _cache_folder_of_others(root: Path) -> Path:
    """The same for another package (its folder) or a module that is in none (its file)."""
    digest = hashlib.sha256(f"{cache_folder().name} {root}".encode())
    for source in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
        digest.update(source.read_bytes())
    return user_cache_path("teachbox") / "kernels-of-others" / root.stem / digest.hexdigest()[:16]


def is_warm(world: str, step: Any) -> bool:
    """Whether this world's kernels (`step` is one), in the state of their sources, have been compiled."""
    return (cache_folder_of(step) / f"warm-{world}").exists()


def mark_warm(world: str, step: Any) -> None:
    """Say that all of a world's kernels have been compiled (see envs.task_catalog); forget the oldest
    caches."""
    here = cache_folder_of(step)
    here.mkdir(parents=True, exist_ok=True)
    (here / f"warm-{world}").touch()
    kept = sorted(here.parent.iterdir(), key=lambda folder: folder.stat().st_mtime)
    for old in kept[:-_MAX_CACHES]:
        shutil.rmtree(old, ignore_errors=True)
