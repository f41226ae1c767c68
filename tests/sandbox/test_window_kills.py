"""kill -9 of the window while somebody labels: what was shown as saved is there, and it opens again."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from agents.feedback.records import Evaluation, Undo
from sandbox.store import Reader
from tests.sandbox.xwindow import Screen, Window

ROOMS = "teachbox/RoomsTidy-v0"


def test_five_kills(tmp_path: Path) -> None:
    kill_while_labelling(tmp_path, rounds=5, seed=1)


@pytest.mark.slow
def test_fifty_kills(tmp_path: Path) -> None:
    kill_while_labelling(tmp_path, rounds=50, seed=2)


def kill_while_labelling(folder: Path, rounds: int, seed: int) -> None:
    """Rounds of rewards and undos by real keys in one session, each ended by a kill at a random moment."""
    session, choice = folder / "session", random.Random(seed)
    screen = Screen(folder / "x")
    known = 0
    try:
        for number in range(rounds):
            window = Window(screen, folder / f"window{number}", "--world", ROOMS, "--session", str(session))
            window.wait("the session as it was", lambda s, n=known: s["saved"] == n)
            window.tap_until("F3", "Reward", lambda s: s["scene"] == "reward")
            window.wait("the agent to act", lambda s: s["step"] >= 3)
            window.tap_until("equal", "a first label", lambda s, n=known: s["saved"] > n)
            label_for(window, choice.uniform(0.1, 1.8), choice)
            window.kill()
            known = check(session, window, known)
    finally:
        screen.close()
    assert known > rounds, f"only {known} labels in {rounds} rounds: too few to be hit by a kill"


def label_for(window: Window, seconds: float, choice: random.Random) -> None:
    """Press keys as fast as they go for some time."""
    until, turn = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        turn += 1
        window.key("u" if choice.random() < 0.1 else ("equal", "minus")[turn % 2])


def check(session: Path, window: Window, known: int) -> int:
    """All that was there, and all that was shown as saved, can be read; the newest seq."""
    state = window.state()
    assert state is not None
    found = Reader(session / "feedback.db").records()
    newest = found[-1][0] if found else 0
    assert [seq for seq, _ in found] == list(range(1, newest + 1))
    assert newest >= max(known, state["saved"]), f"shown as saved: {state['saved']}, in the store: {newest}"
    assert all(isinstance(record, Evaluation | Undo) for _, record in found)
    return newest
