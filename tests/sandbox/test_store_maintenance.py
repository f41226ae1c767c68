"""check says what is wrong where, repair loses nothing that is whole, backups and merges keep all."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.feedback.records import Comparison, Correction, Demonstration, Evaluation, Record, Undo
from envs.rooms import rooms_state_layout
from envs.task_catalog import task
from sandbox.bench.durability.fake_records import trajectory
from sandbox.commands.store import app
from sandbox.exchange.sample import random_recording
from sandbox.store import Provenance, Store, StoreError, blobs
from sandbox.store.backend import backend_of
from sandbox.store.backup import backup, merge
from sandbox.store.repair import repair
from sandbox.store.sqlite import SQLiteBackend
from sandbox.store.verify import verify_store
from tests.sandbox.records import same

ORIGIN = Provenance("rater-1", "0.1", 1.5, "q", (1, 0), "joint:7")


def said(first: int = 0, task: str = "teachbox/RoomsTidy-v0") -> list[Record]:
    """One record of every kind, of different clips for each `first`."""
    one, two = trajectory(6, seed=first, task=task), trajectory(9, seed=first + 1, task=task)
    items = [Demonstration(two), Evaluation(one, 1.0), Comparison((one, two), (0, 1)), Correction(one, two)]
    return [*items, Undo(items[1].id)]


def filled(folder: Path, *items: Record) -> SQLiteBackend:
    """A closed store."""
    folder.mkdir(exist_ok=True)
    store = Store.open(folder / "feedback.db")
    for item in items:
        order = (1, 0) if isinstance(item, Comparison) else None
        store.append(item, Provenance("rater-1", "0.1", 1.5, "q", order, "joint:7")).result(60)
    assert store.close() == 0
    return SQLiteBackend(folder / "feedback.db")


def kept(place: SQLiteBackend) -> list[tuple[int, Record]]:
    store = Store.open(place, create=False)
    found = store.records()
    store.close()
    return found


def tamper(place: SQLiteBackend, *statements: str) -> None:
    """What a program that knows nothing of triggers does to a file."""
    with sqlite3.connect(place.path) as other:
        triggers = other.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            other.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            other.execute(statement)
        for _, sql in triggers:
            other.execute(sql)
    other.close()


def test_a_whole_store_has_no_findings_also_while_it_is_in_use(tmp_path):
    items = said()
    place = filled(tmp_path, *items)
    store = Store.open(place)
    store.append(Demonstration(trajectory(7)), ORIGIN.__class__("r", "0.1")).result(60)
    report = verify_store(place)
    store.close()
    assert (report.records, report.trajectories, report.findings) == (6, 3, ())


WRONGS = {
    "UPDATE record SET body = replace(body, '1.0', '2.0') WHERE seq = 2": ("record 2", "digest differs"),
    "UPDATE record SET kind = 'rumour' WHERE seq = 2": ("record 2", "which a rumour has not"),
    "UPDATE record SET task = 'elsewhere' WHERE seq = 1": ("record 1", "environment 'elsewhere'"),
    "UPDATE record SET target = 'nobody' WHERE seq = 5": ("record 5", "'nobody'"),
    "DELETE FROM record WHERE seq = 2": ("record 2", "missing"),
    "UPDATE clip SET place = 7 WHERE role = 'person'": ("record 4", "out of place: [7]"),
    "UPDATE clip SET role = 'friend' WHERE role = 'person'": ("record 4", "'friend'"),
    "DELETE FROM clip WHERE role = 'agent'": ("record 4", "digest differs"),
    "UPDATE trajectory SET content = zeroblob(size)": ("trajectory ", "not what was written"),
    "UPDATE trajectory SET steps = 3": ("trajectory ", "not the 3 steps"),
    "DELETE FROM trajectory": ("record 1", "is missing"),
    "UPDATE record SET said_at = 'yesterday' WHERE seq = 3": ("record 3", "'yesterday'"),
    "UPDATE record SET said_at = '2026-01-01T00:00:00+02:00' WHERE seq = 3": ("record 3", "not UTC"),
    "UPDATE record SET side_order = '[0, 0]' WHERE seq = 3": ("record 3", "order of sides"),
    "UPDATE record SET reaction_seconds = -1 WHERE seq = 3": ("record 3", "impossible"),
    "UPDATE record SET rater = '' WHERE seq = 3": ("record 3", "rater is not told"),
}


@pytest.mark.parametrize("statement", WRONGS)
def test_check_says_what_is_wrong_and_where(tmp_path, statement):
    place = filled(tmp_path, *said())
    tamper(place, statement)
    where, what = WRONGS[statement]
    found = [finding for finding in verify_store(place).findings if finding.where.startswith(where)]
    assert any(what in finding.problem for finding in found), verify_store(place).findings


def test_check_says_that_changes_are_not_refused_any_more(tmp_path):
    place = filled(tmp_path, *said())
    with sqlite3.connect(place.path) as other:
        other.execute("DROP TRIGGER clip_no_delete")
    other.close()
    assert [finding.problem for finding in verify_store(place).findings] == ["nothing refuses delete on clip"]


def test_repair_keeps_what_is_whole_with_its_number_and_sets_the_old_store_aside(tmp_path):
    items = said()
    place = filled(tmp_path, *items)
    tamper(place, "UPDATE record SET body = 'x' WHERE seq = 3")
    before = place.path.read_bytes()
    done = repair(place)
    assert done.kept == 4
    assert [finding.where for finding in done.lost] == [f"record 3 (comparison {items[2].id})"]
    found = kept(place)
    assert [seq for seq, _ in found] == [1, 2, 4, 5]
    assert all(same(items[seq - 1], record) for seq, record in found)
    assert done.old_store is not None
    assert (done.old_store / "feedback.db").read_bytes() == before
    assert items[2].id in (done.old_store / "not-kept.txt").read_text()
    store = Store.open(place)
    assert store.append(Demonstration(trajectory()), ORIGIN).result(60) == 6
    store.close()


def test_repair_leaves_a_whole_store_alone(tmp_path):
    place = filled(tmp_path, *said())
    before = place.path.read_bytes()
    assert repair(place).old_store is None
    assert place.path.read_bytes() == before
    assert not (tmp_path / "aside").exists()


@pytest.mark.parametrize("seed", range(4))
def test_pages_overwritten_anywhere_cost_only_what_was_on_them(tmp_path, seed):
    items = [Demonstration(trajectory(40, seed=i)) for i in range(60)]
    place = filled(tmp_path, *items)
    pages = place.path.stat().st_size // 4096
    page = 12 + seed * (pages - 14) // 4  # behind the schema and the roots of the tables
    with place.path.open("r+b") as file:
        file.seek(page * 4096)
        file.write(bytes(4096))
    assert verify_store(place).findings
    done = repair(place)
    assert 40 <= done.kept < 60
    assert all(same(items[seq - 1], record) for seq, record in kept(place))
    assert len(kept(place)) == done.kept
    assert [f for f in verify_store(place).findings if "missing" not in f.problem] == []


@pytest.mark.parametrize("moment", ["before", "between", "after"])
def test_a_repair_cut_off_at_any_moment_is_finished_by_the_next(tmp_path, monkeypatch, moment):
    items = said()
    place = filled(tmp_path, *items)
    tamper(place, "UPDATE record SET body = 'x' WHERE seq = 3")

    class CutOff(Exception):
        pass

    def cut(*_: object) -> None:
        raise CutOff

    target = {
        "before": "sandbox.store.repair._copy",
        "between": "sandbox.store.repair._swap_stores",
        "after": "sandbox.store.repair._damaged_files",
    }[moment]
    with monkeypatch.context() as patch:
        patch.setattr(target, cut)
        with pytest.raises(CutOff):
            repair(place)
    repair(place)
    assert [seq for seq, _ in kept(place)] == [1, 2, 4, 5]


def test_a_store_in_use_is_not_repaired(tmp_path):
    place = filled(tmp_path, *said())
    store = Store.open(place)
    with pytest.raises(StoreError, match="another window"):
        repair(place)
    store.close()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every trajectory is a large one."""
    monkeypatch.setattr(blobs, "LARGE", 1)


