"""The learner process: what is set up before the first heavy import. Only the standard library here.

The parent starts it with multiprocessing's spawn method (see fork_server). A program of your own that opens
a session must guard its main part (`if __name__ == "__main__":`), as for any spawned process.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from pathlib import Path

from sandbox.learning.spec import WorkerSpec

LOG_BYTES = 1_000_000


def main(connection: Connection, spec: WorkerSpec) -> None:
    """Learn until told to stop, or until the parent is gone. Exits with status 1 after an error."""
    set_up(spec)
    work(connection, spec)


def set_up(spec: WorkerSpec) -> None:
    """What must be so before the first heavy import."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the window's to handle
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"
    _log_to(Path(spec.folder) / "learner.log")


def work(connection: Connection, spec: WorkerSpec) -> None:
    """The rest of `main`, in a process that is set up."""
    try:
        from sandbox.learning.loop import run  # NumPy and the rest, now that the threads are set

        run(connection, spec)
    except Exception:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # no waiting for threads: the parent starts the next one


def _log_to(path: Path) -> None:
    """Send what this process prints to a file, so that a failure can be looked into."""
    try:
        mode = "w" if path.exists() and path.stat().st_size > LOG_BYTES else "a"
        log = path.open(mode, buffering=1)
    except OSError:  # a full disk or a read-only folder must not keep the learner from learning
        return
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    faulthandler.enable(log)
