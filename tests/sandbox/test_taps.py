"""Real key events of every length: as many steps as presses. By key and by clicked arrow."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.xwindow import Screen, Window

LENGTHS = (12, 30, 60, 90, 120, 150, 200, 240)  # [ms]
KEYS = ("Left", "Up", "Right", "Down")


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Window]:
    screen = Screen(tmp_path / "x")
    try:
        session = str(tmp_path / "session")
        window = Window(screen, tmp_path / "home", "--world", "teachbox/RoomsTidy-v0", "--session", session)
        try:
            window.wait("the open session", lambda s: s["scene"] == "drive" and s["open"])
            yield window
        finally:
            window.close()
    finally:
        screen.close()


def taps(window: Window, milliseconds: int, count: int) -> int:
    """Press that many keys for so long each; the steps that came of it."""
    window.key("BackSpace")
    window.wait("a new start", lambda s: s["extra"]["driven"] == 0)
    pressed = []
    for k in range(count):
        pressed += ["keydown", KEYS[k % 4], "sleep", f"{milliseconds / 1000}", "keyup", KEYS[k % 4]]
        pressed += ["sleep", "0.05"]
    window._xdo(*pressed)
    state = window.wait("all steps", lambda s: s["extra"]["driven"] >= count)
    time.sleep(0.5)  # a step too many would come now
    last = window.state()
    assert last is not None
    return int(max(state["extra"]["driven"], last["extra"]["driven"]))


@pytest.fixture(params=[0, 6], ids=lambda n: f"load {n}")
def load(request: pytest.FixtureRequest) -> Iterator[int]:
    """So many processes beside the window that never rest."""
    busy = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"], env={**os.environ})
        for _ in range(request.param)
    ]
    yield request.param
    for process in busy:
        process.kill()
        process.wait()


def test_a_tap_of_any_length_is_a_step(window: Window) -> None:
    assert {length: taps(window, length, 8) for length in (60, 240)} == {60: 8, 240: 8}


@pytest.mark.slow
@pytest.mark.parametrize("length", LENGTHS)
def test_sixty_taps_are_sixty_steps(window: Window, load: int, length: int) -> None:
    assert taps(window, length, 60) == 60
