"""What the learner process keeps ready for the person: questions, and a suggestion what to do next."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from time import monotonic

from agents.feedback.records import Question, Suggestion
from agents.learners.protocol import Learner
from agents.snapshot import Snapshot

QUESTIONS = 3  # kept ready
FRESH_SECONDS = 2.0  # how often the oldest of them is replaced by one about the policy of now
MISSING_SECONDS = 0.2  # how soon one that is missing is tried for
SUGGEST_SECONDS = 3.0  # how often it is thought over which kind of feedback tells most,
SUGGEST_SHARE = 0.03  # in about this share of the learner's time,
SUGGEST_AT_LEAST = 15.0  # but not more seldom than this, however busy the machine


def _is_same_suggestion(one: Suggestion | None, other: Suggestion | None) -> bool:
    """Whether both suggest the same, or both nothing."""
    return (one and (one.kind, one.clips)) == (other and (other.kind, other.clips))


class ReadyQuestions:
    """Questions of the wanted number of clips, none of them asked before, and a suggestion."""

    def __init__(self, clips: int, now: float) -> None:
        self.clips = clips
        self.suggestion: Suggestion | None = None
        self._questions: deque[Question] = deque(maxlen=QUESTIONS)
        self._asked_ids: set[str] = set()
        self._stocked = now
        self._last_suggestion: Suggestion | None = None
        self._think_at, self._suggestion_is_stale = now, True

    def clear(self) -> None:
        """Forget all, because the learner or its questions have changed."""
        self._questions.clear()
        self.suggestion, self._last_suggestion, self._suggestion_is_stale = None, None, True

    def set_clips(self, clips: int) -> None:
        """How many clips each question has from now on."""
        if clips != self.clips:
            self.clips = clips
            self._questions.clear()

    def mark_asked(self, id: str) -> None:
        """The person sees this question now."""
        self._asked_ids.add(id)
        self._questions = deque((q for q in self._questions if q.id != id), maxlen=QUESTIONS)

    def refresh(
        self, learner: Learner, now: float, *, has_stepped: bool, has_new_feedback: bool = False
    ) -> bool:
        """Keep all ready and not too old; has_stepped: the learner went on; has_new_feedback: it was told
        something just now, so the newest question is too old. Whether there is anything new."""
        self._suggestion_is_stale |= has_stepped
        return self._restock(learner, now, has_stepped, has_new_feedback) | self._suggest(learner, now)

    def _restock(self, learner: Learner, now: float, has_stepped: bool, has_new_feedback: bool) -> bool:
        full = len(self._questions) == QUESTIONS
        soon = now - self._stocked < (FRESH_SECONDS if full else MISSING_SECONDS)
        if not has_new_feedback and (soon or (full and not has_stepped)):
            return False
        self._stocked = now
        question = learner.query(self.clips)
        if question is not None:
            self._questions.append(question)
        return question is not None

    def _suggest(self, learner: Learner, now: float) -> bool:
        if not self._suggestion_is_stale or now < self._think_at:
            return False
        begun, last = monotonic(), self._last_suggestion
        self._last_suggestion = thought = learner.suggest()
        took = monotonic() - begun
        self._think_at = now + max(SUGGEST_SECONDS, min(SUGGEST_AT_LEAST, took / SUGGEST_SHARE))
        if thought is None and self.suggestion is None:
            self._suggestion_is_stale = False
            return False
        if self.suggestion is not None and not (
            _is_same_suggestion(thought, self.suggestion) or _is_same_suggestion(thought, last)
        ):
            return False  # two near ties would flicker: another way must be the best twice running
        self.suggestion, self._suggestion_is_stale = thought, False
        return True

    def add_to_snapshot(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with what is ready."""
        ready = (*snapshot.questions, *self._questions)
        fresh = tuple(question for question in ready if question.id not in self._asked_ids)
        return replace(snapshot, questions=fresh, suggestion=self.suggestion)
