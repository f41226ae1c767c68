"""Learners taught by a synthetic teacher, over seeds and budgets of teaching, on both cores.

Every run is kept as a file of its own, so that a stopped measurement goes on where it was. A run that
was made by other source_digest of the worlds and the agents is made again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from agents.io.atomic_files import write_whole
from sandbox.bench.cache import source_digest
from sandbox.progress import ProgressCallback
from sandbox.studies.statistics import interval
from sandbox.studies.training_study import TrainConfig, train


@dataclass(frozen=True)
class ScoreTarget:
    """What the seeds' scores are held to once all has been said."""

    median: float
    worst: float | None = None

    def is_met(self, median: float, worst: float, failed: int) -> bool:
        """Whether scores of this median and worst reach it, and no run failed."""
        return median >= self.median and (self.worst is None or worst >= self.worst) and not failed

    def __str__(self) -> str:
        return f"median {self.median:g}" + ("" if self.worst is None else f", worst {self.worst:g}")


@dataclass(frozen=True)
class Condition:
    """A way of teaching, run with several seeds."""

    name: str
    config: TrainConfig
    wanted: ScoreTarget | None = None
    at_once: bool = False  # then a new learner hears all of it at once, and that one is measured


@dataclass(frozen=True)
class Line:
    """A budget of a condition: score (0 random or still, 1 oracle) on unseen starts, over seeds.

    failed: seeds that ended in an error; they are in no figure. wanted and met: at the last budget.
    """

    world: str
    learner: str
    teacher: str
    teaching: str
    seeds: int
    failed: int
    answers: float
    human_seconds: float
    iqm: float
    low: float
    high: float
    median: float
    worst: float
    done: float  # share of whole tasks done, mean over seeds
    env_steps: int
    cpu_seconds: float
    wanted: str | None = None
    met: bool | None = None


@dataclass(frozen=True)
class RunFailure:
    """A run that ended in an error."""

    world: str
    learner: str
    seed: int
    fault: str


@dataclass(frozen=True)
class Reference:
    """What scores are between: mean returns of the wish, and the score of acting at random."""

    world: str
    random: float
    still: float
    oracle: float
    random_score: float


def measure(
    found: Sequence[Condition],
    seeds: int,
    folder: Path,
    tell: ProgressCallback,
    processes: int = 2,
    older: bool = False,
) -> tuple[list[Line], list[RunFailure]]:
    """Run what isn't in `folder` yet; lines for each condition, and what went wrong.

    older: take runs of other source_digest too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    runs = [(replace(one, config=replace(one.config, seed=seed))) for seed in range(seeds) for one in found]
    missing = [run for run in runs if _kept(folder, run, older) is None]
    list(references(found))  # measured once, before two processes would
    faults = dict(_made(missing, folder, tell, processes)) if missing else {}
    lines: list[Line] = []
    for one in found:
        mine = [_file(folder, replace(one, config=replace(one.config, seed=seed))) for seed in range(seeds)]
        results = [json.loads(path.read_text("utf-8")) for path in mine if path not in faults]
        lines += lines_of(one, results, seeds - len(results)) if results else []
    told = {_file(folder, run): run for run in missing}
    return lines, [
        RunFailure(_short(told[path].config.world), told[path].name, told[path].config.seed, fault)
        for path, fault in faults.items()
    ]


def _made(
    runs: Sequence[Condition], folder: Path, tell: ProgressCallback, processes: int
) -> Iterator[tuple[Path, str]]:
    """Run and keep them; the file and the reason of each that failed."""
    context = get_context("spawn")  # torch must not be forked
    with ProcessPoolExecutor(processes, context, initializer=_one_thread) as pool:
        futures = {pool.submit(_run, run): run for run in runs}
        for number, future in enumerate(as_completed(futures)):
            run = futures[future]
            path, fault = _file(folder, run), future.exception()
            if fault is None:
                write_whole(path, json.dumps({"source_digest": source_digest(), **future.result()}))
            else:
                yield path, f"{type(fault).__name__}: {fault}"
            tell((number + 1) / len(runs), f"run {number + 1} of {len(runs)}, {run.name}")


def lines_of(condition: Condition, results: Sequence[dict[str, Any]], failed: int = 0) -> Iterator[Line]:
    """A line for each budget."""
    budgets = [result["budgets"] or [_whole(result)] for result in results]
    for number, mine in enumerate(zip(*budgets, strict=True)):
        yield _line(condition, mine[0]["mix"], mine, failed, number == len(budgets[0]) - 1)


def with_target(line: Line, targets: Mapping[str, ScoreTarget]) -> Line:
    """The line held to the target of its teaching; unchanged where there is none."""
    wanted = targets.get(line.teaching)
    if wanted is None:
        return line
    return replace(line, wanted=str(wanted), met=wanted.is_met(line.median, line.worst, line.failed))


def _whole(result: dict[str, Any]) -> dict[str, Any]:
    """A run without budgets on the way, as the one budget that it is."""
    return {**result, "score": result["normalised_return"], "done": result["done_share"]}


def _line(
    condition: Condition, mix: dict[str, int], results: Sequence[dict[str, Any]], failed: int, last: bool
) -> Line:
    scores = np.array([result["score"] for result in results])
    told, wanted = interval(scores[:, None]), condition.wanted if last else None
    median, worst = float(np.median(scores)), float(scores.min())
    met = None
    if wanted is not None:
        met = wanted.is_met(median, worst, failed)
    return Line(
        world=_short(condition.config.world),
        learner=condition.name,
        teacher=condition.config.teacher,
        teaching=",".join(f"{kind}={number}" for kind, number in mix.items() if number) or "nothing",
        seeds=len(results),
        failed=failed,
        answers=_mean(results, "answers"),
        human_seconds=_mean(results, "human_seconds"),
        iqm=told.iqm,
        low=told.low,
        high=told.high,
        median=median,
        worst=worst,
        done=_mean(results, "done"),
        env_steps=round(_mean(results, "env_steps")),
        cpu_seconds=_mean(results, "cpu_seconds"),
        wanted=None if wanted is None else str(wanted),
        met=met,
    )


def _short(world: str) -> str:
    return world.removeprefix("teachbox/").removesuffix("-v0")


def _mean(results: Sequence[dict[str, Any]], key: str) -> float:
    return float(np.mean([result[key] for result in results]))


def references(found: Sequence[Condition]) -> Iterator[Reference]:
    """For each world and its options."""
    from agents.evaluation import scores
    from envs import task_catalog

    settings = {(one.config.world, tuple(one.config.options.items())): None for one in found}
    for world, options in settings:
        refs = scores.reference_means(task_catalog.task(world, **dict(options)))
        yield Reference(_short(world), refs.random, refs.still, refs.oracle, refs.score(refs.random))


def _kept(folder: Path, run: Condition, older: bool) -> dict[str, Any] | None:
    path = _file(folder, run)
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found if older or found["source_digest"] == source_digest() else None


def _file(folder: Path, run: Condition) -> Path:
    """Named by all that the run depends on, so that another setting is another file."""
    facts = {**asdict(run.config), "at_once": run.at_once}
    word = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    return folder / f"{run.config.learner}-{run.config.seed}-{word}.json"


def _run(run: Condition) -> dict[str, Any]:
    if run.at_once:
        from sandbox.bench.learning.refit_cost import measure_refit

        return measure_refit(run.config)
    return train(run.config).as_json()


def _one_thread() -> None:
    import torch

    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
