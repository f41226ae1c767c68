"""The ledger of everything a person did: append-only, and durable before the screen says "saved".

One thread writes, on one connection, so that the window never waits for the disk. A record whose
commit fails stays queued and is tried again until it is saved; `trouble` says why it is not yet.
"""

from __future__ import annotations

import atexit
import logging
from collections import Counter, deque
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Thread
from time import monotonic

from sqlalchemy import Connection, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, IntegrityError

from agents.feedback import Record
from sandbox.store import schema
from sandbox.store.codec import Encoded, encode
from sandbox.store.engine import prepare, writing_engine
from sandbox.store.lock import FolderLock
from sandbox.store.outline import Line, standing_lines
from sandbox.store.provenance import Provenance
from sandbox.store.read import Reader
from sandbox.store.trouble import StoreError, explain

log = logging.getLogger(__name__)
_BATCH = 64


@dataclass(eq=False)
class _Pending:
    record: Record
    provenance: Provenance
    future: Future[int]
    encoded: Encoded | None = None


class Store:
    """One store, open for writing. Make it with `Store.open`."""

    def __init__(self, path: Path, lock: FolderLock, retry_seconds: float) -> None:
        self.path, self._lock, self._retry = path, lock, retry_seconds
        self._identity = _inode(path)
        self._queue: deque[_Pending] = deque()
        self._wake = Condition()
        self._deadline: float | None = None  # set by close
        self.trouble: str | None = None
        """Why the queued records are not saved yet, as a sentence; None while all is well."""
        self._reader = Reader(path)
        self._thread = Thread(target=self._run, name="store", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @classmethod
    def open(cls, where: Path | str, *, create: bool = True, retry_seconds: float = 1.0) -> Store:
        """Open the store at a path or a `sqlite:///` URL, and make it if `create`.

        Raises StoreError with a sentence: open in another process, foreign, damaged, newer, unwritable.
        """
        path = _path(where)
        lock = FolderLock(path.parent / "lock") if path.parent.is_dir() else None
        try:
            prepare(path, create)
            assert lock is not None
            return cls(path, lock, retry_seconds)
        except BaseException:
            if lock is not None:
                lock.release()
            raise

    def append(self, record: Record, provenance: Provenance) -> Future[int]:
        """Queue a record; the future gives its seq after the commit, and not before.

        The same record (by id) appended again gives the same seq. The future fails with StoreError
        only for what can never be saved: an id used twice for different content, a NaN.
        """
        future: Future[int] = Future()
        with self._wake:
            if self._deadline is not None:
                raise StoreError(f"{self.path} is closed: open the session again.")
            self._queue.append(_Pending(record, provenance, future))
            self._wake.notify()
        return future

    @property
    def unsaved(self) -> int:
        """How many records wait for their commit."""
        return len(self._queue)

    def records(self, after: int = 0) -> list[tuple[int, Record]]:
        """The saved records with seq > `after`, in order."""
        return self._reader.records(after)

    def outline(self) -> list[Line]:
        """All saved records in order, without trajectories."""
        return self._reader.outline()

    def counts(self) -> dict[str, int]:
        """Standing records by kind."""
        return dict(Counter(line.kind for line in standing_lines(self.outline())))

    def flush(self, timeout: float) -> bool:
        """Wait until all is saved, at most `timeout` seconds; whether it is."""
        end = monotonic() + timeout
        with self._wake:
            self._wake.notify()
            return self._wake.wait_for(lambda: not self._queue, max(0.0, end - monotonic()))

    def close(self, timeout: float = 5.0) -> int:
        """Save what is queued, at most `timeout` seconds, and let go. How many records are not saved."""
        self._reader.close()  # first, so that the writer's goodbye can empty the write-ahead log
        with self._wake:
            if self._deadline is None:
                self._deadline = monotonic() + timeout
            self._wake.notify()
        self._thread.join(timeout + 10.0)
        for pending in self._queue:
            if not pending.future.done():
                pending.future.set_exception(StoreError(self.trouble or f"{self.path} was closed."))
        self._lock.release()
        atexit.unregister(self.close)
        return len(self._queue)

    # The writer's thread, from here on.

    def _run(self) -> None:
        connection: Connection | None = None
        engine = writing_engine(self.path)
        while True:
            try:
                batch = self._next()
                if not batch:
                    break
                if _inode(self.path) != self._identity:
                    raise StoreError(f"{self.path} was moved or deleted while in use: put it back.")
                connection = connection or engine.connect()
                self._saved(_commit(connection, batch))
            except Exception as error:  # whatever it is, the records stay queued and are tried again
                log.debug("commit failed", exc_info=error)
                _drop(connection)
                connection = None
                self._wait(explain(error, self.path))
        _drop(connection)
        engine.dispose()

    def _next(self) -> list[_Pending]:
        """The next records to save, encoded; empty when closing and there is nothing left to do."""
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._queue or self._deadline is not None)
                if not self._queue or (self._deadline is not None and self.trouble and self._late()):
                    return []
                batch = [self._queue[i] for i in range(min(_BATCH, len(self._queue)))]
            for pending in batch:
                self._encode(pending)
            self._forget([pending for pending in batch if pending.future.done()])
            if good := [pending for pending in batch if not pending.future.done()]:
                return good

    def _late(self) -> bool:
        return self._deadline is not None and monotonic() >= self._deadline

    def _encode(self, pending: _Pending) -> None:
        try:
            pending.encoded = pending.encoded or encode(pending.record)
        except Exception as error:  # whatever it is, it must not end the writer
            pending.future.set_exception(StoreError(f"this can't be kept in {self.path}: {error}."))

    def _wait(self, why: StoreError) -> None:
        with self._wake:
            self.trouble = str(why)
            self._wake.wait(self._retry if self._deadline is None else min(self._retry, 0.2))

    def _saved(self, saved: list[tuple[_Pending, int | StoreError]]) -> None:
        for pending, result in saved:
            if isinstance(result, int):
                pending.future.set_result(result)
            else:
                pending.future.set_exception(result)
        self.trouble = None
        self._forget([pending for pending, _ in saved])

    def _forget(self, done: list[_Pending]) -> None:
        with self._wake:
            for pending in done:
                self._queue.remove(pending)
            self._wake.notify_all()


