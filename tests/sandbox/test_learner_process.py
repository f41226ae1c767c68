"""The learner process: hears feedback, survives its own death, gives up after three, ends with its parent."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sandbox.bench.durability.fake_records import trajectory
from sandbox.learning.checkpoints import Checkpoints
from sandbox.learning.fork_server import ForkServer, SpawnStarter
from sandbox.learning.spec import WorkerSpec
from sandbox.learning.supervisor import LearnerProcess, Limits
from sandbox.session.events import ErrorMessage, Event, LearnerRestarted, Saved
from sandbox.session.session import Session
from tests.sandbox.fake import make

DEADLINE = 60.0  # for a busy machine; nothing here takes a second on a quiet one


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEACHBOX_KERNEL", "plain")  # nothing here steps a world
    monkeypatch.setattr(LearnerProcess.stop, "__defaults__", (DEADLINE,))  # for its last checkpoint
    brief = partial(WorkerSpec, checkpoint_seconds=1.0)
    monkeypatch.setattr("sandbox.session.learner_link.WorkerSpec", brief)
    return tmp_path / "session"


class Desk:
    """A session that is polled until something has come true."""

    def __init__(self, folder: Path, learner: str = "fake", **options: Any) -> None:
        self.session = Session.open(folder, learner=learner, make=make, **options)
        self.events: list[Event] = []

    def until(self, true: Callable[[], Any]) -> Any:
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            self.events += self.session.poll()
            if found := true():
                return found
            time.sleep(0.005)
        raise AssertionError(f"not in {DEADLINE} s: {self.session.status}, {self.events[-5:]}")

    def saved(self, id: str | None) -> Saved:
        return self.until(lambda: [e for e in self.events if isinstance(e, Saved) and e.record_id == id])[0]

    def restarts(self) -> list[LearnerRestarted]:
        return [event for event in self.events if isinstance(event, LearnerRestarted)]

    @property
    def pid(self) -> int:
        """The learner's process, 0 while it is being started."""
        process = self.session.learner_link.process
        assert process is not None
        return process.pid or 0

    def signal(self, number: int) -> int:
        """Send it to the learner, as soon as there is one; the number of its process."""
        pid: int = self.until(lambda: self.pid)
        os.kill(pid, number)
        return pid

    def step(self) -> int:
        return self.session.latest_snapshot.step if self.session.latest_snapshot else -1

    def heard(self) -> int:
        return self.session.latest_snapshot.feedback_seq if self.session.latest_snapshot else -1


@pytest.fixture
def desk(folder: Path) -> Iterator[Desk]:
    made = Desk(folder)
    yield made
    made.session.close()


def test_feedback_reaches_the_learner_and_undo_too(desk):
    desk.until(lambda: desk.step() >= 0)
    ids = [desk.session.add_demonstration(trajectory(seed=i)) for i in range(3)]
    undo = desk.session.undo()
    assert desk.saved(undo).target == ids[2]
    desk.until(lambda: desk.heard() == 4)
    assert desk.session.latest_snapshot.feedback_counts == {"demonstration": 2} == desk.session.counts
    assert desk.session.last_saved == 4


def test_once_feedback_is_heard_there_is_a_question_that_knows_of_it(desk):
    desk.until(lambda: desk.session.latest_snapshot and len(desk.session.latest_snapshot.questions) == 3)
    for number in range(1, 4):
        desk.session.add_demonstration(trajectory(seed=number))
        desk.until(lambda number=number: desk.heard() == number)
        assert desk.session.latest_snapshot.questions[-1].about == f"known: {number}"


def checkpoint_step(folder: Path) -> int:
    """The step of the newest checkpoint, 0 before the first."""
    current = Checkpoints(folder, "fake").current()
    try:
        return int(json.loads((current / "fake.json").read_text())["steps"]) if current else 0
    except FileNotFoundError:  # a newer one has just taken its place
        return 0


def test_a_killed_learner_starts_again_from_its_checkpoint_with_all_feedback(desk):
    desk.saved(desk.session.add_demonstration(trajectory()))
    saved_at = desk.until(lambda: (at := checkpoint_step(desk.session.folder)) > 1 and at)
    desk.until(lambda: desk.step() > 1)
    pid = desk.signal(signal.SIGKILL)
    kept = desk.session.add_evaluation(trajectory(5), 1)  # nobody listens, and nothing is lost
    desk.until(desk.restarts)
    assert "signal 9" in desk.restarts()[0].reason
    assert desk.session.status.state in ("restarting", "starting")
    desk.until(lambda: desk.session.status.state == "learning" and desk.heard() == 2)
    assert desk.pid != pid
    assert desk.saved(kept).seq == 2
    assert desk.session.latest_snapshot.feedback_counts == {"demonstration": 1, "evaluation": 1}
    assert desk.step() >= saved_at  # not from 0
    steps = [point.env_steps for point in desk.session.curve]
    assert steps == sorted(set(steps))


