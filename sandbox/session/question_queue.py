"""Which question comes next, and which clip is shown on which side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from agents.feedback.records import Question


class QuestionQueue:
    """Gives no question twice. Sides are drawn at random, so that a person who prefers the left side does not
    mislead the learner."""

    def __init__(self) -> None:
        self._asked: set[str] = set()
        self._orders: dict[str, tuple[int, ...]] = {}
        self._random = Random()

    def next_question(self, ready: Sequence[Question], clips: int) -> Question | None:
        """The newest fresh question with that many clips, in the order in which to show them."""
        for question in reversed(ready):  # the newest is about the policy of now
            if question.id not in self._asked and len(question.clips) == clips:
                self._asked.add(question.id)
                return self._sides(question)
        return None

    def display_order(self, question: Question) -> tuple[int, ...] | None:
        """For each place on screen, the clip's index in the learner's question; None if unknown."""
        return self._orders.get(question.id)

    def _sides(self, question: Question) -> Question:
        order = list(range(len(question.clips)))
        self._random.shuffle(order)
        self._orders[question.id] = tuple(order)
        return replace(question, clips=tuple(question.clips[i] for i in order))
