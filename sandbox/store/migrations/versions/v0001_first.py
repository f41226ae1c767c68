"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "record",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(32), nullable=False, unique=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("target", sa.String(32)),
        sa.Column("task", sa.String(128), nullable=False),
        sa.Column("rater", sa.String(64), nullable=False),
        sa.Column("said_at", sa.String(32), nullable=False),
        sa.Column("reaction_seconds", sa.Float),
        sa.Column("question", sa.String(32)),
        sa.Column("side_order", sa.Text),
        sa.Column("policy", sa.String(64)),
        sa.Column("program", sa.String(32), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "trajectory",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("steps", sa.Integer, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "clip",
        sa.Column("record_id", sa.String(32), sa.ForeignKey("record.id"), primary_key=True),
        sa.Column("role", sa.String(16), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("trajectory", sa.String(64), sa.ForeignKey("trajectory.digest"), nullable=False),
    )
    op.create_index("clip_trajectory", "clip", ["trajectory"])
    if op.get_bind().dialect.name == "sqlite":
        for table in ("record", "trajectory", "clip"):
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'a store is append-only'); END"
                )
    else:
        op.execute(
            "CREATE OR REPLACE FUNCTION teachbox_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'a store is append-only' USING ERRCODE = 'restrict_violation'; END $$"
        )
        for table in ("record", "trajectory", "clip"):
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION teachbox_append_only()"
            )
