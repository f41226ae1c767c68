"""What was read and checked goes into a session's store, with its own ids: twice is once."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from envs.task_catalog import task
from envs.world import Task
from sandbox.exchange.ledger import Ledger, ProgressCallback, no_progress
from sandbox.exchange.state_validation import InvalidRecord, check_ledger, task_of_file
from sandbox.session.folder import SessionFile
from sandbox.session.opening import DEFAULT_LEARNER, open_parts
from sandbox.session.session_options import SessionOptions

if TYPE_CHECKING:
    from sandbox.store import Store

PATIENCE = 60.0  # for the disk [s]
AT_ONCE = 500


@dataclass(frozen=True)
class ImportReport:
    """How many records are new in the session, and how many it had already."""

    saved: int
    known: int


def session_task(folder: Path) -> Task | None:
    """The world of the session in `folder`; None if there is no session yet."""
    facts = SessionFile.read(folder)
    return None if facts is None else task(facts.world, **facts.options)


def save_records(
    ledger: Ledger, folder: Path, rater: str, tell: ProgressCallback = no_progress
) -> ImportReport:
    """Check all of `ledger` against the world of the session in `folder`, then save it there.

    A new session is made if there is none. Raises InvalidRecord before anything is saved.
    """
    world = session_task(folder)
    fresh = world is None
    if world is None:
        world = task_of_file(ledger.world, ledger.options)
    elif ledger.world != world.id:
        raise InvalidRecord(
            f"the file is about {ledger.world!r}, and the session {folder} is in {world.id}: "
            "choose a session in that world, or a new folder."
        )
    check_ledger(ledger, world, lambda share, text: tell(share / 2, text))
    options = SessionOptions(
        world=ledger.world,
        learner=DEFAULT_LEARNER if fresh else None,
        rater=rater,
        options=dict(world.options) if fresh else None,
    )
    parts = open_parts(folder, options)
    try:
        known = {line.id for line in parts.store.record_summaries()}
        _save(ledger, parts.store, lambda share, text: tell(0.5 + share / 2, text))
    finally:
        parts.store.close()
    new = sum(entry.record.id not in known for entry in ledger.entries)
    return ImportReport(new, len(ledger.entries) - new)


def _save(ledger: Ledger, store: Store, tell: ProgressCallback) -> None:
    entries = list(ledger.entries)
    for start in range(0, len(entries), AT_ONCE):
        some = entries[start : start + AT_ONCE]
        futures: list[Future[int]] = [store.append(one.record, one.provenance) for one in some]
        for future in futures:
            future.result(PATIENCE)
        tell((start + len(some)) / len(entries), "saving records")
