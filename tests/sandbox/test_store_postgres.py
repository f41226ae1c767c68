"""A store on a real PostgreSQL server: several raters, crashes of the server, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from agents.feedback.records import Comparison, Demonstration, Evaluation, Record, Undo
from envs.task_catalog import task
from sandbox.bench.durability.concurrent_raters import answer_without_commit, crashes, in_processes
from sandbox.bench.durability.count import Count
from sandbox.bench.durability.fake_records import trajectory
from sandbox.exchange.sample import random_recording
from sandbox.session.events import Saved
from sandbox.session.folder import SessionError, SessionFile
from sandbox.session.session import Session
from sandbox.store import Provenance, Reader, Store, StoreError, schema
from sandbox.store.backend import backend_of
from sandbox.store.backup import backup, merge
from sandbox.store.codec import encode
from sandbox.store.migrate import migrate
from sandbox.store.repair import repair
from sandbox.store.verify import verify_store
from tests.sandbox.exchanged import teachbox
from tests.sandbox.records import same
from tests.sandbox.server import Server

ORIGIN = Provenance("rater-1", "0.1")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def url(server: Server) -> str:
    return server.database()


def name_of(url: str) -> str:
    return url.rpartition("/")[2]


def save(store: Store, *items: Record) -> list[int]:
    return [future.result(60) for future in [store.append(item, ORIGIN) for item in items]]


def test_every_kind_of_record_comes_back_and_what_is_large_stays_in_its_row(url, monkeypatch):
    monkeypatch.setattr("sandbox.store.blobs.LARGE", 10)
    one, two = trajectory(), trajectory(30, seed=1)
    items = [Demonstration(one), Evaluation(two, 1.0), Comparison((one, two), (0, 1), question="\0ü")]
    items.append(Undo(items[0].id))
    store = Store.open(url)
    assert save(store, *items, items[1]) == [1, 2, 3, 4, 2]
    store.close()
    again = Store.open(url, create=False)
    assert all(same(a, b) for a, (_, b) in zip(items, again.records(), strict=True))
    assert again.counts() == {"evaluation": 1, "comparison": 1}
    assert again.world() == (one.task, dict(one.options))
    again.close()


def test_an_id_used_for_other_content_is_refused_and_the_rest_is_kept(url):
    store = Store.open(url)
    first = Evaluation(trajectory(), 1.0)
    futures = [
        store.append(item, ORIGIN)
        for item in (first, Evaluation(trajectory(), -1.0, id=first.id), Demonstration(trajectory()))
    ]
    assert (futures[0].result(60), futures[2].result(60)) == (1, 2)
    with pytest.raises(StoreError, match=first.id):
        futures[1].result(60)
    store.close()


@pytest.mark.parametrize("statement", ["UPDATE record SET rater = ''", "DELETE FROM clip", "TRUNCATE clip"])
def test_nothing_is_ever_changed_or_removed(server, url, statement):
    store = Store.open(url)
    save(store, Demonstration(trajectory()))
    with pytest.raises(Exception, match="append-only"):
        server.sql(name_of(url), statement)
    with pytest.raises(Exception, match="read-only"):
        store._reader._query(lambda connection: connection.exec_driver_sql("DELETE FROM clip"))
    store.close()


def test_commits_are_on_the_disk_whatever_the_server_is_set_to(server, url):
    server.sql("postgres", f"ALTER DATABASE {name_of(url)} SET synchronous_commit = off")
    engine = backend_of(url).writing()
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    engine.dispose()


def test_migrations_make_the_tables_of_a_new_store(server, url):
    Store.open(url).close()
    old = server.database()
    engine = backend_of(old).writing()
    with engine.begin() as connection:
        migrate(connection, schema.SCHEMA_VERSION)
    engine.dispose()
    columns = "SELECT table_name, column_name, data_type, is_nullable, column_default"
    triggers = "SELECT event_object_table, trigger_name, event_manipulation, action_statement"
    for query in (
        f"{columns} FROM information_schema.columns",
        f"{triggers} FROM information_schema.triggers",
    ):
        where = "" if "triggers" in query else " WHERE table_schema = 'public'"
        found = [sorted(map(str, server.sql(name_of(place), query + where))) for place in (url, old)]
        assert found[0] == found[1]
        assert found[0]


def test_an_older_store_is_migrated_with_all_that_is_in_it(server, url):
    item = encode(Demonstration(trajectory()))
    engine = backend_of(url).writing()
    with engine.begin() as connection:
        migrate(connection, 1)
    engine.dispose()
    values = f"'{item.id}', '{item.kind}', '{item.body}', '{item.digest}', '{item.task}', 'r', 'now', '0'"
    columns = "id, kind, body, digest, task, rater, said_at, program"
    server.sql(name_of(url), f"INSERT INTO record (seq, {columns}) VALUES (1, {values})")
    (clip,) = item.clips
    content = f"'\\x{clip.content.hex()}'"
    server.sql(name_of(url), f"INSERT INTO trajectory VALUES ('{clip.digest}', 1, 1, {content})")
    server.sql(name_of(url), f"INSERT INTO clip VALUES ('{item.id}', '{clip.role}', 0, '{clip.digest}')")
    store = Store.open(url, create=False)
    assert [record.id for _, record in store.records()] == [item.id]
    assert save(store, Demonstration(trajectory())) == [2]
    store.close()


def test_what_is_refused_is_told_in_a_sentence(server, url):
    def refusal(where: str, create: bool = True) -> str:
        with pytest.raises(StoreError) as caught:
            Store.open(where, create=create)
        assert str(caught.value).endswith(".")
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "is not there" in refusal(server.url("nowhere"))
    assert "can't be reached" in refusal("postgresql+psycopg://teachbox@127.0.0.1:1/study")
    assert "holds no store" in refusal(url, create=False)
    with pytest.raises(StoreError, match="holds no store"):
        Reader(url)
    assert "secret" not in refusal("postgresql+psycopg://a:secret@127.0.0.1:1/study")
    server.sql(name_of(url), "CREATE TABLE clip (id int)")
    assert "another program" in refusal(url)
    newer = server.database()
    Store.open(newer).close()
    server.sql(name_of(newer), "UPDATE teachbox_version SET version_num = '0099'")
    assert "newer teachbox" in refusal(newer)
    stranger = server.database()
    server.sql("postgres", f"CREATE ROLE stranger{name_of(stranger)} LOGIN")
    Store.open(stranger).close()
    assert "refuses you" in refusal(stranger.replace("teachbox@", f"stranger{name_of(stranger)}@"))


def test_two_machines_that_open_an_empty_database_at_once_make_one_store(url):
    assert in_processes(url, people=4, each=2) == Count(1, 8)


def test_eight_raters_in_eight_processes_lose_nothing_and_nothing_comes_twice(url):
    assert in_processes(url, people=8, each=20) == Count(1, 160)


@pytest.fixture
def durable() -> Iterator[Server]:
    made = Server(fsync=True)
    yield made
    made.close()


@pytest.mark.slow
def test_eight_raters_of_three_hundred_answers_each(durable):
    assert in_processes(durable.database(), people=8, each=300) == Count(1, 2400)


def test_the_control_of_raters_that_say_saved_too_early_loses(url):
    # Once in a great while the last commit comes in time.
    assert any(in_processes(url, people=2, each=50, how=answer_without_commit).lost > 0 for _ in range(5))


def test_a_reader_never_passes_over_a_record_that_is_committed_later(url):
    """Numbers become visible in order, or the learner would miss an answer for ever."""
    seen: list[int] = []
    Store.open(url).close()
    reader = Reader(url)

    def look() -> None:
        new = [seq for seq, _ in reader.records(seen[-1] if seen else 0)]
        seen.extend(new)

    assert in_processes(url, people=4, each=25, meanwhile=look) == Count(1, 100)
    look()
    reader.close()
    assert seen == list(range(1, 101))


def test_three_crashes_of_the_server_under_eight_raters(server, url):
    assert crashes(server, url, times=3, each=80, seed=1) == Count(3, 640)


@pytest.mark.slow
def test_fifty_crashes_of_the_server_under_eight_raters(durable):
    assert crashes(durable, durable.database(), times=50, each=900, seed=2) == Count(50, 7200)


def test_the_control_without_turns_passes_over_a_record(url):
    """Numbers from a sequence, given out before the commit: what a reader must not rely on."""
    Store.open(url).close()
    reader = Reader(url)
    insert = (
        "INSERT INTO record (id, kind, body, digest, task, rater, said_at, program) "
        "VALUES ('{0}', 'undo', '{{\"target\":\"x\"}}', '', '', 'r', 'now', '0') RETURNING seq"
    )
    plain = url.replace("+psycopg", "")
    with psycopg.connect(plain) as slow, psycopg.connect(plain) as quick:
        assert slow.execute(insert.format("slow")).fetchone() == (1,)
        assert quick.execute(insert.format("quick")).fetchone() == (2,)
        quick.commit()
        assert reader.latest_seq() == 2
        slow.commit()
    assert [seq for seq, _ in reader.records(2)] == []  # and so record 1 is never heard of
    reader.close()


def test_sessions_on_two_machines_share_a_study_and_undo_only_their_own(server, url, tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    sessions = [open_session(folder, store=url, rater=folder.name) for folder in folders]
    first = settle(sessions[0], sessions[0].add_demonstration(trajectory()))
    assert settle(sessions[1], sessions[1].add_evaluation(trajectory(5, seed=1), 1.0)) == first + 1
    assert sessions[1].counts == {"evaluation": 1}
    sessions[1].close()
    again = open_session(folders[1], rater="two")  # the session knows its store
    assert again.counts == {"demonstration": 1, "evaluation": 1}
    assert again.undo("demonstration") is None
    assert again.undo() is not None
    assert again.counts == {"demonstration": 1}
    for session in (sessions[0], again):
        assert session.close() is None
    facts = SessionFile.read(folders[1])
    assert facts is not None
    assert facts.store == url
    (info,) = (one for one in Session.list(tmp_path) if one.folder == folders[1])
    assert (info.counts, info.error) == ({"demonstration": 1}, "")
    assert not (folders[1] / "feedback.db").exists()


def test_check_backup_and_merge_work_on_a_server_and_repair_says_why_not(server, url, tmp_path):
    items = [Demonstration(trajectory(seed=i)) for i in range(4)]
    local = Store.open(tmp_path / "feedback.db")
    save(local, *items[:3])
    local.close()
    place, file = backend_of(url), backend_of(tmp_path / "feedback.db")
    assert merge(place, file).added == 3  # into an empty database
    store = Store.open(url)
    save(store, items[3])
    assert verify_store(place).records == 4
    assert verify_store(place).findings == ()
    backup(place, tmp_path / "copy")
    store.close()
    copy = Reader(tmp_path / "copy" / "feedback.db")
    assert all(same(a, b) for a, (_, b) in zip(items, copy.records(), strict=True))
    copy.close()
    assert (merge(file, place).added, merge(place, file).added) == (1, 0)
    server.sql(
        name_of(url),
        "ALTER TABLE record DISABLE TRIGGER ALL; UPDATE record SET body = 'x' WHERE seq = 2; "
        "ALTER TABLE record ENABLE TRIGGER ALL",
    )
    assert [finding.where for finding in verify_store(place).findings] == [
        f"record 2 (demonstration {items[1].id})"
    ]
    with pytest.raises(StoreError, match="on a server"):
        repair(place)


def test_a_password_is_not_kept_and_another_world_is_refused(server, url, tmp_path):
    with_password = url.replace("teachbox@", "teachbox:hush@")
    session = open_session(tmp_path / "one", store=with_password)
    settle(session, session.add_demonstration(trajectory()))
    session.close()
    assert "hush" not in (tmp_path / "one" / "session.json").read_text()
    with pytest.raises(SessionError, match="is a study in teachbox/RoomsTidy-v0"):
        open_session(tmp_path / "two", store=url, world="teachbox/RoomsReach-v0")
    with pytest.raises(SessionError, match="keeps its store in"):
        open_session(tmp_path / "one", store=server.database())
    with pytest.raises(SessionError, match="is a file"):
        open_session(tmp_path / "three", store="sqlite:///x.db")
    with pytest.raises(SessionError, match="can't be reached"):
        open_session(tmp_path / "four", store="postgresql://teachbox@127.0.0.1:1/study")
    assert [path.name for path in tmp_path.iterdir()] == ["one"]  # of those that were refused nothing is left


def test_feedback_goes_out_of_a_study_on_a_server_and_into_another_by_command_and_from_the_menu(
    server, url, tmp_path
):
    world = task("teachbox/RoomsTidy-v0", size=9)
    one, two, file = tmp_path / "one", tmp_path / "two", tmp_path / "out"
    session = open_session(one, store=url)
    settle(session, session.add_demonstration(random_recording(world, 5)))
    session.close()
    teachbox("export", str(one), "--out", str(file))
    open_session(two, store=server.database()).close()
    assert "1 record" in teachbox("import", str(file), "--session", str(two))
    assert "0 records" in teachbox("import", str(file), "--session", str(two))  # twice is once
    again = open_session(two)
    assert again.counts == {"demonstration": 1}
    again.close()
    assert not (two / "feedback.db").exists()


def open_session(folder: Any, **options: Any) -> Session:
    return Session.open(folder, start_learner=False, options={"size": 9}, **options)


def settle(session: Session, id: str) -> int:
    """The seq with which a record was saved."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for event in session.poll():
            if isinstance(event, Saved) and event.record_id == id:
                return event.seq
        time.sleep(0.005)
    raise AssertionError("not saved in time")
