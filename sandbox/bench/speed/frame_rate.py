"""The window beside its learner: frames, keys and learning, each alone and together, in one run.

Slots take turns, so that what else the machine does falls on all of them. A key's latency runs from
the moment it is given to the X server until the first frame that answers it has been shown; the
first frame after a key lights its cap in the footer. Learning speed is counted in a steady phase.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.bench.speed.xvfb import Keyboard, display, environment

SLOTS = (("drive", "off"), ("drive", "on"), ("watch", "on"), ("none", "on"))
"""(scene of the window or "none", learner)."""
KEYS = {"drive": ("Left", "Right", "Up", "Down"), "watch": ("x",)}


@dataclass(frozen=True)
class Slot:
    """All rounds of one slot. Times in milliseconds; steps are environment steps of the learner."""

    window: str
    learner: str
    fps: float | None
    frame_p50: float | None
    frame_p99: float | None
    keys: int
    key_p50: float | None
    key_p99: float | None
    window_cpu: float
    """The window process's share of one core."""
    steps_per_second: float | None
    steps_per_cpu_second: float | None


@dataclass
class _Seen:
    """What the rounds of one slot gave."""

    frames: list[float] = field(default_factory=list)
    keys: list[float] = field(default_factory=list)
    seconds: float = 0.0
    window_cpu: float = 0.0
    steps: int = 0
    learner_cpu: float = 0.0


def measure(*, seconds: float, rounds: int) -> list[Slot]:
    """Every slot `rounds` times in turn, each for `seconds`."""
    seen = {slot: _Seen() for slot in SLOTS}
    with display() as name, tempfile.TemporaryDirectory() as folder:
        for index in range(rounds):
            for scene, learner in SLOTS:
                place = Path(folder) / f"{index}-{scene}-{learner}"
                _one(name, scene, learner, seconds, place, seen[scene, learner])
    return [_slot(scene, learner, seen[scene, learner]) for scene, learner in SLOTS]


def _one(name: str, scene: str, learner: str, seconds: float, place: Path, seen: _Seen) -> None:
    """One slot once: start the measured process, press keys, take in what it saw."""
    command = [
        sys.executable,
        "-m",
        "sandbox.bench.speed.window_probe",
        scene,
        learner,
        str(seconds),
        str(place / "session"),
    ]
    place.mkdir()
    with (place / "errors.txt").open("w+") as errors:
        process = subprocess.Popen(
            command, env=environment(name), stdout=subprocess.PIPE, stderr=errors, text=True
        )
        try:
            ready = _heard(process, place)
            sent = _type(name, ready["window"], KEYS[scene], seconds) if scene != "none" else []
            facts = _heard(process, place)
        finally:
            process.kill()
            process.wait()
    inside = [t for t in facts["flips"] if facts["begun"] <= t <= facts["begun"] + facts["seconds"]]
    seen.frames += np.diff(inside).tolist()
    if len(facts["answered"]) < len(sent):
        raise RuntimeError(
            f"of {len(sent)} keys only {len(facts['answered'])} reached the window: leave it the keyboard"
        )
    seen.keys += [shown - at for at, shown in zip(sent, facts["answered"], strict=False)]
    seen.seconds += facts["seconds"]
    seen.window_cpu += facts["window_cpu"]
    seen.steps += facts["steps"]
    seen.learner_cpu += facts["learner_cpu"]


def _heard(process: subprocess.Popen[str], place: Path) -> dict[str, Any]:
    """The next line of JSON from the measured process."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            facts: dict[str, Any] = json.loads(line)
            return facts
    said = (place / "errors.txt").read_text(errors="replace").strip()[-500:]
    raise RuntimeError(f"the measured window ended early with status {process.wait()}: {said}")


def _type(name: str, window: int, keys: tuple[str, ...], seconds: float) -> list[float]:
    """Tap keys at uneven intervals; when each was sent."""
    keyboard = Keyboard(name)
    keyboard.focus(window)
    pace = random.Random(0)
    time.sleep(0.5)
    sent, until = [], time.monotonic() + seconds - 0.5
    while time.monotonic() < until:
        key = pace.choice(keys)
        sent.append(keyboard.press(key))
        time.sleep(pace.uniform(0.03, 0.05))
        keyboard.release(key)
        time.sleep(pace.uniform(0.05, 0.12))
    keyboard.close()
    return sent


def _slot(scene: str, learner: str, seen: _Seen) -> Slot:
    frames, keys = np.array(seen.frames) * 1000, np.array(seen.keys) * 1000
    window, learning = scene != "none", learner == "on"
    return Slot(
        window=scene,
        learner=learner,
        fps=1000 / float(frames.mean()) if window else None,
        frame_p50=float(np.percentile(frames, 50)) if window else None,
        frame_p99=float(np.percentile(frames, 99)) if window else None,
        keys=len(keys),
        key_p50=float(np.percentile(keys, 50)) if window else None,
        key_p99=float(np.percentile(keys, 99)) if window else None,
        window_cpu=seen.window_cpu / seen.seconds,
        steps_per_second=seen.steps / seen.seconds if learning else None,
        steps_per_cpu_second=seen.steps / seen.learner_cpu if learning and seen.learner_cpu else None,
    )
