"""What learners have in common: the records they were given, and defaults for what few of them do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from agents.feedback.feedback_validation import FeedbackBuffer
from agents.feedback.records import Question, Record, Suggestion, kind_of, standing
from agents.snapshot import Snapshot
from envs.world import Task


class BaseLearner(ABC):
    """A learner that keeps its records and, unless it says otherwise, asks nothing and suggests nothing.

    Subclasses choose `name` and `kinds`, and write `step`, `snapshot`, `save` and `load`. `Config` is the
    frozen dataclass of their settings; None: they have none.
    """

    name: ClassVar[str]
    kinds: ClassVar[frozenset[str]]
    Config: ClassVar[type[Any] | None] = None

    def __init__(self, task: Task, *, seed: int = 0, prior: str = "written", config: Any = None) -> None:
        """prior: "written", the policy may begin at the proxy reward; "none", it begins at nothing."""
        self.task, self.seed, self.prior = task, seed, prior
        self.config = self.Config() if config is None and self.Config is not None else config
        self._records = FeedbackBuffer(task)
        self._raters: dict[str, str] = {}
        self._seq = self._learned_seq = self._step = 0

    @classmethod
    def from_settings(cls, task: Task, seed: int, prior: str, settings: Mapping[str, Any]) -> Self:
        """A fresh learner; settings: fields of its `Config`."""
        config = None if cls.Config is None else cls.Config(**settings)
        return cls(task, seed=seed, prior=prior, config=config)

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
