"""Where a store is: a file of one process, or a server's database that several machines write."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from sandbox.store.store_errors import StoreError


class Backend(Protocol):
    """What a store needs to know of where it is kept."""

    name: str
    """As sentences name it: without a password."""
    address: str
    """What `backend_of` makes the same place from, in another process."""

    @property
    def blob_folder(self) -> Path | None:
        """The folder for large trajectories; None: all of them are kept in rows."""
        ...

    @property
    def lock(self) -> Path | None:
        """Held by the one process that writes; None where the server lets many write."""
        ...

    def prepare(self, create: bool) -> None:
        """See that it is a store that this program can write; make or migrate its tables.

        Raises StoreError: foreign, damaged, newer, or (without `create`) missing.
        """
        ...

    def check_schema(self) -> None:
        """Raise StoreError unless there is a store that this program knows, or nothing yet. Reads only."""
        ...

    def writing(self) -> Engine:
        """Each transaction waits for its turn first and is on the disk when its commit returns."""
        ...

    def reading(self) -> Engine:
        """Each transaction sees one moment and can't write."""
        ...

    def identity(self) -> object:
        """What stays the same while the store is where it was."""
        ...

    def explain(self, error: Exception) -> StoreError:
        """The sentence for what the database or the system said."""
        ...


def backend_of(where: Backend | Path | str) -> Backend:
    """The place at a path, a `sqlite:///` URL or a `postgresql+psycopg://` URL; StoreError for others."""
    from sandbox.store.postgres import PostgresBackend
    from sandbox.store.sqlite import SQLiteBackend

    if isinstance(where, Path):
        return SQLiteBackend(where)
    if not isinstance(where, str):
        return where
    if "://" not in where:
        return SQLiteBackend(Path(where))
    try:
        url = make_url(where)
    except (ArgumentError, ValueError) as error:  # the latter from int()
        raise StoreError(
            f"{where} is no URL of a store: postgresql+psycopg://HOST/DATABASE is one."
        ) from error
    if url.get_backend_name() == "sqlite" and url.database:
        return SQLiteBackend(Path(url.database))
    if url.get_backend_name() == "postgresql" and url.database:
        return PostgresBackend(url.set(drivername="postgresql+psycopg"))
    raise StoreError(
        f"a store at {url.render_as_string(hide_password=True)} is not supported: give a folder, "
        "sqlite:///PATH or postgresql+psycopg://HOST/DATABASE."
    )
