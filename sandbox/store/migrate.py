"""From any older schema to today's, in the caller's transaction: a kill in the middle changes nothing."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, text

from sandbox.store.schema import VERSION_TABLE

SCRIPTS = Path(__file__).parent / "migrations"


def revision(version: int) -> str:
    """Alembic's name for a version of the schema."""
    return f"{version:04d}"


def migrate(connection: Connection, version: int) -> None:
    """Bring the tables up to `version`. Imports Alembic, which a store of today never needs."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision(version))


def stamp(connection: Connection, version: int) -> None:
    """Mark newly made tables as Alembic would, so that it knows where to go on from."""
    name = "version_num VARCHAR(32) NOT NULL"
    key = f"CONSTRAINT {VERSION_TABLE}_pkc PRIMARY KEY (version_num)"
    connection.execute(text(f"CREATE TABLE {VERSION_TABLE} ({name}, {key})"))
    values = {"revision": revision(version)}
    connection.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES (:revision)"), values)  # noqa: S608
