"""A session with the real learners: from a kept drive to another policy, over a kill and a closed window."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.learner_catalog import LEARNERS
from agents.snapshot import Snapshot
from envs.simulate import simulate
from envs.task_catalog import task
from envs.trajectory import Trajectory
from sandbox.session.events import LearnerRestarted
from sandbox.session.session import Session

pytestmark = pytest.mark.timeout(1200)


def drive(seed: int, steps: int = 30) -> Trajectory:
    """Somebody without a plan at the wheel."""
    rooms = task("teachbox/RoomsTidy-v0")
    sim = simulate(rooms, 1, seed=seed)
    random = np.random.default_rng(seed)
    recorder = sim.recorder(0)
    for _ in range(steps):
        action = random.integers(0, 4, 1)
        happened = sim.step(action)
        recorder.add(action[0], happened.terms[0], sim.states[0], int(sim.rng[0]), happened.obs[0])
    return recorder.trajectory()


def until(session: Session, true: Callable[[], Any], seconds: float = 240.0) -> list[Any]:
    events: list[Any] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        events += session.poll()
        if true():
            return events
        time.sleep(0.01)
    raise AssertionError(f"not in {seconds} s: {session.status}")


def weights(snapshot: Snapshot | None) -> np.ndarray:
    """All numbers of the policy."""
    assert snapshot is not None
    assert snapshot.policy is not None
    return np.concatenate([part.ravel() for layer in snapshot.policy.layers for part in layer])


def test_a_kept_drive_changes_the_policy_and_outlives_kill_and_close(tmp_path: Path):
    session = Session.open(tmp_path / "session", learner="bc")
    until(session, lambda: session.latest_snapshot is not None and session.latest_snapshot.policy is not None)
    before = weights(session.latest_snapshot)
    session.add_demonstration(drive(2))
    until(session, lambda: session.latest_snapshot.feedback_seq == 1 and session.status.state == "waiting")
    after = weights(session.latest_snapshot)
    assert session.latest_snapshot.feedback_counts == {"demonstration": 1}
    assert not np.array_equal(before, after)
    until(session, lambda: (tmp_path / "session/checkpoint/bc/current").exists())

    assert session.learner_link.process is not None
    pid = session.learner_link.process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    session.add_demonstration(drive(3))
    events = until(
        session,
        lambda: session.learner_link.process.pid not in (None, pid) and session.status.state == "waiting",
    )
    assert any(isinstance(event, LearnerRestarted) for event in events)
    until(session, lambda: session.latest_snapshot.feedback_seq == 2)
    assert session.latest_snapshot.feedback_counts == {"demonstration": 2}
    points = len(session.curve)
    assert session.close() is None

    again = Session.open(tmp_path / "session")
    assert len(again.curve) >= points > 0
    until(again, lambda: again.latest_snapshot is not None and again.latest_snapshot.feedback_seq == 2)
    assert again.latest_snapshot is not None
    assert again.latest_snapshot.feedback_counts == {"demonstration": 2}
    again.close()


@pytest.mark.slow
@pytest.mark.parametrize("learner", ["joint", "preferences", "evaluative"])
def test_every_learner_runs_in_a_session(tmp_path: Path, learner: str):
    session = Session.open(tmp_path / "session", learner=learner)
    until(session, lambda: session.latest_snapshot is not None)
    session.add_demonstration(drive(1))
    session.add_evaluation(drive(2, 15), 1, 2.0)
    session.add_correction(drive(4, 20), drive(4, 20))
    if "comparison" in LEARNERS[learner].kinds:
        asked: list[Any] = []
        until(session, lambda: asked.append(session.next_question(2)) or asked[-1])
        session.add_comparison(asked[-1], [0, 1], seconds=2.0)
    said = sum(session.counts.values())
    until(session, lambda: session.latest_snapshot.feedback_seq == said)
    step = session.latest_snapshot.step
    until(session, lambda: session.latest_snapshot.step >= step + 2 and len(session.curve) > 0)
    session.close()
