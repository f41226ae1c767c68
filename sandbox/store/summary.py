"""What a store holds, at a glance: enough for a list of sessions, with nothing heavy imported."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from sandbox.store.store_errors import StoreError, explain, not_a_store_error

APPLICATION_ID = 0x54424F58  # "TBOX" in the SQLite header


class RecordSummary(NamedTuple):
    """A record without its trajectories. target: of an undo, the id of what it takes back.

    rater: the random id of who said it.
    """

    seq: int
    id: str
    kind: str
    target: str | None
    rater: str = ""


def standing_summaries(lines: Sequence[RecordSummary]) -> list[RecordSummary]:
    """The lines of records that were not taken back, in order, without the undos."""
    undone = {line.target for line in lines if line.kind == "undo"}
    return [line for line in lines if line.kind != "undo" and line.id not in undone]


def read_only(path: Path, timeout: float) -> sqlite3.Connection:
    """A connection that can't write. timeout: how long to wait for another program's lock [s]."""
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    return sqlite3.connect(uri, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False)


def count_standing(path: Path) -> dict[str, int]:
    """How many standing records of each kind a store holds; reads no trajectories.

    Raises StoreError for a missing, foreign or damaged file.
    """
    if not path.is_file():
        raise StoreError(f"there is no store {path}: put back a backup of it, or start a new session.")
    try:
        with closing(read_only(path, timeout=0.5)) as connection:
            (mark,) = connection.execute("PRAGMA application_id").fetchone()
            if mark != APPLICATION_ID:
                raise not_a_store_error(path)
            rows = connection.execute("SELECT seq, id, kind, target FROM record ORDER BY seq").fetchall()
    except sqlite3.Error as error:
        raise explain(error, path) from error
    return dict(Counter(line.kind for line in standing_summaries([RecordSummary(*row) for row in rows])))
