"""`teachbox references`: measures random, standing still and the oracle, and keeps them as files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agents.evaluation import reference_returns as kept
from agents.evaluation import scores
from sandbox.bench.learning.task_variants import title, variants
from sandbox.progress import ProgressCallback, sub_progress

QUICK_LAYOUTS = 2
QUICK_STEPS = 40_000


@dataclass(frozen=True)
class Line:
    """Mean returns of the wish on unseen layouts, and what the oracle is."""

    task: str
    layouts: int
    random: float
    still: float
    oracle: float
    by: str
    file: str


def measure(
    world: str | None, folder: Path, *, quick: bool, again: bool, tell: ProgressCallback
) -> Iterator[Line]:
    """Measure what is missing or stale (everything if `again`) and write it into `folder`."""
    tasks = [scores.test_task(task) for task in variants(world)]
    layouts = QUICK_LAYOUTS if quick else scores.N_TEST_LAYOUTS
    for index, task in enumerate(tasks):
        here = sub_progress(tell, index / len(tasks), (index + 1) / len(tasks), title(task))
        found = None if again else kept.load_shipped(task, layouts, (folder,))
        if found is None:
            found = scores.measure_references(task, layouts, QUICK_STEPS if quick else None, here)
            kept.save(task, found, folder)
        by = {"plan": "exact plan", "rule": "careful driver by rule"}.get(
            found.by, f"PPO on the wish, {found.steps:,} steps"
        )
        random, still, oracle = (float(one.mean()) for one in (found.random, found.still, found.oracle))
        yield Line(title(task), len(found.oracle), random, still, oracle, by, f"{kept.file_name(task)}.json")
