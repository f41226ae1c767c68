"""The tables of a store, and how a file says that it is one of ours.

Append-only: triggers refuse UPDATE and DELETE on every table. Trajectories are kept once each, by
the SHA-256 of their bytes, so that a clip shown in ten comparisons is stored once.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    event,
)

SCHEMA_VERSION = 2  # kept in SQLite's user_version
VERSION_TABLE = "teachbox_version"  # Alembic's, under a name that no other program uses

metadata = MetaData()

record = Table(
    "record",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", String(32), nullable=False, unique=True),  # made by the client: a retry is the same record
    Column("kind", String(16), nullable=False),
    Column("body", Text, nullable=False),  # JSON: the record's fields that are no trajectories
    Column("digest", String(64), nullable=False),  # SHA-256 over kind, body and trajectories
    Column("target", String(32)),  # of an undo: the record taken back
    Column("task", String(128), nullable=False),  # environment with its version; '' for an undo
    Column("rater", String(64), nullable=False),  # a random id, no name
    Column("said_at", String(32), nullable=False),  # UTC, ISO 8601 with microseconds
    Column("reaction_seconds", Float),  # monotonic, from shown to answered
    Column("question", String(32)),
    Column("side_order", Text),  # JSON: for each place on screen, the clip's index as it was asked
    Column("policy", String(64)),  # learner and step of the snapshot that acted or asked
    Column("program", String(32), nullable=False),
    sqlite_autoincrement=True,
)

trajectory = Table(
    "trajectory",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("steps", Integer, nullable=False),
    Column("size", Integer, nullable=False),  # bytes
    Column("content", LargeBinary, nullable=False),  # safetensors, without pixels; empty if in a file
    Column("place", String(8), nullable=False, server_default="row"),  # or "file": see blobs.py
)

clip = Table(
    "clip",
    metadata,
    Column("record_id", ForeignKey("record.id"), primary_key=True),
    Column("role", String(16), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("trajectory", ForeignKey("trajectory.digest"), nullable=False),
    Index("clip_trajectory", "trajectory"),
)

_REFUSE = DDL(  # type: ignore[no-untyped-call]
    "CREATE OR REPLACE FUNCTION teachbox_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'a store is append-only' USING ERRCODE = 'restrict_violation'; END $$"
)
event.listen(metadata, "before_create", _REFUSE.execute_if(dialect="postgresql"))
for _table in (record, trajectory, clip):
    for _verb in ("UPDATE", "DELETE"):
        _ddl = DDL(  # type: ignore[no-untyped-call]
            f"CREATE TRIGGER {_table.name}_no_{_verb.lower()} BEFORE {_verb} ON {_table.name} "
            "BEGIN SELECT RAISE(ABORT, 'a store is append-only'); END"
        )
        event.listen(_table, "after_create", _ddl.execute_if(dialect="sqlite"))
    _ddl = DDL(  # type: ignore[no-untyped-call]
        f"CREATE TRIGGER {_table.name}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {_table.name} "
        "FOR EACH STATEMENT EXECUTE FUNCTION teachbox_append_only()"
    )
    event.listen(_table, "after_create", _ddl.execute_if(dialect="postgresql"))
