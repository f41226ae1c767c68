"""What learners have in common: the records that they were given, and defaults for what few learners do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from agents.feedback.feedback_validation import FeedbackBuffer
from agents.feedback.records import Question, Record, Suggestion, active_records, kind_of
from agents.learners.protocol import Prior
from agents.snapshot import PolicyEvaluator, Snapshot
from envs.world import Task


@dataclass(frozen=True)
class NoSettings:
    """The configuration of a learner that has no settings."""


class BaseLearner(ABC):
    """A learner that keeps its records and, unless it says otherwise, asks nothing and suggests nothing.

    Subclasses choose `name` and `kinds`, and write `step`, `snapshot`, `save` and `load`. `Config` is the
    frozen dataclass of their settings. Everything else has a default that says: this learner can't do that.
    """

    name: ClassVar[str]
    kinds: ClassVar[frozenset[str]]
    Config: ClassVar[type[Any]] = NoSettings
    evaluate: PolicyEvaluator | None = None

    def __init__(self, task: Task, *, seed: int = 0, prior: Prior = "written", config: Any = None) -> None:
        self.task, self.seed = task, seed
        self.prior: Prior = prior
        self.config = self.Config() if config is None else config
        self.records = FeedbackBuffer(task)
        """Every record that was observed and fits the task, by its id."""
        self.newest_seq = 0
        """The newest number in the store that was observed."""
        self.learned_seq = 0
        """The newest number in the store that it has learned from: for the snapshot."""
        self.step_count = 0
        """How many steps it has made: for the snapshot."""
        self._raters: dict[str, str] = {}

    def observe(self, seq: int, records: Sequence[Record]) -> None:
        self.newest_seq = max(self.newest_seq, seq)
        self.records.add(records)

    def active_records(self) -> list[Record]:
        """The records of its kinds that were not taken back, oldest first."""
        return [r for r in active_records(self.records.values()) if kind_of(r) in self.kinds]

    @property
    def raters(self) -> dict[str, str]:
        """Who gave a record, by its id. Most learners do not read it."""
        return self._raters

    def follow(self, rater: str) -> None:  # noqa: B027
        """Does nothing: this learner does not distinguish raters."""

    def query(self, clips: int = 2) -> Question | None:
        """Returns None: this learner asks no questions."""
        return None

    def suggest(self) -> Suggestion | None:
        """Returns None: this learner does not know which kind of feedback would help most."""
        return None

    @property
    def algorithm(self) -> Any:
        """None: this learner trains no model of Stable-Baselines3."""
        return None

    @abstractmethod
    def step(self) -> bool:
        """One short burst of learning (at most about half a second). False: nothing to do now."""

    @abstractmethod
    def snapshot(self) -> Snapshot:
        """Itself as plain arrays; cheap."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write a checkpoint into an empty folder."""

    @abstractmethod
    def load(self, folder: Path) -> None:
        """Continue from a checkpoint. ValueError, with a sentence, if it is not one of ours."""
