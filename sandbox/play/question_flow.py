"""Which question is asked when: one after another, each chosen with the answers before it in mind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agents.feedback.records import Question, Verdict
from agents.snapshot import Snapshot

ASK_EVERY = 0.25
"""How often the session is asked for a question while it has none ready [s]."""
KNOWING = 0.4
"""How long the next question waits at most for the learner to learn from the answer before it [s]."""


class QuestionSource(Protocol):
    """What of a session gives questions and takes answers; see `sandbox.session.session.Session`."""

    @property
    def latest_snapshot(self) -> Snapshot | None: ...
    def next_question(self, clips: int = 2) -> Question | None: ...
    def add_comparison(
        self, question: Question, ranks: Sequence[int] = (), verdict: Verdict = "ranked", seconds: float = 0.0
    ) -> str: ...
    def undo(self, kind: str | None = None) -> str | None: ...


class QuestionFlow:
    """Fetches questions, measures how long each is looked at, and asks one again whose answer is undone."""

    def __init__(self, source: QuestionSource, clips: int = 2) -> None:
        self._source = source
        self.clips = clips
        """How many clips the next questions have."""
        self.question: Question | None = None
        """The question that is asked now."""
        self.seconds = 0.0
        """How long it has been looked at."""
        self.seconds_since_answer = KNOWING
        self._last_answer = ""  # the id of its record
        self._last_answer_seq = 0  # the number that it was saved under; 0 until it is saved
        self._next: Question | None = None  # to be asked as soon as none is asked
        self._seconds_since_fetch = ASK_EVERY
        self._answered: dict[str, Question] = {}  # by the id of the answer's record
        self._undo: str | None = None  # the id of the newest Undo

    def update(self, seconds: float) -> bool:
        """Time goes on. Returns whether a new question is asked from now on."""
        self._seconds_since_fetch += seconds
        self.seconds_since_answer += seconds
        is_new = False
        if self.question is None and (self._next or self._is_learned or self.is_due):
            is_new = self._fetch()
        if self.question is not None:
            self.seconds += seconds
        return is_new

    @property
    def is_due(self) -> bool:
        """Whether the next question waits no longer for the learner."""
        return self.seconds_since_answer >= KNOWING

    @property
    def _is_learned(self) -> bool:
        """Whether the learner has learned from the last answer, or there is no learner."""
        latest = self._source.latest_snapshot
        return latest is None or 0 < self._last_answer_seq <= latest.feedback_seq

    def _fetch(self) -> bool:
        """Ask the next question, if there is one. The session is asked for it at once, then now and then."""
        if self._next is None and self._seconds_since_fetch >= ASK_EVERY:
            self._next, self._seconds_since_fetch = self._source.next_question(self.clips), 0.0
        if self._next is None:
            return False
        self._ask(self._next)
        self._next = None
        return True

    def _ask(self, question: Question) -> None:
        self.question, self.seconds = question, 0.0

    def answer(self, ranks: tuple[int, ...], verdict: Verdict) -> bool:
        """Hand over the answer to the question that is asked now. False if none is asked."""
        if self.question is None:
            return False
        self._last_answer = self._source.add_comparison(self.question, ranks, verdict, self.seconds)
        self._answered[self._last_answer] = self.question
        self.question = None
        self.seconds_since_answer, self._last_answer_seq, self._seconds_since_fetch = 0.0, 0, ASK_EVERY
        return True

    def undo(self) -> bool:
        """Take back the last answer; its question is asked again once that is saved. False without one."""
        self._undo = self._source.undo("comparison")
        return self._undo is not None

    def on_saved(self, record_id: str, seq: int, target: str | None) -> bool:
        """A record was saved; `target` is the record that it takes back. Returns whether another question is
        asked from now on: the one whose answer was taken back. The one that was asked comes after it."""
        if record_id == self._last_answer:
            self._last_answer_seq = seq
        if record_id != self._undo or target not in self._answered:
            return False
        if self.question is not None:
            self._next = self.question
        self._ask(self._answered.pop(target))
        return True

    def set_clips(self, clips: int) -> None:
        """Ask questions of so many clips from now on; the one that is asked is dropped."""
        self.clips = clips
        self._next, self.question, self._seconds_since_fetch = None, None, ASK_EVERY
