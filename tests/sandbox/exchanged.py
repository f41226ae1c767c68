"""Sessions to exchange: records of every kind in a real world, made by the world itself."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path

from agents.feedback.records import Comparison, Correction, Demonstration, Evaluation, Record, Undo
from envs.world import Task
from sandbox.cli import main
from sandbox.exchange.importing import save_records
from sandbox.exchange.ledger import Entry, Ledger
from sandbox.exchange.sample import random_recording
from sandbox.session.session import Session
from sandbox.store import Provenance

ROOMS, ROVER, CARTPOLE = "teachbox/RoomsTidy-v0", "teachbox/RoverDeliver-v0", "CartPole-v1"
WORLDS = (ROOMS, ROVER, CARTPOLE)


def every_kind(task: Task, seed: int = 0) -> list[Record]:
    """One record of each kind and variety, two that share clips, and one taken back."""
    clips = [random_recording(task, 5 + k % 2, seed + k, f"policy:{k}") for k in range(3)]
    first = Demonstration(random_recording(task, 9, seed + 9))
    return [
        first,
        Comparison((clips[0], clips[1]), (0, 1), question="q", seconds=2.5),
        Comparison((clips[2], clips[0], clips[1]), (1, 0, 1), seconds=0.1),
        Comparison((clips[0], clips[2]), (0, 0)),
        Comparison((clips[1], clips[2]), (), "cant_tell", seconds=9.0),
        Evaluation(clips[0], -1.0, 2.0, 10.0),
        Correction(clips[1], random_recording(task, 7, seed + 8)),
        Demonstration(random_recording(task, 3, seed + 7)),
        Undo(first.id),
    ]


def ledger(task: Task, records: Sequence[Record] | None = None) -> Ledger:
    """Records with provenance as a window gives it."""
    given = every_kind(task) if records is None else records
    origin = Provenance("a1b2c3d4e5f6", "0.1.0", 2.5, "q", (1, 0), "joint:7")
    return Ledger(task.id, dict(task.options), [Entry(record, origin) for record in given])


def session(folder: Path, task: Task) -> Ledger:
    """A session with these records on the disk; what it holds."""
    Session.open(folder, world=task.id, options=task.options, start_learner=False).close()
    given = ledger(task)
    save_records(given, folder, "me")
    return given


def run(*arguments: str) -> tuple[int, str, str]:
    """The command in this process: exit status, stdout, stderr."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, out.getvalue().strip(), err.getvalue().strip()


def teachbox(*arguments: str) -> str:
    """What the command said; it has to end well."""
    code, out, err = run(*arguments)
    assert code == 0, err
    return out


def refused(*arguments: str) -> str:
    """The one sentence with which the command refuses; exit status 2."""
    code, _, err = run(*arguments)
    assert code == 2, err
    assert len(err.splitlines()) == 1, err
    return err
