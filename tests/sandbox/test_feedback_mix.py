"""The words of a mix of feedback, new and old."""

from __future__ import annotations

import pytest

from agents.feedback.feedback_kind import FEEDBACK_KINDS, RECORD_TYPES
from agents.feedback.records import kind_of
from sandbox.screen.keys import BINDINGS, MODES
from sandbox.studies.feedback_mix import mix_in_words, parse_mix


def test_a_mix_is_read_and_said() -> None:
    text = "demonstration=2,comparison=48,ranking=1,evaluation=5,correction=0,seconds=60"
    assert parse_mix(text) == {
        "demonstration": 2,
        "comparison": 48,
        "ranking": 1,
        "evaluation": 5,
        "correction": 0,
        "seconds": 60,
    }
    assert (
        mix_in_words("demonstration=2,comparison=1,seconds=1") == "2 demonstrations, 1 comparison, 1 second"
    )
    assert mix_in_words("nothing") == "nothing"


def test_words_of_older_versions_mean_the_same() -> None:
    old, new = (
        "demo=2,compare=48,rank=1,mark=5,correct=3",
        "demonstration=2,comparison=48,ranking=1,evaluation=5",
    )
    assert parse_mix(old) == parse_mix(f"{new},correction=3")
    assert mix_in_words("demo=2,mark=1") == "2 demonstrations, 1 evaluation"


@pytest.mark.parametrize("text", ["demos=2", "demonstration=few", "demonstration", "=3"])
def test_what_is_no_mix_is_told_with_the_words_that_are(text: str) -> None:
    with pytest.raises(ValueError, match="demonstration, comparison, ranking"):
        parse_mix(text)


def test_every_kind_is_a_record_and_a_mode() -> None:
    keys = {mode: key for key, mode, _ in MODES}
    for name, kind in FEEDBACK_KINDS.items():
        assert RECORD_TYPES[name] is kind.record
        assert kind.name == name == kind_of(kind.record.__new__(kind.record))
        assert keys[kind.verb] == kind.key
        assert kind.verb in BINDINGS
