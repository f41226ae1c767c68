"""Starts learner processes: forked from a process that has imported everything, or spawned.

Importing torch and the rest takes some 3 s of CPU, which is most of a learner's start. So on Linux a fork
server imports everything once, has no other threads, and forks a learner whenever it is asked. A learner that
was killed is back within tenths of a second, and shares the fork server's memory.

multiprocessing's own forkserver, with these imports as its preload, was measured as an alternative: 10 starts
and 30 restarts of `joint` in RoomsTidy with each, by turns on two busy cores. CPU seconds to the first
snapshot: 2.8 here, 2.7 there; of a learner that was killed 0.27 and 0.24. Wall seconds to its next first
snapshot, the median: 1.0 and 0.9 (0.2 to 3.5 and 0.3 to 2.2). Memory of learner and fork server: 141 and 124
MiB, 141 and 125. It was not used for four reasons. It is one for the whole program and nobody may end it, so
its 199 MiB stay after the session is closed (here 0). A program that uses it already has it without our
imports. Errors in these imports are not in learner.log. And a last try could not start it again.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import recv_handle, send_handle
from threading import Lock
from typing import Protocol

from sandbox.learning.spec import WorkerSpec
from sandbox.learning.worker import main, set_up, work

UNKNOWN = 255
"""The exit status of a learner whose fork server died before it could report it."""


class StartedProcess(Protocol):
    """A learner process that was started."""

    @property
    def pid(self) -> int: ...

    def kill(self) -> None:
        """Kill it. Only before `wait` was called."""
        ...

    def wait(self) -> int:
        """Its exit status, or minus the signal's number. For a process that has closed its pipe."""
        ...


class ProcessStarter(Protocol):
    """Starts learner processes, and gives each one end of a pipe. Its methods may wait."""

    is_broken: bool
    """Whether it can start no more processes, so that a new one is needed."""

    def start(self, end: Connection, spec: WorkerSpec) -> StartedProcess:
        """Raises OSError or EOFError."""
        ...

    def close(self) -> None:
        """Free its resources, without waiting."""
        ...


def starter(spec: WorkerSpec) -> ProcessStarter:
    """What starts learners on this system."""
    return ForkServer(spec) if sys.platform == "linux" else SpawnStarter()


class SpawnStarter:
    """Each learner process imports everything itself: for systems where forking a process with loaded
    libraries is not safe."""

    is_broken = False

    def start(self, end: Connection, spec: WorkerSpec) -> StartedProcess:
        process = multiprocessing.get_context("spawn").Process(
            target=main, args=(end, spec), name="teachbox-learner", daemon=True
        )
        process.start()  # takes about 20 ms, more than a frame
        assert process.pid is not None
        return _Spawned(process.pid, process)

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class _Spawned:
    pid: int
    process: BaseProcess

    def kill(self) -> None:
        self.process.kill()

    def wait(self) -> int:
        self.process.join()
        return UNKNOWN if self.process.exitcode is None else self.process.exitcode


class ForkServer:
    """The parent's side of the fork server, which is started together with the first learner."""

    def __init__(self, spec: WorkerSpec) -> None:
        context = multiprocessing.get_context("spawn")
        self._requests, self._its_end = context.Pipe()
        self._process: BaseProcess = context.Process(
            target=_serve, args=(self._its_end, spec), name="teachbox-fork-server", daemon=True
        )
        self._request_lock, self._closed = Lock(), False
        self.is_broken = False

    def start(self, end: Connection, spec: WorkerSpec) -> StartedProcess:
        with self._request_lock:
            try:
                self._start_server()
                self._requests.send(spec)
                send_handle(self._requests, end.fileno(), self._process.pid)
                return _Forked(self._requests.recv(), self)
            except (OSError, EOFError):
                self.is_broken = True
                raise

    def wait(self, pid: int) -> int:
        """The exit status of a learner that has ended."""
        with self._request_lock:
            try:
                self._requests.send(pid)
                return int(self._requests.recv())
            except (OSError, EOFError):
                self.is_broken = True
                return UNKNOWN

    def close(self) -> None:
        self._closed = True
        if self._process.pid is not None:
            self._process.kill()

    def _start_server(self) -> None:
        if self._process.pid is None and not self._closed:
            self._process.start()
            self._its_end.close()
        if self._closed:
            self.close()
            raise EOFError("it is closed")


@dataclass(frozen=True)
class _Forked:
    pid: int
    server: ForkServer

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        return self.server.wait(self.pid)


def _serve(requests: Connection, spec: WorkerSpec) -> None:
    """The fork server's main function: import, then start a learner for each spec (and send its pid), and
    send the exit status for each pid that is asked about."""
    set_up(spec)
    try:
        _import(spec)
    except Exception:  # the learner will meet the same, and tell
        traceback.print_exc()
    gc.collect()
    gc.freeze()  # what is never looked at stays shared
    try:
        while True:
            asked = requests.recv()
            if isinstance(asked, WorkerSpec):
                requests.send(_fork(requests, recv_handle(requests), asked))
            else:
                requests.send(_status(asked))
    except (EOFError, OSError):
        os._exit(0)  # the window is gone


def _import(spec: WorkerSpec) -> None:
    """Import what a learner imports when it starts, except what opens a file or starts a thread."""
    from agents.learner_catalog import find_entry
    from envs.kernels import cache_folder
    from sandbox.store.backend import backend_of

    cache_folder()  # of the sources as they are imported here, whatever becomes of them later
    backend_of(spec.store).reading().dispose()

    spec.task_factory()
    if spec.make is None:
        find_entry(spec.learner).load()


def _fork(requests: Connection, handle: int, spec: WorkerSpec) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        os.close(handle)
        return pid
    status = 1
    try:
        requests.close()
        set_up(spec)
        work(Connection(handle), spec)
        sys.stdout.flush()
        status = 0
    finally:
        os._exit(status)  # the exit handlers of the fork server must not run here


def _status(pid: int) -> int:
    """The exit status of a learner that has closed its pipe, and so is ending if it has not ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
