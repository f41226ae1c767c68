"""Processes that are starved, refused or killed; a pipe tells what came of it."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from agents.feedback.records import Demonstration
from sandbox.bench.durability.fake_records import ORIGIN, trajectory
from sandbox.store import Store, StoreError

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.sandbox.labeller"])


def starve(path: Path, pipe: Connection) -> None:
    """Fill a file that may not grow over 400 kB; then allow more; send what came of it."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = Store.open(path, retry_seconds=0.02)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    fill(store, pipe, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2))


def fill(store: Store, pipe: Connection, relieve: Any, limit: int = 2000) -> None:
    """Append until there is trouble; then `relieve` and see that everything is saved after all."""
    ids, futures = [], []
    for number in range(limit):
        record = Demonstration(trajectory(50, seed=number))
        ids.append(record.id)
        futures.append(store.append(record, ORIGIN))
        store.flush(0.05)
        if store.error:
            break
    waiting = store.unsaved
    trouble = store.error
    relieve()
    saved = store.flush(60)
    left = store.close()
    pipe.send((trouble, waiting, saved, left, ids, [future.result(0) for future in futures]))


def refused(path: Path, pipe: Connection, user: int) -> None:
    """Open a store as an ordinary user and say what the sentence is."""
    os.setuid(user)
    try:
        Store.open(path).close()
        pipe.send("opened")
    except StoreError as error:
        pipe.send(str(error))


def die_migrating(path: Path) -> None:
    """Open a store of an older version, and be killed when its tables are changed and not yet committed."""
    from sandbox.store import sqlite

    sqlite._write_file_header = lambda connection: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
    Store.open(path)
