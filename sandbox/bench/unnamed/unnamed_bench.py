"""`teachbox bench unnamed`: learners taught wishes that no named term expresses, over seeds and budgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np

from agents.learners.protocol import Prior
from sandbox.bench.learning.experiment_sets import taught_condition
from sandbox.bench.learning.learner_scores import (
    Condition,
    Line,
    RunFailure,
    ScoreTarget,
    measure,
    with_target,
)
from sandbox.bench.unnamed import road_wishes, room_wishes, rover_wishes
from sandbox.bench.unnamed.wish import Wish
from sandbox.bench.unnamed.wish_references import ensure
from sandbox.progress import ProgressCallback, sub_progress

LEARNERS: dict[str, str] = {
    "preferences": "comparison=10/comparison=25/comparison=50/comparison=100",
    "preferences:net": "comparison=10/comparison=25/comparison=50/comparison=100",
    "joint": "demonstration=2,comparison=10/demonstration=10,comparison=25",
    "bc": "demonstration=2/demonstration=10",
}
"""Who learns from how much; after the colon the net as its reward."""
USUAL = ("preferences", "joint", "bc")
TEACHERS = ("rational", "crowd")
STEPS_PER_FIT = 240_000
"""Of practice on one state of the feedback on roads and open ground, as in the table of learners."""
TARGETS = {"comparison=50": ScoreTarget(0.9, 0.75)}


@dataclass(frozen=True)
class WishLine:
    """A wish and what scores lie between: mean true returns, the score of acting at random and of standing
    still, and how the best is known."""

    wish: str
    kind: str
    about: str
    random: float
    still: float
    oracle: float
    random_score: float
    still_score: float
    by: str


@dataclass(frozen=True)
class Overall:
    """A way of teaching over all wishes that were measured with it."""

    learner: str
    teacher: str
    teaching: str
    wishes: int
    median: float  # of the wishes' medians
    worst: float  # of all runs
    iqm: float  # mean over wishes of their interquartile means
    reached: float  # share of wishes whose median is at least 0.9
    cpu_seconds: float


def catalogue() -> dict[str, tuple[str, Wish]]:
    """Every wish by its name: (id of its task, the wish)."""
    found: dict[str, tuple[str, Wish]] = {}
    for module in (room_wishes, road_wishes, rover_wishes):
        found.update(_of_module(module))
    return found


def _of_module(module: ModuleType) -> dict[str, tuple[str, Wish]]:
    made = {name: value for name, value in vars(module).items() if isinstance(value, Wish)}
    return {wish.name: (f"{module.__name__}:{name}", wish) for name, wish in made.items()}


def chosen(names: Sequence[str]) -> dict[str, tuple[str, Wish]]:
    """The wishes of these names, or of these kinds ("place"); all without any. ValueError with a sentence."""
    known = catalogue()
    for name in names:
        if name not in known and name not in {wish.kind for _, wish in known.values()}:
            raise ValueError(f"there is no wish {name!r}: choose of {', '.join(known)}, or a kind of wish")
    return {n: pair for n, pair in known.items() if not names or n in names or pair[1].kind in names}


def conditions(
    wishes: dict[str, tuple[str, Wish]],
    learners: Sequence[str],
    teachers: Sequence[str],
    prior: Prior,
    budgets: str | None = None,
    effort: str = "full",
) -> list[Condition]:
    """A condition for each wish, learner and teacher. budgets: in place of the usual ones, for all."""
    if unknown := [name for name in learners if name not in LEARNERS]:
        raise ValueError(f"{unknown[0]!r} is not measured here: choose of {', '.join(LEARNERS)}")
    found = []
    for world, _ in wishes.values():
        limits = {} if "room_wishes" in world else {"steps_per_fit": STEPS_PER_FIT}
        for learner in learners:
            for teacher in teachers:
                one = taught_condition(
                    learner,
                    world,
                    budgets or LEARNERS[learner],
                    config={} if learner == "bc" else limits,
                    teacher=teacher,
                    prior=prior,
                    options={} if effort == "full" else {"oracle": effort},
                )
                found.append(one)
    return found


def run(
    wishes: dict[str, tuple[str, Wish]],
    found: Sequence[Condition],
    *,
    seeds: int,
    folder: Path,
    processes: int,
    effort: str,
    tell: ProgressCallback,
) -> tuple[list[WishLine], list[Line], list[RunFailure]]:
    """Measure references and then runs; what is kept in `folder` is not made again."""
    references = []
    for place, (name, (world, wish)) in enumerate(wishes.items()):
        share = place / len(wishes)
        told = ensure(world, effort, sub_progress(tell, 0.3 * share, 0.3 * (share + 1 / len(wishes)), name))
        random, still, best = (float(part.mean()) for part in (told.random, told.still, told.oracle))
        zero = max(random, still)
        scale = max(best - zero, 1e-9)
        scores = ((random - zero) / scale, (still - zero) / scale)
        references.append(WishLine(name, wish.kind, wish.about, random, still, best, *scores, told.by))
    lines, faults = measure(found, seeds, folder, sub_progress(tell, 0.3, 1.0, ""), processes)
    named = {world.removeprefix("teachbox/"): name for name, (world, _) in wishes.items()}
    return (
        references,
        [with_target(replace(line, world=named.get(line.world, line.world)), TARGETS) for line in lines],
        [replace(fault, world=named.get(fault.world, fault.world)) for fault in faults],
    )


def overall(lines: Sequence[Line]) -> list[Overall]:
    """A line for each way of teaching, over wishes."""
    ways = dict.fromkeys((line.learner, line.teacher, line.teaching) for line in lines)
    found = []
    for way in ways:
        mine = [line for line in lines if (line.learner, line.teacher, line.teaching) == way]
        found.append(
            Overall(
                *way,
                wishes=len(mine),
                median=float(np.median([line.median for line in mine])),
                worst=min(line.worst for line in mine),
                iqm=_mean([line.iqm for line in mine]),
                reached=_mean([float(line.median >= 0.9) for line in mine]),
                cpu_seconds=_mean([line.cpu_seconds for line in mine]),
            )
        )
    return found


def _mean(values: list[float]) -> float:
    return float(np.mean(values))
