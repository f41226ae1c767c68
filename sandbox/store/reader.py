"""Reading a store: for the learner process and for whoever lists sessions. Never writes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, func, select

from agents.feedback.records import Record
from envs.trajectory import Trajectory
from sandbox.store import blobs
from sandbox.store.backend import Backend, backend_of
from sandbox.store.codec import CodecError, decode, decode_trajectory
from sandbox.store.provenance import Provenance
from sandbox.store.schema import clip, record, trajectory
from sandbox.store.sqlite import IO_ERRORS
from sandbox.store.store_errors import damaged
from sandbox.store.summary import RecordSummary

T = TypeVar("T")
_CHUNK = 200


class Reader:
    """A read-only connection to a store that other threads, processes or machines may be writing."""

    def __init__(self, where: Backend | Path | str) -> None:
        """Raises StoreError if there is no readable store there."""
        self.backend = backend_of(where)
        self.backend.check_schema()
        self._engine = self.backend.reading()
        self._connection: Connection | None = None
        self._query(lambda connection: None)

    def latest_seq(self) -> int:
        """The highest seq, 0 for an empty store; about 0.1 ms."""
        return self._query(lambda connection: int(connection.scalar(select(func.max(record.c.seq))) or 0))

    def record_summaries(self) -> list[RecordSummary]:
        """All records in order, without trajectories."""
        columns = (record.c.seq, record.c.id, record.c.kind, record.c.target, record.c.rater)
        rows = self._query(
            lambda connection: connection.execute(select(*columns).order_by(record.c.seq)).all()
        )
        return [RecordSummary(*row) for row in rows]

    def records(self, after: int = 0, limit: int | None = None) -> list[tuple[int, Record]]:
        """The records with seq > `after`, in order, with their seq. StoreError if one can't be read."""
        return self._query(lambda connection: self._records(connection, after, limit))

    def provenance_by_id(self) -> dict[str, Provenance]:
        """Where each record comes from, by its id."""
        names = ("rater", "program", "reaction_seconds", "question", "side_order", "policy", "said_at")
        columns = [record.c[name] for name in names]
        rows = self._query(lambda connection: connection.execute(select(record.c.id, *columns)).all())
        found = {}
        for id, rater, program, seconds, question, order, policy, said_at in rows:
            sides = None if order is None else tuple(json.loads(order))
            found[id] = Provenance(rater, program, seconds, question, sides, policy, said_at)
        return found

    def world(self) -> tuple[str, dict[str, Any]] | None:
        """Task and options of the first trajectory, None while there is none."""
        columns = (trajectory.c.digest, trajectory.c.content, trajectory.c.place)
        query = select(*columns).join(clip).join(record).order_by(record.c.seq).limit(1)
        row = self._query(lambda connection: connection.execute(query).first())
        if row is None:
            return None
        try:
            found = decode_trajectory(trajectory_bytes(row, self.backend.blob_folder))
        except CodecError as error:
            raise damaged(self.backend.name, str(error)) from error
        return found.task, dict(found.options)

    def close(self) -> None:
        self._drop()
        self._engine.dispose()

    def _records(self, connection: Connection, after: int, limit: int | None) -> list[tuple[int, Record]]:
        found: list[tuple[int, Record]] = []
        while limit is None or len(found) < limit:
            size = _CHUNK if limit is None else min(_CHUNK, limit - len(found))
            some = _read(connection, after, size, self.backend.blob_folder)
            found += some
            if len(some) < size:
                break
            after = some[-1][0]
        return found

    def _query(self, question: Callable[[Connection], T]) -> T:
        """The answer in one transaction. A connection that was lost is made anew, once."""
        for last in (False, True):
            try:
                connection = self._connection = self._connection or self._engine.connect()
                with connection.begin():
                    return question(connection)
            except CodecError as error:
                raise damaged(self.backend.name, str(error)) from error
            except IO_ERRORS as error:
                self._drop()
                if last:
                    raise self.backend.explain(error) from error
        raise AssertionError

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # it may be in any state
                connection.close()


def trajectory_bytes(row: Row[Any, Any, Any], files_folder: Path | None) -> bytes:
    """The bytes of a row of `trajectory`, wherever they are kept. CodecError if they are missing."""
    return blobs.get(files_folder, row.digest) if row.place == "file" else bytes(row.content)


def _read(connection: Connection, after: int, limit: int, folder: Path | None) -> list[tuple[int, Record]]:
    columns = (record.c.seq, record.c.id, record.c.kind, record.c.body)
    query = select(*columns).where(record.c.seq > after).order_by(record.c.seq).limit(limit)
    rows = connection.execute(query).all()
    if not rows:
        return []
    first, last = rows[0].seq, rows[-1].seq
    links = connection.execute(
        select(clip.c.record_id, clip.c.role, clip.c.trajectory)
        .join(record, record.c.id == clip.c.record_id)
        .where(record.c.seq.between(first, last))
        .order_by(clip.c.record_id, clip.c.role, clip.c.place)
    ).all()
    contents = _trajectories(connection, sorted({link.trajectory for link in links}), folder)
    clips: dict[str, dict[str, list[Trajectory]]] = defaultdict(lambda: defaultdict(list))
    for link in links:
        clips[link.record_id][link.role].append(contents[link.trajectory])
    return [(row.seq, decode(row.id, row.kind, row.body, clips[row.id])) for row in rows]


def _trajectories(connection: Connection, digests: list[str], folder: Path | None) -> dict[str, Trajectory]:
    found: dict[str, Trajectory] = {}
    columns = (trajectory.c.digest, trajectory.c.content, trajectory.c.place)
    for start in range(0, len(digests), _CHUNK):
        some = digests[start : start + _CHUNK]
        for row in connection.execute(select(*columns).where(trajectory.c.digest.in_(some))):
            found[row.digest] = decode_trajectory(trajectory_bytes(row, folder))
    missing = set(digests) - set(found)
    if missing:
        raise CodecError(f"trajectory {min(missing)} is missing")
    return found
