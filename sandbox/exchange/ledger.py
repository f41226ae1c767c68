"""What is exchanged: the records of a session, each with where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.feedback.records import Record
from sandbox.session.folder import STORE, SessionError, SessionFile
from sandbox.store.provenance import Provenance

ProgressCallback = Callable[[float, str], None]
"""tell(share done in 0..1, what is going on)"""


def no_progress(share: float, text: str) -> None:
    """A Tell that tells nobody."""


@dataclass(frozen=True)
class Entry:
    """A record and where it comes from."""

    record: Record
    provenance: Provenance


@dataclass(frozen=True)
class Ledger:
    """The records of one world, in the order in which they were saved."""

    world: str
    options: Mapping[str, Any] = field(default_factory=dict)
    entries: Sequence[Entry] = ()


def read_session(folder: Path, tell: ProgressCallback = no_progress) -> Ledger:
    """All records of the session in `folder`, taken-back ones and the undos among them.

    Reads only, also while a window has the session open. Raises SessionError or StoreError.
    """
    from sandbox.store import Reader

    facts = SessionFile.read(folder)
    if facts is None:
        raise SessionError(f"there is no session in {folder}: give the folder of one.")
    reader = Reader(facts.store or folder / STORE)
    try:
        total, after = reader.latest_seq(), 0
        found: list[tuple[int, Record]] = []
        while some := reader.records(after, limit=200):
            found += some
            after = some[-1][0]
            tell(after / max(total, 1), "reading the session")
        known = reader.provenance_by_id()
    finally:
        reader.close()
    return Ledger(facts.world, dict(facts.options), [Entry(r, known[r.id]) for _, r in found])
