"""What the person's next seconds are best spent on, in words and with the key to press."""

from __future__ import annotations

from typing import NamedTuple

from agents.feedback.records import Suggestion

MODE_OF = {"compare": ("rank", "f4"), "demo": ("drive", "f2"), "mark": ("reward", "f3")}


class Hint(NamedTuple):
    """texts: the longest first. key: what to press, '' where the person is at it already."""

    texts: tuple[str, ...]
    key: str


def hint(wanted: Suggestion | None, mode: str, clips: int) -> Hint | None:
    """mode: the one that is open; clips: how many each question has there. None: nothing to say."""
    if wanted is None:
        return None
    there, key = MODE_OF[wanted.kind]
    if mode == there:
        key = "n" if wanted.kind == "compare" and clips != wanted.clips else ""
    what = {
        "compare": "ranking two clips" if wanted.clips == 2 else f"ranking {wanted.clips} clips",
        "demo": "a drive",
        "mark": "a + or -",
    }[wanted.kind]
    whole = f"{what} (about {max(1.0, wanted.seconds):.0f} s)"
    return Hint((f"It would learn most from {whole}", f"Best next: {whole}", f"Best next: {what}"), key)
