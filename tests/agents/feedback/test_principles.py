"""Written rules answer comparisons by themselves, can be overruled, and are told where they are wrong."""

from __future__ import annotations

import numpy as np
import pytest

from agents import learner_catalog
from agents.evaluation import scores
from agents.feedback.principles import BadRule, parse_principles, read_principles, without_overridden
from agents.feedback.records import Comparison, Question
from envs.trajectory import Trajectory
from tests.agents.toy import toy

TEXT = "never puddle  # wet feet\n\nprefer fewer move unless column\nprefer more coin\n"


def _clip(coin: float = 0, puddle: float = 0, column: float = 0, move: float = 0) -> Trajectory:
    terms = np.array([[coin, puddle, column, move]], np.float32)
    seen = np.random.default_rng(int(8 * coin + 4 * puddle + 2 * column + move)).standard_normal((2, 6))
    return Trajectory(
        "toy", np.zeros((2, 7)), np.zeros(2, np.uint64), seen.astype(np.float32), np.zeros(1, int), terms
    )


def _ranks(*clips: Trajectory):
    answer = parse_principles(TEXT, toy()).compare(Question(clips))
    return None if answer is None else answer.ranks


def test_never_comes_before_prefer_and_what_is_above_counts_more() -> None:
    assert _ranks(_clip(coin=5, puddle=1), _clip()) == (1, 0)
    assert _ranks(_clip(coin=2, move=3), _clip(move=1)) == (1, 0)  # fewer moves stands above more coins
    assert _ranks(_clip(coin=2, move=1), _clip(move=1)) == (0, 1)
    assert _ranks(_clip(coin=1), _clip(puddle=1), _clip(coin=1)) == (0, 2, 0)


def test_unless_keeps_a_rule_silent() -> None:
    assert _ranks(_clip(move=3, column=1), _clip(move=1)) is None
    assert _ranks(_clip(move=3, coin=1, column=1), _clip(move=1)) == (0, 1)
    assert parse_principles(TEXT, toy()).deciding_rule(Question((_clip(move=3), _clip(move=1)))).line == 3


def test_no_rule_that_tells_them_apart_gives_no_answer() -> None:
    assert _ranks(_clip(), _clip()) is None


def test_a_persons_own_answer_stands() -> None:
    clips = (_clip(puddle=1), _clip())
    answer = parse_principles(TEXT, toy()).compare(Question(clips))
    assert without_overridden([answer], []) == [answer]
    assert without_overridden([answer], [Comparison(clips[::-1], (1, 0))]) == []
    assert without_overridden([answer], [Comparison(clips, (), "cant_tell")]) == [answer]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("never pudle", "line 1, column 7: this world has no term 'pudle': did you mean 'puddle'"),
        ("never xyzzy", "its terms are coin, puddle"),
        ("# so\n  avoid puddle", "line 2, column 3: 'avoid' begins no rule"),
        ("prefer much coin", "line 1, column 8: 'much' is not understood after 'prefer'"),
        ("never", "line 1, column 6: the term is missing"),
        ("never puddle when coin", "line 1, column 14: 'when' is not understood here"),
        ("never puddle unless", "line 1, column 20: the term is missing"),
        ("never puddle unless coin move", "line 1, column 26: 'move' is too much"),
        ("prefer more coin\nprefer fewer coin", "line 2, column 1: 'prefer fewer coin' contradicts"),
        ("# nothing", "holds no rule"),
    ],
)
def test_errors_are_told_at_line_and_column(text: str, told: str) -> None:
    with pytest.raises(BadRule, match=told.replace("(", r"\(")):
        parse_principles(text, toy())


def test_files_that_are_no_text_are_refused_in_a_sentence(tmp_path) -> None:
    (tmp_path / "a").write_bytes(b"never \xff\xfe")
    with pytest.raises(ValueError, match="not text in UTF-8"):
        read_principles(tmp_path / "a", toy())
    (tmp_path / "b").write_text("never puddle\n" * 20_000)
    with pytest.raises(ValueError, match="over 100000 bytes"):
        read_principles(tmp_path / "b", toy())


def test_joint_learns_from_principles_alone_and_comes_to_an_end() -> None:
    task = toy()
    rules = parse_principles("never puddle\nprefer more coin", task)
    learner = learner_catalog.make(
        "joint", task, settings={"principles": rules, "proxy_steps": 8_000, "steps_per_fit": 60_000}
    )
    steps = 0
    while learner.step():
        steps += 1
        assert steps < 500
    assert scores.evaluate_policy(task, learner.snapshot().policy).mean > 8.0
    assert "principles" in learner.snapshot().raters
