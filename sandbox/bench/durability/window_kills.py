"""kill -9 of the real window while somebody labels by real keys: what it showed as saved is there."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sandbox.bench.durability.count import Count
from sandbox.bench.durability.store_kills import count_incomplete
from sandbox.bench.speed.xvfb import Keyboard, NoDisplayHere, display, environment
from sandbox.store import Reader, StoreError

PATIENCE = 120.0  # [s]
WORLD = "teachbox/RoomsTidy-v0"
REAL = ("sandbox",)
EARLY, HONEST = (("sandbox.commands.early_window", kind) for kind in ("early", "honest"))
"""What to run in place of the real one, see there: the control, and what it is to be compared with."""


def trial(folder: Path, times: int, seed: int) -> Count:
    """The part "window", with a control of a tenth as many."""
    if shutil.which("xdotool") is None:
        raise NoDisplayHere("real keys need xdotool: scripts/need-system installs it on Debian as root")
    os.environ.pop("DISPLAY", None)  # a display of its own: nobody else's keys
    few = max(1, times // 10)
    with display() as name:
        control = kills(name, folder / "control", few, seed, EARLY)
        return kills(name, folder / "real", times, seed) + Count(control_times=few, control_lost=control.lost)


def kills(name: str, folder: Path, times: int, seed: int, program: Sequence[str] = REAL) -> Count:
    """Kill that many windows on the display, all of them in one session."""
    dice, total, known = random.Random(seed), Count(), 0
    folder.mkdir()
    for number in range(times):
        shown = _label_and_kill(name, folder, number, dice, program)
        found, known = _compared(folder / "session" / "feedback.db", shown, known)
        total += found
    return total


def _label_and_kill(name: str, folder: Path, number: int, dice: random.Random, program: Sequence[str]) -> int:
    """A window, rewards and undos by keys for a while, and kill -9; the number it had shown as saved."""
    state = folder / f"state{number}.json"
    command = [sys.executable, "-m", *program, "--world", WORLD, "--session", str(folder / "session")]
    own = {"XDG_DATA_HOME": str(folder / "data"), "OMP_NUM_THREADS": "1"}
    with (folder / "window.log").open("ab") as log:
        window = subprocess.Popen(
            [*command, "--state-file", str(state)], env={**environment(name), **own}, stdout=log, stderr=log
        )
    try:
        _until(state, lambda facts: "scene" in facts)
        keyboard = Keyboard(name)
        keyboard.focus(_number_of(name, window.pid))
        _tap_until(keyboard, "F3", state, lambda facts: facts["scene"] == "reward")
        _until(state, lambda facts: facts["step"] >= 1)
        end, turn = time.monotonic() + dice.uniform(0.3, 2.0), 0
        while time.monotonic() < end:
            turn += 1
            _tap(keyboard, "u" if dice.random() < 0.1 else ("equal", "minus")[turn % 2])
        keyboard.close()
    finally:
        window.kill()
        window.wait()
    return int(json.loads(state.read_text())["saved"])


def _compared(path: Path, shown: int, before: int) -> tuple[Count, int]:
    """What is there beside what was shown as saved since `before` were there; how many are there now."""
    try:
        reader = Reader(path)
        newest = reader.latest_seq()
        reader.close()
    except StoreError:
        return Count(1, max(0, shown - before), shown, 1), before
    return Count(1, max(0, shown - before), max(0, shown - newest), count_incomplete(path)), newest


def _number_of(name: str, pid: int) -> int:
    """The window's X number, as soon as it has one."""
    end = time.monotonic() + PATIENCE
    search = ["xdotool", "search", "--onlyvisible", "--pid", str(pid)]
    while time.monotonic() < end:
        found = subprocess.run(search, env=environment(name), capture_output=True, text=True).stdout.split()
        if found:
            return int(found[-1])
        time.sleep(0.05)
    raise RuntimeError(f"the window did not show in {PATIENCE:.0f} s")


def _tap(keyboard: Keyboard, key: str) -> None:
    keyboard.press(key)
    time.sleep(0.01)
    keyboard.release(key)
    time.sleep(0.01)


def _tap_until(keyboard: Keyboard, key: str, state: Path, true: Callable[[dict[str, Any]], bool]) -> None:
    _tap(keyboard, key)
    _until(state, true)


def _until(state: Path, true: Callable[[dict[str, Any]], bool]) -> None:
    """Wait until the window has told that something is so."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if state.exists() and true(json.loads(state.read_text())):
            return
        time.sleep(0.02)
    raise RuntimeError(f"not in {PATIENCE:.0f} s: the window's state is {state.read_text()[:300]}")
