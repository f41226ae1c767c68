"""The learner's loop: observe, step, snapshot. Between steps it reads commands and the store."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic, sleep

from agents.evaluation.scores import curve_evaluator
from agents.learners.protocol import Learner
from agents.snapshot import CurvePoint
from envs import kernels
from envs.task_catalog import warm_up_task
from sandbox.learning.checkpoints import Checkpoints
from sandbox.learning.messages import (
    Activity,
    Command,
    CurveUpdate,
    Failure,
    Heartbeat,
    LearnerWarning,
    continue_curve,
)
from sandbox.learning.ready_questions import ReadyQuestions
from sandbox.learning.sender import Sender
from sandbox.learning.spec import WorkerSpec, describe
from sandbox.store import Reader
from sandbox.store.store_errors import StoreUnreachable

POLL_SECONDS = 0.2  # how soon new records are seen without a nudge
SHOW_SECONDS = 0.1  # at most ten snapshots a second
UNREACHABLE_SECONDS = 2.0  # how soon a server that can't be reached is tried again


def run(connection: Connection, spec: WorkerSpec) -> None:
    """The learner process from its imports to its last checkpoint."""
    loop = Loop(connection, spec)
    try:
        loop.start()
        while loop.run_once():
            pass
        loop.stop()
    except Exception as error:
        traceback.print_exc()  # into the log first: the parent may end this process once it is told
        sys.stderr.flush()
        loop.fail(error)
        os._exit(1)  # no waiting for threads: the parent starts the next one


class Loop:
    """One learner with its store, its checkpoints and the pipe to the window."""

    def __init__(self, connection: Connection, spec: WorkerSpec) -> None:
        self._spec, self._name = spec, spec.learner
        self._activity: Activity = "starting"
        self._text = "The learner is starting"
        self._turned = monotonic()
        self._commands: SimpleQueue[Command] = SimpleQueue()
        Thread(target=self._receive_commands, args=(connection,), name="hear", daemon=True).start()
        self._sender = Sender(connection, self._heartbeat)
        self._paused, self._follow = spec.paused, spec.follow
        self._seq = 0
        self._cut_off, self._read_from = False, 0.0
        self._curve: list[CurvePoint] = []
        self._ready_questions = ReadyQuestions(spec.clips, self._turned)
        self._has_low_priority = self._is_idle = False
        self._needs_checkpoint = False  # learned something since the last checkpoint
        self._needs_snapshot, self._complained = True, False
        self._snapshot_sent_at = self._saved = self._turned
        self._checkpoints: Checkpoints
        self._learner: Learner
        self._reader: Reader

    def start(self) -> None:
        """Import, compile, load the checkpoint and read all feedback. The first snapshot follows."""
        self._send_activity("starting", "The learner is starting")
        self._task = self._spec.task_factory()(self._spec.task, **self._spec.options)
        self._compile()
        self._reader = self._open()
        self._load_learner(from_scratch=False)

    def run_once(self) -> bool:
        """One iteration of the loop. False: the parent told it to stop."""
        for command in self._pending_commands(self._idle_seconds()):
            if command.verb == "stop":
                return False
            self._handle_command(command)
        news = self._read()
        worked = not self._paused and self._learner.step()
        self._turned = monotonic()
        self._needs_snapshot |= self._ready_questions.refresh(
            self._learner, self._turned, has_stepped=worked, has_new_feedback=news
        )
        resting = not (worked or news)
        self._needs_snapshot |= not resting or resting != self._is_idle
        self._needs_checkpoint |= worked
        self._is_idle = resting
        if self._needs_snapshot and (self._is_idle or self._turned - self._snapshot_sent_at >= SHOW_SECONDS):
            self._show()
        if not self._has_low_priority and (self._curve or self._is_idle):
            self._be_nice()
        if self._needs_checkpoint and self._turned - self._saved >= self._spec.checkpoint_seconds:
            self._save()
        return True

    def stop(self) -> None:
        """Write a last checkpoint and send what is left."""
        if self._needs_checkpoint:
            self._save()
        self._reader.close()
        self._sender.flush(1.0)

    def fail(self, error: Exception) -> None:
        """Send the parent the error that ends this process."""
        self._sender.send(Failure(describe(error)))
        self._sender.flush(1.0)

    # Feedback in, snapshots out.

    def _load_learner(self, from_scratch: bool) -> None:
        """A learner from its checkpoint (or from nothing), with all feedback."""
        self._checkpoints = Checkpoints(Path(self._spec.folder), self._name)
        if from_scratch:
            self._checkpoints.clear()
        self._learner = self._make_learner()
        folder = self._checkpoints.current()
        points: list[CurvePoint] = []
        if folder is not None:
            try:
                self._learner.load(folder)
                points = self._checkpoints.curve()
            except Exception as error:  # a damaged checkpoint: the feedback is all that matters
                traceback.print_exc()
                self._sender.send(
                    LearnerWarning(
                        f"The checkpoint can't be read ({error}): learning anew from all feedback."
                    )
                )
                self._learner = self._make_learner()
        self._tell_whom()
        self._sender.send(CurveUpdate(0, tuple(points)))
        self._curve = points
        self._ready_questions.clear()
        self._seq, self._needs_snapshot, self._is_idle = 0, True, False
        self._saved = monotonic()
        self._send_activity("learning", "Learning")
        self._read()
        self._show()

    def _make_learner(self) -> Learner:
        make = self._spec.learner_factory()
        learner: Learner = make(self._name, self._task, seed=self._spec.seed, prior=self._spec.prior)
        learner.evaluate = curve_evaluator(self._task)
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(1)  # two are several times slower beside a window
        return learner

    def _tell_whom(self) -> None:
        """Tell the learner whose reward to learn, where raters want different things."""
        self._learner.follow(self._follow)

    def _open(self) -> Reader:
        """The store, as soon as it can be reached."""
        while True:
            try:
                return Reader(self._spec.store)
            except StoreUnreachable as error:
                self._send_activity("starting", f"The learner waits for its store: {error}")
                sleep(UNREACHABLE_SECONDS)

    def _read(self) -> bool:
        """Let the learner observe the new records of the store. Returns whether there were any."""
        if self._turned < self._read_from:
            return False
        try:
            if self._reader.latest_seq() <= self._seq:
                return False
            found = self._reader.records(self._seq)
            self._learner.raters.update((line.id, line.rater) for line in self._reader.record_summaries())
        except StoreUnreachable as error:  # learning goes on with what was heard
            if not self._cut_off:
                self._sender.send(LearnerWarning(f"No new feedback reaches the learner: {error}"))
            self._cut_off, self._read_from = True, monotonic() + UNREACHABLE_SECONDS
            return False
        self._cut_off = False
        self._seq = found[-1][0]
        self._learner.observe(self._seq, [record for _, record in found])
        return True

    def _show(self) -> None:
        snapshot = self._learner.snapshot()
        points = continue_curve(self._curve, snapshot.curve)
        if points.points or points.kept_count < len(self._curve):
            self._curve[points.kept_count :] = points.points
            self._sender.send(points)
        shown = replace(self._ready_questions.add_to_snapshot(snapshot), curve=(), learner=self._name)
        self._sender.send(shown)
        self._needs_snapshot, self._snapshot_sent_at = False, self._turned
        if self._paused:
            self._send_activity("paused", "The learner is paused")
        elif self._is_idle:
            self._send_activity("waiting", snapshot.phase or "Waiting for feedback")
        else:
            self._send_activity("learning", snapshot.phase or "Learning")

    def _be_nice(self) -> None:
        """Lower this process's priority below the window's. Only after the first result, because importing
        at a low priority takes very long."""
        self._has_low_priority = True
        if self._spec.niceness and sys.platform != "win32":
            os.nice(self._spec.niceness)

    def _save(self) -> None:
        self._saved = monotonic()
        try:
            self._checkpoints.write(self._learner.save, self._curve)
            self._needs_checkpoint = self._complained = False
        except OSError as error:
            folder = self._checkpoints.folder
            if not self._complained:
                text = f"No checkpoint could be written to {folder} ({error.strerror}): free some space."
                self._sender.send(LearnerWarning(text))
            self._complained = True

    # Commands in, signs of life out.

    def _receive_commands(self, connection: Connection) -> None:
        try:
            while True:
                self._commands.put(connection.recv())
        except (EOFError, OSError):
            os._exit(0)  # the parent is gone, and so is the use of going on

    def _idle_seconds(self) -> float:
        return POLL_SECONDS if self._paused or self._is_idle else 0.0

    def _pending_commands(self, wait: float) -> list[Command]:
        """The commands that have come, after waiting at most `wait` seconds for the first."""
        found: list[Command] = []
        try:
            found.append(self._commands.get(timeout=wait) if wait else self._commands.get_nowait())
            while True:
                found.append(self._commands.get_nowait())
        except Empty:
            return found

    def _handle_command(self, command: Command) -> None:
        self._needs_snapshot = True
        if command.verb in ("pause", "resume"):
            self._paused = command.verb == "pause"
        elif command.verb == "afresh":
            self._load_learner(from_scratch=True)
        elif command.verb == "learner" and command.value != self._name:
            if self._needs_checkpoint:
                self._save()
            self._name = str(command.value)
            self._load_learner(from_scratch=False)
        elif command.verb == "clips":
            self._ready_questions.set_clips(int(command.value))
        elif command.verb == "asked":
            self._ready_questions.mark_asked(str(command.value))
        elif command.verb == "follow":
            self._follow = str(command.value)
            self._tell_whom()

    def _compile(self) -> None:
        """This world alone: the others can wait until they are played."""
        world = self._task.world
        compiled = self._task.is_costly or kernels.is_warm(world.name, world.kernel.step)
        if kernels.mode() == "plain" or compiled:
            return
        self._send_activity("starting", "Compiling this world, the first time only (up to a minute)")
        with contextlib.suppress(OSError):  # no place for the cache: then each start compiles
            warm_up_task(self._task)
        self._send_activity("starting", "The learner is starting")

    def _send_activity(self, activity: Activity, text: str) -> None:
        self._activity, self._text, self._turned = activity, text, monotonic()
        self._sender.send(self._heartbeat())

    def _heartbeat(self) -> Heartbeat:
        return Heartbeat(self._activity, self._text, monotonic() - self._turned)
