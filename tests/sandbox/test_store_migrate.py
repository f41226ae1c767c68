"""Migrations make the same tables as today's schema, and a kill in the middle changes nothing."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from agents.feedback import Demonstration
from sandbox.store import Provenance, Store, StoreError, schema
from sandbox.store.engine import writing_engine
from sandbox.store.migrate import SCRIPTS, migrate
from tests.sandbox.fake import trajectory

SECOND = """
from alembic import op
import sqlalchemy as sa
revision, down_revision = "0002", "0001"
def upgrade():
    op.add_column("record", sa.Column("mood", sa.String(16)))
    op.create_table("extra", sa.Column("id", sa.Integer, primary_key=True))
    {then}
"""


def tables(path: Path) -> set[tuple[str, ...]]:
    with sqlite3.connect(path) as other:
        rows = other.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    other.close()
    return {(kind, name, "".join((sql or "").split())) for kind, name, sql in rows}


def test_migrating_from_nothing_gives_what_a_new_store_has(tmp_path):
    Store.open(tmp_path / "new.db").close()
    engine = writing_engine(tmp_path / "old.db")
    with engine.begin() as connection:
        migrate(connection, schema.SCHEMA_VERSION)
        context = MigrationContext.configure(connection, opts={"version_table": schema.VERSION_TABLE})
        assert compare_metadata(context, schema.metadata) == []
        assert context.get_current_revision() == "0001"
    engine.dispose()
    assert tables(tmp_path / "old.db") == tables(tmp_path / "new.db")


def with_second_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str) -> Path:
    """A closed store of version 1, and a program of version 2."""
    path = tmp_path / "feedback.db"
    store = Store.open(path)
    store.append(Demonstration(trajectory()), Provenance("r", "0.1")).result(10)
    store.close()
    scripts = tmp_path / "migrations"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "v0002_second.py").write_text(SECOND.format(then=then))
    monkeypatch.setattr(schema, "SCHEMA_VERSION", 2)
    monkeypatch.setattr("sandbox.store.migrate.SCRIPTS", scripts)
    return path


def test_an_older_store_is_migrated_with_all_that_is_in_it(tmp_path, monkeypatch):
    path = with_second_version(tmp_path, monkeypatch, "")
    store = Store.open(path)
    assert store.counts() == {"demonstration": 1}
    assert store.append(Demonstration(trajectory(seed=1)), Provenance("r", "0.2")).result(10) == 2
    store.close()
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (2,)
        assert other.execute("SELECT mood FROM record").fetchall() == [(None,), (None,)]
        assert other.execute(f"SELECT version_num FROM {schema.VERSION_TABLE}").fetchall() == [("0002",)]
    other.close()


def test_a_migration_that_breaks_in_the_middle_changes_nothing(tmp_path, monkeypatch):
    path = with_second_version(tmp_path, monkeypatch, 'op.execute("INSERT INTO nowhere VALUES (1)")')
    before = tables(path)
    with pytest.raises(StoreError, match="nowhere"):
        Store.open(path)
    assert tables(path) == before
    monkeypatch.setattr(schema, "SCHEMA_VERSION", 1)
    store = Store.open(path)
    assert store.counts() == {"demonstration": 1}
    store.close()
