"""The parent's handle on the learner process: watches it, restarts it, and never waits for it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Lock, Thread
from time import monotonic
from typing import Any, Literal

from agents.snapshot import Snapshot
from sandbox.learning.messages import Beat, Command, Failure, Note, Points
from sandbox.learning.pulse import Pulse
from sandbox.learning.worker import WorkerSpec, main

State = Literal["starting", "learning", "waiting", "paused", "restarting", "failed"]
Message = Snapshot | Points | Note
NUDGE_SECONDS = 0.02


@dataclass(frozen=True)
class Status:
    """What the learner is doing; `text` is one sentence for the status line."""

    state: State
    text: str


@dataclass(frozen=True)
class Limits:
    """When a learner process is given up. Compiling and importing hold the interpreter for long."""

    start_seconds: float = 180.0  # without a sign of life while it starts
    silent_seconds: float = 10.0  # without a sign of life once it learns
    still_seconds: float = 1.0  # silent, and none of its threads moves: stopped or dead-locked
    turn_seconds: float = 60.0  # one turn of its loop: a step that never ends
    failures: int = 3  # in a row, then it is left alone
    settled_seconds: float = 20.0  # after which a failure is the first of a new row


@dataclass(frozen=True)
class Restarted:
    """The learner process was started again from its checkpoint."""

    reason: str


class LearnerProcess:
    """Starts a learner, hands over what it says, starts it again when it dies or hangs.

    All methods are for one thread and return at once; only `stop` waits a moment.
    """

    def __init__(self, spec: WorkerSpec, limits: Limits = Limits()) -> None:
        self._spec, self._limits = spec, limits
        self._child: _Child | None = None
        self._failures = 0
        self._nudged = 0.0
        self.restarts = 0
        self.status = Status("starting", "The learner is starting")

    @property
    def pid(self) -> int | None:
        """The process's number, None while there is none."""
        return self._child.process.pid if self._child else None

    def start(self) -> None:
        """Start it, or start it again after it has failed or was stopped."""
        if self._child is not None:
            return
        self._failures = 0
        self.status = Status("starting", "The learner is starting")
        self._child = _Child(self._spec)

    def poll(self) -> Sequence[Message | Restarted]:
        """What came since the last call, newest of each kind; restarts the process if it must."""
        child = self._child
        if child is None:
            return ()
        messages = child.take()
        beat = child.beat
        if beat is not None and not (beat.activity == "starting" and self.status.state == "restarting"):
            self.status = Status(beat.activity, beat.text)
        if monotonic() - child.born > self._limits.settled_seconds and child.ready:
            self._failures = 0
        ended = child.process.exitcode
        if ended is not None:
            messages += child.last_words()
        reason = self._lost(child, ended)
        return messages if reason is None else (*messages, *self._again(reason))

    def send(self, command: Command) -> None:
        """Tell the learner something; what must outlive a restart is remembered."""
        if command.verb in ("pause", "resume"):
            self._spec = replace(self._spec, paused=command.verb == "pause")
        elif command.verb == "learner":
            self._spec = replace(self._spec, learner=str(command.value))
        elif command.verb == "clips":
            self._spec = replace(self._spec, clips=int(command.value))
        elif command.verb == "nudge":
            if monotonic() - self._nudged < NUDGE_SECONDS:
                return  # it looks by itself soon enough, and the pipe must not fill up
            self._nudged = monotonic()
        if self._child is not None:
            self._child.send(command)

    def stop(self, timeout: float = 4.0) -> None:
        """Let it write its last checkpoint, at most `timeout` seconds, then end it."""
        child, self._child = self._child, None
        if child is None:
            return
        child.send(Command("stop"))
        child.end(timeout)

    def _lost(self, child: _Child, ended: int | None) -> str | None:
        """Why the process must be started again, None while it is well."""
        limits, now = self._limits, monotonic()
        if child.failure is not None:
            return child.failure.text
        if ended is not None:
            return f"its process ended ({_ending(ended)})"
        silent = now - child.heard
        if silent > limits.still_seconds and child.still_seconds() > limits.still_seconds:
            return f"it has not moved for {silent:.0f} s"
        if silent > (limits.silent_seconds if child.ready else limits.start_seconds):
            return f"it gave no sign of life for {silent:.0f} s"
        if child.ready and child.beat is not None and child.beat.turn_seconds > limits.turn_seconds:
            return f"one step took over {limits.turn_seconds:.0f} s"
        return None

    def _again(self, reason: str) -> Sequence[Restarted]:
        assert self._child is not None
        self._child.end()
        self._child = None
        self._failures += 1
        if self._failures >= self._limits.failures:
            self.status = Status("failed", f"The learner failed {self._failures} times in a row: {reason}")
            return ()
        self.restarts += 1
        self.status = Status("restarting", f"The learner is starting again: {reason}")
        self._child = _Child(self._spec)
        return (Restarted(reason),)


class _Child:
    """One process, and the thread that starts and hears it, so that neither holds up the window."""

    def __init__(self, spec: WorkerSpec) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, self._its_end = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=main, args=(self._its_end, spec), name="teachbox-learner", daemon=True
        )
        self.born = self.heard = monotonic()
        self.beat: Beat | None = None
        self.failure: Failure | None = None
        self.ready = False  # a first snapshot came
        self._pulse: Pulse | None = None
        self._ended = False
        self._starting, self._lock = Lock(), Lock()
        self._slots: dict[type, Any] = {}
        self._thread = Thread(target=self._live, name="learner-ear", daemon=True)
        self._thread.start()

    def take(self) -> list[Message]:
        """The newest messages that were not taken yet."""
        with self._lock:
            slots, self._slots = self._slots, {}
        return list(slots.values())

    def last_words(self) -> list[Message]:
        """What was still in the pipe of a process that has ended."""
        self._thread.join(1.0)
        return self.take()

    def still_seconds(self) -> float:
        """How long it has stood still, as far as is known."""
        if self._pulse is None and self.process.pid is not None:
            self._pulse = Pulse(self.process.pid)
        return self._pulse.still_seconds() if self._pulse is not None else 0.0

    def send(self, command: Command) -> None:
        try:
            self._pipe.send(command)
        except OSError:  # it is gone; poll will notice
            return

    def end(self, timeout: float = 0.0) -> None:
        """Kill it if it still runs after `timeout` seconds; the ear closes the pipe."""
        with self._starting:
            self._ended = True
            if self.process.pid is None:
                return
        if timeout:
            self.process.join(timeout)
        if self.process.exitcode is None:
            self.process.kill()

    def _live(self) -> None:
        try:
            with self._starting:
                if not self._ended:
                    self.process.start()  # takes about 20 ms, more than a frame
        except OSError as error:  # no memory, or too many open files
            self.failure = Failure(f"its process can't be started ({error.strerror})")
        self._its_end.close()
        self._hear()

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


def _ending(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"status {code}"