@pytest.mark.usefixtures("small")
def test_large_trajectories_are_files_and_come_back(tmp_path):
    items = said()
    place = filled(tmp_path, *items)
    assert len(list(place.blob_folder.iterdir())) == 2
    assert all(same(a, b) for a, (_, b) in zip(items, kept(place), strict=True))
    assert verify_store(place).findings == ()
    (place.blob_folder / "stray.safetensors").touch()
    assert verify_store(place).unreferenced_files == ("stray.safetensors",)


@pytest.mark.usefixtures("small")
def test_a_file_is_on_the_disk_before_its_record_is_committed(tmp_path, monkeypatch):
    order: list[str] = []
    put, sync = blobs.put, os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: order.append("fsync") or sync(fd))
    monkeypatch.setattr(blobs, "put", lambda *a: (put(*a), order.append("put"), seen(tmp_path, order)))
    filled(tmp_path, Demonstration(trajectory()))
    assert order[-2:] == ["put", "no record yet"]
    assert order.count("fsync") >= 3  # the file, its folder, the folder's folder


def seen(folder: Path, order: list[str]) -> None:
    with sqlite3.connect(folder / "feedback.db") as other:
        (count,) = other.execute("SELECT count(*) FROM record").fetchone()
    other.close()
    order.append("a record" if count else "no record yet")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("harm", ["missing", "changed", "truncated"])
