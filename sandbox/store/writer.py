"""Putting records into the tables, within a transaction that has its turn to write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from sandbox.store import blobs, schema
from sandbox.store.codec import EncodedClip, EncodedRecord
from sandbox.store.provenance import Provenance
from sandbox.store.store_errors import StoreError

CORE = ("id", "kind", "body", "digest", "target", "task")
"""The columns of `record` that say what was said; the others say where it comes from."""


def insert(
    connection: Connection, item: EncodedRecord, origin: Provenance, folder: Path | None
) -> int | StoreError:
    """Keep a record; its seq. folder: where large trajectories go, None to keep them in rows."""
    order = origin.side_order
    values = {
        **{name: getattr(item, name) for name in CORE},
        "rater": origin.rater,
        "said_at": origin.said_at,
        "reaction_seconds": origin.reaction_seconds,
        "question": origin.question,
        "side_order": None if order is None else str(list(order)),
        "policy": origin.policy,
        "program": origin.program,
    }
    return insert_row(connection, values, item.clips, folder)


def insert_row(
    connection: Connection, values: Mapping[str, Any], clips: Sequence[EncodedClip], folder: Path | None
) -> int | StoreError:
    """Keep a record given by its columns (`seq` only where it must be the same as before).

    One that is there already keeps the seq that it has.
    """
    table = schema.record
    known = connection.execute(select(table.c.seq, table.c.digest).where(table.c.id == values["id"])).first()
    if known is not None:  # a retry: it was committed, but nobody heard of it
        if known.digest == values["digest"]:
            return int(known.seq)
        return StoreError(
            f"the id {values['id']} is taken by other content: give each record an id of its own."
        )
    seq = (
        values.get("seq") or int(connection.scalar(select(func.coalesce(func.max(table.c.seq), 0))) or 0) + 1
    )
    connection.execute(table.insert().values(**{**values, "seq": seq}))
    for part in clips:
        insert_trajectory(connection, part, folder)
        link = {"record_id": values["id"], "role": part.role, "place": part.place, "trajectory": part.digest}
        connection.execute(schema.clip.insert().values(**link))
    return seq


def insert_trajectory(connection: Connection, part: EncodedClip, folder: Path | None) -> None:
    """Keep a trajectory, unless it is there already."""
    table = schema.trajectory
    if connection.execute(select(table.c.steps).where(table.c.digest == part.digest)).first() is not None:
        return
    values = {"digest": part.digest, "steps": part.steps, "size": len(part.content)}
    if folder is not None and len(part.content) >= blobs.LARGE:
        blobs.put(folder, part.digest, part.content)
        values |= {"content": b"", "place": "file"}
    else:
        values |= {"content": part.content, "place": "row"}
    connection.execute(table.insert().values(**values))
