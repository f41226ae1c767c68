"""What learners have in common: the records they were given, and defaults for what few of them do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from agents.feedback.feedback_validation import FeedbackBuffer
from agents.feedback.records import Question, Record, Suggestion, kind_of, standing
from agents.learners.protocol import Prior
from agents.snapshot import Snapshot
from envs.world import Task


@dataclass(frozen=True)
class NoSettings:
    """The configuration of a learner that has no settings."""


class BaseLearner(ABC):
    """A learner that keeps its records and, unless it says otherwise, asks nothing and suggests nothing.

    Subclasses choose `name` and `kinds`, and write `step`, `snapshot`, `save` and `load`. `Config` is the
    frozen dataclass of their settings.
    """

    name: ClassVar[str]
    kinds: ClassVar[frozenset[str]]
    Config: ClassVar[type[Any]] = NoSettings

    def __init__(self, task: Task, *, seed: int = 0, prior: Prior = "written", config: Any = None) -> None:
        self.task, self.seed = task, seed
        self.prior: Prior = prior
        self.config = self.Config() if config is None else config
        self._records = FeedbackBuffer(task)
        self._raters: dict[str, str] = {}
        self._seq = self._learned_seq = self._step = 0

    def observe(self, seq: int, records: Sequence[Record]) -> None:
        self._seq = max(self._seq, seq)
        self._records.add(records)

    def standing_records(self) -> list[Record]:
        """The records of its kinds that were not taken back."""
        return [r for r in standing(self._records.values()) if kind_of(r) in self.kinds]

    @property
    def raters(self) -> dict[str, str]:
        """Who gave a record, by its id: filled by whoever runs the learner."""
        return self._raters

    def follow(self, rater: str) -> None:  # noqa: B027
        """Learn what this rater wants, where raters want different things. Most learners can't tell."""

    def query(self, clips: int = 2) -> Question | None:
        return None

    def suggest(self) -> Suggestion | None:
        return None

    @property
    def algorithm(self) -> Any:
        """The model of Stable-Baselines3 that it trains, None where there is none."""
        return None

    @abstractmethod
    def step(self) -> bool: ...

    @abstractmethod
    def snapshot(self) -> Snapshot: ...

    @abstractmethod
    def save(self, folder: Path) -> None: ...

    @abstractmethod
    def load(self, folder: Path) -> None: ...