def test_a_harmed_file_is_found_and_set_aside_and_the_other_records_stay(tmp_path, harm):
    items = [Demonstration(trajectory(seed=i)) for i in range(3)]
    place = filled(tmp_path, *items)
    with sqlite3.connect(place.path) as other:
        (digest,) = other.execute(
            "SELECT trajectory FROM clip WHERE record_id = ?", (items[1].id,)
        ).fetchone()
    other.close()
    path = blobs.file_of(place.blob_folder, digest)
    content = path.read_bytes()
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(content[:-1] if harm == "truncated" else content[:-1] + bytes([content[-1] ^ 1]))
    assert {finding.where for finding in verify_store(place).findings} == {
        f"record 2 (demonstration {items[1].id})",
        f"trajectory {digest}",
    }
    done = repair(place)
    assert [seq for seq, _ in kept(place)] == [1, 3]
    assert done.old_store is not None
    assert (done.old_store / path.name).exists() == (harm != "missing")
    assert not path.exists()


@pytest.mark.parametrize("large", [1, 2**20])
def test_a_backup_taken_while_people_label_is_one_moment_of_the_store(tmp_path, monkeypatch, large):
    monkeypatch.setattr(blobs, "LARGE", large)
    place = filled(tmp_path / "session", *said())
    store, stop = Store.open(place), threading.Event()

    def label() -> None:
        number = 10
        while not stop.is_set():
            number += 10
            for item in said(number):
                store.append(item, ORIGIN.__class__("r", "0.1")).result(60)

    thread = threading.Thread(target=label)
    thread.start()
    try:
        reports = [backup(place, tmp_path / f"copy{i}") for i in range(3)]
    finally:
        stop.set()
        thread.join()
    store.close()
    whole = kept(place)
    for number, report in enumerate(reports):
        assert report.findings == ()
        copied = kept(SQLiteBackend(tmp_path / f"copy{number}" / "feedback.db"))
        assert len(copied) == report.records
        assert all(a == b and same(x, y) for (a, x), (b, y) in zip(copied, whole[: len(copied)], strict=True))


def test_a_backup_that_can_not_be_finished_is_not_there(tmp_path, monkeypatch):
    place = filled(tmp_path / "session", *said())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sandbox.store.backup.move_into_place", full)
    monkeypatch.setattr("sandbox.store.backup.verify_store", full)
    with pytest.raises(StoreError, match="No space left"):
        backup(place, tmp_path / "copy")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["session"]


def test_a_merge_adds_what_is_new_in_its_order_and_once_only(tmp_path):
    common = said()
    mine, its = filled(tmp_path / "mine", *common), tmp_path / "its"
    shutil.copytree(tmp_path / "mine", its)
    here, there = said(20), said(40)
    filled(tmp_path / "mine", *here)
    other = filled(its, *there)
    done = merge(mine, other)
    assert (done.added, done.known) == (5, 5)
    wanted = [*common, *here, *there]
    found = kept(mine)
    assert [seq for seq, _ in found] == list(range(1, 16))
    assert all(same(a, b) for a, (_, b) in zip(wanted, found, strict=True))
    assert (merge(mine, other).added, merge(mine, mine).added) == (0, 0)
    assert verify_store(mine).findings == ()
    columns = "id, rater, said_at, reaction_seconds, question, side_order, policy, program"
    rows = []
    for place in (mine, other):
        with sqlite3.connect(place.path) as connection:
            rows.append(set(connection.execute(f"SELECT {columns} FROM record").fetchall()))
        connection.close()
    assert rows[0] >= rows[1]


