"""A session that keeps everything in memory, for tests of the screen alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from agents.feedback.records import (
    Comparison,
    Correction,
    Demonstration,
    Evaluation,
    Question,
    Undo,
    active_records,
    kind_of,
)
from agents.snapshot import CurvePoint, Snapshot
from envs import task_catalog
from sandbox.session.events import Saved


@dataclass
class Status:
    state: str = "learning"
    text: str = "Learning from the written reward."


@dataclass
class FakeSession:
    """The verbs of Session; `records` holds what was said. The next `poll` says it is saved."""

    world: str = "teachbox/RoomsTidy-v0"
    learner: str = "joint"
    rater: str = "tester"
    folder: Path | None = None
    latest_snapshot: Snapshot | None = None
    curve: list[CurvePoint] = field(default_factory=list)
    records: list[Any] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    last_saved: int = 0
    unsaved: int = 0
    unsaved_warning: str | None = None
    closed: bool = False
    rater_groups: list[Any] = field(default_factory=list)
    learner_warnings: list[str] = field(default_factory=list)
    followed: str = ""

    def __post_init__(self) -> None:
        self.task = task_catalog.task(self.world)
        self.status = Status()

    @property
    def counts(self) -> dict[str, int]:
        kinds = [kind_of(record) for record in active_records(self.records)]
        return {
            kind: kinds.count(kind) for kind in ("demonstration", "evaluation", "comparison", "correction")
        }

    def poll(self) -> list[Any]:
        events, self.events = self.events, []
        return events

    def _add(self, record: Any, text: str) -> str:
        self.records.append(record)
        self.last_saved = len(self.records)
        self.events.append(Saved(self.last_saved, record.id, text, kind_of(record)))
        return str(record.id)

    def add_demonstration(self, trajectory: Any) -> str:
        return self._add(Demonstration(trajectory), "Drive saved.")

    def add_evaluation(self, segment: Any, value: float, delay_steps: float = 0.0, rate: float = 0.0) -> str:
        return self._add(Evaluation(segment, value, delay_steps, rate), "Reward saved.")

    def add_comparison(
        self, question: Question, ranks: Any, verdict: Any = "ranked", seconds: float = 0.0
    ) -> str:
        return self._add(
            Comparison(question.clips, tuple(ranks), verdict, question.id, seconds), "Answer saved."
        )

    def add_correction(self, agent: Any, person: Any) -> str:
        return self._add(Correction(agent, person), "Correction saved.")

    def undo(self, kind: str | None = None) -> str | None:
        last = [r for r in active_records(self.records) if kind is None or kind_of(r) == kind]
        return self._add(Undo(last[-1].id), "Taken back.") if last else None

    def next_question(self, clips: int = 2) -> Question | None:
        return None

    def act(self, obs: Any, random: np.random.Generator, temperature: float = 1.0) -> Any:
        space = self.task.world.action_space
        if hasattr(space, "n"):
            return random.integers(int(space.n), size=len(obs))
        return np.stack([random.uniform(space.low, space.high) for _ in obs])

    def pause(self) -> None:
        self.status = Status("paused", "The learner is paused.")

    def resume(self) -> None:
        self.status = Status()

    def restart_learner(self) -> None:
        pass

    def set_learner(self, name: str) -> None:
        self.learner = name

    def follow(self, who: str) -> None:
        self.followed = who

    def close(self) -> None:
        self.closed = True
