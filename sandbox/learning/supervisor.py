"""The parent's side of the learner process: watches it and restarts it, without ever waiting for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Literal

from sandbox.learning.child import ChildProcess, Message
from sandbox.learning.fork_server import starter
from sandbox.learning.messages import Command
from sandbox.learning.spec import WorkerSpec

State = Literal["starting", "learning", "waiting", "paused", "restarting", "failed"]
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
    stalled_seconds: float = 1.0  # silent, and none of its threads moves: stopped or dead-locked
    iteration_seconds: float = 60.0  # one turn of its loop: a step that never ends
    failures: int = 3  # in a row, then it is left alone
    settled_seconds: float = 20.0  # after which a failure is the first of a new row


@dataclass(frozen=True)
class Restarted:
    """The learner process was started again from its checkpoint."""

    reason: str


class LearnerProcess:
    """Starts a learner, passes on its messages, and starts it again when it dies or hangs.

    All methods are for one thread and return at once; only `stop` waits a moment.
    """

    def __init__(self, spec: WorkerSpec, limits: Limits = Limits()) -> None:
        self._spec, self._limits = spec, limits
        self._child: ChildProcess | None = None
        self._starter = starter(spec)
        self._failures = 0
        self._nudged = 0.0
        self.restarts = 0
        self.status = Status("starting", "The learner is starting")

    @property
    def pid(self) -> int | None:
        """The process's number, None while there is none."""
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Start it, or start it again after it has failed or was stopped."""
        if self._child is not None:
            return
        self._failures = 0
        self.status = Status("starting", "The learner is starting")
        self._child = ChildProcess(self._starter, self._spec)

    def poll(self) -> Sequence[Message | Restarted]:
        """The newest messages of each kind since the last call. Restarts the process if it must."""
        child = self._child
        if child is None:
            return ()
        beat = child.heartbeat  # first, or it could tell of what is not among the messages yet
        messages = child.take_messages()
        if beat is not None and not (beat.activity == "starting" and self.status.state == "restarting"):
            self.status = Status(beat.activity, beat.text)
        if monotonic() - child.started_at > self._limits.settled_seconds and child.has_snapshot:
            self._failures = 0
        if child.exitcode is not None:
            messages += child.take_messages()  # what was still in its pipe
        reason = self._lost(child)
        return messages if reason is None else (*messages, *self._restart(reason))

    def send(self, command: Command) -> None:
        """Send the learner a command. One that must hold after a restart is remembered."""
        if command.verb in ("pause", "resume"):
            self._spec = replace(self._spec, paused=command.verb == "pause")
        elif command.verb == "learner":
            self._spec = replace(self._spec, learner=str(command.value))
        elif command.verb == "clips":
            self._spec = replace(self._spec, clips=int(command.value))
        elif command.verb == "follow":
            self._spec = replace(self._spec, follow=str(command.value))
        elif command.verb == "nudge":
            if monotonic() - self._nudged < NUDGE_SECONDS:
                return  # it looks by itself soon enough, and the pipe must not fill up
            self._nudged = monotonic()
        if self._child is not None:
            self._child.send(command)

    def stop(self, timeout: float = 4.0) -> None:
        """Let it write its last checkpoint, at most `timeout` seconds, then end it."""
        child, self._child = self._child, None
        if child is not None:
            child.send(Command("stop"))
            child.terminate(timeout)
        self._starter.close()
        self._starter = starter(self._spec)

    def _lost(self, child: ChildProcess) -> str | None:
        """Why the process must be started again; None while it is well."""
        limits, now = self._limits, monotonic()
        if child.failure is not None:
            return child.failure.text
        if child.exitcode is not None:
            return f"its process ended ({_ending(child.exitcode)})"
        silent = now - child.last_message_at
        if silent > limits.stalled_seconds and child.stalled_seconds() > limits.stalled_seconds:
            return f"it has not moved for {silent:.0f} s"
        if silent > (limits.silent_seconds if child.has_snapshot else limits.start_seconds):
            return f"it gave no sign of life for {silent:.0f} s"
        if (
            child.has_snapshot
            and child.heartbeat is not None
            and child.heartbeat.iteration_seconds > limits.iteration_seconds
        ):
            return f"one step took over {limits.iteration_seconds:.0f} s"
        return None

    def _restart(self, reason: str) -> Sequence[Restarted]:
        assert self._child is not None
        self._child.terminate()
        self._child = None
        self._failures += 1
        if self._failures >= self._limits.failures:
            self.status = Status("failed", f"The learner failed {self._failures} times in a row: {reason}")
            return ()
        if self._starter.is_broken or self._failures == self._limits.failures - 1:
            self._starter.close()  # the last try begins with nothing of the earlier ones
            self._starter = starter(self._spec)
        self.restarts += 1
        self.status = Status("restarting", f"The learner is starting again: {reason}")
        self._child = ChildProcess(self._starter, self._spec)
        return (Restarted(reason),)


def _ending(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"status {code}"
