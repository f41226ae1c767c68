"""The contract of every learner: observe, step, query, snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Protocol

from agents.feedback import Question, Record
from agents.snapshot import Snapshot


class Learner(Protocol):
    """Learns from feedback in short steps, so that a loop around it stays responsive.

    The same loop runs live (a person in front), headless (a synthetic teacher) and in tests.
    """

    name: ClassVar[str]
    kinds: ClassVar[frozenset[str]]
    """The kinds of record that it learns from; others are kept and counted, never an error."""

    def observe(self, seq: int, records: Sequence[Record]) -> None:
        """Take in new records (Undo among them); `seq` is the newest one's number in the store."""
        ...

    def step(self) -> bool:
        """One short burst of learning (at most about half a second). False: nothing to do now."""
        ...

    def query(self, clips: int = 2) -> Question | None:
        """A question worth asking now, or None when it has none yet."""
        ...

    def snapshot(self) -> Snapshot:
        """Itself as plain arrays; cheap."""
        ...

    def save(self, folder: Path) -> None:
        """Write a checkpoint (JSON + safetensors) from which `load` continues; atomic."""
        ...

    def load(self, folder: Path) -> None:
        """Continue from a checkpoint. ValueError, with a sentence, if it is not one of ours."""
        ...
