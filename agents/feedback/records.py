"""What a person said, as lossless records. No torch here: the window and the store use these.

Every record is a choice that says something about what the person wants (reward-rational choice,
Jeon, Milli and Dragan 2020). Records are never changed; Undo is a record of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal
from uuid import uuid4

from envs.trajectory import Trajectory

Verdict = Literal["ranked", "cant_tell", "skipped"]


def new_id() -> str:
    """A fresh random id. It is made before the record is saved, so that saving it twice is noticed."""
    return uuid4().hex


@dataclass(frozen=True)
class Demonstration:
    """A drive that the person kept."""

    trajectory: Trajectory
    id: str = field(default_factory=new_id)


@dataclass(frozen=True)
class Evaluation:
    """A + or - pressed while the agent acted.

    segment: the steps on screen up to the press, newest last (about 2 s of them). value: -2, -1, 1
    or 2. delay_steps: how long before the press the last step of the segment came on screen [steps].
    rate: how fast it was shown [steps/s], 0 for the world's own pace; people react in seconds.
    """

    segment: Trajectory
    value: float
    delay_steps: float = 0.0
    rate: float = 0.0
    id: str = field(default_factory=new_id)


@dataclass(frozen=True)
class Comparison:
    """Two or more clips put in order.

    ranks[i] is clip i's place, 0 the best; equal numbers are ties. With verdict "cant_tell" or
    "skipped" ranks is empty: kept, and nothing is trained on it.
    """

    clips: tuple[Trajectory, ...]
    ranks: tuple[int, ...]
    verdict: Verdict = "ranked"
    question: str = ""
    seconds: float = 0.0
    id: str = field(default_factory=new_id)

    def __post_init__(self) -> None:
        wanted = len(self.clips) if self.verdict == "ranked" else 0
        if len(self.clips) < 2 or len(self.ranks) != wanted:
            raise ValueError(
                f"a {self.verdict} comparison of {len(self.clips)} clips needs {wanted} ranks, "
                f"not {self.ranks}"
            )


@dataclass(frozen=True)
class Correction:
    """The person took over: both start at the same moment; `person` is preferred to `agent`."""

    agent: Trajectory
    person: Trajectory
    id: str = field(default_factory=new_id)


@dataclass(frozen=True)
class Undo:
    """Takes back an earlier record. That record stays in the store."""

    target: str
    id: str = field(default_factory=new_id)


Record = Demonstration | Evaluation | Comparison | Correction | Undo


def kind_of(record: Record) -> str:
    """The record's kind as the store and the screen name it."""
    return type(record).__name__.lower()


def active_records(records: Iterable[Record]) -> list[Record]:
    """The records that were not taken back, in order, without Undo records."""
    kept = list(records)
    undone = {record.target for record in kept if isinstance(record, Undo)}
    return [r for r in kept if not isinstance(r, Undo) and r.id not in undone]


def count_by_kind(records: Iterable[Record]) -> dict[str, int]:
    """How many records of each kind."""
    kinds = [kind_of(record) for record in records]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


@dataclass(frozen=True)
class Question:
    """Clips to be put in order. same_start: they begin at the same moment."""

    clips: tuple[Trajectory, ...]
    same_start: bool = True
    about: str = ""
    id: str = field(default_factory=new_id)


@dataclass(frozen=True)
class Suggestion:
    """What to ask for.

    kind: the name of a FeedbackKind. clips: of a comparison, else 0. gain: expected [nats]. seconds: of the
    person's time.
    """

    kind: str
    clips: int
    gain: float
    seconds: float
