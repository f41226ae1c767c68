"""Importers against damaged and hostile files: whatever is in a file, the answer is a sentence.

Valid files are changed at random, some with their hashes and check sums made to fit again. For each: no
exception but a refusal may come out; what is accepted has to be what was written (where hashes say so)
or fit the world; no file outside the folder may be opened.
"""

from __future__ import annotations

import os
import random
import sys
import sysconfig
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.io.manifest import MANIFEST, write_manifest
from envs.task_catalog import task
from sandbox.bench.durability.fuzz_targets import REFUSALS, Target, Targets
from sandbox.bench.durability.mutations import mutated, with_member_changed
from sandbox.exchange.isolated_parser import IsolatedParser
from sandbox.exchange.ledger import ProgressCallback, no_progress

WORLD = "teachbox/RoomsTidy-v0"
WATCHED = (
    "os.system",
    "subprocess.Popen",
    "os.exec",
    "os.posix_spawn",
    "socket.connect",
    "pickle.find_class",
)


@dataclass
class Report:
    """What came of it. failures: what must not be, each with what makes it again."""

    tried: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def _disturb(target: Target, at: Path, chance: random.Random) -> list[str]:
    """Change one file of a target under `at`; the names of those to put back afterwards."""
    name = chance.choice(target.hit or sorted(target.files))
    content = target.files[name]
    if target.mend == "zip":
        packed = zipfile.ZIP_DEFLATED if name.endswith(".npz") else zipfile.ZIP_STORED
        whole = with_member_changed(content, chance, packed)
    else:
        whole = mutated(content, chance)
    (at / name).write_bytes(whole)
    if target.mend != "manifest":
        return [name]
    folder = (at / name).parent
    write_manifest(folder, [path.name for path in folder.iterdir() if path.name != MANIFEST])
    return [name, next(other for other in target.files if other.endswith(MANIFEST))]


_allowed: list[str] | None = None
_outside: list[str] = []
_hooked: list[Any] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _allowed is None:
        return
    if event == "open" and isinstance(arguments[0], str | bytes):
        where = os.path.abspath(os.fsdecode(arguments[0]))  # noqa: PTH100  # resolve() would follow links
        if not any(where == one or where.startswith(one + os.sep) for one in _allowed):
            _outside.append(f"{event} {where}")
    elif event in WATCHED:
        _outside.append(f"{event} {arguments!r:.80}")


@contextmanager
def watching(folder: Path) -> Iterator[None]:
    """Note every file opened outside `folder`, every process started and every unpickled name."""
    global _allowed
    if _watch not in _hooked:
        _hooked.append(_watch)
        sys.addaudithook(_watch)
    _allowed = [str(folder.absolute()), sysconfig.get_paths()["stdlib"]]  # Python loads some of itself late
    try:
        yield
    finally:
        _allowed = None


def fuzz(
    count: int, seed: int = 0, only: str = "", slow_share: float = 0.02, tell: ProgressCallback = no_progress
) -> Report:
    """Try `count` changed files in all; those read apart get `slow_share` of them.

    The same seed and count make the same files. only: the targets whose name begins so.
    """
    report = Report()
    with IsolatedParser("hdf5", "minari-arrow", "imitation", "parquet") as apart, _folder() as top:
        targets = [one for one in Targets(apart, task(WORLD)).all() if one.name.startswith(only)]
        if not targets:
            raise ValueError(f"nothing to fuzz begins with {only!r}.")
        shares = _shares(targets, slow_share)
        done = 0
        for target, share in zip(targets, shares, strict=True):
            here = max(1, round(count * share))
            part = _part(tell, done, count)
            _fuzz_one(target, Path(top) / str(done), here, seed, report, part)
            done += here
    return report


def _folder() -> tempfile.TemporaryDirectory[str]:
    """In memory where there is such a place: the files are many and small."""
    memory = Path("/dev/shm")  # noqa: S108
    return tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None)


def _part(tell: ProgressCallback, done: int, count: int) -> Callable[[int], None]:
    return lambda number: tell(min((done + number) / count, 1.0), f"{done + number} of {count} files")


def _shares(targets: list[Target], slow_share: float) -> list[float]:
    """What part of all each target gets."""
    sums = [sum(one.share for one in targets if one.slow is slow) for slow in (False, True)]
    if not all(sums):
        return [one.share / sum(sums) for one in targets]
    parts = (1.0 - slow_share, slow_share)
    return [one.share / sums[one.slow] * parts[one.slow] for one in targets]


def _fuzz_one(
    target: Target, at: Path, count: int, seed: int, report: Report, tell: Callable[[int], None]
) -> None:
    for name, content in target.files.items():
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        (at / name).write_bytes(content)
    if not target.accept(target.read(at)):
        report.failures.append(f"{target.name}: the file as it was written is not accepted")
    began = time.process_time()
    for number in range(count):
        touched = _disturb(target, at, random.Random(f"{seed} {target.name} {number}"))
        case = f"{target.name}, seed {seed}, number {number}"
        _try(target, at, case, report)
        for name in touched:
            (at / name).write_bytes(target.files[name])
        if number % 100 == 0:
            tell(number)
    report.tried[target.name] += count
    report.seconds[target.name] += time.process_time() - began  # type: ignore[assignment]


def _try(target: Target, at: Path, case: str, report: Report) -> None:
    _outside.clear()
    try:
        with watching(at):
            found = target.read(at)
            right = target.accept(found)
        report.accepted[target.name] += 1
        if not right:
            report.failures.append(f"{case}: accepted, and should not be")
    except REFUSALS as error:
        if "Too many open files" in str(error):
            report.failures.append(f"{case}: tried to open another file ({error})")
    except Exception as error:
        report.failures.append(f"{case}: {type(error).__name__} came out ({str(error)[:200]})")
    if _outside:
        report.failures.append(f"{case}: {_outside[0]}")
