"""A store in an SQLite file: its connections, and the checks that the file is one of ours."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from sandbox.store import schema
from sandbox.store.migrate import migrate, stamp
from sandbox.store.store_errors import StoreError, damaged, explain, not_a_store_error, older
from sandbox.store.summary import APPLICATION_ID, read_only

IO_ERRORS = (DBAPIError, sqlite3.Error, OSError)
"""What a disk, a folder or a file that is not ours makes SQLite or the system raise."""
BUSY_SECONDS = 5.0  # how long SQLite waits for another program's lock before it says so
FILES = "trajectories"
QUICK_CHECK_BYTES = 64 * 2**20
"""Stores up to this size are checked page by page when opened (about 1 ms a megabyte)."""


class SQLiteBackend:
    """A store in a file, with large trajectories as files in a folder beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)
        self.address = str(path.absolute())
        self.blob_folder: Path = path.parent / FILES
        self.lock: Path = path.parent / "lock"

    def prepare(self, create: bool) -> None:
        prepare(self.path, create)

    def check_schema(self) -> None:
        if not self.path.is_file():
            raise StoreError(f"there is no store {self.path}: put back a backup of it, or mend the name.")
        version = schema_version(self.path)
        if 0 < version < schema.SCHEMA_VERSION:
            raise older(self.name, version)

    def writing(self) -> Engine:
        return writing_engine(self.path)

    def reading(self) -> Engine:
        return reading_engine(self.path)

    def identity(self) -> tuple[int, int] | None:
        try:
            facts = self.path.stat()
        except OSError:
            return None
        return facts.st_dev, facts.st_ino

    def explain(self, error: Exception) -> StoreError:
        return explain(error, self.path)


def writing_engine(path: Path) -> Engine:
    """The one connection that writes: WAL, synchronous=FULL, BEGIN IMMEDIATE for every transaction."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    return _engine(connect, "BEGIN IMMEDIATE")


def reading_engine(path: Path) -> Engine:
    """A connection that can't write, and so never moves the write-ahead log into the file."""

    def connect() -> sqlite3.Connection:
        connection = read_only(path, BUSY_SECONDS)
        connection.execute("PRAGMA query_only=ON")
        return connection

    return _engine(connect, "BEGIN")


def _engine(connect: Any, begin: str) -> Engine:
    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def checkpoint_wal(path: Path) -> None:
    """Move the write-ahead log of a store that nobody else has open into the file; the log goes."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def prepare(path: Path, create: bool) -> None:
    """Check that `path` is a store that this program can write; make the tables of a new one.

    Raises StoreError: a foreign, damaged, newer or (without `create`) missing or empty file.
    """
    if not path.parent.is_dir():
        raise StoreError(f"there is no folder {path.parent} for a store: make it, or choose another.")
    if path.is_dir():
        raise StoreError(f"{path} is a folder and no store: choose another place.")
    _roll_back(path)
    empty = not path.exists() or path.stat().st_size == 0
    if empty and not create:
        raise StoreError(f"{path} is missing or empty: put back a backup of it, or start a new session.")
    if not empty:
        schema_version(path)
    engine = writing_engine(path)
    try:
        with engine.begin() as connection:
            version = _version(connection, path)
            if version == 0:
                _create(connection)
                return
            if path.stat().st_size <= QUICK_CHECK_BYTES:
                _check(connection, path)
            if version < schema.SCHEMA_VERSION:
                migrate(connection, schema.SCHEMA_VERSION)
                _write_file_header(connection)
    except IO_ERRORS as error:
        raise explain(error, path) from error
    finally:
        engine.dispose()


def _roll_back(path: Path) -> None:
    """Undo what a power cut has interrupted while the file was being made: it had no log of ours yet.

    SQLite does it with the first read, for which a connection must be allowed to write.
    """
    journal = path.with_name(f"{path.name}-journal")
    if not path.exists() or not journal.exists() or journal.stat().st_size == 0:
        return
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except IO_ERRORS as error:
        raise explain(error, path) from error


def schema_version(path: Path) -> int:
    """The schema's version, 0 for nothing yet; StoreError for a file that is no store that we know.

    Reads only, so that another program's file is refused before a byte of it is changed.
    """
    engine = reading_engine(path)
    try:
        with engine.begin() as connection:
            return _version(connection, path)
    except IO_ERRORS as error:
        raise explain(error, path) from error
    finally:
        engine.dispose()


def _version(connection: Connection, path: Path) -> int:
    """The schema's version, 0 for a file without any table. StoreError if it is not for us."""
    application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    if application == APPLICATION_ID:
        if version > schema.SCHEMA_VERSION:
            raise StoreError(
                f"{path} was written by a newer teachbox (store version {version}, this program knows up to "
                f"{schema.SCHEMA_VERSION}): update teachbox, or choose another session."
            )
        return version
    tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
    if application or version or tables:
        raise not_a_store_error(path)
    return 0


def _create(connection: Connection) -> None:
    """All tables and the file's marks, in the caller's transaction: a kill leaves all or nothing."""
    schema.metadata.create_all(connection)
    stamp(connection, schema.SCHEMA_VERSION)
    _write_file_header(connection)


def _write_file_header(connection: Connection) -> None:
    """Say in the file's header whose it is, and of which version."""
    connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
    connection.exec_driver_sql(f"PRAGMA user_version={schema.SCHEMA_VERSION}")


def _check(connection: Connection, path: Path) -> None:
    verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if verdict != "ok":
        raise damaged(path, str(verdict).splitlines()[0])
