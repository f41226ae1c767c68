"""Migrations make the same tables as today's schema, and a kill in the middle changes nothing."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from agents.feedback.records import Demonstration
from sandbox.bench.durability.fake_records import trajectory
from sandbox.store import Provenance, Store, StoreError, schema
from sandbox.store.codec import encode
from sandbox.store.migrate import SCRIPTS, migrate
from sandbox.store.sqlite import writing_engine
from sandbox.store.summary import APPLICATION_ID
from tests.sandbox import labeller
from tests.sandbox.records import same

NEXT = """
from alembic import op
import sqlalchemy as sa
revision, down_revision = "0003", "0002"
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
        assert context.get_current_revision() == "0002"
    engine.dispose()
    assert tables(tmp_path / "old.db") == tables(tmp_path / "new.db")


def with_next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str) -> Path:
    """A closed store of today, and a program of the next version."""
    path = tmp_path / "feedback.db"
    store = Store.open(path)
    store.append(Demonstration(trajectory()), Provenance("r", "0.1")).result(60)
    store.close()
    scripts = tmp_path / "migrations"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "v0003_next.py").write_text(NEXT.format(then=then))
    monkeypatch.setattr(schema, "SCHEMA_VERSION", 3)
    monkeypatch.setattr("sandbox.store.migrate.SCRIPTS", scripts)
    return path


def test_an_older_store_is_migrated_with_all_that_is_in_it(tmp_path, monkeypatch):
    path = with_next_version(tmp_path, monkeypatch, "")
    store = Store.open(path)
    assert store.counts() == {"demonstration": 1}
    assert store.append(Demonstration(trajectory(seed=1)), Provenance("r", "0.2")).result(60) == 2
    store.close()
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (3,)
        assert other.execute("SELECT mood FROM record").fetchall() == [(None,), (None,)]
        assert other.execute(f"SELECT version_num FROM {schema.VERSION_TABLE}").fetchall() == [("0003",)]
    other.close()


def test_a_migration_that_breaks_in_the_middle_changes_nothing(tmp_path, monkeypatch):
    path = with_next_version(tmp_path, monkeypatch, 'op.execute("INSERT INTO nowhere VALUES (1)")')
    before = tables(path)
    with pytest.raises(StoreError, match="nowhere"):
        Store.open(path)
    assert tables(path) == before
    monkeypatch.setattr(schema, "SCHEMA_VERSION", 2)
    store = Store.open(path)
    assert store.counts() == {"demonstration": 1}
    store.close()


def old_store(path: Path, version: int) -> Demonstration:
    """A store with one record, as a teachbox of that version made it."""
    record = Demonstration(trajectory())
    item = encode(record)
    engine = writing_engine(path)
    with engine.begin() as connection:
        migrate(connection, version)
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version={version}")
        connection.exec_driver_sql(
            "INSERT INTO record (id, kind, body, digest, task, rater, said_at, program) "
            "VALUES (?, ?, ?, ?, ?, 'r', '2026-01-01T00:00:00.000000+00:00', '0.1')",
            (item.id, item.kind, item.body, item.digest, item.task),
        )
        (clip,) = item.clips
        connection.exec_driver_sql(
            "INSERT INTO trajectory (digest, steps, size, content) VALUES (?, ?, ?, ?)",
            (clip.digest, clip.steps, len(clip.content), clip.content),
        )
        connection.exec_driver_sql(
            "INSERT INTO clip VALUES (?, ?, ?, ?)", (item.id, clip.role, clip.place, clip.digest)
        )
    engine.dispose()
    return record


@pytest.mark.parametrize("version", range(1, schema.SCHEMA_VERSION + 1))
def test_every_older_schema_becomes_todays_with_its_records(tmp_path, version):
    path = tmp_path / "feedback.db"
    record = old_store(path, version)
    store = Store.open(path)
    ((seq, found),) = store.records()
    assert (seq, same(found, record)) == (1, True)
    assert store.append(Demonstration(trajectory(seed=1)), Provenance("r", "0.2")).result(60) == 2
    store.close()
    Store.open(tmp_path / "new.db").close()
    columns = [{c[1:] for c in columns_of(file, "trajectory")} for file in (path, tmp_path / "new.db")]
    assert columns[0] == columns[1]


def columns_of(path: Path, table: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as other:
        rows = other.execute(f"PRAGMA table_info({table})").fetchall()
    other.close()
    return rows


@pytest.mark.parametrize("version", range(1, schema.SCHEMA_VERSION))
def test_a_migration_killed_in_the_middle_is_done_by_the_next_start(tmp_path, version):
    path = tmp_path / "feedback.db"
    record = old_store(path, version)
    process = labeller.CONTEXT.Process(target=labeller.die_migrating, args=(path,))
    process.start()
    process.join(60)
    assert process.exitcode == -9
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (version,)
    other.close()
    store = Store.open(path)
    assert [found.id for _, found in store.records()] == [record.id]
    store.close()
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (schema.SCHEMA_VERSION,)
    other.close()
