"""Where the records of a store come from: the columns beside them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from sandbox.store.outline import read_only
from sandbox.store.provenance import Provenance
from sandbox.store.trouble import explain

COLUMNS = "rater, program, reaction_seconds, question, side_order, policy, said_at"


def origins(path: Path) -> dict[str, Provenance]:
    """Record id -> where it comes from. StoreError if the store can't be read."""
    try:
        with closing(read_only(path, timeout=5.0)) as connection:
            rows = connection.execute(f"SELECT id, {COLUMNS} FROM record").fetchall()  # noqa: S608
    except sqlite3.Error as error:
        raise explain(error, path) from error
    found = {}
    for id, rater, program, reaction, question, order, policy, said_at in rows:
        side_order = None if order is None else tuple(json.loads(order))
        found[id] = Provenance(rater, program, reaction, question, side_order, policy, said_at)
    return found
