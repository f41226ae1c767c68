"""kill -9 while labelling: what was told as saved is there, nothing is there by halves, the store opens."""

from __future__ import annotations

import random
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from agents.feedback import Demonstration, Evaluation, Record, Undo
from sandbox.store import Store
from tests.sandbox import labeller


def label_and_kill(path: Path, seconds: float, target: Any = labeller.label) -> list[str]:
    """Start a labelling process, kill it after `seconds` of labelling; the ids that it was told as saved."""
    ours, theirs = labeller.CONTEXT.Pipe(duplex=False)
    process = labeller.CONTEXT.Process(target=target, args=(path, theirs))
    process.start()
    theirs.close()
    told = [ours.recv_bytes().decode()]  # it labels now
    time.sleep(seconds)
    process.kill()
    process.join()
    try:
        while True:
            told.append(ours.recv_bytes().decode())
    except (EOFError, OSError):
        return told


def pieces(record: Record) -> int:
    """How many trajectories belong to a record."""
    if isinstance(record, Undo):
        return 0
    return 1 if isinstance(record, Demonstration | Evaluation) else 2


def kills(path: Path, count: int, seed: int) -> tuple[int, int]:
    """Kill `count` labelling processes on one store; how many records were told and how many are there."""
    dice = random.Random(seed)
    told: list[str] = []
    for _ in range(count):
        told += label_and_kill(path, dice.uniform(0.0, 0.08))
        store = Store.open(path, create=False)
        found = {line.id for line in store.outline()}
        store.close()
        assert found.issuperset(told)
    store = Store.open(path, create=False)
    records = [record for _, record in store.records()]  # decodes every one of them
    store.close()
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert other.execute("PRAGMA foreign_key_check").fetchall() == []
        links = dict(other.execute("SELECT record_id, count(*) FROM clip GROUP BY 1").fetchall())
    other.close()
    assert all(links.get(record.id, 0) == pieces(record) for record in records)
    return len(told), len(records)


def test_twenty_kills_lose_nothing_that_was_told_as_saved(tmp_path):
    told, kept = kills(tmp_path / "feedback.db", 20, seed=1)
    assert told >= 20
    assert kept >= told


@pytest.mark.slow
def test_a_thousand_kills_lose_nothing_that_was_told_as_saved(tmp_path):
    told, kept = kills(tmp_path / "feedback.db", 1000, seed=2)
    assert told >= 1000
    assert kept >= told


def test_the_control_that_says_saved_before_the_commit_loses(tmp_path):
    told = label_and_kill(tmp_path / "feedback.db", 0.1, labeller.boast)
    store = Store.open(tmp_path / "feedback.db", create=False)
    found = {line.id for line in store.outline()}
    store.close()
    assert not found.issuperset(told)
