"""`teachbox store check`: every record, hash and reference of a store; what is wrong, and where."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from sandbox.store import schema
from sandbox.store.backend import Backend
from sandbox.store.salvage import Salvage, SalvagedRecord, TrajectoryCheck, no_check, salvage_connection
from sandbox.store.sqlite import IO_ERRORS

_TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger'"


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, and where."""

    where: str
    problem: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}."


@dataclass(frozen=True)
class VerificationReport:
    """What a check came to. unreferenced_files: files beside the store that no record needs, which is
    harmless."""

    records: int
    trajectories: int
    findings: tuple[Finding, ...]
    unreferenced_files: tuple[str, ...] = ()


def verify_store(place: Backend, look: TrajectoryCheck = no_check) -> VerificationReport:
    """Verify a store, also while it is in use; `look` says what it thinks of each trajectory.

    StoreError if it can't be read at all.
    """
    place.check_schema()
    findings: list[Finding] = []
    records, known = 0, dict[str, int]()
    trajectories: list[str] = []
    try:
        with salvage_connection(place.reading()) as connection:
            if connection.dialect.name == "sqlite":
                findings += _pages(connection, place.name)
            salvage = Salvage(connection, place.blob_folder, look)
            for found in salvage.records():
                records += 1
                findings += _record(found, known)
                if found.values:
                    known[found.values["id"]] = found.seq
            try:
                for digest, wrong in salvage.trajectories():
                    trajectories.append(digest)
                    if wrong is not None:
                        told = wrong.removeprefix(f"trajectory {digest} ")
                        findings.append(Finding(f"trajectory {digest}", told))
            except IO_ERRORS as error:
                findings.append(Finding(place.name, f"the list of trajectories can't be read ({error})"))
    except IO_ERRORS as error:
        raise place.explain(error) from error
    return VerificationReport(
        records, len(trajectories), tuple(findings), tuple(_spare(place, set(trajectories)))
    )


def _pages(connection: Connection, name: str) -> Iterator[Finding]:
    """What SQLite itself finds wrong with the file, and whether it still refuses changes."""
    try:
        for (line,) in connection.exec_driver_sql("PRAGMA integrity_check(20)").all():
            if line != "ok":
                yield Finding(name, " ".join(line.split()))
        for table, *_ in connection.exec_driver_sql("PRAGMA foreign_key_check").all():
            yield Finding(name, f"a row of {table} refers to one that is not there")
        there = {trigger for (trigger,) in connection.exec_driver_sql(_TRIGGERS).all()}
    except IO_ERRORS as error:
        yield Finding(name, f"its pages can't be checked ({error})")
        return
    for table in schema.metadata.tables:
        if missing := [verb for verb in ("update", "delete") if f"{table}_no_{verb}" not in there]:
            yield Finding(name, f"nothing refuses {' and '.join(missing)} on {table}")


def _record(found: SalvagedRecord, known: dict[str, int]) -> Iterator[Finding]:
    yield from (Finding(found.name, wrong) for wrong in found.problem)
    if not found.values:
        return
    for wrong in _origin(found):
        yield Finding(found.name, wrong)
    target = found.values["target"]
    if target is not None and target not in known:
        yield Finding(found.name, f"it takes back {target}, which was not said before")


def _origin(found: SalvagedRecord) -> Iterator[str]:
    """What is wrong with where a record says that it comes from."""
    values = found.values
    for name in ("rater", "program"):
        if not values[name]:
            yield f"its {name} is not told"
    try:
        if datetime.fromisoformat(values["said_at"]).utcoffset() != UTC.utcoffset(None):
            yield f"its time {values['said_at']!r} is not UTC"
    except ValueError:
        yield f"its time {values['said_at']!r} can't be read"
    seconds = values["reaction_seconds"]
    if seconds is not None and not (math.isfinite(seconds) and seconds >= 0):
        yield f"its reaction time of {seconds} s is impossible"
    if values["side_order"] is not None and not _is_order(values["side_order"], len(found.clips)):
        yield f"its order of sides {values['side_order']!r} is none of {len(found.clips)} clips"


def _is_order(text: str, clips: int) -> bool:
    try:
        order = json.loads(text)
    except ValueError:
        return False
    return isinstance(order, list) and sorted(map(str, order)) == sorted(map(str, range(clips)))


def _spare(place: Backend, needed: set[str]) -> Iterator[str]:
    if place.blob_folder is not None and place.blob_folder.is_dir():
        yield from sorted(path.name for path in place.blob_folder.iterdir() if path.stem not in needed)