def test_a_learner_is_back_also_when_what_forks_it_is_killed(desk):
    process = desk.session.learner_link.process
    assert process is not None
    if not isinstance(process._starter, ForkServer):
        pytest.skip("here each learner is spawned")
    desk.until(lambda: desk.step() > 1)
    fork_server = process._starter._process
    first = desk.signal(signal.SIGKILL)
    desk.until(lambda: desk.restarts() and desk.pid not in (0, first) and process.status.state == "learning")
    assert process._starter._process is fork_server  # it was forked by the same
    assert fork_server.pid is not None
    os.kill(fork_server.pid, signal.SIGKILL)
    latest = desk.session.latest_snapshot
    desk.until(lambda: desk.session.latest_snapshot is not latest)  # which the learner does not need
    desk.signal(signal.SIGKILL)
    desk.until(lambda: process._starter._process is not fork_server)
    kept = desk.session.add_demonstration(trajectory())
    desk.until(lambda: desk.heard() == 1)
    assert desk.saved(kept).seq == 1
    assert desk.session.close() is None


def test_learners_that_import_for_themselves_do_as_well(folder, monkeypatch):
    monkeypatch.setattr("sandbox.learning.supervisor.starter", lambda spec: SpawnStarter())
    desk = Desk(folder)
    desk.until(lambda: desk.step() > 1)
    desk.signal(signal.SIGKILL)
    desk.until(desk.restarts)
    assert "signal 9" in desk.restarts()[0].reason
    pid = desk.until(lambda: desk.session.status.state == "learning" and desk.pid)
    assert desk.session.close() is None
    assert not alive(pid)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP here")
@pytest.mark.parametrize("can_look", [True, False])
def test_a_learner_that_hangs_is_started_again(folder, monkeypatch, can_look):
    if not can_look:
        monkeypatch.setattr("sandbox.learning.liveness.LivenessProbe._read_threads", lambda self: {})
    elif not Path("/proc/self/schedstat").exists():
        pytest.skip("this system does not tell whether a process runs")
    desk = Desk(folder, limits=Limits() if can_look else Limits(silent_seconds=2.5))
    desk.until(lambda: desk.step() > 0)
    pid = desk.signal(signal.SIGSTOP)
    desk.until(desk.restarts)
    assert ("not moved" if can_look else "no sign of life") in desk.restarts()[0].reason
    desk.until(lambda: desk.pid not in (0, pid) and desk.session.status.state == "learning")
    desk.session.close()


def test_a_step_that_never_ends_is_a_hang(folder):
    desk = Desk(folder, learner="stuck", limits=Limits(iteration_seconds=1.0, failures=2))
    desk.until(lambda: desk.session.status.state == "failed")
    assert "one step took over 1 s" in desk.session.status.text
    desk.session.close()


def test_three_failures_in_a_row_are_the_end_with_the_reason(folder):
    desk = Desk(folder, learner="broken")
    desk.until(lambda: desk.session.status.state == "failed")
    assert len(desk.restarts()) == 2
    assert "failed 3 times in a row" in desk.session.status.text
    assert "RuntimeError: the gradient exploded" in desk.session.status.text
    assert "the gradient exploded" in (folder / "learner.log").read_text()
    desk.saved(desk.session.add_demonstration(trajectory()))  # the rest of the house goes on
    desk.session.set_learner("fake")
    desk.until(lambda: desk.session.status.state == "learning" and desk.heard() == 1)
    desk.session.close()


def test_a_learner_that_dies_once_goes_on(folder):
    desk = Desk(folder, learner="mortal")
    desk.until(desk.restarts)
    assert "status 9" in desk.restarts()[0].reason
    desk.until(lambda: desk.session.status.state == "learning" and desk.step() > 3)
    desk.session.close()


def test_pause_and_resume(desk):
    desk.until(lambda: desk.step() > 3)
    desk.session.pause()
    desk.until(lambda: desk.session.status.state == "paused")
    at = desk.step()
    desk.session.add_demonstration(trajectory())
    desk.until(lambda: desk.heard() == 1)  # it listens while it rests
    assert desk.step() == at
    assert desk.session.status.state == "paused"
    desk.session.resume()
    desk.until(lambda: desk.step() > at)


def test_a_pause_outlives_a_restart(desk):
    desk.until(lambda: desk.step() > 0)
    desk.session.pause()
    desk.until(lambda: desk.session.status.state == "paused")
    desk.signal(signal.SIGKILL)
    desk.until(desk.restarts)
    desk.until(lambda: desk.session.status.state == "paused")


def test_afresh_forgets_what_was_learned_but_no_feedback(desk):
    desk.session.add_demonstration(trajectory())
    desk.until(lambda: desk.heard() == 1 and checkpoint_step(desk.session.folder) > 1)
    desk.session.pause()
    desk.until(lambda: desk.session.status.state == "paused")
    desk.session.restart_learner()
    desk.until(lambda: desk.step() == 0 and not desk.session.curve)  # and there it stays while it rests
    assert desk.heard() == 1
    desk.session.resume()
    desk.until(lambda: desk.step() > 0 and desk.session.curve)


