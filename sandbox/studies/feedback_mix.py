"""How much feedback of each kind a study gives, as it is written on the command line."""

from __future__ import annotations

from agents.feedback.feedback_kind import (
    COMPARISON,
    CORRECTION,
    DEMONSTRATION,
    EVALUATION,
    FEEDBACK_KINDS,
    FeedbackKind,
)

RANKING, SECONDS = "ranking", "seconds"
MIX_KINDS: dict[str, FeedbackKind] = {
    DEMONSTRATION.name: DEMONSTRATION,
    COMPARISON.name: COMPARISON,
    RANKING: COMPARISON,
    EVALUATION.name: EVALUATION,
    CORRECTION.name: CORRECTION,
    SECONDS: COMPARISON,
}
"""The words of a mix in the order in which a round gives them, and the kind of record that each makes.

A ranking is a comparison of four clips. Seconds are a person's time, spent on what the learner asks for.
"""
ALIASES = {alias: kind.name for kind in FEEDBACK_KINDS.values() for alias in kind.aliases} | {"rank": RANKING}
"""Words of older versions, which still work."""


def parse_mix(text: str) -> dict[str, int]:
    """ "demonstration=2,comparison=48" as {"demonstration": 2, "comparison": 48}.

    Raises ValueError with a sentence for a kind that there is not, or a number that is none.
    """
    found: dict[str, int] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        word, _, number = part.partition("=")
        kind = ALIASES.get(word, word)
        if kind not in MIX_KINDS or not number.isdigit():
            kinds = ", ".join(MIX_KINDS)
            raise ValueError(f"{part!r} in the mix is unknown: write kind=number, the kinds are {kinds}")
        found[kind] = int(number)
    return found


def mix_in_words(text: str) -> str:
    """ "demonstration=2,comparison=10" as "2 demonstrations, 10 comparisons"."""
    parts = [part.partition("=") for part in text.split(",") if "=" in part]
    counts = [(ALIASES.get(word, word), int(number)) for word, _, number in parts]
    found = [
        f"{count} {SECONDS[:-1] if count == 1 else SECONDS}"
        if kind == SECONDS
        else f"{count} {kind}{'' if count == 1 else 's'}"
        for kind, count in counts
    ]
    return ", ".join(found) or "nothing"
