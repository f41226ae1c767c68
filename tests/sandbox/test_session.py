"""The application without a screen: verbs, refusals in sentences, and what is there again after closing."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from agents.feedback.records import Comparison, Correction, Demonstration, Evaluation, Question
from agents.snapshot import Snapshot
from sandbox.bench.durability.fake_records import trajectory
from sandbox.session.events import ErrorMessage, Event, Saved
from sandbox.session.folder import FORMAT, SessionError, SessionFile, program_version
from sandbox.session.session import Session
from sandbox.store import Reader
from sandbox.store.sqlite import SQLiteBackend
from sandbox.store.verify import verify_store
from tests.sandbox.fake import FakeLearner
from tests.sandbox.records import same

ROOMS, LANES = "teachbox/RoomsTidy-v0", "teachbox/LanesCruise-v0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "sessions" / "one"


def quiet(folder: Path | None, **options: Any) -> Session:
    """A session without a learner process."""
    return Session.open(folder, start_learner=False, **options)


def until(session: Session, true: Callable[[list[Event]], Any]) -> list[Event]:
    """Poll until `true` of all events so far."""
    events: list[Event] = []
    end = time.monotonic() + 60
    while time.monotonic() < end:
        events += session.poll()
        if true(events):
            return events
        time.sleep(0.002)
    raise AssertionError(f"not in time: {events}")


def saved(session: Session, *ids: str | None) -> list[Saved]:
    events = until(session, lambda events: {e.record_id for e in events if isinstance(e, Saved)} >= set(ids))
    return [event for event in events if isinstance(event, Saved)]


def refusal(folder: Path | None, **options: Any) -> str:
    with pytest.raises(SessionError) as caught:
        quiet(folder, **options).close()
    return str(caught.value)


def test_each_verb_saves_its_record_as_it_was_said(folder):
    clips = trajectory(seed=1), trajectory(seed=2)
    question = Question(clips)
    with quiet(folder) as session:
        ids = [
            session.add_demonstration(trajectory(9)),
            session.add_evaluation(trajectory(5), -2, 1.5, rate=20.0),
            session.add_comparison(question, [1, 0], seconds=2.5),
            session.add_comparison(question, verdict="cant_tell"),
            session.add_correction(clips[0], clips[1]),
        ]
        assert session.unsaved > 0
        events = saved(session, *ids)
        assert [event.record_id for event in events] == ids
        assert [event.seq for event in events] == [1, 2, 3, 4, 5]
        assert all(event.text for event in events)
        assert session.unsaved == 0
    wanted = [
        Demonstration(trajectory(9), ids[0]),
        Evaluation(trajectory(5), -2, 1.5, 20.0, ids[1]),
        Comparison(clips, (1, 0), "ranked", question.id, 2.5, ids[2]),
        Comparison(clips, (), "cant_tell", question.id, 0.0, ids[3]),
        Correction(*clips, id=ids[4]),
    ]
    found = Reader(folder / "feedback.db").records()
    assert all(same(a, b) for a, (_, b) in zip(wanted, found, strict=True))


def test_undo_takes_back_the_last_that_stands_of_a_kind(folder):
    with quiet(folder) as session:
        assert session.undo() is None
        one, mark, two = (
            session.add_demonstration(trajectory()),
            session.add_evaluation(trajectory(), 1),
            session.add_demonstration(trajectory(3)),
        )
        first = session.undo("demonstration")
        assert session.counts == {"demonstration": 1, "evaluation": 1}
        second = session.undo("demonstration")
        assert session.undo("demonstration") is None
        third = session.undo()
        assert session.counts == {}
        assert session.undo() is None
        targets = {event.record_id: event.target for event in saved(session, first, second, third)}
        assert [targets[id] for id in (first, second, third)] == [two, one, mark]
    with quiet(folder) as again:
        assert again.counts == {}
        assert again.last_saved == 6
        assert again.undo() is None


def test_undo_knows_what_was_said_before_closing(folder):
    with quiet(folder) as session:
        ids = [session.add_demonstration(trajectory(seed=i)) for i in range(3)]
        session.undo()
    with quiet(folder) as again:
        undo = again.undo()
        assert saved(again, undo)[0].target == ids[1]
        assert again.counts == {"demonstration": 1}


def test_what_a_session_is_comes_back(folder):
    with quiet(
        folder, world=LANES, learner="bc", rater="Ann", prior="none", options={"split": "test"}
    ) as session:
        assert (session.world, session.learner, session.rater) == (LANES, "bc", "Ann")
        assert session.task.options["split"] == "test"
    with quiet(folder) as again:
        assert (again.world, again.learner, again.rater) == (LANES, "bc", "me")
        assert again.task.options["split"] == "test"
    facts = SessionFile.read(folder)
    assert facts is not None
    assert facts.prior == "none"
    assert set(facts.raters) == {"Ann", "me"}


def test_no_name_of_a_person_is_in_the_store(folder):
    with quiet(folder, rater="Annegret") as session:
        saved(session, session.add_demonstration(trajectory()))
        session.set_learner("bc")
    assert b"Annegret" not in (folder / "feedback.db").read_bytes()
    with sqlite3.connect(folder / "feedback.db") as other:
        (rater,) = other.execute("SELECT rater FROM record").fetchone()
    other.close()
    facts = SessionFile.read(folder)
    assert facts is not None
    assert facts.raters == {"Annegret": rater}
    assert facts.learner == "bc"


def test_without_a_folder_a_new_one_is_made_in_the_users_place(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("sandbox.session.opening.default_root", lambda: tmp_path / "teachbox")
    with quiet(None) as one, quiet(None) as two:
        assert one.folder != two.folder
        assert one.folder.parent == two.folder.parent == tmp_path / "teachbox"
        assert "roomstidy" in one.folder.name
        assert one.world == ROOMS


def test_listing_sessions(tmp_path):
    root = tmp_path / "sessions"
    assert Session.list(root) == []
    with quiet(root / "rooms") as session:
        session.add_demonstration(trajectory())
        session.add_demonstration(trajectory(seed=1))
        session.undo()
    with quiet(root / "lanes", world=LANES, learner="bc") as session:
        session.add_evaluation(trajectory(), 1)
        (root / "broken").mkdir()
        (root / "broken" / "session.json").write_text("{")
        (root / "no session").mkdir()
        infos = {info.folder.name: info for info in Session.list(root)}  # while one of them is open
    assert set(infos) == {"rooms", "lanes", "broken"}
    assert infos["rooms"][1:4] == (ROOMS, "joint", {"demonstration": 1})
    assert infos["lanes"][1:3] == (LANES, "bc")
    assert "damaged" in infos["broken"].error
    used = [info.last_used for info in Session.list(root)]
    assert used == sorted(used, reverse=True)


def test_unknown_world_and_learner(folder):
    assert refusal(folder, world="teachbox/RoomTidy-v0").endswith(f"did you mean {ROOMS!r}?")
    assert "'jiont'" in refusal(folder, learner="jiont")
    assert "'joint'" in refusal(folder, learner="jiont")
    assert not folder.exists()
    with quiet(folder) as session, pytest.raises(SessionError, match="'tamer'"):
        session.set_learner("tamer")
    assert "colour" in refusal(folder.parent / "two", options={"colour": "red"})


def test_another_world_than_the_sessions(folder):
    quiet(folder, world=LANES).close()
    text = refusal(folder, world=ROOMS)
    assert str(folder) in text
    assert LANES in text
    assert ROOMS in text


DAMAGES: list[tuple[dict[str, Any], str]] = [
    ({"world": None}, "lacks world"),
    ({"world": 7}, "has world 7 (expected str, got int)"),
    ({"seed": "0"}, "has seed '0' (expected int, got str)"),
    ({"raters": {"you": 3}}, "has raters[...] of another kind (expected str, got int)"),
    ({"options": [3]}, "has options [3] (expected object, got array)"),
    ({"colour": "red"}, "has an unknown 'colour'"),
]


def test_folders_that_are_not_for_us(folder, tmp_path):
    assert "is a file" in refusal(Path(__file__))
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").touch()
    assert "chapter1.tex" in refusal(tmp_path / "thesis")
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["chapter1.tex"]
    folder.mkdir(parents=True)
    (folder / "session.json").write_text(json.dumps({"program": "paintbox", "format": 1}))
    assert "another program" in refusal(folder)
    (folder / "session.json").write_text(
        json.dumps({"program": "teachbox", "format": FORMAT + 1, "version": "9.0"})
    )
    assert "newer teachbox (9.0)" in refusal(folder)
    good = {"program": "teachbox", "format": FORMAT, "world": ROOMS, "learner": "joint"}
    for change, words in DAMAGES:
        facts = {key: value for key, value in {**good, **change}.items() if value is not None}
        (folder / "session.json").write_text(json.dumps(facts))
        assert f"damaged (it {words}): put back a backup" in refusal(folder)


def test_a_session_whose_store_is_gone_is_not_quietly_begun_anew(folder):
    with quiet(folder) as session:
        saved(session, session.add_demonstration(trajectory()))
    (folder / "feedback.db").rename(folder / "feedback.bak")
    assert "missing or empty" in refusal(folder)
    (folder / "feedback.bak").rename(folder / "feedback.db")
    with quiet(folder) as again:
        assert again.counts == {"demonstration": 1}


def test_a_folder_left_by_a_crash_while_it_was_made_becomes_a_session(folder):
    quiet(folder).close()
    (folder / "session.json").unlink()  # it is written last
    with quiet(folder) as session:
        assert session.counts == {}


def test_a_second_window_is_refused(folder):
    with quiet(folder):
        assert "another window" in refusal(folder)
    quiet(folder).close()


def test_trouble_is_told_once_and_the_record_is_saved_later(folder):
    with quiet(folder) as session:
        saved(session, session.add_demonstration(trajectory()))
        away = folder / "away.db"
        (folder / "feedback.db").rename(away)
        id = session.add_evaluation(trajectory(), 1)
        events = until(session, lambda events: any(isinstance(e, ErrorMessage) for e in events))
        (trouble,) = [event for event in events if isinstance(event, ErrorMessage)]
        assert "Not saved yet: 1 record." in trouble.text
        assert str(folder / "feedback.db") in trouble.text
        assert session.unsaved_warning is not None
        time.sleep(0.05)
        assert session.poll() == []
        assert session.counts == {"demonstration": 1, "evaluation": 1}
        away.rename(folder / "feedback.db")
        assert saved(session, id)[0].seq == 2
        assert session.unsaved_warning is None


def test_closing_says_what_could_not_be_saved(folder):
    session = quiet(folder)
    (folder / "feedback.db").rename(folder / "away.db")
    session.add_demonstration(trajectory())
    text = session.close(timeout=0.2)
    assert text is not None
    assert text.startswith("1 record could not be saved.")
    assert "moved or deleted" in text


def test_what_can_never_be_saved_is_told_and_does_not_count(folder):
    with quiet(folder) as session:
        session.add_evaluation(trajectory(), float("inf"))
        events = until(session, lambda events: events)
        assert "Not saved: " in events[0].text
        assert session.counts == {}
        saved(session, session.add_evaluation(trajectory(), 1))


def snapshot(session: Session, questions: tuple[Question, ...] = ()) -> Snapshot:
    learner = FakeLearner("fake", session.task)
    learner.steps = 7
    return replace(learner.snapshot(), questions=questions)


def test_sides_are_shuffled_and_the_order_is_kept_with_the_answer(folder):
    questions = tuple(Question(tuple(trajectory(seed=3 * i + k) for k in range(3))) for i in range(12))
    orders = set()
    with quiet(folder) as session:
        assert session.next_question(3) is None
        session.learner_link.latest_snapshot = snapshot(session, questions)
        for _ in range(12):
            shown = session.next_question(3)
            assert shown is not None
            (asked,) = [question for question in questions if question.id == shown.id]
            id = session.add_comparison(shown, [0, 1, 2], seconds=1.0)
            saved(session, id)
            with sqlite3.connect(folder / "feedback.db") as other:
                row = other.execute(
                    "SELECT side_order, question, policy FROM record WHERE id = ?", (id,)
                ).fetchone()
            other.close()
            order = json.loads(row[0])
            assert row[1:] == (asked.id, "fake:7")
            assert all(same(clip, asked.clips[i]) for clip, i in zip(shown.clips, order, strict=True))
            orders.add(tuple(order))
        assert session.next_question(3) is None  # each is asked once
    assert len(orders) > 1


def test_each_record_says_where_it_comes_from(folder):
    """Who, when, how quickly, what was asked, which side, which world, which policy and program."""
    question = Question(tuple(trajectory(seed=i) for i in range(2)))
    with quiet(folder) as session:
        session.learner_link.latest_snapshot = snapshot(session, (question,))
        shown = session.next_question()
        assert shown is not None
        ids = {
            "comparison": session.add_comparison(shown, [0, 1], seconds=2.5),
            "demonstration": session.add_demonstration(trajectory()),
            "evaluation": session.add_evaluation(trajectory(5, seed=9), 1.0),
            "correction": session.add_correction(trajectory(5, seed=7), trajectory(6, seed=8)),
        }
        ids["undo"] = session.undo() or ""
        rater = session._facts.raters["me"]
    reader = Reader(folder / "feedback.db")
    origins = reader.provenance_by_id()
    reader.close()
    assert verify_store(SQLiteBackend(folder / "feedback.db")).findings == ()
    assert set(origins) == set(ids.values())
    assert re.fullmatch("[0-9a-f]{12}", rater)
    for kind, id in ids.items():
        origin = origins[id]
        assert (origin.rater, origin.program) == (rater, program_version())
        assert datetime.fromisoformat(origin.said_at).utcoffset() == timedelta(0)
        acted = kind in ("evaluation", "correction")
        assert origin.policy == (
            "policy:3" if acted else f"{session.latest_snapshot.learner}:{session.latest_snapshot.step}"
        )
        asked = (2.5, question.id, True) if kind == "comparison" else (None, None, False)
        assert (origin.reaction_seconds, origin.question, origin.side_order is not None) == asked
    with sqlite3.connect(folder / "feedback.db") as other:
        tasks = dict(other.execute("SELECT kind, task FROM record").fetchall())
    other.close()
    assert tasks == {kind: "" if kind == "undo" else "teachbox/RoomsTidy-v0" for kind in ids}


def test_acting_is_random_before_there_is_a_policy_and_the_policys_after(folder):
    with quiet(folder) as session:
        obs = np.zeros((500, len(session.task.world.obs_names)), np.float32)
        random = np.random.default_rng(1)
        actions = session.act(obs, random)
        assert set(actions) == set(range(int(session.task.world.action_space.n)))
        best = snapshot(session)
        assert best.policy is not None
        layer = (best.policy.layers[0][0], np.arange(len(set(actions)), dtype=np.float32))
        session.learner_link.latest_snapshot = replace(best, policy=replace(best.policy, layers=(layer,)))
        assert set(session.act(obs, None)) == {len(set(actions)) - 1}
        assert len(set(session.act(obs, random))) > 1


def test_neither_torch_nor_pygame_nor_alembic_is_imported():
    code = (
        "import sys; from sandbox.session.session import Session; from pathlib import Path;"
        "Session.open(Path(sys.argv[1]), start_learner=False).close();"
        "print([m for m in ('torch', 'stable_baselines3', 'pygame', 'alembic') if m in sys.modules])"
    )
    with TemporaryDirectory() as name:
        command = [sys.executable, "-c", code, f"{name}/session"]
        root = Path(__file__).parents[2]
        done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == "[]"
