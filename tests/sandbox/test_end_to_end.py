"""A person teaches by real keys in a real window, and exactly that is in the store and in the agent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from agents.feedback.records import (
    Comparison,
    Correction,
    Demonstration,
    Evaluation,
    Record,
    Undo,
    active_records,
    kind_of,
)
from sandbox.learning.checkpoints import Checkpoints
from sandbox.store import Reader
from tests.sandbox.xwindow import Screen, Window

ROOMS, LANES = "teachbox/RoomsTidy-v0", "teachbox/LanesCruise-v0"
pytestmark = pytest.mark.timeout(1500)
WATCHED = 240.0  # how long a busy machine's learner may take to use what was said [s]


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    made = Screen(tmp_path / "x")
    yield made
    made.close()


@pytest.fixture
def opened(tmp_path: Path, screen: Screen) -> Iterator[list[Window]]:
    """Windows opened in a test; those still open at its end are closed."""
    windows: list[Window] = []
    yield windows
    for window in windows:
        window.close()


def count(window: Window, kind: str) -> int:
    state = window.state()
    return 0 if state is None else int(state["counts"].get(kind, 0))


def press_for(window: Window, key: str, kind: str, change: int = 1) -> None:
    """Press a key, and see on screen that there is one record of that kind more (or fewer)."""
    wanted = count(window, kind) + change
    window.tap_until(key, f"{wanted} {kind}s after {key}", lambda s: s["counts"].get(kind, 0) == wanted)


def drive(window: Window, keys: tuple[str, ...], steps: int, before: str) -> None:
    """Tap arrow keys until so many steps were driven; no tap is lost."""
    window.wait(f"the controls ({before})", lambda s: s["mode"] == before)
    for n in range(steps):
        key = keys[n % len(keys)]
        done = window.tap_until(key, f"step {n + 1}", lambda s, n=n: s["extra"]["driven"] > n or over(s))
        if over(done):
            return


def over(state: dict) -> bool:
    return state["mode"] in ("ended", "stopped")


def rank(window: Window, *keys: str, clips: int = 2) -> str:
    """Answer the question on screen; its id."""
    state = window.wait("a question", lambda s: s["mode"] == "question" and s["extra"]["clips"] == clips)
    asked = str(state["extra"]["question"])
    for key in keys[:-1]:
        before = window.state()["extra"].get("order")
        window.tap_until(key, f"{key} in the order", lambda s, b=before: s["extra"].get("order") != b)
    press_for(window, keys[-1], "comparison")
    return asked


def weights(session: Path) -> str:
    """A digest of the policy and all else in the newest checkpoint; empty before the first."""
    folder = Checkpoints(session, "joint").current()
    if folder is None:
        return ""
    files = sorted(folder.rglob("*.safetensors"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest() if files else ""


def records(session: Path) -> list[tuple[int, Record]]:
    return Reader(session / "feedback.db").records()


def test_a_person_teaches_in_rooms(tmp_path: Path, screen: Screen, opened: list[Window]) -> None:
    session = tmp_path / "flat"
    window = Window(screen, tmp_path / "window", "--world", ROOMS, "--session", str(session))
    opened.append(window)
    window.wait("the learner at rest, untaught", lambda s: s["learner"]["state"] == "waiting", 480)
    window.wait("a checkpoint of the untaught agent", lambda _: bool(weights(session)))
    untaught = weights(session)

    drive(window, ("Down", "Right", "Up", "Left", "Right"), 8, before="ready")
    window.screenshot("rooms-drive")
    press_for(window, "Return", "demonstration")

    window.tap_until("F3", "Reward", lambda s: s["scene"] == "reward")
    for n in range(10):
        window.wait("the agent to act", lambda s: s["step"] >= 1)
        press_for(window, ("equal", "minus", "k", "j")[n % 4], "evaluation")
    window.screenshot("rooms-reward")
    press_for(window, "u", "evaluation", -1)

    window.tap_until("F4", "Rank", lambda s: s["scene"] == "rank")
    asked = [rank(window, "Left"), rank(window, "Right"), rank(window, "2", "1", "Return")]
    window.tap_until("n", "three clips", lambda s: s["extra"]["clips"] == 3)
    ready = ("question", 3)
    window.wait("three clips", lambda s: (s["mode"], s["extra"]["clips"]) == ready and s["step"] >= 8)
    window.screenshot("rooms-rank")
    asked.append(rank(window, "3", "1", "2", "Return", clips=3))

    window.tap_until("F5", "Correct", lambda s: s["scene"] == "correct")
    window.wait("the agent to act", lambda s: s["extra"]["recorded"] >= 3)
    window.key("t")
    drive(window, ("Up", "Left", "Down", "Right"), 4, before="taken")
    window.screenshot("rooms-correct")
    press_for(window, "Return", "correction")

    window.tap_until("F6", "Watch", lambda s: s["scene"] == "watch")
    saved = window.wait("all to be saved", lambda s: s["saved"] == 17)
    assert saved["counts"] == {"demonstration": 1, "evaluation": 9, "comparison": 4, "correction": 1}
    window.wait("the learner to use it all", lambda s: s["learner"]["feedback_seq"] == 17, WATCHED)
    window.wait("another policy", lambda _: weights(session) not in ("", untaught), WATCHED)
    window.key("x")
    window.screenshot("rooms-watch")
    window.key("Escape")
    window.wait("the menu", lambda s: s["scene"] == "menu" and s["extra"]["pictures"] >= 2)
    window.screenshot("menu")
    check_rooms(records(session), asked)


def check_rooms(found: list[tuple[int, Record]], asked: list[str]) -> None:
    """The store holds exactly what was pressed."""
    assert [seq for seq, _ in found] == list(range(1, 18))
    said = [record for _, record in found]
    kinds = [kind_of(record) for record in said]
    assert kinds == (["demonstration"] + ["evaluation"] * 10 + ["undo"] + ["comparison"] * 4 + ["correction"])
    shown, undo, correction = said[0], said[11], said[16]
    assert isinstance(shown, Demonstration)
    assert 1 <= len(shown.trajectory) <= 16  # a key is tapped again where a busy machine is slow to tell
    assert shown.trajectory.driver == "person"
    assert list(shown.trajectory.actions[:5]) == [3, 2, 1, 4, 2][: len(shown.trajectory)]
    rewards = [record for record in said if isinstance(record, Evaluation)]
    assert [record.value for record in rewards] == [1, -1, 2, -2, 1, -1, 2, -2, 1, -1]
    assert all(len(record.segment) >= 1 for record in rewards)
    assert isinstance(undo, Undo)
    assert undo.target == rewards[-1].id
    answers = [record for record in said if isinstance(record, Comparison)]
    assert [record.question for record in answers] == asked
    assert [record.ranks for record in answers] == [(0, 1), (1, 0), (1, 0), (1, 2, 0)]
    assert isinstance(correction, Correction)
    assert len(correction.person) >= 1
    np.testing.assert_array_equal(correction.agent.states[0], correction.person.states[0])
    assert len(active_records(said)) == 15


def hold_each(window: Window, keys: tuple[str, ...]) -> bool:
    """Hold one key after the other for five steps; False if the drive ended before that (a busy machine)."""
    for key in keys:
        before = window.state()["extra"]["driven"]
        window.hold(key, True)
        done = window.wait("steps", lambda s, b=before: s["extra"]["driven"] >= b + 5 or over(s))
        window.hold(key, False)
        if over(done):
            return False
    return True


def test_a_person_drives_in_lanes(tmp_path: Path, screen: Screen, opened: list[Window]) -> None:
    session = tmp_path / "road"
    window = Window(screen, tmp_path / "window", "--world", LANES, "--session", str(session))
    opened.append(window)
    window.wait("the controls", lambda s: s["scene"] == "drive" and s["mode"] == "ready")
    while not hold_each(window, ("Up", "Right", "Down", "Left")):
        window.tap_until("r", "the start again", lambda s: s["mode"] == "ready")
    window.screenshot("lanes-drive")
    press_for(window, "Return", "demonstration")
    window.wait("it to be saved", lambda s: s["saved"] == 1)
    (entry,) = records(session)
    shown = entry[1]
    assert isinstance(shown, Demonstration)
    assert len(shown.trajectory) >= 20
    assert len(set(np.asarray(shown.trajectory.actions).tolist())) >= 4
    window.close()

    again = Window(screen, tmp_path / "again", "--session", str(session))
    opened.append(again)
    state = again.wait("the same session", lambda s: s["counts"].get("demonstration") == 1)
    assert state["saved"] == 1
