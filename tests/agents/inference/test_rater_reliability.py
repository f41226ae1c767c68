"""Raters' care is found where it is known; contradictions and a gamed reward are noticed."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from agents.checkpoint import StateDict
from agents.inference.rater_reliability import (
    AnsweredPair,
    RaterParams,
    RaterReliability,
    answered_pairs,
    estimate_rater,
)


def _answers(count: int, beta: float, side: float, error: float, seed: int = 0):
    random = np.random.default_rng(seed)
    gaps = random.normal(0, 3, count)
    first = random.random(count) < 1 / (1 + np.exp(-(beta * gaps + side)))
    lost = random.random(count) < error
    return gaps, np.where(lost, random.random(count) < 0.5, first)


@pytest.mark.parametrize(
    ("beta", "side", "error"), [(1.0, 0.0, 0.0), (2.0, 0.0, 0.4), (1.0, 1.5, 0.05), (0.5, 0.0, 0.0)]
)
def test_a_raters_three_numbers_are_found(beta: float, side: float, error: float) -> None:
    found = estimate_rater(*_answers(600, beta, side, error))
    assert found.beta == pytest.approx(beta, rel=0.6)
    assert found.position_bias == pytest.approx(side, abs=0.7)
    assert found.error_rate == pytest.approx(error, abs=0.12)


def test_nothing_but_the_prior_from_no_answers_and_chance_is_useless() -> None:
    none = estimate_rater(np.zeros(0), np.zeros(0, bool))
    assert none.error_rate < 0.3
    assert abs(none.position_bias) < 1e-9
    random = np.random.default_rng(1)
    assert estimate_rater(random.normal(0, 5, 60), random.random(60) < 0.5).error_rate > 0.5


def test_the_probability_of_an_answer_by_hand() -> None:
    who = RaterParams(9, beta=2.0, position_bias=0.0, error_rate=0.5)
    assert AnsweredPair("a", "", np.log(3.0) / 2, True).probability(who) == pytest.approx(0.75)
    assert AnsweredPair("a", "", np.log(3.0) / 2, False).probability(who) == pytest.approx(0.25)


def test_contradictions_are_the_least_likely_first() -> None:
    gaps, first = _answers(40, 4.0, 0.0, 0.0)
    pairs = [
        AnsweredPair(str(i), "me", float(g), bool(f))
        for i, (g, f) in enumerate(zip(gaps, first, strict=True))
    ]
    pairs += [AnsweredPair("wrong", "me", 9.0, False), AnsweredPair("half", "me", 4.0, False)]
    faith = RaterReliability()
    faith.update(pairs)
    assert faith.contradictory[:2] == ["wrong", "half"]
    assert len(faith.contradictory) < 6


def test_each_rater_has_an_error_of_their_own() -> None:
    good, bad = _answers(60, 2.0, 0.0, 0.0), _answers(60, 2.0, 0.0, 1.0, 5)
    pairs = [
        AnsweredPair(f"{who}{i}", who, float(g), bool(f))
        for who, (gaps, first) in (("a", good), ("b", bad))
        for i, (g, f) in enumerate(zip(gaps, first, strict=True))
    ]
    faith = RaterReliability()
    faith.update(pairs)
    assert faith.error_rate("a", 0.1) < 0.15 < 0.5 < faith.error_rate("b", 0.1)
    assert faith.error_rate("nobody", 0.1) == 0.1


def test_of_several_raters_each_is_judged_by_what_was_foreseen_of_their_answers() -> None:
    (gaps, first), random = _answers(40, 4.0, 0.0, 0.0), np.random.default_rng(2)
    chance = random.random(40) < 0.5
    careful = [AnsweredPair(f"c{i}", "c", float(gaps[i]), bool(first[i])) for i in range(40)]
    before = [AnsweredPair(f"x{i}", "x", float(gaps[i]), bool(chance[i])) for i in range(40)]
    learned = [
        replace(pair, return_gap=abs(pair.return_gap) * (1 if pair.first_preferred else -1))
        for pair in before
    ]
    faith = RaterReliability()
    faith.record_predictions([*careful, *before])
    faith.update([*careful, *learned])
    assert faith.error_rate("c", 0.1) < 0.15
    assert faith.error_rate("x", 0.1) > 0.6
    again = RaterReliability()
    again.load_state_dict(faith.state_dict())
    again.update([*careful, *learned])
    assert again.raters == faith.raters
    faith.update(learned)  # who is alone is taken at their word
    assert faith.error_rate("x", 0.1) < 0.15


def test_who_answers_by_chance_is_found_from_a_dozen_answers() -> None:
    errors = [estimate_rater(*_answers(12, 1.0, 0.0, 1.0, seed)).error_rate for seed in range(40)]
    assert np.median(errors) > 0.5
    assert (
        np.median([estimate_rater(*_answers(12, 1.0, 0.0, 0.05, seed)).error_rate for seed in range(40)])
        < 0.15
    )


def test_what_was_foreseen_is_near_even_where_the_reward_is_unsure() -> None:
    clip, other = SimpleNamespace(), SimpleNamespace()
    answer = SimpleNamespace(id="a", verdict="ranked", clips=(clip, other), ranks=(0, 1))
    reward = SimpleNamespace(sampled_returns=lambda clips, futures: np.array([[4.0, 0.0], [0.0, 3.0]]))
    (fitted,) = answered_pairs([answer], {"a": "me"}, reward, {})  # type: ignore[list-item, arg-type]
    (foreseen,) = answered_pairs([answer], {}, reward, {}, use_mean_probability=True)  # type: ignore[list-item, arg-type]
    assert (fitted.return_gap, fitted.rater, fitted.first_preferred) == (0.5, "me", True)
    chance = (1 / (1 + np.exp(-4.0)) + 1 / (1 + np.exp(3.0))) / 2
    assert foreseen.return_gap == pytest.approx(np.log(chance / (1 - chance)))


def test_a_checkpoint_of_the_first_version_is_read() -> None:
    again = RaterReliability()
    known = {"answers": 9, "beta": 2.0, "side": 0.5, "error": 0.1}
    again.load_state_dict(StateDict({"raters": {"me": known}, "doubtful": ["a"], "foreseen": {"a": 0.25}}))
    assert again.raters["me"] == RaterParams(9, beta=2.0, error_rate=0.1, position_bias=0.5)
    assert again.state_dict().facts == {"raters": {"me": known}, "doubtful": ["a"], "foreseen": {"a": 0.25}}
