"""The store keeps every record to the last bit, in order, once, and only after the commit says so."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.feedback.records import Comparison, Demonstration, Evaluation, Record, Undo, active_records
from sandbox.bench.durability.concurrent_raters import in_threads
from sandbox.bench.durability.count import Count
from sandbox.bench.durability.fake_records import trajectory
from sandbox.store import Provenance, Reader, Store, StoreError, count_standing, standing_summaries
from sandbox.store.codec import CodecError, decode_trajectory, encode, encode_trajectory
from tests.sandbox.records import records, same, trajectories

ORIGIN = Provenance("rater-1", "0.1")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "feedback.db")
    yield opened
    opened.close()


def save(store: Store, *items: Record) -> list[int]:
    return [future.result(60) for future in [store.append(item, ORIGIN) for item in items]]


@given(trajectories())
def test_a_trajectory_comes_back_to_the_last_bit_and_alike_means_equal_bytes(item):
    content = encode_trajectory(item)
    assert same(decode_trajectory(content), item)
    assert encode_trajectory(decode_trajectory(content)) == content


@settings(max_examples=20, deadline=None)
@given(st.lists(records, max_size=6, unique_by=lambda record: record.id))
def test_every_kind_of_record_comes_back_in_order_after_closing(items):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "feedback.db"
        store = Store.open(path)
        seqs = save(store, *items)
        assert store.close() == 0
        again = Store.open(path, create=not items)
        found = again.records()
        again.close()
    assert seqs == list(range(1, len(items) + 1))
    assert [seq for seq, _ in found] == seqs
    assert all(same(a, b) for a, (_, b) in zip(items, found, strict=True))


@given(st.binary(max_size=200))
def test_bytes_that_are_no_trajectory_are_refused(content):
    with pytest.raises(CodecError):
        decode_trajectory(content)


@given(trajectories(), st.data())
def test_a_cut_trajectory_is_refused(item, data):
    content = encode_trajectory(item)
    with pytest.raises(CodecError):
        decode_trajectory(content[: data.draw(st.integers(0, len(content) - 1))])


@given(records)
def test_no_field_of_a_record_is_left_out(record):
    encoded = encode(record)
    kept = {*json.loads(encoded.body), *(clip.role for clip in encoded.clips), "id"}
    assert kept == {field.name for field in fields(record)}


def test_a_record_is_on_the_disk_when_its_future_is_done(store):
    record = Demonstration(trajectory())
    assert save(store, record) == [1]
    other = sqlite3.connect(store.backend.path)
    assert other.execute("SELECT id, kind, rater FROM record").fetchall() == [
        (record.id, "demonstration", "rater-1")
    ]
    other.close()


def test_the_same_record_again_is_the_same_record(store):
    record = Comparison((trajectory(), trajectory(seed=1)), (0, 1))
    assert save(store, record, record, Undo(record.id), record) == [1, 1, 2, 1]
    assert len(store.records()) == 2


def test_an_id_used_for_other_content_is_refused_and_the_rest_is_kept(store):
    first = Evaluation(trajectory(), 1.0)
    other = Evaluation(trajectory(), -1.0, id=first.id)
    futures = [store.append(item, ORIGIN) for item in (first, other, Demonstration(trajectory()))]
    assert futures[0].result(60) == 1
    with pytest.raises(StoreError, match=first.id):
        futures[1].result(60)
    assert futures[2].result(60) == 2
    assert store.error is None


def test_what_json_can_not_hold_is_refused_in_a_sentence_and_the_rest_is_kept(store):
    values = [1.0, float("nan"), 2.0, float("inf"), -1.0]
    futures = [store.append(Evaluation(trajectory(), value), ORIGIN) for value in values]
    assert [future.result(60) for future in futures[::2]] == [1, 2, 3]
    for future in futures[1::2]:
        with pytest.raises(StoreError, match="not finite"):
            future.result(60)
    assert store.flush(60)
    assert store.error is None


def test_undo_takes_back_and_everything_stays(store):
    one, two = Demonstration(trajectory()), Evaluation(trajectory(3), 2.0)
    save(store, one, two, Undo(one.id))
    found = [record for _, record in store.records()]
    assert [type(record).__name__ for record in found] == ["Demonstration", "Evaluation", "Undo"]
    assert [record.id for record in active_records(found)] == [two.id]
    assert [line.id for line in standing_summaries(store.record_summaries())] == [two.id]
    assert store.counts() == {"evaluation": 1} == count_standing(store.backend.path)


def test_a_clip_shown_often_is_stored_once(store):
    clips = trajectory(), trajectory(seed=1)
    save(store, *(Comparison(clips, ranks) for ranks in [(0, 1), (1, 0), (0, 0)]), Demonstration(clips[0]))
    other = sqlite3.connect(store.backend.path)
    stored = dict(other.execute("SELECT digest, content FROM trajectory").fetchall())
    other.close()
    assert len(stored) == 2
    assert all(sha256(content).hexdigest() == digest for digest, content in stored.items())


def test_provenance_is_kept(store):
    record = Comparison((trajectory(), trajectory(seed=1)), (0, 1), question="q1", seconds=2.5)
    store.append(record, Provenance("me-77", "9.9", 2.5, "q1", (1, 0), "joint:12")).result(60)
    other = sqlite3.connect(store.backend.path)
    columns = "rater, program, reaction_seconds, question, side_order, policy, task, digest, said_at"
    row = other.execute(f"SELECT {columns} FROM record").fetchone()
    other.close()
    task = "teachbox/RoomsTidy-v0"
    assert row[:-1] == ("me-77", "9.9", 2.5, "q1", "[1, 0]", "joint:12", task, encode(record).digest)
    assert row[-1].endswith("+00:00")


def test_the_reader_sees_new_records_and_can_not_write(store):
    reader = Reader(store.backend.path)
    assert reader.latest_seq() == 0
    save(store, *(Demonstration(trajectory(seed=i)) for i in range(5)))
    assert reader.latest_seq() == 5
    assert [seq for seq, _ in reader.records(after=2)] == [3, 4, 5]
    assert [seq for seq, _ in reader.records(after=1, limit=2)] == [2, 3]
    with pytest.raises(Exception, match="readonly"), reader._connection.begin():
        reader._connection.exec_driver_sql("DELETE FROM record")
    reader.close()


@pytest.mark.parametrize(
    "statement", ["UPDATE record SET rater = ''", "DELETE FROM clip", "DELETE FROM trajectory"]
)
def test_nothing_is_ever_changed_or_removed(store, statement):
    save(store, Demonstration(trajectory()))
    other = sqlite3.connect(store.backend.path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        other.execute(statement)
    other.close()


def test_hundreds_at_once_keep_their_order(store):
    items = [Evaluation(trajectory(2, seed=i), 1.0) for i in range(300)]
    assert save(store, *items) == list(range(1, 301))
    assert [record.id for _, record in store.records()] == [item.id for item in items]


def test_durable_settings_are_in_force(store):
    from sandbox.store.sqlite import writing_engine

    with writing_engine(store.backend.path).connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_arrays_that_are_views_are_kept_as_they_look(store):
    whole = trajectory(20)
    part = whole.clip(5, 9)
    assert not part.states.flags.owndata
    save(store, Demonstration(part))
    (found,) = [record for _, record in store.records()]
    assert same(found.trajectory, part)
    assert np.array_equal(found.trajectory.states, whole.states[5:10])


def test_eight_raters_in_one_process(tmp_path):
    assert in_threads(tmp_path / "feedback.db", people=8, each=25) == Count(1, 200)


@pytest.mark.slow
def test_eight_raters_of_three_hundred_answers_each_in_one_process(tmp_path):
    assert in_threads(tmp_path / "feedback.db", people=8, each=300) == Count(1, 2400)
