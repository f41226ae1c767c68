"""What the window waits for while the disk is slow.

The disk is slow by a delay before each INSERT and each COMMIT of the store's writing connection, which
is where SQLite writes. Every sixth frame says something, each looks whether earlier words are saved.
"""

from __future__ import annotations

import tempfile
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, event

from agents.feedback.records import Comparison, Record
from sandbox.bench.durability.fake_records import trajectory
from sandbox.progress import ProgressCallback
from sandbox.store import Provenance, Store
from sandbox.store.sqlite import SQLiteBackend

FRAME = 1 / 60  # [s]
EVERY = 6  # frames between two words: more than a person says
PATIENCE = 120.0  # [s]


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


class SlowBackend(SQLiteBackend):
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


def stalls(frames: int, tell: ProgressCallback) -> Iterator[Stall]:
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
    store = Store.open(SlowBackend(folder / "feedback.db", disk / 1000))
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
    one, two = (trajectory(40, seed=2 * seed + k, wide=120) for k in range(2))
    return Comparison((one, two), (0, 1))
