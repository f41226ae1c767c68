"""One learner process as its parent sees it, and the thread that starts it and reads its messages."""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any

from agents.snapshot import Snapshot
from sandbox.learning.fork_server import ProcessStarter, StartedProcess
from sandbox.learning.liveness import LivenessProbe
from sandbox.learning.messages import Command, CurveUpdate, Failure, Heartbeat, LearnerWarning
from sandbox.learning.spec import WorkerSpec

Message = Snapshot | CurveUpdate | LearnerWarning


class ChildProcess:
    """One learner process. A thread of its own starts it and reads its messages, so that neither delays
    the window."""

    def __init__(self, starter: ProcessStarter, spec: WorkerSpec) -> None:
        self._starter, self._spec = starter, spec
        self._pipe, self._its_end = multiprocessing.get_context("spawn").Pipe()
        self.started_at = self.last_message_at = monotonic()
        self.heartbeat: Heartbeat | None = None
        self.failure: Failure | None = None
        self.has_snapshot = False  # a first snapshot came
        self.exitcode: int | None = None  # when it has ended
        self._process: StartedProcess | None = None
        self._liveness: LivenessProbe | None = None
        self._is_terminated = self._connection_closed = False
        self._ended = Event()
        self._lock = Lock()
        self._slots: dict[type, Any] = {}
        Thread(target=self._run, name="learner-ear", daemon=True).start()

    @property
    def pid(self) -> int | None:
        """The process's number, None while there is none."""
        return self._process.pid if self._process else None

    def take_messages(self) -> list[Message]:
        """The newest messages that have not been taken yet."""
        with self._lock:
            slots, self._slots = self._slots, {}
        return list(slots.values())

    def stalled_seconds(self) -> float:
        """For how long none of its threads has run, as far as is known [s]."""
        if self._liveness is None and self.pid is not None:
            self._liveness = LivenessProbe(self.pid)
        return self._liveness.stalled_seconds() if self._liveness is not None else 0.0

    def send(self, command: Command) -> None:
        """Send it a message. Nothing happens if it has ended; `exitcode` tells that."""
        try:
            self._pipe.send(command)
        except OSError:
            return

    def terminate(self, timeout: float = 0.0) -> None:
        """Kill it if it still runs after `timeout` seconds. The reading thread closes the pipe."""
        if timeout and self._process is not None:
            self._ended.wait(timeout)
        with self._lock:
            self._is_terminated = True
            if self._process is not None and not self._connection_closed:
                self._process.kill()

    def _run(self) -> None:
        try:
            started = self._starter.start(self._its_end, self._spec)
        except (OSError, EOFError) as error:  # no memory, too many open files, or the starter was ended
            self.failure = Failure(f"its process can't be started ({error or 'whoever starts it is gone'})")
            self._pipe.close()
            return
        finally:
            self._its_end.close()
        with self._lock:
            self._process = started
            if self._is_terminated:
                started.kill()
        self._receive()
        with self._lock:
            self._connection_closed = True
        self.exitcode = started.wait()
        self._ended.set()

    def _receive(self) -> None:
        pipe: Connection = self._pipe
        try:
            while True:
                message = pipe.recv()
                with self._lock:
                    self.last_message_at = monotonic()
                    if isinstance(message, Heartbeat):
                        self.heartbeat = message
                        continue
                    if isinstance(message, Failure):
                        self.failure = message
                        continue
                    self.has_snapshot |= isinstance(message, Snapshot)
                    waiting = self._slots.get(type(message))
                    if isinstance(message, CurveUpdate) and waiting is not None:
                        message = waiting.followed_by(message)
                    self._slots[type(message)] = message
        except (EOFError, OSError):
            pipe.close()
