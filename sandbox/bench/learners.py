"""Learners taught by a synthetic teacher, over seeds and ways of teaching, on both cores.

Every run is kept as a file of its own, so that a stopped measurement goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from agents.catalog import entry
from sandbox.bench.progress import Tell
from sandbox.studies.statistics import interval
from sandbox.studies.train import TrainConfig, parse_mix, train

TIDY = "teachbox/RoomsTidy-v0"
MIX = "demo=2,compare=48,mark=5,correct=5"


@dataclass(frozen=True)
class Condition:
    """A way of teaching, run with several seeds."""

    name: str
    config: TrainConfig


@dataclass(frozen=True)
class Line:
    """What came of a condition: score (0 random or still, 1 oracle) on unseen starts, over seeds."""

    learner: str
    teaching: str
    seeds: int
    iqm: float
    low: float
    high: float
    median: float
    worst: float
    done: float  # share of whole tasks done, mean over seeds
    human_seconds: float
    env_steps: int
    cpu_seconds: float


def conditions(world: str = TIDY, **options: Any) -> list[Condition]:
    """Sixty answers, everything mixed, and what they are compared with."""
    base = TrainConfig(world=world, options=options)
    return [
        Condition("60 comparisons", base),
        Condition(MIX, replace(base, mix=parse_mix(MIX))),
        Condition("nothing: the written reward alone", replace(base, answers=0)),
        Condition("control: constant reward, from nothing", replace(base, control="constant", prior="none")),
        Condition("control: random reward, from nothing", replace(base, control="random", prior="none")),
    ]


def of_learner(name: str, world: str = TIDY, **options: Any) -> list[Condition]:
    """The ways of teaching that one learner is judged by; `preferences:net` has the net as its reward."""
    learner, _, model = name.partition(":")
    if model not in ("", "net", "terms", "tamer", "coach"):
        raise ValueError(f"{name!r} is no learner to measure: after the colon comes net, tamer or coach")
    if learner == "joint" and not model:
        return conditions(world, **options)
    setting = {} if model in ("", "terms") else {"model": "net"} if model == "net" else {"way": model}
    imitates = learner in ("gail", "airl")
    base = TrainConfig(
        world=world, learner=learner, options=options, config=setting, prior="none" if imitates else "written"
    )
    kinds = entry(learner).kinds
    mixes = ["compare=10", "compare=50"] if "comparison" in kinds else []
    mixes += ["demo=2", "demo=10"] if "demonstration" in kinds else []
    mixes += ["demo=5,correct=20"] if {"demonstration", "correction"} <= kinds else []
    mixes += ["mark=60"] if "evaluation" in kinds else []
    return [Condition(f"{mix} ({name})", replace(base, mix=parse_mix(mix))) for mix in mixes]


def measure(
    found: Sequence[Condition], seeds: int, folder: Path, tell: Tell, processes: int = 2
) -> Iterator[Line]:
    """Run what isn't in `folder` yet, then a line for each condition."""
    folder.mkdir(parents=True, exist_ok=True)
    runs = [replace(condition.config, seed=seed) for seed in range(seeds) for condition in found]
    wanted = [run for run in runs if not _file(folder, run).exists()]
    context = get_context("spawn")  # torch must not be forked
    with ProcessPoolExecutor(processes, context, initializer=_one_thread) as pool:
        futures = {pool.submit(_run, run): run for run in wanted}
        for number, future in enumerate(as_completed(futures)):
            run = futures[future]
            kept = _file(folder, run).with_suffix(".part")
            kept.write_text(json.dumps(future.result()), "utf-8")
            kept.replace(_file(folder, run))
            tell((number + 1) / len(wanted), f"run {number + 1} of {len(wanted)}")
    for condition in found:
        results = [
            json.loads(_file(folder, replace(condition.config, seed=seed)).read_text("utf-8"))
            for seed in range(seeds)
        ]
        yield _line(condition, results)


def _line(condition: Condition, results: Sequence[dict[str, Any]]) -> Line:
    scores = np.array([[result["normalised_return"]] for result in results])
    told = interval(scores)
    return Line(
        learner=condition.config.learner,
        teaching=condition.name,
        seeds=len(results),
        iqm=told.iqm,
        low=told.low,
        high=told.high,
        median=float(np.median(scores)),
        worst=float(scores.min()),
        done=_mean(results, "done_share"),
        human_seconds=_mean(results, "human_seconds"),
        env_steps=round(_mean(results, "env_steps")),
        cpu_seconds=_mean(results, "cpu_seconds"),
    )


def _mean(results: Sequence[dict[str, Any]], key: str) -> float:
    return float(np.mean([result[key] for result in results]))


def _file(folder: Path, run: TrainConfig) -> Path:
    """Named by all that the run depends on, so that another setting is another file."""
    word = hashlib.sha256(json.dumps(asdict(run), sort_keys=True).encode()).hexdigest()[:16]
    return folder / f"{run.learner}-{run.seed}-{word}.json"


def _run(config: TrainConfig) -> dict[str, Any]:
    return train(config).as_json()


def _one_thread() -> None:
    import torch

    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
