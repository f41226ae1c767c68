"""Reading a store: for the learner process and for whoever lists sessions. Never writes."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from sqlalchemy import Connection, func, select

from agents.feedback import Record
from envs.trajectory import Trajectory
from sandbox.store.codec import CodecError, decode, decode_trajectory
from sandbox.store.engine import IO_ERRORS, identify, reading_engine
from sandbox.store.outline import Line
from sandbox.store.schema import clip, record, trajectory
from sandbox.store.trouble import damaged, explain

_CHUNK = 200


class Reader:
    """A read-only connection to a store that another thread or process may be writing."""

    def __init__(self, path: Path) -> None:
        """Raises StoreError if there is no readable store at `path`."""
        identify(path)
        self.path = path
        self._engine = reading_engine(path)
        try:
            self._connection: Connection = self._engine.connect()
        except IO_ERRORS as error:
            raise explain(error, path) from error

    def newest(self) -> int:
        """The highest seq, 0 for an empty store; about 0.1 ms."""
        with self._connection.begin():
            return int(self._connection.scalar(select(func.max(record.c.seq))) or 0)

    def outline(self) -> list[Line]:
        """All records in order, without trajectories."""
        columns = (record.c.seq, record.c.id, record.c.kind, record.c.target)
        try:
            with self._connection.begin():
                rows = self._connection.execute(select(*columns).order_by(record.c.seq)).all()
        except IO_ERRORS as error:
            raise explain(error, self.path) from error
        return [Line(*row) for row in rows]

    def records(self, after: int = 0, limit: int | None = None) -> list[tuple[int, Record]]:
        """The records with seq > `after`, in order, with their seq. StoreError if one can't be read."""
        try:
            found: list[tuple[int, Record]] = []
            with self._connection.begin():
                while limit is None or len(found) < limit:
                    size = _CHUNK if limit is None else min(_CHUNK, limit - len(found))
                    some = _read(self._connection, after, size)
                    found += some
                    if len(some) < size:
                        break
                    after = some[-1][0]
            return found
        except CodecError as error:
            raise damaged(self.path, str(error)) from error
        except IO_ERRORS as error:
            raise explain(error, self.path) from error

    def close(self) -> None:
        self._connection.close()
        self._engine.dispose()


def _read(connection: Connection, after: int, limit: int) -> list[tuple[int, Record]]:
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
    contents = _trajectories(connection, sorted({link.trajectory for link in links}))
    clips: dict[str, dict[str, list[Trajectory]]] = defaultdict(lambda: defaultdict(list))
    for link in links:
        clips[link.record_id][link.role].append(contents[link.trajectory])
    return [(row.seq, decode(row.id, row.kind, row.body, clips[row.id])) for row in rows]


def _trajectories(connection: Connection, digests: list[str]) -> dict[str, Trajectory]:
    found: dict[str, Trajectory] = {}
    columns = (trajectory.c.digest, trajectory.c.content)
    for start in range(0, len(digests), _CHUNK):
        some = digests[start : start + _CHUNK]
        for row in connection.execute(select(*columns).where(trajectory.c.digest.in_(some))):
            found[row.digest] = decode_trajectory(row.content)
    missing = set(digests) - set(found)
    if missing:
        raise CodecError(f"trajectory {min(missing)} is missing")
    return found
