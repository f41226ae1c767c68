"""The trial in parts: each in small runs that are kept, so that a stopped one goes on and all add up."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import Any

from sandbox.bench.durability.count import Count
from sandbox.bench.measured_names import TrialPart
from sandbox.progress import ProgressCallback


@dataclass(frozen=True)
class Part:
    """times: as many as are wanted in all; at_once: in one run."""

    title: str
    times: int
    at_once: int
    run: Callable[[Path, int, int], dict[str, Any]]


Trial = Callable[[Path, int, int], Count]
"""trial(folder, times, seed): what came of it."""


def _counted(load: Callable[[], Trial]) -> Callable[[Path, int, int], dict[str, Any]]:
    """The part that a trial is; `load` imports it."""
    return lambda folder, times, seed: asdict(load()(folder, times, seed))


def _store_kills() -> Trial:
    from sandbox.bench.durability.store_kills import trial

    return trial


def _window_kills() -> Trial:
    from sandbox.bench.durability.window_kills import trial

    return trial


def _power_cuts() -> Trial:
    from sandbox.bench.durability.power_cuts import trial

    return trial


def _raters_on_a_file() -> Trial:
    from sandbox.bench.durability.concurrent_raters import trial_file

    return trial_file


def _raters_on_a_server() -> Trial:
    from sandbox.bench.durability.concurrent_raters import trial_server

    return trial_server


def _server_kills() -> Trial:
    from sandbox.bench.durability.concurrent_raters import trial_crashes

    return trial_crashes


def _learner(folder: Path, times: int, seed: int) -> dict[str, Any]:
    from sandbox.bench.durability.learner_kills import kills

    return asdict(kills(folder, times, seed))


def _fuzz(folder: Path, times: int, seed: int) -> dict[str, Any]:
    from sandbox.bench.durability.fuzz import fuzz

    report = fuzz(times, seed, slow_share=0.08)
    return {"tried": report.tried, "accepted": report.accepted, "failures": report.failures}


PARTS: dict[str, Part] = {
    TrialPart.KILL: Part("kill -9 while labelling", 1000, 50, _counted(_store_kills)),
    TrialPart.WINDOW: Part("kill -9 of the real window", 100, 5, _counted(_window_kills)),
    TrialPart.POWER: Part("power cuts", 1000, 100, _counted(_power_cuts)),
    TrialPart.RATERS: Part("8 raters of 300 answers, one process", 1, 1, _counted(_raters_on_a_file)),
    TrialPart.RATERS_SERVER: Part("8 raters of 300 answers, a server", 1, 1, _counted(_raters_on_a_server)),
    TrialPart.SERVER: Part("kill -9 of the server under 8 raters", 50, 10, _counted(_server_kills)),
    TrialPart.LEARNER: Part("kill -9 of the learner", 100, 10, _learner),
    TrialPart.FUZZ: Part("damaged files", 1_000_000, 10_000, _fuzz),
}


def go_on(name: str, times: int, work: Path, tell: ProgressCallback) -> None:
    """Run a part until it was done `times` in all. What is kept in `work` counts."""
    part = PARTS[name]
    work.mkdir(parents=True, exist_ok=True)
    kept = work / f"{name}.jsonl"
    while (done := sum(run["times"] for run in _runs(kept))) < times:
        tell(done / times, f"{part.title}, {done} of {times}")
        seed, here = len(_runs(kept)), min(part.at_once, times - done)
        before = _cpu()
        with tempfile.TemporaryDirectory(prefix="teachbox-trust-") as folder:
            found = part.run(Path(folder), here, seed)
        facts = {"seed": seed, "times": here, "cpu_seconds": _cpu() - before, "at": time.time()}
        with kept.open("a", encoding="utf-8") as file:
            file.write(f"\n{json.dumps({**facts, 'found': found})}\n")  # the last line may be cut off


def report(work: Path) -> dict[str, list[dict[str, Any]]]:
    """The tables of what is kept in `work`: counts, the learner, files."""
    tables: dict[str, list[dict[str, Any]]] = {"counts": [], "learner": [], "importers": []}
    for name, part in PARTS.items():
        runs = _runs(work / f"{name}.jsonl")
        if not runs:
            continue
        found = [run["found"] for run in runs]
        if name == "learner":
            from sandbox.bench.durability.learner_kills import line

            tables["learner"] = [line(found)]
        elif name == "fuzz":
            tables["importers"] = _files(found)
        else:
            total = sum((Count(**{f.name: one[f.name] for f in fields(Count)}) for one in found), Count())
            tables["counts"].append({"way": part.title, **total.line(), "cpu_seconds": _spent(runs)})
    return {key: lines for key, lines in tables.items() if lines}


def _files(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A line for each importer, and one for all."""
    names = list(dict.fromkeys(name for run in runs for name in run["tried"]))
    lines = [
        {
            "file": name,
            "tried": sum(run["tried"].get(name, 0) for run in runs),
            "accepted": sum(run["accepted"].get(name, 0) for run in runs),
            "failures": sum(text.startswith(f"{name}, seed") for run in runs for text in run["failures"]),
        }
        for name in names
    ]
    sums = {key: sum(int(line[key]) for line in lines) for key in ("tried", "accepted", "failures")}
    return [*lines, {"file": "all", **sums}]


def _runs(kept: Path) -> list[dict[str, Any]]:
    """The runs in a file; one that was cut off while it was written does not count."""
    found = []
    for text in kept.read_text("utf-8").splitlines() if kept.exists() else ():
        try:
            found.append(json.loads(text))
        except ValueError:
            continue
    return found


def _spent(runs: list[dict[str, Any]]) -> float:
    return float(sum(run["cpu_seconds"] for run in runs))


def _cpu() -> float:
    """CPU seconds of this process and of those of its children that have ended."""
    spent = (getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in spent)
