"""Whatever is wrong with the place of a store: one sentence that names it, and nothing lost."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from agents.feedback.records import Demonstration, Evaluation
from sandbox.bench.durability.fake_records import trajectory
from sandbox.store import Provenance, Reader, Store, StoreError, blobs, schema
from tests.sandbox import labeller

ORIGIN = Provenance("rater-1", "0.1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "feedback.db"


def told(store: Store) -> str:
    """The trouble there is, however long a busy machine takes to run into it; nothing may be saved yet."""
    for _ in range(600):
        assert not store.flush(0.1)
        if store.error:
            return store.error
    return ""


def filled(path: Path, count: int = 30) -> list[str]:
    """A closed store with some demonstrations in it; their ids."""
    store = Store.open(path)
    items = [Demonstration(trajectory(40, seed=i)) for i in range(count)]
    for future in [store.append(item, ORIGIN) for item in items]:
        future.result(60)
    assert store.close() == 0
    return [item.id for item in items]


def refusal(path: Path, create: bool = True) -> str:
    with pytest.raises(StoreError) as caught:
        Store.open(path, create=create).close()
    text = str(caught.value)
    assert str(path.parent) in text
    assert text.endswith(".")
    assert "\n" not in text
    return text


def in_process(target: Any, *args: Any) -> Any:
    """What a process of its own sends back."""
    ours, theirs = labeller.CONTEXT.Pipe()
    process = labeller.CONTEXT.Process(target=target, args=(args[0], theirs, *args[1:]))
    process.start()
    theirs.close()
    try:
        return ours.recv()
    finally:
        process.kill()
        process.join()


def test_a_second_window_is_refused_and_the_first_goes_on(path):
    store = Store.open(path)
    text = refusal(path)
    assert "another window" in text
    assert str(os.getpid()) in text
    assert store.append(Demonstration(trajectory()), ORIGIN).result(60) == 1
    store.close()
    Store.open(path).close()


HOLD = """
import sys
from pathlib import Path
from sandbox.store.lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
print(flush=True)
sys.stdin.read()
"""


def test_a_killed_window_leaves_the_folder_open_to_others(path):
    lock = path.parent / "lock"
    command = [sys.executable, "-c", HOLD, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        assert f"process {other.pid}" in refusal(path)
        other.kill()
    Store.open(path).close()
    assert lock.read_text() == str(os.getpid())


def test_a_newer_store_is_refused_and_left_alone(path):
    filled(path, 2)
    with sqlite3.connect(path) as other:
        other.execute(f"PRAGMA user_version={schema.SCHEMA_VERSION + 6}")
    other.close()
    before = path.read_bytes()
    assert "newer teachbox (store version 8" in refusal(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mark", ["", "PRAGMA application_id=252006673", "PRAGMA user_version=3"])
def test_an_sqlite_file_of_another_program_is_refused_and_left_alone(path, mark):
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE holiday (photo BLOB)")
        other.execute(mark)
    other.close()
    before = path.read_bytes()
    assert "not written by teachbox" in refusal(path)
    assert path.read_bytes() == before
    with pytest.raises(StoreError, match="not written by teachbox"):
        Reader(path)


def test_a_file_that_is_no_database_is_refused_and_left_alone(path):
    path.write_text("dear diary, " * 1000)
    assert "not written by teachbox" in refusal(path)
    assert path.read_text().startswith("dear diary")


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
def test_a_truncated_store_is_called_damaged(path, part):
    filled(path)
    size = path.stat().st_size
    os.truncate(path, int(size * part) // 4096 * 4096)
    assert "damaged" in refusal(path)


def test_a_store_whose_pages_were_overwritten_is_called_damaged(path):
    filled(path)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(8 * 4096))
    assert "damaged" in refusal(path)


def test_a_missing_or_empty_store_of_a_session_is_not_quietly_made_anew(path):
    assert "missing or empty" in refusal(path, create=False)
    path.touch()
    assert "missing or empty" in refusal(path, create=False)


def test_no_folder_or_a_folder_in_its_place(path):
    assert "no folder" in refusal(path.parent / "nowhere" / "feedback.db")
    path.mkdir()
    assert "is a folder" in refusal(path)


@pytest.mark.parametrize("url", ["mysql://somewhere/study", "postgresql+psycopg://somewhere", "a://b://c"])
def test_a_url_of_no_store_is_refused(url):
    with pytest.raises(StoreError, match="postgresql"):
        Store.open(url)


def test_a_file_by_its_url(path):
    Store.open(f"sqlite:///{path}").close()
    assert path.exists()


@pytest.mark.skipif(os.name != "posix", reason="folders on Windows have other permissions")
def test_a_read_only_folder():
    with TemporaryDirectory() as name:
        folder, path = Path(name), Path(name) / "feedback.db"
        root = os.getuid() == 0  # who may write anywhere, so somebody else must try
        for _ in ("a new store", "an old one"):
            folder.chmod(0o555)
            text = in_process(labeller.refused, path, 65534 if root else os.getuid())
            assert str(folder) in text
            assert "can't be opened for writing" in text
            folder.chmod(0o755)
            filled(path, 1)


def test_a_full_disk_keeps_the_records_waiting_and_saves_them_later(path):
    trouble, waiting, saved, left, ids, seqs = in_process(labeller.starve, path)
    assert str(path) in trouble
    assert "free some space" in trouble
    assert waiting >= 1
    assert saved
    assert left == 0
    reader = Reader(path)
    assert [record.id for _, record in reader.records()] == ids
    assert [line.seq for line in reader.record_summaries()] == seqs
    reader.close()


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="needs to mount a small disk")
def test_a_really_full_small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], capture_output=True, check=False
    )
    if mount.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(500_000))
        store = Store.open(disk / "feedback.db", retry_seconds=0.02)
        told: list[Any] = []

        class Told:
            send = staticmethod(told.append)

        labeller.fill(store, Told, ballast.unlink)  # type: ignore[arg-type]
        trouble, waiting, saved, left, ids, _ = told[0]
        assert "disk that holds" in trouble
        assert "is full" in trouble
        assert waiting >= 1
        assert (saved, left) == (True, 0)
        assert [line.id for line in Reader(disk / "feedback.db").record_summaries()] == ids
    finally:
        subprocess.run(["umount", "-l", disk], check=False)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EROFS])
def test_a_disk_too_full_for_a_large_trajectory_is_told_and_it_is_saved_later(path, monkeypatch, number):
    monkeypatch.setattr(blobs, "LARGE", 1)
    store = Store.open(path, retry_seconds=0.02)

    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr("agents.io.atomic_files.os.fsync", full)
        future = store.append(Demonstration(trajectory()), ORIGIN)
        assert str(path) in told(store)
        assert "free some space" in told(store)
        gone_again(path)
    assert future.result(60) == 1
    assert len(list(files_in(path))) == 1
    store.close()


def gone_again(path: Path) -> None:
    """Nothing of the trajectory is left behind; while it is being tried again there is half a file."""
    end = time.monotonic() + 60
    while left := files_in(path):
        assert [file.suffix for file in left] == [".new"]
        assert time.monotonic() < end, left


def files_in(path: Path) -> list[Path]:
    return list((path.parent / "trajectories").iterdir())


def test_a_locked_store_is_told_and_saved_when_the_lock_is_gone(path, monkeypatch):
    monkeypatch.setattr("sandbox.store.sqlite.BUSY_SECONDS", 0.05)
    store = Store.open(path, retry_seconds=0.02)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    future = store.append(Evaluation(trajectory(), 1.0), ORIGIN)
    assert "locked by another program" in told(store)
    assert not future.done()
    other.execute("ROLLBACK")
    other.close()
    assert future.result(60) == 1
    assert store.error is None
    store.close()


def test_a_store_moved_away_in_use_is_told_and_nothing_goes_to_the_wrong_file(path):
    store = Store.open(path, retry_seconds=0.02)
    store.append(Evaluation(trajectory(), 1.0), ORIGIN).result(60)
    away = path.with_name("away.db")
    path.rename(away)
    future = store.append(Evaluation(trajectory(), -1.0), ORIGIN)
    assert "moved or deleted" in told(store)
    away.rename(path)
    assert future.result(60) == 2
    store.close()


def test_closing_with_records_that_can_not_be_saved_says_how_many(path):
    store = Store.open(path, retry_seconds=0.02)
    path.rename(path.with_name("away.db"))
    future = store.append(Evaluation(trajectory(), 1.0), ORIGIN)
    assert store.close(timeout=0.3) == 1
    with pytest.raises(StoreError, match="moved or deleted"):
        future.result(0)
    with pytest.raises(StoreError, match="closed"):
        store.append(Evaluation(trajectory(), 1.0), ORIGIN)
