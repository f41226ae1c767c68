"""Files and folders that appear whole or not at all: made beside their place, synced, then renamed into it.

A reader, a kill or a power cut finds the old content or the new one. A kill can leave the unfinished
one behind, hidden and under a name of its own (`is_unfinished`): nobody takes it for the real one.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

UNFINISHED = ".new"
NO_SYNC_OF_FOLDERS = (errno.EINVAL, errno.ENOTSUP)
"""What file systems answer that can't sync a folder."""


@contextmanager
def whole_file(path: Path, lasting: bool = True) -> Iterator[Path]:
    """A path to write to; what is there takes the place of `path` when the block ends well.

    lasting: also through a power cut, for which it waits for the disk.
    """
    fresh = _beside(path)
    try:
        yield fresh
        move_into_place(fresh, path, lasting)
    except BaseException:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A new folder to fill; it appears at `path` when the block ends well. `path` must not be there."""
    fresh = _beside(path)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        move_into_place(fresh, path)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def write_whole(path: Path, content: bytes | str, lasting: bool = True) -> None:
    """Replace a file's content, text as UTF-8."""
    with whole_file(path, lasting) as fresh:
        fresh.write_bytes(content.encode() if isinstance(content, str) else content)


def move_into_place(fresh: Path, path: Path, lasting: bool = True) -> None:
    """Rename a finished file or folder to `path`; with `lasting`, all of it is on the disk first."""
    if lasting:
        sync(fresh)
    fresh.replace(path)
    if lasting:
        sync_folder(path.parent)


def sync(path: Path) -> None:
    """Wait until a file, or a folder with all that is in it, is on the disk."""
    if not path.is_dir():
        _sync(path)
        return
    for part in sorted(path.rglob("*"), reverse=True):
        if part.is_dir():
            sync_folder(part)
        elif part.is_file():
            _sync(part)
    sync_folder(path)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last through a power cut, where the system can."""
    if sys.platform == "win32":
        return
    try:
        _sync(folder)
    except OSError as error:
        if error.errno not in NO_SYNC_OF_FOLDERS:
            raise


def is_unfinished(path: Path) -> bool:
    """Whether this name is one that a kill can leave behind."""
    return path.name.startswith(".") and path.suffix == UNFINISHED


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid4().hex[:8]}{UNFINISHED}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
