"""What Rank says: which keys there are, what to press now, and why there is nothing to ask."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agents.learner_catalog import LearnerEntry, UnknownLearner, find_entry
from sandbox.play.ordering import Ordering
from sandbox.screen.keys import Binding

if TYPE_CHECKING:
    from sandbox.session.session import Session

FROM_NOW = "Questions are made from what the agent does now."
SHOW_EVENTS = Binding(
    ("m",),
    ("M",),
    "events",
    "events",
    "Mark what happened in each clip, or judge by the picture alone.",
    False,
)


def of_clips(binding: Binding, count: int, stacked: bool) -> Binding:
    """What the footer shows of it for so many clips; stacked: they stand above each other."""
    if binding.action == "order":
        return replace(binding, caps=binding.caps[:count])
    if binding.action == "prefer" and stacked:
        return replace(binding, keys=("up", "down"), caps=("up", "down"))
    if binding.action == "tie" and count == 2:  # a tie of two is a tie of all
        return replace(binding, footer=False)
    return binding


def advice(order: Ordering, stacked: bool) -> tuple[str, ...]:
    """One line on what to press now, and perhaps a shorter one for a narrow window."""
    if order.complete:
        return ("Enter saves this order. Backspace takes the last one up again.", "Enter saves this order.")
    if order.groups:
        return ("Now the next best. Press E first if it is as good.",)
    if order.count == 2:
        keys = "Up or Down" if stacked else "Left or Right"
        return (
            f"{keys} arrow, whichever is better. A if they are equally good.",
            f"{keys}, whichever is better. A: a tie.",
        )
    return (f"Press 1 to {order.count} in order, the best first.",)


def doing(session: Session) -> tuple[str, str]:
    """Why there is nothing to ask, and what the learner is about."""
    learner, status, latest = _listed(session.learner), session.status, session.latest_snapshot
    if learner is not None and "comparison" not in learner.kinds:
        return (
            f"{learner.title}: no questions",
            "This learner does not learn from rankings. Press L in Watch to choose another.",
        )
    if status.state == "paused":
        return "The learner is paused", "Press Space in Watch: it goes on and asks questions."
    if status.state not in ("learning", "waiting"):
        return "The next question is on its way", status.text
    return "The next question is on its way", (latest.phase if latest else "") or status.text


def _listed(name: str) -> LearnerEntry | None:
    """None: a learner that the session's own factory makes."""
    try:
        return find_entry(name)
    except UnknownLearner:
        return None
