"""Power cuts: what SQLite writes, syncs and deletes is written down, and any moment of it can be cut.

A file system promises only what was synced. Of the rest each write is there, or is not, or is torn
(some of its sectors are old or garbage); a name's creation or deletion counts once its folder was
synced, which SQLite does with the first sync of a new journal or write-ahead log.
"""

from __future__ import annotations

import random
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import apsw
import apsw.ext

SECTOR = 512
CHECKPOINT_PAGES = 24  # so that the log is moved into the file, and begun anew, while people label


@dataclass(eq=False)
class File:
    """One file's history: `kept` is synced, `loose` are the writes and truncations since then."""

    kept: bytearray = field(default_factory=bytearray)
    loose: list[tuple[int, bytes | None]] = field(default_factory=list)
    new: bool = True


@dataclass(frozen=True)
class Event:
    """kind: open, write, truncate, sync, delete or told (`name` is then a record's id)."""

    kind: str
    name: str
    offset: int = 0
    data: bytes = b""


class Disk:
    """Everything that happened to the files of one store, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._vfs = _Vfs(self)

    def told(self, id: str) -> None:
        """A record was acknowledged: whatever happens from now on, it must be there."""
        self.events.append(Event("told", id))

    def modules(self, synchronous: str) -> SimpleNamespace:
        """What stands for the module sqlite3 where a store makes its writing connections."""

        def connect(path: Path, **_: Any) -> _Connection:
            return _Connection(apsw.Connection(str(path), vfs=_Vfs.NAME), synchronous)

        return SimpleNamespace(connect=connect, Error=sqlite3.Error, Connection=sqlite3.Connection)

    def cut(self, moment: int, chance: random.Random, folder: Path) -> set[str]:
        """Leave in `folder` what a power cut after `moment` events may leave; the ids told before it."""
        names: dict[str, File] = {}
        sure: dict[str, File] = {}
        told = set[str]()
        for event in self.events[:moment]:
            if event.kind == "told":
                told.add(event.name)
            elif event.kind == "open":
                names.setdefault(event.name, File())
            elif event.kind == "delete":
                names.pop(event.name, None)
            elif event.kind == "sync":
                file = names[event.name]
                for offset, data in file.loose:
                    _apply(file.kept, offset, data)
                file.loose.clear()
                if file.new:
                    sure = dict(names)
                    file.new = False
            else:
                data = event.data if event.kind == "write" else None
                names[event.name].loose.append((event.offset, data))
        for name in {*names, *sure}:
            left = chance.choice([names.get(name), sure.get(name)])
            if left is not None:
                (folder / name).write_bytes(_torn(left, chance))
        return told


def _torn(file: File, chance: random.Random) -> bytes:
    found = bytearray(file.kept)
    for offset, data in file.loose:
        fate = chance.random()
        if fate < 0.4:
            continue
        if data is None or fate < 0.8:
            _apply(found, offset, data)
            continue
        for start in range(0, len(data), SECTOR):
            part = data[start : start + SECTOR]
            if chance.random() < 0.1:
                part = chance.randbytes(len(part))
            if chance.random() < 0.6:
                _apply(found, offset + start, part)
    return bytes(found)


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    """A write at `offset`, or without data a truncation to it."""
    if data is None:
        del content[offset:]
        return
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


class _Vfs(apsw.VFS):  # type: ignore[misc]
    NAME = "teachbox-power"

    def __init__(self, disk: Disk) -> None:
        super().__init__(self.NAME, "")
        self._disk = disk

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is None:
            return apsw.VFSFile("", None, flags)
        self._disk.events.append(Event("open", Path(path).name))
        return _File(name, flags, Path(path).name, self._disk)

    def xDelete(self, name: str, sync: bool) -> None:
        super().xDelete(name, sync)
        self._disk.events.append(Event("delete", Path(name).name))


class _File(apsw.VFSFile):  # type: ignore[misc]
    def __init__(self, name: Any, flags: list[int], short: str, disk: Disk) -> None:
        super().__init__("", name, flags)
        self._short, self._events = short, disk.events

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        self._events.append(Event("write", self._short, offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        super().xTruncate(size)
        self._events.append(Event("truncate", self._short, size))

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self._events.append(Event("sync", self._short))


class _Connection:
    """As much of a sqlite3.Connection as SQLAlchemy asks for, over apsw."""

    isolation_level = None

    def __init__(self, inner: apsw.Connection, synchronous: str) -> None:
        self._inner = inner
        self._synchronous = synchronous
        inner.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")

    def execute(self, statement: str) -> _Cursor:
        wanted = f"synchronous={self._synchronous}"
        return self.cursor().execute(statement.replace("synchronous=FULL", wanted))

    def cursor(self) -> _Cursor:
        return _Cursor(self._inner)

    def create_function(self, *_: Any, **__: Any) -> None:
        """SQLAlchemy's regular expressions, which a store does not use."""

    def commit(self) -> None:
        if self._inner.in_transaction:
            self._inner.execute("COMMIT")

    def rollback(self) -> None:
        if self._inner.in_transaction:
            self._inner.execute("ROLLBACK")

    def close(self) -> None:
        self._inner.close()


class _Cursor:
    rowcount = -1
    arraysize = 1

    def __init__(self, inner: apsw.Connection) -> None:
        self._inner = inner
        self.description: Any = None
        self._rows: list[Any] = []

    @property
    def lastrowid(self) -> int:
        return int(self._inner.last_insert_rowid())

    def execute(self, statement: str, values: Any = ()) -> _Cursor:
        described = apsw.ext.query_info(self._inner, statement).description
        self.description = [(name, *[None] * 6) for name, _ in described] or None
        self._rows = list(self._inner.execute(statement, tuple(values)))
        return self

    def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    def fetchone(self) -> Any:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = 1) -> list[Any]:
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def close(self) -> None:
        self._rows = []
