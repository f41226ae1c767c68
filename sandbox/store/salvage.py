"""Reading a store that may be damaged: row by row, so that one bad page does not hide the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, func, select, text

from agents.feedback.records import Undo
from envs.trajectory import Trajectory
from sandbox.store import schema
from sandbox.store.codec import CodecError, EncodedClip, decode, decode_trajectory, digest_of, roles_of
from sandbox.store.reader import trajectory_bytes
from sandbox.store.sqlite import IO_ERRORS

_CHUNK = 200
TrajectoryCheck = Callable[[Trajectory], str | None]
"""What is wrong with a trajectory for the world that it names, in a few words; None if nothing is."""


def no_check(trajectory: Trajectory) -> str | None:
    """For those who know where the trajectories come from."""
    return None


@dataclass
class SalvagedRecord:
    """One record as it was found: its columns, its trajectories, and what is wrong with its content."""

    seq: int
    values: dict[str, Any] = field(default_factory=dict)
    clips: list[EncodedClip] = field(default_factory=list)
    problem: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """As a finding names it."""
        known = f" ({self.values['kind']} {self.values['id']})" if self.values else ""
        return f"record {self.seq}{known}"


@contextmanager
def salvage_connection(engine: Engine) -> Iterator[Connection]:
    """A connection within one transaction, which a damaged file may not let end in an orderly way."""
    connection = engine.connect()
    try:
        connection.begin()
        yield connection
    finally:
        with suppress(*IO_ERRORS):
            connection.close()
        engine.dispose()


class Salvage:
    """Everything that can be read over one connection, in order, each part verified."""

    def __init__(self, connection: Connection, folder: Path | None, look: TrajectoryCheck = no_check) -> None:
        self._connection, self._folder, self._look = connection, folder, look
        self._good: dict[str, bool] = {}
        self.missing: set[str] = set()
        """Digests of trajectories that are referred to, and are not there or not whole."""

    def records(self) -> Iterator[SalvagedRecord]:
        """Every record by its number, also those that can't be read."""
        last = self._last()
        for first in range(1, last + 1, _CHUNK):
            numbers = range(first, min(first + _CHUNK, last + 1))
            rows = self._rows(numbers)
            for seq in numbers:
                yield self._found(seq, rows.get(seq))

    def trajectories(self) -> Iterator[tuple[str, str | None]]:
        """Every trajectory's digest, with what is wrong with it."""
        table = schema.trajectory
        digests = self._connection.scalars(select(table.c.digest).order_by(table.c.digest)).all()
        linked = set(self._connection.scalars(select(schema.clip.c.trajectory)))
        for digest in digests:
            try:
                self.content(digest)
                wrong = None
            except CodecError as error:
                wrong = str(error)
            yield digest, wrong or (None if digest in linked else "no record refers to it")

    def content(self, digest: str) -> tuple[bytes, int]:
        """A trajectory's bytes and steps, verified; CodecError says what is wrong."""
        table = schema.trajectory
        try:
            row = self._connection.execute(select(table).where(table.c.digest == digest)).first()
        except IO_ERRORS as error:
            raise CodecError(f"trajectory {digest} can't be read ({_error_text(error)})") from error
        if row is None:
            raise CodecError(f"trajectory {digest} is missing")
        try:
            content = trajectory_bytes(row, self._folder)
        except OSError as error:
            raise CodecError(f"trajectory {digest} can't be read ({error.strerror})") from error
        if sha256(content).hexdigest() != digest or len(content) != row.size:
            raise CodecError(f"trajectory {digest} is not what was written ({len(content)} bytes)")
        trajectory = decode_trajectory(content)
        if len(trajectory) != row.steps:
            raise CodecError(f"trajectory {digest} has not the {row.steps} steps that were written")
        if wrong := self._look(trajectory):
            raise CodecError(f"trajectory {digest} {wrong}")
        return content, int(row.steps)

    def _last(self) -> int:
        found = [0]
        for query in (
            select(func.max(schema.record.c.seq)),
            text("SELECT seq FROM sqlite_sequence WHERE name = 'record'"),
        ):
            if isinstance(query, type(text(""))) and self._connection.dialect.name != "sqlite":
                continue
            try:
                found.append(int(self._connection.scalar(query) or 0))
            except IO_ERRORS:
                continue
        return max(found)

    def _rows(self, numbers: range) -> dict[int, Any]:
        """Rows by number; an error in the place of a row that can't be read."""
        table = schema.record
        query = select(table).where(table.c.seq.between(numbers[0], numbers[-1]))
        try:
            return {row.seq: row for row in self._connection.execute(query).all()}
        except IO_ERRORS as error:
            if len(numbers) == 1:
                return {numbers[0]: error}
        found: dict[int, Any] = {}
        for seq in numbers:
            found |= self._rows(range(seq, seq + 1))
        return found

    def _found(self, seq: int, row: Any) -> SalvagedRecord:
        if row is None:
            return SalvagedRecord(seq, problem=["it is missing"])
        if isinstance(row, Exception):
            return SalvagedRecord(seq, problem=[f"it can't be read ({_error_text(row)})"])
        found = SalvagedRecord(seq, {name: value for name, value in row._mapping.items() if name != "seq"})
        try:
            found.clips = list(self._clips(row))
            _verify(row, found.clips)
        except CodecError as error:
            found.problem.append(str(error))
        except IO_ERRORS as error:
            found.problem.append(f"its trajectories can't be read ({_error_text(error)})")
        return found

    def _clips(self, row: Any) -> Iterator[EncodedClip]:
        table = schema.clip
        links = self._connection.execute(select(table).where(table.c.record_id == row.id)).all()
        known = {role: place for place, role in enumerate(roles_of(row.kind))}
        if strange := {link.role for link in links} - set(known):
            raise CodecError(f"it has a trajectory as {min(strange)!r}, which a {row.kind} has not")
        links = sorted(links, key=lambda link: (known[link.role], link.place))
        for role in known:
            places = [link.place for link in links if link.role == role]
            if places != list(range(len(places))):
                raise CodecError(f"its trajectories as {role!r} are out of place: {places}")
        for link in links:
            try:
                content, steps = self.content(link.trajectory)
            except CodecError:
                self.missing.add(link.trajectory)
                raise
            yield EncodedClip(link.role, link.place, "", link.trajectory, steps, content)


def _verify(row: Any, clips: list[EncodedClip]) -> None:
    """Raise CodecError unless the record is what was written."""
    if digest_of(row.kind, row.body, [clip.digest for clip in clips]) != row.digest:
        raise CodecError("it is not what was written: its digest differs")
    parts: dict[str, list[Any]] = {}
    for clip in clips:
        parts.setdefault(clip.role, []).append(decode_trajectory(clip.content))
    record = decode(row.id, row.kind, row.body, parts)
    task = next(iter(parts.values()))[0].task if parts else ""
    if row.task != task:
        raise CodecError(f"it names the environment {row.task!r}, and its trajectories {task!r}")
    if row.target != (record.target if isinstance(record, Undo) else None):
        raise CodecError(f"it names {row.target!r} as what it takes back, and its body does not")


def _error_text(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