def test_another_learner_on_the_same_feedback_and_back(desk):
    desk.session.add_demonstration(trajectory())
    desk.until(lambda: desk.step() > 20 and desk.heard() == 1)
    at = desk.step()
    desk.session.set_learner("other")
    desk.until(lambda: desk.session.latest_snapshot.learner == "other" and desk.heard() == 1)
    assert desk.session.learner == "other"
    desk.session.set_learner("fake")
    desk.until(lambda: desk.session.latest_snapshot.learner == "fake" and desk.step() >= at)


def test_a_learner_and_its_curves_are_there_again_after_closing(folder):
    desk = Desk(folder)
    desk.saved(desk.session.add_demonstration(trajectory()))
    desk.until(lambda: desk.step() > 20 and len(desk.session.curve) > 20)
    at, points = desk.step(), list(desk.session.curve[:20])
    assert desk.session.close() is None
    again = Desk(folder, learner=None)
    assert again.session.learner == "fake"
    assert again.session.counts == {"demonstration": 1}
    assert again.session.curve[:20] == points
    again.until(lambda: again.step() >= at and again.heard() == 1)
    again.session.close()


def test_a_damaged_checkpoint_costs_nothing_but_time(folder):
    desk = Desk(folder)
    desk.until(lambda: desk.step() > 5)
    desk.session.close()
    for file in folder.glob("checkpoint/fake/*/fake.json"):
        file.write_text("{")
    again = Desk(folder)
    again.until(lambda: [e for e in again.events if isinstance(e, ErrorMessage) and "anew" in e.text])
    again.until(lambda: again.step() > 5)
    again.session.close()


def test_questions_come_with_the_wanted_number_of_clips_and_no_question_twice(desk):
    seen = [desk.until(lambda clips=clips: desk.session.next_question(clips)) for clips in (2, 3, 3, 2, 4, 4)]
    assert [len(question.clips) for question in seen] == [2, 3, 3, 2, 4, 4]
    assert len({question.id for question in seen}) == 6


def test_ctrl_c_in_the_terminal_does_not_end_the_learner(desk):
    desk.until(lambda: desk.step() > 0)
    desk.signal(signal.SIGINT)
    at = desk.step()
    desk.until(lambda: desk.step() > at + 20)
    assert not desk.restarts()


PARENT = """
import sys, time
from pathlib import Path
from sandbox.session.session import Session
from tests.sandbox.fake import make
if __name__ == "__main__":
    session = Session.open(Path(sys.argv[1]), learner="fake", make=make)
    while session.latest_snapshot is None:
        session.poll()
        time.sleep(0.01)
    print(session.learner_link.process.pid, flush=True)
    time.sleep(600)
"""


def test_the_learner_ends_when_its_parent_is_killed(folder, tmp_path):
    script = tmp_path / "window.py"
    script.write_text(PARENT)
    root = str(Path(__file__).parents[2])
    window = subprocess.Popen(
        [sys.executable, script, folder],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert window.stdout is not None
    learner = int(window.stdout.readline())
    assert alive(learner)
    window.kill()
    window.wait()
    end = time.monotonic() + DEADLINE
    while alive(learner):
        assert time.monotonic() < end, "the learner outlives its window"
        time.sleep(0.02)
    Session.open(folder, make=make, start_learner=False).close()  # and the folder is free again


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie that nobody has collected does not)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        if sys.platform == "linux":
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_five_kills_in_a_run_end_with_all_feedback_heard(folder):
    kills(folder, 5, seed=1)


@pytest.mark.slow
def test_a_hundred_kills_in_a_run_end_with_all_feedback_heard_and_never_block_the_window(folder):
    longest = kills(folder, 100, seed=2)
    print(f"longest call of the window: {longest * 1000:.1f} ms")
    assert longest < 0.5  # on a busy machine; waiting for a process to start would take longer


def kills(folder: Path, count: int, seed: int) -> float:
    """Kill the learner at random moments while somebody labels; the longest call of the window [s].

    Training goes on from a checkpoint each time, and ends with the same feedback heard.
    """
    dice, longest = random.Random(seed), 0.0
    desk = Desk(folder, limits=Limits(settled_seconds=0.0))
    said = killed = 0
    last, end = None, time.monotonic() + DEADLINE  # the last snapshot of the one that was killed
    while len(desk.restarts()) < count:
        assert time.monotonic() < end, desk.session.status
        began = time.perf_counter()
        if dice.random() < 0.05:
            desk.session.add_evaluation(trajectory(3, seed=said), 1.0)
            said += 1
        desk.events += desk.session.poll()
        longest = max(longest, time.perf_counter() - began)
        back = len(desk.restarts()) == killed and desk.session.latest_snapshot is not last
        if back and dice.random() < 0.2:
            desk.signal(signal.SIGKILL)
            last, killed = desk.session.latest_snapshot, killed + 1
            end = time.monotonic() + DEADLINE
        time.sleep(0.005)
    desk.until(lambda: desk.heard() == said and desk.session.status.state == "learning")
    assert desk.session.latest_snapshot is not None
    assert desk.session.latest_snapshot.feedback_counts == ({"evaluation": said} if said else {})
    desk.session.close()
    return longest
