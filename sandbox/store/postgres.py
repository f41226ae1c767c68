"""A store in a PostgreSQL database: several people on several machines in one study.

Writers take turns by an advisory lock, so that the numbers of the records have no gaps and become
visible in order: a reader that has seen record 7 never misses a record 6 that is committed later.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from sandbox.store import schema
from sandbox.store.migrate import migrate, stamp
from sandbox.store.store_errors import StoreError, StoreUnreachable, older

TURN = 0x54424F58  # the advisory lock's key in the store's database
_TURN_SECONDS, _CONNECT_SECONDS = 10, 5
_SESSION = f"""
SET synchronous_commit = on;
SET lock_timeout = '{_TURN_SECONDS}s';
SET idle_in_transaction_session_timeout = '{_TURN_SECONDS}s';
SET client_encoding = 'UTF8';
"""
_MODE = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL "
_TCP = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}


class PostgresBackend:
    """A store in the database (and the schema that its search_path names) of a server."""

    blob_folder: Path | None = None
    lock: Path | None = None

    def __init__(self, url: URL) -> None:
        if find_spec("psycopg") is None:
            raise StoreError(
                "a store on a PostgreSQL server needs psycopg: `pip install 'teachbox[postgres]'` brings it."
            )
        self.url = url
        self.name = url.render_as_string(hide_password=True)
        self.address = url.render_as_string(hide_password=False)

    def prepare(self, create: bool) -> None:
        engine = self.writing()
        try:
            with engine.begin() as connection:  # its turn: two machines that open at once make one store
                version = self._version(connection)
                if version == 0 and not create:
                    raise StoreError(f"{self.name} holds no store: put back a backup, or start anew.")
                if version == 0:
                    schema.metadata.create_all(connection)
                    stamp(connection, schema.SCHEMA_VERSION)
                elif version < schema.SCHEMA_VERSION:
                    migrate(connection, schema.SCHEMA_VERSION)
        except DBAPIError as error:
            raise self.explain(error) from error
        finally:
            engine.dispose()

    def check_schema(self) -> None:
        engine = self.reading()
        try:
            with engine.begin() as connection:
                version = self._version(connection)
                if 0 < version < schema.SCHEMA_VERSION:
                    raise older(self.name, version)
                if version == 0:
                    raise StoreError(f"{self.name} holds no store: check the URL, or start one there.")
        except DBAPIError as error:
            raise self.explain(error) from error
        finally:
            engine.dispose()

    def writing(self) -> Engine:
        return self._engine(f"{_MODE} READ COMMITTED READ WRITE", f"SELECT pg_advisory_xact_lock({TURN})")

    def reading(self) -> Engine:
        return self._engine(f"{_MODE} REPEATABLE READ READ ONLY", None)

    def identity(self) -> str:
        return self.address

    def explain(self, error: Exception) -> StoreError:
        if isinstance(error, StoreError):
            return error
        cause: Any = getattr(error, "orig", None) or error
        lines = str(cause).strip().splitlines() or [type(cause).__name__]
        detail, state = lines[-1].strip().rstrip("."), str(getattr(cause, "sqlstate", None) or "")
        if state in ("55P03", "40P01", "40001"):
            return StoreUnreachable(f"{self.name} is busy ({detail}): wait, or ask who else writes there.")
        if state.startswith("53"):
            return StoreError(f"{self.name} has no room left ({detail}): free some space on the server.")
        if state.startswith(("28", "42501")) or "authentication failed" in detail:
            return StoreError(f"{self.name} refuses you ({detail}): give a user who may write.")
        if state == "3D000" or "does not exist" in detail:
            return StoreError(f"{self.name} is not there ({detail}): make the database, or mend the URL.")
        if type(cause).__name__ in ("OperationalError", "InterfaceError") or state[:2] in ("08", "57", "25"):
            return StoreUnreachable(
                f"{self.name} can't be reached ({detail}): check the network and the server."
            )
        return StoreError(f"{self.name} can't be read or written ({detail}): ask who runs the server.")

    def _engine(self, mode: str, turn: str | None) -> Engine:
        wanted = {"connect_timeout": _CONNECT_SECONDS, "application_name": "teachbox", **_TCP}
        missing = {name: value for name, value in wanted.items() if name not in self.url.query}
        engine = create_engine(self.url, poolclass=NullPool, connect_args=missing)

        def set_up(connection: Any, _: object) -> None:
            connection.autocommit = True
            connection.execute(_SESSION)
            connection.execute(mode)
            connection.autocommit = False

        event.listen(engine, "connect", set_up)
        if turn is not None:
            event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(turn))
        return engine

    def _version(self, connection: Connection) -> int:
        """The schema's version, 0 where there is none of our tables. StoreError if it is not for us."""
        found = set(inspect(connection).get_table_names())
        ours = set(schema.metadata.tables)
        if schema.VERSION_TABLE not in found:
            if found & ours:
                taken = ", ".join(sorted(found & ours))
                raise StoreError(
                    f"{self.name} holds another program's tables ({taken}): give teachbox its own."
                )
            return 0
        marks = connection.scalars(select(text("version_num")).select_from(text(schema.VERSION_TABLE))).all()
        version = int(marks[0]) if len(marks) == 1 and str(marks[0]).isdigit() else 0
        if not version or not ours <= found:
            raise StoreError(f"{self.name} holds only part of a store: put back a backup of it.")
        if version > schema.SCHEMA_VERSION:
            raise StoreError(
                f"{self.name} was written by a newer teachbox (store version {version}, this one knows up "
                f"to {schema.SCHEMA_VERSION}): update teachbox, or choose another store."
            )
        return version
