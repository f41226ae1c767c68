"""The contract of every learner: how one is made, and all that its callers ask of it. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from agents.feedback.records import Question, Record, Suggestion
from agents.snapshot import PolicyEvaluator, Snapshot
from envs.world import Task

Prior = Literal["written", "none"]
"""What the policy is trained on first: the proxy reward ("written"), or nothing."""
PHASES_BEFORE_QUERIES = frozenset({"learning from the written reward", "exploring before the first question"})
"""Phases in which it is too early to ask: the agent's behaviour is not worth comparing yet."""


class Learner(Protocol):
    """Learns from feedback in short steps, so that a loop around it stays responsive.

    The same loop runs live (a person in front), headless (a synthetic teacher) and in tests.
    `agents.learners.base_learner.BaseLearner` has defaults for what few learners do.
    """

    name: ClassVar[str]
    kinds: ClassVar[frozenset[str]]
    """The kinds of record that it learns from; others are kept and counted, never an error."""
    Config: ClassVar[type[Any]]
    """Its settings: a frozen dataclass, all of whose fields have defaults."""

    def __init__(self, task: Task, *, seed: int = 0, prior: Prior = "written", config: Any = None) -> None:
        """config: a `Config`; None: one with the defaults."""
        ...

    evaluate: PolicyEvaluator | None
    """What else its curves show of a policy, set by whoever runs the learner. Nothing is learned from it:
    it may read the true reward."""

    @property
    def raters(self) -> dict[str, str]:
        """Who gave a record, by its id: filled by whoever runs the learner, before `observe`."""
        ...

    def follow(self, rater: str) -> None:
        """Learn what this rater wants, where raters want different things.

        rater: one of the values of `raters`; "": the learner chooses. A learner that cannot tell raters
        apart does nothing.
        """
        ...

    def observe(self, seq: int, records: Sequence[Record]) -> None:
        """Take in new records (Undo among them); `seq` is the newest one's number in the store.

        A record whose id is known already is passed over: after `load`, and after a restart, all
        records are observed again. With no records only `seq` moves on.
        """
        ...

    def step(self) -> bool:
        """One short burst of learning (at most about half a second). False: nothing to do now."""
        ...

    def query(self, clips: int = 2) -> Question | None:
        """A question worth asking now, or None when it has none yet."""
        ...

    def suggest(self) -> Suggestion | None:
        """The kind of feedback that would tell most for each second of the person's time, if it knows."""
        ...

    @property
    def algorithm(self) -> Any:
        """The model of Stable-Baselines3 that it trains, None where there is none."""
        ...

    def snapshot(self) -> Snapshot:
        """Itself as plain arrays; cheap."""
        ...

    def save(self, folder: Path) -> None:
        """Write a checkpoint (JSON + safetensors) into an empty folder, from which `load` continues.

        The caller makes it atomic by giving a new folder each time. Feedback need not be in it.
        """
        ...

    def load(self, folder: Path) -> None:
        """Continue from a checkpoint. ValueError, with a sentence, if it is not one of ours."""
        ...
