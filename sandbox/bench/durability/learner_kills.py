"""A learner killed again and again in a real session with its window: it is back soon, and knows all."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agents.feedback.records import Question
from sandbox.learning.supervisor import LearnerProcess, Limits
from sandbox.session.session import Session

FRAME = 1 / 60  # [s]
PATIENCE = 120.0  # [s]
WORLD = "teachbox/RoomsTidy-v0"
ALONE = 120  # frames before the first kill, to compare with


@dataclass(frozen=True)
class RecoveryResult:
    """back: seconds from each kill until the next one's first snapshot; frames, alone: milliseconds that
    the window spent on a frame, with kills and before them; busy: those of them for which its thread had a
    processor (for the rest it waited). At the end it had heard `heard` of `said`."""

    back: tuple[float, ...]
    frames: tuple[float, ...]
    alone: tuple[float, ...]
    busy: tuple[float, ...]
    heard: int
    said: int


def line(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Several runs in one line of a table."""
    back, frames, alone = (np.concatenate([run[key] for run in runs]) for key in ("back", "frames", "alone"))
    busy = [took for run in runs for took in run.get("busy", ())]  # older runs did not tell
    return {
        "task": WORLD,
        "kills": len(back),
        "seconds": float(np.median(back)),
        "seconds_p95": float(np.percentile(back, 95)),
        "slowest": float(back.max()),
        "frame_p99": float(np.percentile(frames, 99)),
        "frame_worst": float(frames.max()),
        "frame_worst_alone": float(alone.max()),
        **({"frame_cpu_worst": max(busy)} if busy else {}),
        "heard": sum(run["heard"] for run in runs),
        "said": sum(run["said"] for run in runs),
    }


def kills(folder: Path, times: int, seed: int) -> RecoveryResult:
    """Kill it at random moments while it learns; after each kill an answer is given, which it must hear."""
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
    from sandbox.window.app import App

    dice, back, alone = random.Random(seed), list[float](), list[float]()
    limits = Limits(settled_seconds=0.0)  # these failures are ours
    session = Session.open(folder / "session", world=WORLD, limits=limits)
    app = App(session, fixed_dt=True, seed=seed)
    frames: list[float] = alone
    busy: list[float] = []
    asked: list[Question] = []

    def until(true: Callable[[], bool]) -> None:
        """Frames until something is so."""
        end = time.monotonic() + PATIENCE
        while not true():
            begun, ran = time.perf_counter(), time.thread_time()
            app.tick()
            took = time.perf_counter() - begun
            frames.append(1000 * took)
            busy.append(1000 * (time.thread_time() - ran))
            if time.monotonic() > end:
                raise RuntimeError(f"not in {PATIENCE:.0f} s: {session.status.text}")
            time.sleep(max(0.0, FRAME - took))

    def question() -> bool:
        found = session.next_question()
        asked.extend([found] if found else [])
        return bool(asked)

    def heard() -> int:
        return session.latest_snapshot.feedback_counts.get("comparison", 0) if session.latest_snapshot else 0

    until(lambda: session.latest_snapshot is not None)
    alone.clear()  # the first frames load what they draw
    busy.clear()
    until(lambda: len(alone) >= ALONE)
    frames = []
    for _ in range(times):
        until(question)
        moment = time.monotonic() + dice.uniform(0.0, 2.0)
        until(lambda moment=moment: time.monotonic() >= moment)  # type: ignore[misc]
        before, begun = _process(session).restarts, time.perf_counter()
        os.kill(_pid(session), signal.SIGKILL)
        session.add_comparison(asked.pop(), (0, 1))
        until(lambda before=before: _process(session).restarts > before)  # type: ignore[misc]
        last = session.latest_snapshot  # what was still in the pipe of the killed one is older
        until(lambda last=last: session.latest_snapshot is not last)  # type: ignore[misc]
        back.append(time.perf_counter() - begun)
    said = session.counts.get("comparison", 0)
    until(lambda: heard() == said)
    found = RecoveryResult(tuple(back), tuple(frames), tuple(alone), tuple(busy), heard(), said)
    app.close()
    return found


def _process(session: Session) -> LearnerProcess:
    assert session.learner_link.process is not None
    return session.learner_link.process


def _pid(session: Session) -> int:
    pid = _process(session).pid
    if pid is None:
        raise RuntimeError("the learner's process is gone: see learner.log")
    return pid
