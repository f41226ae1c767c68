"""What is made of a lesson once it is over: a new policy on unseen layouts, or a new learner of the same.

Both give what `train` gives, with their own score, steps and processor time.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from agents import catalog as learners
from agents import scores
from agents.feedback import Record
from agents.practice import Practice, PracticeConfig
from agents.teachers import make_teacher
from envs import catalog as worlds
from sandbox.studies.lesson import Lesson
from sandbox.studies.train import TrainConfig

EPISODES = 6_000
"""How long a policy practises from nothing on a reward that was brought."""


class _Noted(Lesson):
    """Keeps what was said."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.records: list[Record] = []

    def _say(self, record: Record) -> None:
        super()._say(replace(record, id=f"{self.seed}-{self.seq + 1}"))
        self.records.append(replace(record, id=f"{self.seed}-{self.seq}"))


def again(config: TrainConfig, then: str) -> dict[str, Any]:
    """A lesson as configured, then what `then` says; the facts of it."""
    task = worlds.task(config.world, **config.options)
    refs = scores.references(task)
    learner = learners.make(config.learner, task, seed=config.seed, prior=config.prior, **config.config)
    teacher = make_teacher(config.teacher, task, config.seed)
    lesson = _Noted(task, learner, teacher, refs, config.rounds, config.steps_per_round, config.seed)
    lesson.go(config.stages(), lambda share, text: None)
    began = time.process_time()
    if then == "transfer":
        unseen = scores.unseen(task)
        practice = Practice(unseen, config.seed + 1_000, PracticeConfig())
        reward = learner.snapshot().reward
        if reward is None:
            raise ValueError(f"learner {config.learner!r} has no reward to take along")
        practice.set_reward(reward)
        while practice.env_steps < EPISODES * task.horizon:
            practice.burst()
        practice.settle()
        policy, steps = practice.policy, practice.env_steps
    else:
        fresh = learners.make(config.learner, task, seed=config.seed, prior=config.prior, **config.config)
        fresh.observe(len(lesson.records), lesson.records)
        while fresh.step():
            pass
        seen = fresh.snapshot()
        assert seen.policy is not None
        policy, steps = seen.policy, seen.env_steps
    cpu = time.process_time() - began
    found = scores.evaluate(task, policy)
    return {
        "mix": config.wanted(),
        "answers": lesson.answers,
        "human_seconds": lesson.human_seconds,
        "env_steps": steps,
        "cpu_seconds": cpu,
        "normalised_return": refs.checked(found.mean),
        "done_share": float(found.done.mean()),
        "budgets": [],
    }
