"""A fresh learner hears at once all that another one's lesson was: what that costs the machine."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from agents import learner_catalog as learners
from agents.evaluation import scores
from agents.feedback.records import Record
from agents.teachers.synthetic import make_teacher
from envs import task_catalog as worlds
from sandbox.studies.simulated_teaching import SimulatedTeaching
from sandbox.studies.training_study import TrainConfig


class _RecordingTeaching(SimulatedTeaching):
    """Keeps what was said."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.records: list[Record] = []

    def _observe_record(self, record: Record) -> None:
        super()._observe_record(record)
        self.records.append(replace(record, id=f"{self.seed}-{self.seq}"))


def measure_refit(config: TrainConfig) -> dict[str, Any]:
    """A lesson as configured, then a fresh learner from its records; the facts of the latter."""
    task = worlds.task(config.world, **config.options)
    refs = scores.reference_means(task)
    first = learners.make(config.learner, task, seed=config.seed, prior=config.prior, settings=config.config)
    teacher = make_teacher(config.teacher, task, config.seed)
    lesson = _RecordingTeaching(
        task, first, teacher, refs, config.rounds, config.steps_per_round, config.seed
    )
    lesson.run(config.stages(), lambda share, text: None)
    began = time.process_time()
    fresh = learners.make(config.learner, task, seed=config.seed, prior=config.prior, settings=config.config)
    fresh.observe(len(lesson.records), lesson.records)
    while fresh.step():
        pass
    seen = fresh.snapshot()
    assert seen.policy is not None
    cpu = time.process_time() - began
    found = scores.evaluate_policy(task, seen.policy)
    return {
        "mix": config.wanted(),
        "answers": lesson.answers,
        "human_seconds": lesson.human_seconds,
        "env_steps": seen.env_steps,
        "cpu_seconds": cpu,
        "normalised_return": refs.checked_score(found.mean),
        "done_share": float(found.done.mean()),
        "budgets": [],
    }
