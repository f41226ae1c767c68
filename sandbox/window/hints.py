"""What the person's next seconds are best spent on, in words and with the key to press."""

from __future__ import annotations

from typing import NamedTuple

from agents.feedback.feedback_kind import COMPARISON, EVALUATION, FEEDBACK_KINDS
from agents.feedback.records import Suggestion


class Hint(NamedTuple):
    """texts: the longest first. key: what to press, '' where the person is at it already."""

    texts: tuple[str, ...]
    key: str


def hint(suggestion: Suggestion | None, mode: str, clips: int) -> Hint | None:
    """mode: the one that is open; clips: how many each question has there. None: nothing to say."""
    if suggestion is None:
        return None
    kind, of_clips = FEEDBACK_KINDS[suggestion.kind], suggestion.kind == COMPARISON.name
    key = kind.key
    if mode == kind.verb:
        key = "n" if of_clips and clips != suggestion.clips else ""
    what = f"a {kind.label}"
    if of_clips:
        what = "ranking two clips" if suggestion.clips == 2 else f"ranking {suggestion.clips} clips"
    elif kind is EVALUATION:
        what = "a + or -"
    whole = f"{what} (about {max(1.0, suggestion.seconds):.0f} s)"
    return Hint((f"It would learn most from {whole}", f"Best next: {whole}", f"Best next: {what}"), key)