def _commit(connection: Connection, batch: list[_Pending]) -> list[tuple[_Pending, int | StoreError]]:
    """Save a batch in one transaction; what each of them came to."""
    try:
        with connection.begin():
            return [(pending, _insert(connection, pending)) for pending in batch]
    except (IntegrityError, DataError) as error:
        if len(batch) == 1:
            return [(batch[0], StoreError(f"this can't be kept: {error.orig}."))]
        return [result for pending in batch for result in _commit(connection, [pending])]


def _insert(connection: Connection, pending: _Pending) -> int | StoreError:
    item, origin = pending.encoded, pending.provenance
    assert item is not None
    table = schema.record
    known = connection.execute(select(table.c.seq, table.c.digest).where(table.c.id == item.id)).first()
    if known is not None:  # a retry: it was committed, but nobody heard of it
        if known.digest == item.digest:
            return int(known.seq)
        return StoreError(f"the id {item.id} is taken by other content: give each record an id of its own.")
    result = connection.execute(table.insert().values(**_row(item, origin)))
    for part in item.clips:
        where = schema.trajectory.c.digest == part.digest
        if connection.execute(select(schema.trajectory.c.steps).where(where)).first() is None:
            values = {"digest": part.digest, "steps": part.steps, "size": len(part.content)}
            connection.execute(schema.trajectory.insert().values(**values, content=part.content))
        link = {"record_id": item.id, "role": part.role, "place": part.place, "trajectory": part.digest}
        connection.execute(schema.clip.insert().values(**link))
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])


def _row(item: Encoded, origin: Provenance) -> dict[str, object]:
    order = origin.side_order
    return {
        "id": item.id,
        "kind": item.kind,
        "body": item.body,
        "digest": item.digest,
        "target": item.target,
        "task": item.task,
        "rater": origin.rater,
        "said_at": origin.said_at,
        "reaction_seconds": origin.reaction_seconds,
        "question": origin.question,
        "side_order": None if order is None else str(list(order)),
        "policy": origin.policy,
        "program": origin.program,
    }


def _drop(connection: Connection | None) -> None:
    """Close a connection that may be in any state."""
    if connection is not None:
        try:
            connection.close()
        except Exception as error:
            log.debug("closing failed", exc_info=error)


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def _path(where: Path | str) -> Path:
    if isinstance(where, str) and "://" in where:
        url = make_url(where)
        if url.get_backend_name() != "sqlite" or not url.database:
            raise StoreError(f"a store at {where} is not supported: give a path or a sqlite:/// URL.")
        return Path(url.database)
    return Path(where)
