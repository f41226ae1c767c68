"""A digest of the sources of a world: what reference returns are keyed by."""

from __future__ import annotations

import ast
import hashlib
import io
import sys
import tokenize
from functools import cache
from pathlib import Path

import envs
from envs import task_catalog
from envs.external.make_task import make_external_task

_ENVS = Path(envs.__file__).parent
_INFRASTRUCTURE_FILES = ("world.py", "kernels.py", "simulation.py", "trajectory.py", "__init__.py")
"""Files right under envs that say how worlds are written and run, not what happens in them."""


# The sources of a world.


def world_source_digest(id: str) -> str:
    """A digest of the code that a task and its world are made of, without comments and docstrings."""
    make = task_catalog.TASKS.get(id, make_external_task)
    return _files_digest(Path(str(sys.modules[make.__module__].__file__)))


@cache
def _files_digest(start: Path) -> str:
    planner = start.with_name("planner.py")
    found: set[Path] = set()
    ahead = [start, planner] if planner.exists() else [start]
    while ahead:
        path = ahead.pop()
        if path not in found:
            found.add(path)
            ahead.extend(_imported_files(path))
    digest = hashlib.sha256()
    for path in sorted(found):
        digest.update(_strip_comments(path.read_text("utf-8")).encode())
    return digest.hexdigest()


def _imported_files(path: Path) -> list[Path]:
    """The files of envs that a file imports from."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "envs":
            folder = _ENVS.joinpath(*node.module.split(".")[1:])
            files = [folder.with_suffix(".py"), *(folder / f"{alias.name}.py" for alias in node.names)]
            found += [file for file in files if file.exists()]
    return [
        file
        for file in found
        if not ((file.parent == _ENVS and file.name in _INFRASTRUCTURE_FILES) or _is_hook(file))
    ]


def _is_hook(file: Path) -> bool:
    """Whether it only says what a world can do besides being run: how it is drawn, checked, driven."""
    return file.name.endswith("_hooks.py")


def _strip_comments(source: str) -> str:
    """Source lines without comments, docstrings and blank lines."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            for row in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                lines[row - 1] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())
