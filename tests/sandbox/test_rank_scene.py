"""Rank: what is pressed is exactly what is handed to the session."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pygame
import pytest

from agents.feedback.records import Comparison, Question, Undo, active_records
from envs.rooms.rooms_tasks import rooms_tidy
from envs.world import Task
from sandbox.play.ordering import Ordering, ordinal
from sandbox.scenes.rank import RankScene
from sandbox.session.session import Session
from sandbox.window.app import App
from tests.sandbox.teaching import Teaching, frames, press, question, recorded, snapshot

TASK: Task = rooms_tidy()
CLIPS = tuple(recorded(TASK, 20, luck=luck) for luck in range(4))


@pytest.fixture
def session() -> Teaching:
    return Teaching(TASK, lambda clips: Question(CLIPS[:clips]))


@pytest.fixture
def app(session: Teaching) -> Iterator[App]:
    app = App(session, size=(1000, 640), fixed_dt=True)  # type: ignore[arg-type]
    app.show_mode("rank")
    app.tick()
    yield app
    app.close()


def scene(app: App) -> RankScene:
    assert isinstance(app.scene, RankScene)
    return app.scene


def weak_orders(count: int) -> Iterator[list[list[int]]]:
    """Every order of `count` clips with ties, as groups in every order of entering them."""
    for order in itertools.permutations(range(count)):
        for cuts in itertools.product((False, True), repeat=count - 1):
            groups = [[order[0]]]
            for clip, cut in zip(order[1:], cuts, strict=True):
                if cut:
                    groups.append([clip])
                else:
                    groups[-1].append(clip)
            yield groups


def keys_for(groups: list[list[int]]) -> list[str]:
    keys: list[str] = []
    for group in groups:
        for at, clip in enumerate(group):
            keys += ["e"] * (at > 0) + [str(clip + 1)]
    return keys


@pytest.mark.parametrize("count", [2, 3, 4])
def test_every_order_with_ties_arrives_as_exactly_these_ranks(
    app: App, session: Teaching, count: int
) -> None:
    press(app, *["n"] * (count - 2))
    app.draw = lambda: None  # type: ignore[method-assign]
    for groups in weak_orders(count):
        press(app, *keys_for(groups), "enter")
        record = session.records[-1]
        expected = [next(r for r, g in enumerate(groups) if clip in g) for clip in range(count)]
        assert record.ranks == tuple(expected)
        assert record.verdict == "ranked"
        assert len(record.clips) == count
    assert len(session.records) == len(list(weak_orders(count)))


@pytest.mark.parametrize(("key", "ranks"), [("left", (0, 1)), ("right", (1, 0)), ("a", (0, 0))])
def test_one_key_answers_two_clips(app: App, session: Teaching, key: str, ranks: tuple[int, int]) -> None:
    press(app, key)
    assert [r.ranks for r in session.records] == [ranks]


def test_clips_above_each_other_are_chosen_by_up_and_down() -> None:
    session = Teaching(TASK, lambda clips: Question(CLIPS[:clips]))
    app = App(session, size=(500, 1000), fixed_dt=True)  # type: ignore[arg-type]
    app.show_mode("rank")
    frames(app, 2)
    press(app, "left", "up", "down")
    assert [r.ranks for r in session.records] == [(0, 1), (1, 0)]
    app.close()


@pytest.mark.parametrize(("key", "verdict"), [("c", "cant_tell"), ("s", "skipped")])
def test_cant_tell_and_skip_are_kept_as_such(app: App, session: Teaching, key: str, verdict: str) -> None:
    press(app, key)
    (record,) = session.records
    assert (record.verdict, record.ranks) == (verdict, ())


def test_the_last_clip_needs_no_key(app: App, session: Teaching) -> None:
    press(app, "n", "3", "1", "enter")
    assert session.records[-1].ranks == (1, 2, 0)
    press(app, "2", "3", "e", "enter")
    assert session.records[-1].ranks == (1, 0, 1)


def test_an_unfinished_order_is_not_taken(app: App, session: Teaching) -> None:
    press(app, "enter")
    press(app, "n", "n", "2", "enter")
    assert session.records == []
    assert "Clips 1, 3 and 4 have no place yet" in app.news.message


def test_a_slip_can_be_mended_before_it_is_confirmed(app: App, session: Teaching) -> None:
    press(app, "n", "1", "2", "backspace", "3", "2", "enter")
    assert session.records[-1].ranks == (0, 2, 1)
    press(app, "1", "1", "2", "1", "enter")  # the same number again takes it up
    assert session.records[-1].ranks == (1, 0, 2)
    press(app, "1", "escape", "3", "2", "1", "enter")
    assert session.records[-1].ranks == (2, 1, 0)
    assert app.scene.mode == "rank"


def test_undo_takes_back_the_last_answer_and_asks_it_again(app: App, session: Teaching) -> None:
    session.ask = lambda clips: question(TASK, clips, 5, seed=len(session.records))
    press(app, "s")
    frames(app, 20)
    first = scene(app).replays.question.id
    press(app, "left")
    second = scene(app).replays.question.id
    assert second != first
    press(app, "u")
    app.tick()
    assert isinstance(session.records[-1], Undo)
    assert scene(app).replays.question.id == first
    press(app, "right")
    assert [r.ranks for r in active_records(session.records)] == [(), (1, 0)]
    assert scene(app).replays.question.id == second
    press(app, "u", "u")
    assert active_records(session.records) == []
    press(app, "u")
    assert "no answer to take back" in app.news.message


def test_time_to_answer_is_the_time_the_question_was_on_screen(app: App, session: Teaching) -> None:
    frames(app, 59)
    press(app, "f2")
    frames(app, 60)
    press(app, "f4")
    press(app, "left")
    assert session.records[-1].seconds == pytest.approx(1.0, abs=0.1)


def test_clips_play_in_step_loop_pause_and_scrub(app: App) -> None:
    playback = scene(app).replays.playback
    frames(app, 40)
    assert playback.position == pytest.approx(10, abs=0.5)
    press(app, "space")
    stood = playback.position
    frames(app, 30)
    assert playback.position == stood
    press(app, ".", ".")
    assert playback.position == int(stood) + 2
    press(app, ",")
    assert playback.position == int(stood) + 1
    press(app, "space", "]")
    before = playback.position
    frames(app, 15)
    assert playback.position - before == pytest.approx(5, abs=0.7)
    frames(app, 240)
    assert playback.laps >= 1


def test_the_speed_stays_for_the_next_question(app: App) -> None:
    press(app, "]", "left")
    assert scene(app).replays.playback.speed == 2.0


@pytest.mark.parametrize("heard", [True, False])
def test_the_next_question_waits_for_the_learner_to_know_of_this_answer_but_not_long(
    app: App, session: Teaching, heard: bool
) -> None:
    session.show(1, feedback_seq=0)
    asked: list[int] = []
    session.ask = lambda clips: asked.append(clips) or Question(CLIPS[:clips])
    frames(app, 30)
    press(app, "left")
    frames(app, 5)
    press(app, "left")  # to nothing: there is no question
    assert asked == []
    assert app.state()["mode"] == "waiting"
    if heard:
        session.show(2, feedback_seq=1)
        frames(app, 2)
    else:
        frames(app, 20)
    assert asked == [2]
    assert app.state()["mode"] == "question"
    assert [r.ranks for r in session.records] == [(0, 1)]


def test_what_was_answered_stays_in_view_while_it_goes_into_the_dark(app: App, session: Teaching) -> None:
    session.show(1, feedback_seq=0)
    app.theme.trace = []
    frames(app, 15)
    before, shade = (pygame.surfarray.array3d(app.surface).astype(int) for _ in range(2))
    cards = list(scene(app)._cards)
    press(app, "left")
    for _ in range(2):
        frames(app, 4)
        now = pygame.surfarray.array3d(app.surface).astype(int)
        assert (
            now[cards[0].left : cards[0].right, cards[0].centery].sum()
            < shade[cards[0].left : cards[0].right, cards[0].centery].sum()
        )
        shade = now
    assert before.sum() > shade.sum() > 0
    assert not any("on its way" in text for text, _ in app.theme.trace)


def test_while_there_is_no_question_it_says_what_the_learner_does() -> None:
    session = Teaching(TASK)
    app = App(session, fixed_dt=True)  # type: ignore[arg-type]
    app.theme.trace = []
    app.show_mode("rank")
    frames(app, 3)
    assert app.state()["mode"] == "waiting"
    assert any("warming up" in text for text, _ in app.theme.trace)
    press(app, "left", "1", "enter", "a", "c", "s", "space", ".", "]", "e")
    assert session.records == []
    session.ask = lambda clips: Question(CLIPS[:clips])
    frames(app, 20)
    assert app.state()["mode"] == "question"
    app.close()


@pytest.mark.parametrize(
    ("learner", "state", "said"),
    [("bc", "learning", "not learn from rankings"), ("joint", "paused", "is paused")],
)
def test_it_says_why_no_question_comes(learner: str, state: str, said: str) -> None:
    session = Teaching(TASK)
    session.learner, session.status.state = learner, state
    app = App(session, fixed_dt=True)  # type: ignore[arg-type]
    app.theme.trace = []
    app.show_mode("rank")
    frames(app, 2)
    assert any(said in text for text, _ in app.theme.trace)
    app.close()


def test_cards_stay_where_they_are_while_an_order_is_made(app: App) -> None:
    for _ in range(3):
        cards = list(scene(app)._cards)
        press(app, "2", "1")
        assert scene(app)._cards == cards
        press(app, "enter", "n")
        app.tick()


def test_a_click_on_a_replay_puts_it_next_and_the_time_line_can_be_dragged(
    app: App, session: Teaching
) -> None:
    def mouse(kind: int, at: tuple[float, float]) -> None:
        at = (int(at[0]), int(at[1]))
        more = {"rel": (0, 0), "buttons": (1, 0, 0)} if kind == pygame.MOUSEMOTION else {"button": 1}
        pygame.event.post(pygame.event.Event(kind, pos=at, **more))
        app.tick()

    for card in (scene(app)._cards[1], scene(app)._cards[0]):
        mouse(pygame.MOUSEBUTTONDOWN, card.center)
        mouse(pygame.MOUSEBUTTONUP, card.center)
    assert scene(app).order.groups == [[1], [0]]
    line = scene(app).transport.line
    mouse(pygame.MOUSEBUTTONDOWN, (line.left + 20, line.centery))
    mouse(pygame.MOUSEMOTION, (line.centerx, line.centery + 40))
    assert scene(app).replays.playback.fraction == pytest.approx(0.5, abs=0.02)
    mouse(pygame.MOUSEBUTTONUP, (line.centerx, line.centery))
    mouse(pygame.MOUSEMOTION, (line.left, line.centery))
    assert scene(app).replays.playback.fraction > 0.4
    caps = {key.key: cap for cap, key in scene(app).transport._caps}
    mouse(pygame.MOUSEBUTTONDOWN, caps["]"].center)
    mouse(pygame.MOUSEBUTTONDOWN, caps["space"].center)
    assert scene(app).replays.playback.speed == 2.0
    assert not scene(app).replays.playback.playing


def test_different_starts_are_said_and_events_are_hidden_until_asked_for(app: App, session: Teaching) -> None:
    app.theme.trace = []
    session.ask = lambda clips: Question(CLIPS[:clips], same_start=False)
    press(app, "s", "s")
    frames(app, 2)
    assert any("start differently" in text for text, _ in app.theme.trace)
    assert not scene(app).show_events
    plain = pygame.surfarray.array3d(app.surface)
    press(app, "space", "m")
    assert scene(app).show_events
    assert (pygame.surfarray.array3d(app.surface) != plain).any()


@pytest.mark.parametrize("size", [(640, 480), (800, 560), (1000, 640), (1280, 720), (1920, 1080)])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_cards_fit_and_do_not_overlap(size: tuple[int, int], count: int) -> None:
    session = Teaching(TASK, lambda clips: Question(CLIPS[:clips]))
    app = App(session, size=size, fixed_dt=True)  # type: ignore[arg-type]
    app.show_mode("rank")
    press(app, *["n"] * (count - 2), "1")
    app.tick()
    cards = scene(app)._cards
    assert len(cards) == count
    window = pygame.Rect((0, 0), size)
    assert all(window.contains(card) for card in cards)
    assert not any(a.colliderect(b) for a, b in itertools.combinations(cards, 2))
    assert min(min(card.size) for card in cards) > 0.2 * size[1]
    app.close()


@pytest.mark.parametrize("size", [(480, 900), (640, 480), (1280, 720)])
def test_the_marks_of_a_clip_hide_little_of_it_and_the_time_line_is_near(size: tuple[int, int]) -> None:
    session = Teaching(TASK, lambda clips: Question(CLIPS[:clips]))
    app = App(session, size=size, fixed_dt=True)  # type: ignore[arg-type]
    app.show_mode("rank")
    press(app, "n", "n", "2", "e", "1", "4", "3")
    app.theme.trace = []
    app.draw()
    cards = scene(app)._cards
    marks = [(t, r) for t, r in app.theme.trace if t in {"1", "2", "3", "4", "= 1st", "2nd", "3rd"}]
    for card in cards:
        on_it = [t for t, rect in marks if rect.colliderect(card)]
        assert len(on_it) == 2
        wall = card.height / 11
        assert all(r.bottom <= card.top + wall + 4 for _, r in marks if r.colliderect(card)), on_it
    gap = scene(app).transport.line.top - max(card.bottom for card in cards)
    assert 0 <= gap <= app.theme.px(16)
    app.close()


def test_ordering_in_words() -> None:
    order = Ordering(3)
    assert not order.tie()
    order.place_next(2)
    assert not order.complete
    with pytest.raises(ValueError, match=r"\[1, 2\] have no place"):
        order.ranks()
    order.tie()
    order.place_next(0)
    assert order.complete
    assert order.ranks() == (0, 1, 0)
    order.place_next(1)
    order.tie()
    assert order.ranks() == (0, 0, 0)
    assert [ordinal(k) for k in range(4)] == ["1st", "2nd", "3rd", "4th"]


def test_records_of_a_question_carry_its_clips_and_id(app: App, session: Teaching) -> None:
    asked = scene(app).replays.question
    press(app, "right")
    record = session.records[0]
    assert isinstance(record, Comparison)
    assert record.question == asked.id
    for kept, clip in zip(record.clips, asked.clips, strict=True):
        np.testing.assert_array_equal(kept.states, clip.states)


def test_answers_and_their_undo_reach_a_real_session(tmp_path: Path) -> None:
    session = Session.open(tmp_path / "mine", world=TASK.id, start_learner=False)
    asked = tuple(question(TASK, 2, 5, seed=seed) for seed in range(4))
    session.learner_link.latest_snapshot = snapshot(TASK, 1, questions=asked)
    app = App(session, fixed_dt=True)

    def until(saved: int) -> None:
        deadline = time.monotonic() + 60
        while session.last_saved < saved and time.monotonic() < deadline:
            app.tick()
        assert session.last_saved == saved

    app.show_mode("rank")
    frames(app, 20)
    first = scene(app).replays.question
    press(app, "left")
    until(1)
    press(app, "2", "1", "enter")
    until(2)
    press(app, "u")
    until(3)
    again = scene(app).replays.question
    press(app, "a")
    until(4)
    app.close()
    with Session.open(tmp_path / "mine", start_learner=False) as reopened:
        kept = [record for _, record in reopened._store.records()]
        assert reopened.counts == {"comparison": 2}
    assert [type(record).__name__ for record in kept] == ["Comparison", "Comparison", "Undo", "Comparison"]
    assert [record.ranks for record in active_records(kept)] == [(0, 1), (0, 0)]
    assert kept[0].question == first.id
    assert kept[1].question == kept[3].question == again.id
