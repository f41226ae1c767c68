"""Raters that answer as fast as they can, each in a process of its own, into one store."""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.connection import Connection

from agents.feedback import Evaluation
from sandbox.store import Provenance, Store
from sandbox.store.trouble import Unreachable
from tests.sandbox.fake import trajectory

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.sandbox.raters"])


def answer(url: str, rater: str, count: int, pipe: Connection, pace: float) -> None:
    """Give `count` answers, `pace` seconds apart; each seq that was told as saved goes into the pipe."""
    store = opened(url)
    for number in range(count):
        record = Evaluation(trajectory(4, seed=number % 7), 1.0, id=f"{rater}{number:08d}")
        seq = store.append(record, Provenance(rater, "0.1")).result(300)
        pipe.send((seq, record.id))
        time.sleep(pace)
    left = store.close()
    pipe.send((left, "closed"))


def opened(url: str) -> Store:
    """The store, as soon as its server answers."""
    for _ in range(600):
        try:
            return Store.open(url, retry_seconds=0.05)
        except Unreachable:
            time.sleep(0.1)
    raise TimeoutError(url)
