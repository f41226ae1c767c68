"""What the window waits for while the disk is slow, and how soon a killed learner is back.

The disk is slow by a delay before each INSERT and each COMMIT of the store's writing connection, which
is where SQLite writes. Every sixth frame says something, each looks whether earlier words are saved.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from sqlalchemy import Engine, event

from agents.feedback import Comparison, Question, Record
from agents.snapshot import Snapshot
from envs.trajectory import Trajectory
from sandbox.bench.progress import Tell
from sandbox.session import Session
from sandbox.store import Provenance, Store
from sandbox.store.sqlite import FilePlace

FRAME = 1 / 60  # [s]
EVERY = 6  # frames between two words: more than a person says
PATIENCE = 120.0  # [s]
WORLD = "teachbox/RoomsTidy-v0"


@dataclass(frozen=True)
class Stall:
    """Times in milliseconds. call: what the window spends in the store in one frame; late: how much
    later than planned its frames begin."""

    way: str
    disk: float
    said: int
    call_p50: float
    call_p99: float
    call_worst: float
    late_p99: float
    late_worst: float


@dataclass(frozen=True)
class Back:
    """Seconds from killing the learner's process until its successor's first snapshot."""

    task: str
    kills: int
    seconds: float
    slowest: float
    heard: int
    """Records that it knew at the end, of `said`."""
    said: int


class SlowPlace(FilePlace):
    """A file on a disk that takes its time."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__(path)
        self._seconds = seconds

    def writing(self) -> Engine:
        engine = super().writing()
        event.listen(engine, "commit", lambda connection: time.sleep(self._seconds))
        event.listen(engine, "before_cursor_execute", self._wait)
        return engine

    def _wait(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT"):
            time.sleep(self._seconds)


def stalls(frames: int, tell: Tell) -> Iterator[Stall]:
    """Nothing said; words saved by the store's thread, on a quick and a slow disk; and the control."""
    ways = (
        ("nothing is said", 0.0),
        ("the store's thread writes", 0.0),
        ("the store's thread writes", 20.0),
        ("control: the window waits for the disk", 20.0),
    )
    for number, (way, disk) in enumerate(ways):
        tell(number / (len(ways) + 1), f"{way}, {disk:.0f} ms a write")
        with tempfile.TemporaryDirectory() as folder:
            yield _stall(way, disk, frames, Path(folder))


def _stall(way: str, disk: float, frames: int, folder: Path) -> Stall:
    store = Store.open(SlowPlace(folder / "feedback.db", disk / 1000))
    said = 0 if way.startswith("nothing") else frames // EVERY
    records = deque(_comparison(seed) for seed in range(said))
    waiting: deque[Future[int]] = deque()
    calls, late = [], []
    for frame in range(frames):
        planned = time.perf_counter() + FRAME
        time.sleep(FRAME)
        begun = time.perf_counter()
        if records and frame % EVERY == 0:
            waiting.append(store.append(records.popleft(), Provenance("bench", "0")))
            if way.startswith("control"):
                waiting[-1].result(PATIENCE)
        while waiting and waiting[0].done():
            waiting.popleft()
        calls.append(1000 * (time.perf_counter() - begun))
        late.append(1000 * (begun - planned))
    left = store.close(PATIENCE)
    if left:
        raise RuntimeError(f"{left} records could not be saved in {PATIENCE:.0f} s: try a quicker disk")
    p50, p99 = (float(np.percentile(calls, share)) for share in (50, 99))
    return Stall(way, disk, said, p50, p99, max(calls), float(np.percentile(late, 99)), max(late))


def _comparison(seed: int) -> Record:
    """Two clips of the size of a tidy room's."""
    return Comparison((_clip(2 * seed), _clip(2 * seed + 1)), (0, 1))


def _clip(seed: int) -> Trajectory:
    random, steps = np.random.default_rng(seed), 40
    return Trajectory(
        task=WORLD,
        states=random.integers(0, 100, (steps + 1, 120)).astype(np.int16),
        rng=random.integers(0, 2**63, steps + 1).astype(np.uint64),
        observations=random.random((steps + 1, 120), np.float32),
        actions=random.integers(0, 4, steps),
        terms=random.random((steps, 6), np.float32),
        driver="policy:1",
    )


def back(kills: int, tell: Tell) -> Back:
    """A real learner in a real session, killed while it learns; each time an answer is given."""
    from sandbox.learning.process import Limits

    seconds = []
    limits = Limits(settled_seconds=0.0)  # these failures are ours
    with (
        tempfile.TemporaryDirectory() as folder,
        Session.open(Path(folder) / "session", world=WORLD, limits=limits) as session,
    ):
        _until(session, lambda: True)
        for number in range(kills):
            tell(0.8 + 0.2 * number / kills, f"killing the learner, {number + 1} of {kills}")
            pid = session._process.pid if session._process else None
            if pid is None:
                raise RuntimeError("the learner's process is gone: see learner.log")
            question = _question(session)
            last, begun = session.latest, time.perf_counter()
            os.kill(pid, signal.SIGKILL)
            session.answer(question, (0, 1))
            _until(session, partial(_is_new, session, last))
            seconds.append(time.perf_counter() - begun)
        said = session.counts.get("comparison", 0)
        _until(session, lambda: _heard(session) == said)
        heard = _heard(session)
    return Back(WORLD, kills, median(seconds), max(seconds), heard, said)


def _question(session: Session) -> Question:
    end = time.monotonic() + PATIENCE
    while (question := session.next_question()) is None:
        session.poll()
        if time.monotonic() > end:
            raise RuntimeError(f"no question in {PATIENCE:.0f} s: {session.status.text}")
        time.sleep(FRAME)
    return question


def _is_new(session: Session, last: Snapshot | None) -> bool:
    return session.latest is not last


def _heard(session: Session) -> int:
    return session.latest.uses.get("comparison", 0) if session.latest else 0


def _until(session: Session, true: Callable[[], bool]) -> None:
    """Poll until there is a snapshot and something has come true."""
    end = time.monotonic() + PATIENCE
    while session.latest is None or not true():
        session.poll()
        if time.monotonic() > end:
            raise RuntimeError(f"not in {PATIENCE:.0f} s: {session.status.text}")
        time.sleep(FRAME)
