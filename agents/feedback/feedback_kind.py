"""The four kinds of feedback: what each is called in the store, in studies, on screen and in its mode.

Everything that has to name a kind of feedback, or to show it, takes it from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agents.feedback.records import Comparison, Correction, Demonstration, Evaluation, Undo


@dataclass(frozen=True)
class FeedbackKind:
    """One way in which a person says what they want.

    name: in the store, in checkpoints, in `--mix` and in every text about learning. record: its class.
    verb: the mode in which a person gives it. label, labels: what one and several are called on screen.
    icon: a name of assets/icons. key: the key of its mode. aliases: words of older versions in `--mix`.
    """

    name: str
    record: type[Any]
    verb: str
    label: str
    labels: str
    icon: str
    key: str
    aliases: tuple[str, ...] = ()

    def counted(self, count: int) -> str:
        """'1 demonstration', '2 demonstrations'."""
        return f"{count} {self.name}{'' if count == 1 else 's'}"

    def counted_on_screen(self, count: int) -> str:
        """'1 drive', '2 drives'."""
        return f"{count} {self.label if count == 1 else self.labels}"


DEMONSTRATION = FeedbackKind(
    "demonstration", Demonstration, "drive", "drive", "drives", "gamepad-2", "f2", ("demo",)
)
EVALUATION = FeedbackKind(
    "evaluation", Evaluation, "reward", "reward", "rewards", "thumbs-up", "f3", ("mark",)
)
COMPARISON = FeedbackKind(
    "comparison", Comparison, "rank", "ranking", "rankings", "list-ordered", "f4", ("compare",)
)
CORRECTION = FeedbackKind(
    "correction", Correction, "correct", "correction", "corrections", "hand", "f5", ("correct",)
)
FEEDBACK_KINDS: dict[str, FeedbackKind] = {
    kind.name: kind for kind in (DEMONSTRATION, EVALUATION, COMPARISON, CORRECTION)
}
ALL_KINDS = frozenset(FEEDBACK_KINDS)

RECORD_TYPES: dict[str, type[Any]] = {
    **{kind.name: kind.record for kind in FEEDBACK_KINDS.values()},
    "undo": Undo,
}
"""Every type of record that a store holds, by the name that `records.kind_of` gives it."""
