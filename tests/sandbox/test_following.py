"""What would tell most is shown with its key; those who part are named, and one chooses whose wish counts."""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.feedback.records import Comparison, Suggestion
from envs.rooms.rooms_tasks import rooms_tidy
from sandbox.bench.durability.fake_records import trajectory
from sandbox.learning import ready_questions as stocks
from sandbox.learning.ready_questions import ReadyQuestions
from sandbox.session.events import LearnerRestarted
from sandbox.session.folder import SessionError
from sandbox.session.raters import RaterGroup, Raters
from sandbox.session.session import Session
from sandbox.store import Provenance
from sandbox.studies.training_study import TrainConfig, train
from sandbox.window.app import App
from sandbox.window.hints import hint
from tests.sandbox.fake import FakeLearner, make
from tests.sandbox.teaching import Teaching, frames, press, recorded, snapshot, texts
from tests.sandbox.test_learner_process import Desk
from tests.sandbox.xwindow import Screen, Window

ROOMS = "teachbox/RoomsTidy-v0"
TASK = rooms_tidy()
ANN, BOB, EVE = "a1b2c3d4e5f6", "b1b2c3d4e5f6", "e1b2c3d4e5f6"
DRIVE = Suggestion("demonstration", 0, 0.5, 6.2)


def test_what_tells_most_is_named_with_the_key_to_press() -> None:
    assert hint(None, "drive", 0) is None
    found = hint(Suggestion("comparison", 3, 0.5, 6.0), "drive", 0)
    assert found is not None
    assert (found.texts[0], found.key) == ("It would learn most from ranking 3 clips (about 6 s)", "f4")
    assert hint(Suggestion("comparison", 3, 0.5, 6.0), "rank", 2) == (found.texts, "n")
    assert hint(Suggestion("comparison", 2, 0.5, 4.0), "rank", 2).key == ""  # type: ignore[union-attr]
    assert hint(DRIVE, "watch", 0).texts[0].endswith("a drive (about 6 s)")  # type: ignore[union-attr]
    assert hint(Suggestion("evaluation", 0, 0.5, 5.0), "drive", 0).key == "f3"  # type: ignore[union-attr]


class Undecided(FakeLearner):
    """Wants one thing after the other."""

    def __init__(self, *wanted: Suggestion | None) -> None:
        super().__init__("undecided", TASK)
        self.wanted = iter(wanted)

    def suggest(self) -> Suggestion | None:
        return next(self.wanted)


def test_near_ties_do_not_flicker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stocks, "SUGGEST_SHARE", 1.0)
    pair, three = Suggestion("comparison", 2, 0.3, 4.0), Suggestion("comparison", 3, 0.3, 6.0)
    learner, stock = Undecided(pair, three, pair, three, three, None, None), ReadyQuestions(2, 0.0)
    seen = []
    for turn in range(7):
        stock.refresh(learner, 10.0 * turn, has_stepped=True)
        seen.append(stock.suggestion)
    assert seen == [pair, pair, pair, pair, three, three, None]
    assert stock.add_to_snapshot(snapshot(TASK, 1)).suggestion is None


def test_nothing_is_thought_over_twice_while_nothing_has_changed() -> None:
    learner, stock = Undecided(DRIVE), ReadyQuestions(2, 0.0)
    assert stock.refresh(learner, 10.0, has_stepped=True)
    stock.refresh(learner, 20.0, has_stepped=False)  # asking again would find no more
    stock.refresh(learner, 30.0, has_stepped=False)
    assert stock.suggestion == DRIVE


def test_what_was_heard_is_followed_by_a_question_that_knows_of_it_at_once() -> None:
    learner, stock = FakeLearner("fake", TASK), ReadyQuestions(2, 0.0)
    for turn in range(1, 4):
        assert stock.refresh(learner, 1.0 * turn, has_stepped=True)
    full = [one.id for one in stock.add_to_snapshot(snapshot(TASK, 1)).questions]
    stock.refresh(learner, 3.1, has_stepped=True)
    assert [one.id for one in stock.add_to_snapshot(snapshot(TASK, 1)).questions] == full
    assert stock.refresh(learner, 3.2, has_stepped=True, has_new_feedback=True)
    *older, newest = [one.id for one in stock.add_to_snapshot(snapshot(TASK, 1)).questions]
    assert older == full[1:]
    assert newest not in full


@pytest.fixture
def session() -> Teaching:
    return Teaching(TASK)


@pytest.fixture
def app(session: Teaching) -> Iterator[App]:
    made = App(session, fixed_dt=True, seed=1)  # type: ignore[arg-type]
    yield made
    made.close()


def test_the_suggestion_stands_in_every_mode_and_its_key_leads_there(app: App, session: Teaching) -> None:
    session.show(1, suggestion=Suggestion("comparison", 3, 0.5, 6.0))
    frames(app, 2)
    for mode in ("drive", "reward", "correct", "watch"):
        app.show_mode(mode)
        assert "It would learn most from ranking 3 clips (about 6 s)" in texts(app)
        assert app.state()["learner"]["suggests"] == "comparison 3"
    press(app, "f4")
    assert app.scene.mode == "rank"
    before = texts(app).count("N")
    press(app, "n")  # now each question has three
    assert texts(app).count("N") == before - 1
    app.show_mode("menu")
    assert not [text for text in texts(app) if "learn most" in text]


def test_those_who_part_are_shown_and_w_changes_sides(app: App, session: Teaching) -> None:
    session.show(1)
    app.show_mode("watch")
    press(app, "h")
    assert session.followed == ""
    session.rater_groups = [RaterGroup((BOB,), "bob"), RaterGroup((ANN, EVE), "ann and eve")]
    session.learner_warnings = ["ann wants something else than bob: more of vase. The agent follows bob."]
    shown = texts(app)
    assert {*session.learner_warnings, "learn what ann and eve wants"} <= set(shown)
    assert "whose wish" in shown
    press(app, "h")
    assert session.followed == ANN
    assert "ann and eve" in app.news.message


