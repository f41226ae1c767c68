"""The ledger of everything a person did: append-only, and durable before the screen says "saved".

One thread writes, on one connection, so that the window never waits for the disk. A record whose
commit fails stays queued and is tried again until it is saved; `trouble` says why it is not yet.
"""

from __future__ import annotations

import atexit
import logging
from collections import Counter, deque
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Condition, Thread
from time import monotonic
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError

from agents.feedback.records import Record
from sandbox.store.backend import Backend, backend_of
from sandbox.store.codec import EncodedRecord, encode
from sandbox.store.lock import FolderLock
from sandbox.store.outbox import Outbox
from sandbox.store.provenance import Provenance
from sandbox.store.reader import Reader
from sandbox.store.sqlite import IO_ERRORS
from sandbox.store.store_errors import StoreError
from sandbox.store.summary import RecordSummary, standing_summaries
from sandbox.store.writer import insert

log = logging.getLogger(__name__)
_BATCH = 64


@dataclass(eq=False)
class _Pending:
    record: Record
    provenance: Provenance
    future: Future[int]
    encoded: EncodedRecord | None = None
    in_outbox: bool = False  # in the outbox


class Store:
    """One store, open for writing. Make it with `Store.open`."""

    def __init__(
        self, place: Backend, lock: FolderLock | None, retry_seconds: float, outbox: Outbox | None
    ) -> None:
        self.backend, self._lock, self._retry, self._outbox = place, lock, retry_seconds, outbox
        self._identity = place.identity()
        self._queue: deque[_Pending] = deque()
        self._wake_up: SimpleQueue[None] = (
            SimpleQueue()
        )  # rung without a lock: the window never waits for one
        self._done = Condition()
        self._deadline: float | None = None  # set by close
        self.error: str | None = None
        """Why the queued records are not saved yet, as a sentence; None while all is well."""
        self._reader = Reader(place)
        self._thread = Thread(target=self._run, name="store", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @classmethod
    def open(
        cls,
        where: Backend | Path | str,
        *,
        create: bool = True,
        lock: Path | None = None,
        retry_seconds: float = 1.0,
        outbox: Path | None = None,
    ) -> Store:
        """Open the store at a path or a URL (sqlite:///, postgresql+psycopg://), and make it if `create`.

        lock: held while it is open, where the place has no lock of its own. outbox: a folder for what a
        server can't take now; what an earlier process has left there is sent first. Raises StoreError with
        a sentence: open in another process, foreign, damaged, newer, unwritable, out of reach.
        """
        place = backend_of(where)
        path = place.lock or lock
        held = FolderLock(path) if path is not None and path.parent.is_dir() else None
        try:
            place.prepare(create)
            box = Outbox(outbox) if outbox is not None and place.lock is None else None
            if box is not None:
                box.send(place)
            return cls(place, held, retry_seconds, box)
        except BaseException:
            if held is not None:
                held.release()
            raise

    def append(self, record: Record, provenance: Provenance) -> Future[int]:
        """Queue a record; the future gives its seq after the commit, and not before.

        The same record (by id) appended again gives the same seq. The future fails with StoreError
        only for what can never be saved: an id used twice for different content, a NaN.
        """
        if self._deadline is not None:
            raise StoreError(f"{self.backend.name} is closed: open the session again.")
        future: Future[int] = Future()
        self._queue.append(_Pending(record, provenance, future))
        self._wake_up.put(None)
        return future

    @property
    def unsaved(self) -> int:
        """How many records wait for their commit."""
        return len(self._queue)

    @property
    def outbox_count(self) -> int:
        """How many of them are on this machine's disk meanwhile, and will be sent."""
        return sum(pending.in_outbox for pending in list(self._queue))

    def records(self, after: int = 0) -> list[tuple[int, Record]]:
        """The saved records with seq > `after`, in order."""
        return self._reader.records(after)

    def record_summaries(self) -> list[RecordSummary]:
        """All saved records in order, without trajectories."""
        return self._reader.record_summaries()

    def world(self) -> tuple[str, dict[str, Any]] | None:
        """Task and options of the first trajectory, None while there is none."""
        return self._reader.world()

    def counts(self) -> dict[str, int]:
        """Standing records by kind."""
        return dict(Counter(line.kind for line in standing_summaries(self.record_summaries())))

    def flush(self, timeout: float) -> bool:
        """Wait until all is saved, at most `timeout` seconds; whether it is."""
        end = monotonic() + timeout
        self._wake_up.put(None)
        with self._done:
            return self._done.wait_for(lambda: not self._queue, max(0.0, end - monotonic()))

    def close(self, timeout: float = 5.0) -> int:
        """Save what is queued, at most `timeout` seconds, and let go.

        How many records are neither saved nor in the outbox, which then are lost.
        """
        self._reader.close()  # first, so that the writer's goodbye can empty the write-ahead log
        if self._deadline is None:
            self._deadline = monotonic() + timeout
        self._wake_up.put(None)
        self._thread.join(timeout + 10.0)
        self._save_to_outbox()  # what came while its server did not answer
        for pending in self._queue:
            if not pending.future.done():
                pending.future.set_exception(StoreError(self.error or f"{self.backend.name} was closed."))
        if self._lock is not None:
            self._lock.release()
        atexit.unregister(self.close)
        return len(self._queue) - self.outbox_count

    # The writer's thread, from here on.

    def _run(self) -> None:
        connection: Connection | None = None
        engine = self.backend.writing()
        while True:
            try:
                batch = self._next_batch()
                if not batch:
                    break
                if self.backend.identity() != self._identity:
                    raise StoreError(f"{self.backend.name} was moved or deleted while in use: put it back.")
                if self.error:
                    self._save_to_outbox()  # to reach a server may take long
                connection = connection or engine.connect()
                self._saved(_commit(connection, batch, self.backend.blob_folder))
            except Exception as error:  # whatever it is, the records stay queued and are tried again
                log.debug("commit failed", exc_info=error)
                _drop(connection)
                connection = None
                self._save_to_outbox()
                self._wait(self.backend.explain(error))
        _drop(connection)
        engine.dispose()

    def _next_batch(self) -> list[_Pending]:
        """The next records to save, encoded; empty when closing and there is nothing left to do."""
        while True:
            closing = self._deadline is not None  # before looking: what was appended until then is seen
            if not self._queue and not closing:
                self._wait_for_wake_up(None)
                continue
            if not self._queue or (self.error and self._is_past_deadline()):
                return []
            batch = [self._queue[i] for i in range(min(_BATCH, len(self._queue)))]
            for pending in batch:
                self._encode(pending)
            self._remove_pending([pending for pending in batch if pending.future.done()])
            if good := [pending for pending in batch if not pending.future.done()]:
                return good

    def _is_past_deadline(self) -> bool:
        safe = self._outbox is not None and self.outbox_count == len(self._queue)
        return self._deadline is not None and (safe or monotonic() >= self._deadline)

    def _save_to_outbox(self) -> None:
        """Put what is queued into the outbox, if there is one that can be written."""
        new = [pending for pending in list(self._queue) if not pending.in_outbox]
        if self._outbox is None or not new:
            return
        for pending in new:
            self._encode(pending)
        new = [pending for pending in new if pending.encoded is not None]
        try:
            self._outbox.add((one.encoded, one.provenance) for one in new if one.encoded is not None)
        except (StoreError, *IO_ERRORS) as error:
            log.debug("the outbox can't be written", exc_info=error)
            return
        for pending in new:
            pending.in_outbox = True

    def _encode(self, pending: _Pending) -> None:
        try:
            pending.encoded = pending.encoded or encode(pending.record)
        except Exception as error:  # whatever it is, it must not end the writer
            pending.future.set_exception(StoreError(f"this can't be kept in {self.backend.name}: {error}."))

    def _wait(self, why: StoreError) -> None:
        self.error = str(why)
        self._wait_for_wake_up(self._retry if self._deadline is None else min(self._retry, 0.2))

    def _wait_for_wake_up(self, seconds: float | None) -> None:
        """Wait for the bell, at most so long; however often it was rung, it is one call."""
        with suppress(Empty):
            self._wake_up.get(timeout=seconds)
            while True:
                self._wake_up.get_nowait()

    def _saved(self, saved: list[tuple[_Pending, int | StoreError]]) -> None:
        self.error = None  # before anybody hears that it is saved
        for pending, result in saved:
            if isinstance(result, int):
                pending.future.set_result(result)
            else:
                pending.future.set_exception(result)
        self._remove_pending([pending for pending, _ in saved])
        if (
            self._outbox is not None
            and not self.outbox_count
            and any(pending.in_outbox for pending, _ in saved)
        ):
            self._outbox.clear()

    def _remove_pending(self, done: list[_Pending]) -> None:
        with self._done:
            for pending in done:
                self._queue.remove(pending)
            self._done.notify_all()


def _commit(
    connection: Connection, batch: list[_Pending], folder: Path | None
) -> list[tuple[_Pending, int | StoreError]]:
    """Save a batch in one transaction; what each of them came to."""
    try:
        with connection.begin():
            found: list[tuple[_Pending, int | StoreError]] = []
            for pending in batch:
                assert pending.encoded is not None
                found.append((pending, insert(connection, pending.encoded, pending.provenance, folder)))
            return found
    except (IntegrityError, DataError) as error:
        if len(batch) == 1:
            return [(batch[0], StoreError(f"this can't be kept: {error.orig}."))]
        return [result for pending in batch for result in _commit(connection, [pending], folder)]


def _drop(connection: Connection | None) -> None:
    """Close a connection that may be in any state."""
    if connection is not None:
        try:
            connection.close()
        except Exception as error:
            log.debug("closing failed", exc_info=error)
