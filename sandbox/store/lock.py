"""One writing process for each folder: a lock that the system drops when its holder dies."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from sandbox.store.store_errors import StoreError, unreachable


class FolderLock:
    """Held from construction to `release`. StoreError names the process that holds it already."""

    def __init__(self, path: Path) -> None:
        self._lock = FileLock(
            path,
            timeout=0,
            thread_local=False,  # the thread that releases it need not be the one that took it
            preserve_lock_file=True,  # and no lock that outlives a kill where the system has no other
            on_acquired=_sign,
        )
        try:
            self._lock.acquire()
        except Timeout as error:
            raise StoreError(
                f"{path.parent} is open in another window (process {_holder(path) or 'unknown'}): "
                "close that one first, or choose another session."
            ) from error
        except OSError as error:
            raise unreachable(path, error.strerror or str(error)) from error

    def release(self) -> None:
        """Let others open the folder; harmless when done twice."""
        self._lock.release()


def _sign(descriptor: int) -> None:
    with suppress(OSError):  # a full disk: the lock holds without its holder's number
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())


def _holder(path: Path) -> str:
    try:
        return path.read_bytes()[:32].decode("ascii", "replace").strip()
    except OSError:
        return ""