def test_elsewhere_a_new_remark_is_pointed_at_once(app: App, session: Teaching) -> None:
    session.learner_warnings = ["2 of your answers contradict the rest: they will be asked again."]
    session.show(1)
    frames(app, 2)
    assert "F6" in app.news.message
    app.news.message = ""
    session.learner_warnings = ["3 of your answers contradict the rest: they will be asked again."]
    session.show(2)
    frames(app, 2)
    assert app.news.message == ""


def test_a_learner_that_is_back_takes_no_room_from_the_world(app: App, session: Teaching) -> None:
    frames(app, 2)
    room = app.chrome.draw(app.surface)
    session.events.append(LearnerRestarted("its process ended (killed by signal 9)"))
    frames(app, 2)
    assert "nothing is lost: its process ended" in app.news.message
    assert app.chrome.draw(app.surface) == room


def test_names_stand_for_ids() -> None:
    people = Raters({"ann": ANN, "bob": BOB})
    seen = snapshot(
        TASK,
        1,
        followed_raters=(ANN,),
        rater_differences={BOB: {"vase": 2.0}, EVE: {"vase": 2.0}},
        warnings=(f"{EVE} wants something else than {ANN}.",),
    )
    assert people.groups(seen) == (RaterGroup((ANN,), "ann"), RaterGroup((BOB, EVE), "bob and rater e1b2"))
    assert people.warnings(seen) == ["rater e1b2 wants something else than ann."]
    assert people.groups(snapshot(TASK, 1)) == ()
    assert [people.find(who, {ANN, EVE}) for who in ("bob", "e1b2", "rater e1b2")] == [BOB, EVE, EVE]
    for unknown in ("zoe", "", "rater "):
        with pytest.raises(ValueError, match="choose one of ann, bob, rater e1b2"):
            people.find(unknown, {ANN, EVE})


def test_whom_one_follows_is_kept_and_heard_by_every_learner_to_come(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    how: dict[str, Any] = {"learner": "torn", "make": make, "start_learner": False}
    for rater in ("ann", "bob"):
        with Session.open(folder, rater=rater, **how) as one:
            one.add_demonstration(trajectory())
    desk = Desk(folder, "torn", rater="bob")
    session = desk.session
    try:
        desk.until(lambda: session.rater_groups)
        assert [camp.name for camp in session.rater_groups] == ["ann", "bob"]
        assert session.learner_warnings == ["bob wants something else than ann: more of vase."]
        desk.until(lambda: session.latest_snapshot and session.latest_snapshot.suggestion)
        session.follow("bob")
        desk.until(lambda: session.rater_groups[0].name == "bob")
        os.kill(desk.pid, signal.SIGKILL)
        desk.until(desk.restarts)
        last = session.latest_snapshot
        desk.until(lambda: session.latest_snapshot is not last)
        assert session.rater_groups[0].name == "bob"
        with pytest.raises(SessionError, match=r"no rater 'zoe'.*ann, bob"):
            session.follow("zoe")
    finally:
        session.close()
    kept = json.loads((folder / "session.json").read_text())
    assert kept["follow"] == kept["raters"]["bob"]
    again = Desk(folder, "torn", rater="ann")
    try:
        again.until(lambda: again.session.rater_groups)
        assert again.session.rater_groups[0].name == "bob"
        again.session.follow("")
        again.until(lambda: again.session.rater_groups[0].name == "ann")
    finally:
        again.session.close()


def test_whom_to_follow_must_be_somebody() -> None:
    with pytest.raises(ValueError, match=r"'3' is nobody of 'pool:rational,wants:vase=6'.*0 to 1"):
        train(TrainConfig(teacher="pool:rational,wants:vase=6", follow="3"))
    with pytest.raises(ValueError, match="'bc' has no setting 'follow'"):
        train(TrainConfig(learner="bc", mix={"demonstration": 1}, follow="0"))


@pytest.mark.slow
def test_two_who_part_in_a_real_window(tmp_path: Path) -> None:
    """Ann likes whole vases, Bob broken ones; the window says so, and W changes sides."""
    folder, dice = tmp_path / "session", random.Random(1)
    vase = TASK.world.term_names.index("vase")
    said: list[Any] = []
    for number in range(400):
        one, two = (recorded(TASK, 30, seed=number, luck=2 * number + k) for k in range(2))
        if one.terms[:, vase].sum() != two.terms[:, vase].sum():
            said.append((one, two) if one.terms[:, vase].sum() < two.terms[:, vase].sum() else (two, one))
    for rater, ranks in (("ann", (0, 1)), ("bob", (1, 0))):
        with Session.open(folder, world=ROOMS, rater=rater, start_learner=False) as session:
            origin = Provenance(session._facts.raters[rater], "test")
            for pair in dice.sample(said, min(30, len(said))):
                session._feedback_log.append(Comparison(pair, ranks), origin)
    screen = Screen(tmp_path / "x")
    window = Window(screen, tmp_path / "w", "--session", str(folder), "--rater", "bob", "--follow", "ann")
    try:
        window.tap_until("F6", "Watch", lambda s: s["scene"] == "watch")
        window.wait("them to part", lambda s: s["extra"].get("followed") == "ann")
        window.wait("a suggestion", lambda s: s["learner"]["suggests"])
        window.screenshot("parting")
        window.tap_until("h", "the other side", lambda s: s["extra"].get("followed") == "bob")
        window.screenshot("parting-bob")
    finally:
        window.close()
        screen.close()
