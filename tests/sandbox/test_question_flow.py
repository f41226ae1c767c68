"""Which question is asked when, without a window: a source that counts, and time told by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from agents.feedback.records import Question, Verdict
from agents.snapshot import Snapshot
from envs.rooms.rooms_tasks import rooms_tidy
from sandbox.play.question_flow import ASK_EVERY, KNOWING, QuestionFlow
from tests.sandbox.teaching import recorded, snapshot

TASK = rooms_tidy()
CLIPS = tuple(recorded(TASK, 5, luck=luck) for luck in range(4))


class Source:
    """Gives the questions that a test puts here, and keeps what is answered."""

    def __init__(self) -> None:
        self.latest_snapshot: Snapshot | None = None
        self.ready: list[Question] = []
        self.fetched = 0
        self.answers: list[tuple[str, tuple[int, ...], float]] = []

    def next_question(self, clips: int = 2) -> Question | None:
        self.fetched += 1
        return self.ready.pop(0) if self.ready else None

    def add_comparison(
        self, question: Question, ranks: Sequence[int] = (), verdict: Verdict = "ranked", seconds: float = 0.0
    ) -> str:
        self.answers.append((question.id, tuple(ranks), seconds))
        return f"answer {len(self.answers)}"

    def undo(self, kind: str | None = None) -> str | None:
        return "undo" if self.answers else None


def questions(count: int) -> list[Question]:
    return [Question(CLIPS[:2], id=f"q{n}") for n in range(count)]


@pytest.fixture
def source() -> Source:
    return Source()


def test_it_asks_at_once_and_then_now_and_then(source: Source) -> None:
    flow = QuestionFlow(source)
    assert not flow.update(0.01)
    assert source.fetched == 1
    assert not flow.update(ASK_EVERY / 2)
    assert source.fetched == 1
    source.ready = questions(1)
    assert flow.update(ASK_EVERY / 2)
    assert flow.question is not None
    assert flow.question.id == "q0"
    assert source.fetched == 2


def test_the_time_of_an_answer_is_from_shown_to_answered(source: Source) -> None:
    flow = QuestionFlow(source)
    assert not flow.answer((0, 1), "ranked")
    source.ready = questions(1)
    flow.update(0.5)
    flow.update(1.0)
    assert flow.answer((1, 0), "ranked")
    assert source.answers == [("q0", (1, 0), 1.5)]
    assert flow.question is None


def test_the_next_question_waits_for_the_learner_but_not_long(source: Source) -> None:
    source.latest_snapshot = replace(snapshot(TASK, 1), feedback_seq=0)
    source.ready = questions(3)
    flow = QuestionFlow(source)
    flow.update(0.01)
    flow.answer((0, 1), "ranked")
    flow.on_saved("answer 1", 7, None)
    assert not flow.update(KNOWING / 4)  # the learner has not learned from record 7
    source.latest_snapshot = replace(snapshot(TASK, 2), feedback_seq=7)
    assert flow.update(0.01)
    flow.answer((0, 1), "ranked")
    flow.on_saved("answer 2", 8, None)
    assert not flow.update(KNOWING / 2)
    assert flow.update(KNOWING / 2)  # long enough


def test_a_question_whose_answer_is_taken_back_is_asked_again_first(source: Source) -> None:
    source.ready = questions(2)
    flow = QuestionFlow(source)
    flow.update(KNOWING)
    flow.answer((0, 1), "ranked")
    flow.update(KNOWING)
    assert flow.question is not None
    assert flow.question.id == "q1"
    assert flow.undo()
    assert not flow.on_saved("another record", 2, None)
    assert flow.on_saved("undo", 3, "answer 1")
    assert (flow.question.id, flow.seconds) == ("q0", 0.0)
    flow.answer((1, 0), "ranked")
    assert flow.update(KNOWING)
    assert flow.question is not None
    assert flow.question.id == "q1"
    assert not flow.on_saved("undo", 3, "answer 1")  # only once


def test_another_number_of_clips_drops_the_question(source: Source) -> None:
    source.ready = questions(2)
    flow = QuestionFlow(source)
    flow.update(0.01)
    flow.set_clips(3)
    assert (flow.question, flow.clips) == (None, 3)
    assert flow.update(0.01)
    assert not QuestionFlow(Source()).undo()
