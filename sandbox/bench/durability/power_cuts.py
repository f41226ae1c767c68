"""Power cuts: what SQLite writes, syncs and deletes is written down, and any moment of it can be cut.

A file system promises only what was synced. Of the rest each write is there, or is not, or is torn
(some of its sectors are old or garbage); a name's creation or deletion counts once its folder was
synced, which SQLite does with the first sync of a new journal or write-ahead log.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import apsw
import apsw.ext

import sandbox.store.sqlite
from sandbox.bench.durability.count import Count
from sandbox.bench.durability.fake_records import ORIGIN, fake_record
from sandbox.store import Store, StoreError

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

    def acknowledge(self, id: str) -> None:
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


class _Vfs(apsw.VFS):
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


class _File(apsw.VFSFile):
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


@contextmanager
def stores_on(disk: Disk, synchronous: str) -> Iterator[None]:
    """Stores that are opened meanwhile write to this disk."""
    names = vars(sandbox.store.sqlite)
    names["sqlite3"] = disk.modules(synchronous)
    try:
        yield
    finally:
        names["sqlite3"] = sqlite3


def record_store_life(folder: Path, synchronous: str, records: int, seed: int) -> Disk:
    """The life of a store on a disk that keeps a diary: made, labelled into, closed and opened again."""
    disk, dice = Disk(), random.Random(seed)
    with stores_on(disk, synchronous):
        store = Store.open(folder / "feedback.db")
        said, target = 0, ""
        while said < records:
            batch = [fake_record(said + i, target) for i in range(dice.randint(1, 4))]
            futures = [store.append(record, ORIGIN) for record in batch]
            for record, future in zip(batch, futures, strict=True):
                future.result(60)
                disk.acknowledge(record.id)
            said, target = said + len(batch), batch[-1].id
            if dice.random() < 0.05:
                store.close()
                store = Store.open(folder / "feedback.db", create=False)
        store.close()
    return disk


def cut(disk: Disk, times: int, seed: int) -> Count:
    """Cut the power at random moments. lost: cuts after which something told is not there."""
    dice, count = random.Random(seed), Count()
    for _ in range(times):
        with TemporaryDirectory() as name:
            told = disk.cut(dice.randint(0, len(disk.events)), dice, Path(name))
            kept, whole = surviving_records(Path(name) / "feedback.db", create=not told)
            count += Count(1, len(told), int(not told <= kept), int(not whole))
    return count


def surviving_records(path: Path, create: bool) -> tuple[set[str], bool]:
    """The ids of all records, none if the store is not there any more; whether all of it is whole."""
    try:
        store = Store.open(path, create=create)
    except StoreError:
        return set(), not create
    records = store.records()
    store.close()
    with closing(sqlite3.connect(path)) as other:
        whole = other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        whole &= other.execute("PRAGMA foreign_key_check").fetchall() == []
    whole &= [seq for seq, _ in records] == list(range(1, len(records) + 1))
    return {record.id for _, record in records}, whole


def trial(folder: Path, times: int, seed: int) -> Count:
    """The part "power": cuts of one life with synchronous=FULL, and as many with NORMAL as the control."""
    counts = []
    for synchronous in ("FULL", "NORMAL"):
        (folder / synchronous).mkdir()
        counts.append(cut(record_store_life(folder / synchronous, synchronous, 200, seed), times, seed))
    return counts[0] + Count(control_times=times, control_lost=counts[1].lost)
