"""Raters that answer as fast as they can: in threads of one process, or in processes on one server."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from agents.feedback.records import Evaluation
from sandbox.bench.durability.count import Count
from sandbox.bench.durability.fake_records import trajectory
from sandbox.bench.durability.postgres_server import Server
from sandbox.bench.durability.store_kills import CONTEXT
from sandbox.store import Provenance, Reader, Store
from sandbox.store.store_errors import StoreUnreachable

PEOPLE, EACH = 8, 300
PATIENCE = 300.0


def in_threads(path: Path, people: int, each: int) -> Count:
    """People who answer at once in one process, each twice over, waiting for "saved"."""
    store = Store.open(path)
    told: dict[str, int] = {}

    def answer(number: int) -> None:
        for _ in range(each):
            record, origin = Evaluation(trajectory(2, seed=number), 1.0), Provenance(f"rater-{number}", "0.1")
            futures = [store.append(record, origin) for _ in range(2)]  # said twice, kept once
            told[record.id] = futures[0].result(PATIENCE)
            if futures[1].result(PATIENCE) != told[record.id]:
                raise RuntimeError(f"{record.id} has two numbers")

    with ThreadPoolExecutor(people) as pool:
        for done in [pool.submit(answer, number) for number in range(people)]:
            done.result()
    store.close()
    return _compared(path, told, people * each)


def answer(url: str, rater: str, each: int, pipe: Connection, pace: float) -> None:
    """Give answers, `pace` seconds apart; each number that was told as saved goes into the pipe."""
    store = open_when_ready(url)
    for number in range(each):
        record = Evaluation(trajectory(4, seed=number % 7), 1.0, id=f"{rater}{number:08d}")
        seq = store.append(record, Provenance(rater, "0.1")).result(PATIENCE)
        pipe.send((seq, record.id))
        time.sleep(pace)
    store.close()


def answer_without_commit(url: str, rater: str, each: int, pipe: Connection, pace: float) -> None:
    """The control: say "saved" before the commit, and leave when all is said."""
    store = open_when_ready(url)
    for number in range(each):
        record = Evaluation(trajectory(4, seed=number % 7), 1.0, id=f"{rater}{number:08d}")
        store.append(record, Provenance(rater, "0.1"))
        pipe.send((0, record.id))
    os._exit(0)


def open_when_ready(url: str) -> Store:
    """The store, as soon as its server answers."""
    for _ in range(600):
        try:
            return Store.open(url, retry_seconds=0.05)
        except StoreUnreachable:
            time.sleep(0.1)
    raise TimeoutError(url)


def in_processes(
    url: str,
    people: int,
    each: int,
    meanwhile: Callable[[], None] = lambda: None,
    pace: float = 0.0,
    how: Any = answer,
) -> Count:
    """People who answer at once, each in a process of its own, into one store."""
    pipes, processes = [], []
    for number in range(people):
        ours, theirs = CONTEXT.Pipe(duplex=False)
        arguments = (url, f"rater{number}", each, theirs, pace)
        processes.append(CONTEXT.Process(target=how, args=arguments))
        processes[-1].start()
        theirs.close()
        pipes.append(ours)
    told: dict[str, int] = {}
    while pipes:
        meanwhile()
        for pipe in wait(pipes, 0.02):
            assert isinstance(pipe, Connection)
            try:
                seq, id = pipe.recv()
                told[id] = seq
            except EOFError:
                pipes.remove(pipe)
    for process in processes:
        process.join(60)
        if process.exitcode:
            raise RuntimeError(f"a rater ended with {process.exitcode}")
    return _compared(url, told, people * each)


def crashes(server: Server, url: str, times: int, each: int, seed: int, how: Any = answer) -> Count:
    """Answers of eight raters while the server is killed and started again that many times."""
    dice, done, next_at = random.Random(seed), 0, 0.0

    def crash() -> None:
        nonlocal done, next_at
        if done < times and time.monotonic() >= next_at:
            server.kill()
            server.start()
            done += 1
            next_at = time.monotonic() + dice.uniform(0.05, 0.4)

    Store.open(url).close()
    found = in_processes(url, PEOPLE, each, crash, 0.02, how)
    return Count(done, found.told, found.lost, found.wrong)


def _compared(where: Path | str, acknowledged: dict[str, int], said: int) -> Count:
    """What is there beside what was acknowledged: under the same numbers, once each, without gaps."""
    reader = Reader(where)
    lines = [(seq, record.id) for seq, record in reader.records()]
    reader.close()
    kept = {id: seq for seq, id in lines}
    lost = sum(id not in kept for id in acknowledged)
    other = sum(seq > 0 and kept.get(id, seq) != seq for id, seq in acknowledged.items())
    gaps = [seq for seq, _ in lines] != list(range(1, len(lines) + 1))
    return Count(
        1, len(acknowledged), lost, other + gaps + len(lines) - len(kept) + (len(acknowledged) != said)
    )


def trial_file(folder: Path, times: int, seed: int) -> Count:
    """The part "raters": eight in one process, into a file."""
    total = Count()
    for number in range(times):
        total += in_threads(folder / f"{number}.db", PEOPLE, EACH)
    path = folder / "control.db"
    Store.open(path).close()
    control = in_processes(str(path), 1, EACH, how=answer_without_commit)
    return total + Count(control_times=1, control_lost=control.lost)


def trial_server(folder: Path, times: int, seed: int) -> Count:
    """The part "raters-server": eight processes into one PostgreSQL database."""
    server = Server(fsync=True)
    try:
        total = Count()
        for _ in range(times):
            total += in_processes(server.database(), PEOPLE, EACH)
        control = in_processes(server.database(), PEOPLE, EACH, how=answer_without_commit)
        return total + Count(control_times=1, control_lost=control.lost)
    finally:
        server.close()


def trial_crashes(folder: Path, times: int, seed: int) -> Count:
    """The part "server": it is killed under eight raters who try again."""
    server = Server(fsync=True)
    try:
        total = crashes(server, server.database(), times, 18 * times, seed)
        control = crashes(server, server.database(), 1, 18, seed, answer_without_commit)
        return total + Count(control_times=1, control_lost=control.lost)
    finally:
        server.close()
