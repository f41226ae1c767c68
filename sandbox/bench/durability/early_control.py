"""The control of the real window's trial: the same window, which says "saved" before the disk has it.

The disk is slow by a delay before each commit, or there would hardly be a moment between the two.
"honest" in place of "early" is the real window on the same slow disk, which must lose nothing.
"""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import Any

from sqlalchemy import Engine, event

from sandbox.store import Store
from sandbox.store.sqlite import SQLiteBackend

COMMIT_SECONDS = 0.3


def slow_disk() -> None:
    """Each commit takes its time from now on."""
    quick = SQLiteBackend.writing

    def writing(place: SQLiteBackend) -> Engine:
        engine = quick(place)
        event.listen(engine, "commit", lambda connection: time.sleep(COMMIT_SECONDS))
        return engine

    SQLiteBackend.writing = writing  # type: ignore[assignment, method-assign]


def acknowledge_early() -> None:
    """A store tells at once the number that a record is going to have."""
    append = Store.append
    told = dict[int, int]()

    def boast(store: Store, *said: Any) -> Future[int]:
        lines = store.record_summaries() if id(store) not in told else []
        told[id(store)] = told.get(id(store), lines[-1].seq if lines else 0) + 1
        append(store, *said)
        early = Future[int]()
        early.set_result(told[id(store)])
        return early

    Store.append = boast  # type: ignore[assignment, method-assign]
