"""kill -9 while labelling: what was told as saved is there, nothing is there by halves, the store opens."""

from __future__ import annotations

import multiprocessing
import random
import sqlite3
import time
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sandbox.bench.durability.count import Count
from sandbox.bench.durability.fake_records import ORIGIN, fake_record, trajectory_count
from sandbox.store import Store, StoreError

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["sandbox.bench.durability.store_kills", "sandbox.bench.durability.concurrent_raters"]
)
MOST_SECONDS = 0.08  # of labelling before a kill


def label(path: Path, acknowledged: Connection) -> None:
    """Label for ever; each id that was told as saved is written to the pipe at once."""
    store = Store.open(path)
    number, target = 0, ""
    while True:
        batch = [fake_record(number + i, target) for i in range(1 + number % 3)]
        futures = [store.append(record, ORIGIN) for record in batch]
        for record, future in zip(batch, futures, strict=True):
            future.result()
            acknowledged.send_bytes(record.id.encode())
        number, target = number + len(batch), batch[-1].id


def label_without_commit(path: Path, acknowledged: Connection) -> None:
    """The control: say "saved" before the commit."""
    store = Store.open(path)
    for number in range(100_000):
        record = fake_record(number, "")
        store.append(record, ORIGIN)
        acknowledged.send_bytes(record.id.encode())


def label_and_kill(path: Path, seconds: float, target: Any = label) -> list[str]:
    """Start a labelling process, kill it after `seconds` of labelling; the ids that it was told as saved."""
    ours, theirs = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=target, args=(path, theirs))
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


def kills(folder: Path, times: int, seed: int, target: Any = label) -> Count:
    """Kill that many labelling processes on one store, which is looked at after each."""
    dice, path = random.Random(seed), folder / "feedback.db"
    told: list[str] = []
    lost: set[str] = set()
    wrong = 0
    for _ in range(times):
        told += label_and_kill(path, dice.uniform(0.0, MOST_SECONDS), target)
        try:
            store = Store.open(path, create=False)
        except StoreError:
            wrong += 1
            continue
        lost.update(set(told) - {line.id for line in store.record_summaries()})
        store.close()
    return Count(times, len(told), len(lost), wrong + count_incomplete(path))


def count_incomplete(path: Path) -> int:
    """How many records are there without all of their trajectories, or can't be read."""
    try:
        store = Store.open(path, create=False)
        records = [record for _, record in store.records()]  # decodes every one of them
        store.close()
    except StoreError:
        return 1
    with closing(sqlite3.connect(path)) as other:
        bad = int(other.execute("PRAGMA integrity_check").fetchall() != [("ok",)])
        bad += len(other.execute("PRAGMA foreign_key_check").fetchall())
        links = dict(other.execute("SELECT record_id, count(*) FROM clip GROUP BY 1").fetchall())
    return bad + sum(links.get(record.id, 0) != trajectory_count(record) for record in records)


def trial(folder: Path, times: int, seed: int) -> Count:
    """The part "kill", with a control of a tenth as many."""
    few = max(1, times // 10)
    (folder / "control").mkdir()
    control = kills(folder / "control", few, seed, label_without_commit)
    return kills(folder, times, seed) + Count(control_times=few, control_lost=control.lost)
