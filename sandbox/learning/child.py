"""One learner process as its parent sees it, and the thread that starts and hears it."""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any

from agents.snapshot import Snapshot
from sandbox.learning.fork_server import Started, Starter
from sandbox.learning.liveness import Pulse
from sandbox.learning.messages import Beat, Command, Failure, Note, Points
from sandbox.learning.spec import WorkerSpec

Message = Snapshot | Points | Note


class Child:
    """One process; starting and hearing it has a thread, so that neither holds up the window."""

    def __init__(self, starter: Starter, spec: WorkerSpec) -> None:
        self._starter, self._spec = starter, spec
        self._pipe, self._its_end = multiprocessing.get_context("spawn").Pipe()
        self.born = self.heard = monotonic()
        self.beat: Beat | None = None
        self.failure: Failure | None = None
        self.ready = False  # a first snapshot came
        self.exitcode: int | None = None  # when it has ended
        self._started: Started | None = None
        self._pulse: Pulse | None = None
        self._unwanted = self._gone = False
        self._ended = Event()
        self._lock = Lock()
        self._slots: dict[type, Any] = {}
        Thread(target=self._live, name="learner-ear", daemon=True).start()

    @property
    def pid(self) -> int | None:
        """The process's number, None while there is none."""
        return self._started.pid if self._started else None

    def take(self) -> list[Message]:
        """The newest messages that were not taken yet."""
        with self._lock:
            slots, self._slots = self._slots, {}
        return list(slots.values())

    def still_seconds(self) -> float:
        """How long it has stood still, as far as is known."""
        if self._pulse is None and self.pid is not None:
            self._pulse = Pulse(self.pid)
        return self._pulse.still_seconds() if self._pulse is not None else 0.0

    def send(self, command: Command) -> None:
        """Tell it something; nothing happens if it is gone, which `exitcode` will tell."""
        try:
            self._pipe.send(command)
        except OSError:
            return

    def end(self, timeout: float = 0.0) -> None:
        """Kill it if it still runs after `timeout` seconds; the ear closes the pipe."""
        if timeout and self._started is not None:
            self._ended.wait(timeout)
        with self._lock:
            self._unwanted = True
            if self._started is not None and not self._gone:
                self._started.kill()

    def _live(self) -> None:
        try:
            started = self._starter.start(self._its_end, self._spec)
        except (OSError, EOFError) as error:  # no memory, too many open files, or the starter was ended
            self.failure = Failure(f"its process can't be started ({error or 'whoever starts it is gone'})")
            self._pipe.close()
            return
        finally:
            self._its_end.close()
        with self._lock:
            self._started = started
            if self._unwanted:
                started.kill()
        self._hear()
        with self._lock:
            self._gone = True
        self.exitcode = started.wait()
        self._ended.set()

    def _hear(self) -> None:
        pipe: Connection = self._pipe
        try:
            while True:
                message = pipe.recv()
                with self._lock:
                    self.heard = monotonic()
                    if isinstance(message, Beat):
                        self.beat = message
                        continue
                    if isinstance(message, Failure):
                        self.failure = message
                        continue
                    self.ready |= isinstance(message, Snapshot)
                    waiting = self._slots.get(type(message))
                    if isinstance(message, Points) and waiting is not None:
                        message = waiting.then(message)
                    self._slots[type(message)] = message
        except (EOFError, OSError):
            pipe.close()