def test_a_merge_of_what_does_not_belong_together_changes_nothing(tmp_path):
    mine = filled(tmp_path / "mine", *said())
    first = kept(mine)[1][1]
    filled(tmp_path / "clash", Demonstration(trajectory()), Evaluation(trajectory(3), -2.0, id=first.id))
    filled(tmp_path / "world", Demonstration(trajectory(task="teachbox/RoomsReach-v0")))
    broken = filled(tmp_path / "broken", *said(60))
    tamper(broken, "UPDATE record SET body = 'x' WHERE seq = 4")
    for name, told in {"clash": "other content", "world": "one study", "broken": "damaged"}.items():
        with pytest.raises(StoreError, match=told):
            merge(mine, SQLiteBackend(tmp_path / name / "feedback.db"))
        assert len(kept(mine)) == 5
    with pytest.raises(StoreError, match="no store"):
        merge(mine, backend_of(tmp_path / "nowhere.db"))
    with pytest.raises(StoreError, match="missing or empty"):
        merge(backend_of(tmp_path / "mine" / "new.db"), mine)


def test_the_commands_say_what_they_did_and_their_status(tmp_path):
    place = filled(tmp_path / "session", *said(task="somebody-else/World-v0"))
    folder = str(tmp_path / "session")

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, words)
        return done.exit_code, done.output

    assert run("check", folder) == (0, f"{place.name}: 5 records and 2 trajectories, all whole.\n")
    assert run("backup", folder, str(tmp_path / "copy"))[0] == 0
    assert run("merge", folder, str(tmp_path / "copy")) == (
        0,
        f"{place.name}: 0 records added, 5 were there already.\n",
    )
    assert "Nothing is wrong" in run("repair", folder)[1]
    tamper(place, "UPDATE record SET body = 'x' WHERE seq = 1")
    status, text = run("check", folder)
    assert status == 1
    assert "record 1 (demonstration" in text
    status, text = run("repair", folder)
    assert status == 0
    assert "not kept: record 1" in text
    assert "now holds 4 records" in text
    assert run("check", folder)[1].count("is missing") == 1


def test_states_that_would_harm_a_kernel_are_found_refused_and_set_aside(tmp_path):
    world = task("teachbox/RoomsTidy-v0", size=9)
    good, states = random_recording(world, 4), random_recording(world, 4, seed=1).states.copy()
    states[2, rooms_state_layout.ROW] = 120  # outside the flat
    bad = replace(random_recording(world, 4, seed=1), states=states)
    mine = filled(tmp_path / "mine", Demonstration(good))
    its = filled(tmp_path / "its", Demonstration(random_recording(world, 4, seed=2)), Demonstration(bad))

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, [words[0], *(str(tmp_path / word) for word in words[1:])])
        return done.exit_code, f"{done.output} {done.exception}"

    assert run("check", "mine")[0] == 0
    status, text = run("check", "its")
    assert status == 1
    assert "record 2" in text
    assert "robot outside the flat" in text
    status, text = run("merge", "mine", "its")
    assert status == 1
    assert "robot outside the flat" in text
    assert [seq for seq, _ in kept(mine)] == [1]  # all or none
    assert "now holds 1 record" in run("repair", "its")[1]
    assert run("merge", "mine", "its")[0] == 0
    assert [seq for seq, _ in kept(mine)] == [1, 2]
    assert kept(its)


def copied(place: SQLiteBackend) -> object:
    return backup(place, place.path.parent / "copy")


@pytest.mark.parametrize("act", [verify_store, repair, copied])
def test_what_is_no_store_is_refused_in_a_sentence(tmp_path, act: Callable[[SQLiteBackend], object]):
    for name, content in {"gone.db": None, "diary.db": b"dear diary, " * 500}.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(StoreError) as caught:
            act(SQLiteBackend(tmp_path / name))
        assert str(tmp_path / name) in str(caught.value)
