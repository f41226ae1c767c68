"""One writing process for each folder: a lock that the system drops when its holder dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sandbox.store.store_errors import StoreError, unreachable


class FolderLock:
    """Held from construction to `release`. StoreError names the process that holds it already."""

    def __init__(self, path: Path) -> None:
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise unreachable(path, error.strerror or str(error)) from error
        try:
            _lock(self._fd)
        except OSError as error:
            holder = os.read(self._fd, 32).decode("ascii", "replace").strip()
            os.close(self._fd)
            raise StoreError(
                f"{path.parent} is open in another window (process {holder or 'unknown'}): "
                "close that one first, or choose another session."
            ) from error
        try:
            os.ftruncate(self._fd, 0)
            os.write(self._fd, str(os.getpid()).encode())
        except OSError:  # a full disk: the lock holds without its holder's number
            pass

    def release(self) -> None:
        """Let others open the folder; harmless when done twice."""
        if self._fd >= 0:
            os.close(self._fd)  # also unlocks
            self._fd = -1


if sys.platform == "win32":
    import msvcrt

    def _lock(fd: int) -> None:
        os.lseek(fd, 1024, os.SEEK_SET)  # beyond the text, which stays readable
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        os.lseek(fd, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
