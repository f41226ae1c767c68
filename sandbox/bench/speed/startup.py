"""How long the window takes to come: from the start of its process to the first frame it shows.

The moment of the first frame is when the state file appears, which the window writes after its first
flip. "cold" has an empty cache folder (no compiled kernels), "warm" the cache of `teachbox warm`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

from sandbox.bench.machine import cpu_seconds
from sandbox.bench.speed.xvfb import display, environment

PATIENCE = 60.0  # [s]
WORLDS = ("teachbox/RoomsTidy-v0", "teachbox/LanesCruise-v0")


@dataclass(frozen=True)
class Start:
    """Medians over `runs`. into: the menu, or the world that is opened at once (its learner starts too).

    seconds: to the first frame, which shows the world. ready_seconds: to the first frame in which what
    the person does is kept (the session is open). cpu_seconds: the window process's own until it was
    ready. torch: whether it had torch in memory then.
    """

    into: str
    cache: str
    runs: int
    seconds: float
    slowest: float
    ready_seconds: float
    cpu_seconds: float | None
    torch: bool | None


def measure(*, repeats: int) -> list[Start]:
    """Cold and warm starts, into the menu and into each world."""
    with display() as name, tempfile.TemporaryDirectory() as folder:
        return list(_starts(name, Path(folder), repeats))


def _starts(name: str, folder: Path, repeats: int) -> Iterator[Start]:
    warm = folder / "warm"
    _run_teachbox(["warm"], name, warm)
    for into in ("menu", *WORLDS):
        for cache in ("cold", "warm"):
            runs = []
            for index in range(repeats):
                place = folder / f"{into.replace('/', '-')}-{cache}-{index}"
                runs.append(_one(into, name, place, warm if cache == "warm" else place / "cache"))
            seconds = sorted(run.first for run in runs)
            cpu = [run.cpu for run in runs if run.cpu is not None]
            torch = [run.torch for run in runs if run.torch is not None]
            yield Start(
                into,
                cache,
                repeats,
                median(seconds),
                seconds[-1],
                median(run.ready for run in runs),
                median(cpu) if cpu else None,
                any(torch) if torch else None,
            )


class _Run(NamedTuple):
    first: float
    ready: float
    cpu: float | None
    torch: bool | None


def _one(into: str, name: str, place: Path, cache: Path) -> _Run:
    """One start: seconds to the first frame and to the open session, CPU seconds, torch in memory."""
    place.mkdir(parents=True)
    state = place / "state.json"
    arguments = ["--state-file", str(state)]
    if into != "menu":
        arguments += ["--world", into, "--session", str(place / "session")]
    begun = time.time()
    window = _popen(arguments, name, cache, place / "data")
    try:
        deadline = time.monotonic() + PATIENCE

        def wait(shown: Callable[[], bool]) -> float:
            while not shown():
                if window.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(
                        f"the window did not come (exit status {window.poll()}): {_read_state(place)}"
                    )
                time.sleep(0.002)
            return state.stat().st_mtime - begun

        first = wait(state.exists)
        ready = first if into == "menu" else wait(lambda: _is_open(state))
        return _Run(first, ready, cpu_seconds(window.pid), _has_torch(window.pid))
    finally:
        window.terminate()
        try:
            window.wait(10)
        except subprocess.TimeoutExpired:
            window.kill()
            window.wait()


def _is_open(state: Path) -> bool:
    """Whether the state file tells of an open session."""
    return bool(json.loads(state.read_text("utf-8"))["open"])


def _popen(arguments: list[str], name: str, cache: Path, data: Path) -> subprocess.Popen[bytes]:
    cache.mkdir(parents=True, exist_ok=True)
    data.mkdir(parents=True, exist_ok=True)
    folders = {"XDG_CACHE_HOME": str(cache), "XDG_DATA_HOME": str(data)}
    with (data.parent / "said.txt").open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "sandbox", *arguments],
            env={**environment(name), **folders},
            stdout=said,
            stderr=said,
        )


def _run_teachbox(arguments: list[str], name: str, cache: Path) -> None:
    process = _popen(arguments, name, cache, cache / "data")
    if process.wait() != 0:
        raise RuntimeError(
            f"teachbox {' '.join(arguments)} ended with {process.returncode}: {_read_state(cache)}"
        )


def _read_state(place: Path) -> str:
    return (place / "said.txt").read_text(errors="replace").strip()[-500:]


def _has_torch(pid: int) -> bool | None:
    """Whether torch's library is mapped into a process, None where /proc is not there."""
    maps = Path(f"/proc/{pid}/maps")
    return "libtorch" in maps.read_text() if maps.exists() else None
