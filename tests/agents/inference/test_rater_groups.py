"""Whether people want the same: told from carelessness by the evidence, and on which terms they part."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

from agents.checkpoint import StateDict
from agents.feedback.choices import Choice, Option, PackedChoices, choices_from_comparison, pack_choices
from agents.feedback.records import Comparison
from agents.inference.rater_groups import (
    _ERROR_RATE_PRIOR,
    ERROR_RATES,
    MIN_ANSWERS_OF_RATER,
    RaterAnswers,
    answers_by_rater,
    differing_terms,
    fit_group,
    group_raters,
    log_likelihood,
)
from agents.inference.reward_inference import RewardInference
from agents.rewards.linear import LinearReward
from agents.rewards.linear_prior import LinearRewardConfig
from tests.agents.feedback.test_choices import _drives

NAMES = ("litter", "vase", "home", "cat")
MEAN, DEVIATION = np.array([1.0, 0.0, 0.0, 0.0]), np.full(4, 1.5)
MINE, THEIRS = np.array([2.0, -3.0, 1.0, -1.0]), np.array([2.0, 3.0, 1.0, -1.0])
NAMED = ("coin", "puddle", "column", "move")


def _said(wants: np.ndarray, seed: int, count: int = 30, errors: float = 0.0) -> RaterAnswers:
    random = np.random.default_rng(seed)
    gaps = random.normal(size=(count, 4))
    first = np.where(random.random(count) < errors, random.random(count) < 0.5, gaps @ wants > 0)
    return RaterAnswers(np.where(first[:, None], gaps, -gaps))


def test_one_answer_sums_over_how_careless_its_giver_is() -> None:
    # sigmoid(log 3) = 3/4, so with error e an answer along it has probability 3/4 - e/4
    found = log_likelihood(
        torch.tensor([1.0], dtype=torch.float64), torch.full((1, 1), math.log(3.0)).double()
    )
    wanted = float((_ERROR_RATE_PRIOR * (0.75 - 0.25 * ERROR_RATES)).sum())
    assert float(found) == pytest.approx(math.log(wanted))


def test_the_evidence_is_the_integral() -> None:
    answers = {"a": RaterAnswers(np.array([[1.0], [0.5], [-0.2]]))}
    found = fit_group(answers, ["a"], np.array([0.5]), np.array([1.5]))
    grid = torch.linspace(-12.0, 12.0, 401, dtype=torch.float64)
    density = torch.exp(-0.5 * ((grid - 0.5) / 1.5) ** 2) / (1.5 * math.sqrt(2 * math.pi))
    values = torch.stack([log_likelihood(w[None], torch.from_numpy(answers["a"].gaps)).exp() for w in grid])
    exact = float(torch.log((density * values).sum() * 24.0 / 400))
    assert found.evidence == pytest.approx(exact, abs=0.1)  # Laplace's approximation of it


def test_who_wants_something_else_stands_apart_and_who_is_careless_does_not() -> None:
    both = group_raters({"a": _said(MINE, 0), "b": _said(THEIRS, 1)}, MEAN, DEVIATION)
    mine, theirs = sorted(both, key=lambda group: group.raters)
    assert (mine.raters, theirs.raters) == (("a",), ("b",))
    apart = differing_terms(theirs, mine, NAMES)
    assert next(iter(apart)) == "vase"
    assert apart["vase"] > 2.0
    for other in (_said(MINE, 1), _said(MINE, 2, errors=1.0)):
        assert len(group_raters({"a": _said(MINE, 0), "b": other}, MEAN, DEVIATION)) == 1
    trio = {"a": _said(MINE, 0), "b": _said(THEIRS, 1, count=16), "c": _said(MINE, 3, errors=0.2)}
    assert [set(group.raters) for group in group_raters(trio, MEAN, DEVIATION)] == [{"a", "c"}, {"b"}]
    assert group_raters({"a": _said(MINE, 0, count=5)}, MEAN, DEVIATION) == []


def test_whose_answers_tell_most_come_before_those_who_said_more() -> None:
    said = {"a": _said(MINE, 4, count=24), "b": _said(THEIRS, 104, count=30, errors=0.5)}
    assert [group.raters for group in group_raters(said, MEAN, DEVIATION)] == [("a",), ("b",)]


def test_a_session_learns_what_those_want_whom_it_follows() -> None:
    clips = _drives(60, steps=9)
    pairs = [
        (a, b)
        for a, b in zip(clips[::2], clips[1::2], strict=True)
        if (a.terms.sum(0) != b.terms.sum(0)).any()
    ]
    likes = np.array([0.0, 0.0, 1.0, -0.7])
    told, raters = [], {}
    for sign, rater in ((1.0, "Ann"), (-1.0, "Bob")):
        for number, (a, b) in enumerate(pairs):
            first = sign * float((a.terms.sum(0) - b.terms.sum(0)) @ likes) > 0
            told.append(Comparison((a, b), (0, 1) if first else (1, 0), id=f"{rater}{number}"))
            raters[told[-1].id] = rater
    weights = {}
    for follow in ("Ann", "Bob"):
        model = LinearReward(np.zeros(4, np.float32), np.ones(4, np.bool_), 5, LinearRewardConfig())
        inference = RewardInference(model, 4)
        inference.raters.update(raters)
        inference.follow = follow
        inference.fit([c for one in told for c in choices_from_comparison(one)], told, ())
        assert inference.followed_raters == (follow,)
        (sentence,) = [s for s in inference.warnings(NAMED) if "wants" in s]
        assert f"follows {follow}" in sentence
        again = RewardInference(model, 4)
        again.follow = follow
        again.load_state_dict(StateDict(json.loads(json.dumps(inference.state_dict().facts))))
        assert again.warnings(NAMED) == inference.warnings(NAMED)
        assert again.reliability.raters == inference.reliability.raters
        weights[follow] = model.weights.mean(0)
    assert weights["Ann"][2] > 0 > weights["Bob"][2]
    assert set(answers_by_rater(told, raters, np.ones(4))) == {"Ann", "Bob"}


def test_raters_who_want_the_same_are_all_heard() -> None:
    """Two who agree have said much, a third who answers at random has said little yet."""
    clips, random = _drives(40, steps=9), np.random.default_rng(0)
    pairs = [
        (a, b)
        for a, b in zip(clips[::2], clips[1::2], strict=True)
        if (a.terms.sum(0) != b.terms.sum(0)).any()
    ]
    assert len(pairs) >= MIN_ANSWERS_OF_RATER
    likes = np.array([0.0, 0.0, 1.0, -0.7])
    told, raters = [], {}
    for rater, those in (("Ann", pairs), ("Bob", pairs), ("Cid", pairs[: MIN_ANSWERS_OF_RATER - 2])):
        for number, (a, b) in enumerate(those):
            first = float((a.terms.sum(0) - b.terms.sum(0)) @ likes) > 0
            first = first if rater != "Cid" else bool(random.integers(2))
            told.append(Comparison((a, b), (0, 1) if first else (1, 0), id=f"{rater}{number}"))
            raters[told[-1].id] = rater
    heard: list[int] = []

    class Model(LinearReward):
        def fit(self, packed: PackedChoices) -> None:
            heard.append(len(packed))
            super().fit(packed)

    inference = RewardInference(
        Model(np.zeros(4, np.float32), np.ones(4, np.bool_), 5, LinearRewardConfig()), 4
    )
    inference.raters.update(raters)
    inference.fit([c for one in told for c in choices_from_comparison(one)], told, ())
    assert [set(want.raters) for want in inference.groups] == [{"Ann", "Bob"}]
    assert heard == [len(told)]
    errors = {rater: inference.reliability.error_rate(rater, 0.1) for rater in ("Ann", "Bob", "Cid")}
    assert max(errors["Ann"], errors["Bob"]) < 0.3 < errors["Cid"]
    assert inference.model.returns(pack_choices(choices_from_comparison(told[0])))[0] > 0.0


def test_what_was_driven_and_what_was_preferred_are_kept_apart_and_across_a_stop() -> None:
    first, second, third, *_ = clips = _drives(8, steps=9)
    sums = np.array([clip.terms.sum(0) for clip in clips])
    drives = [Choice("demonstration", (Option(first), Option(second)))]
    drives.append(Choice("correction", (Option(third), Option(second))))
    answer = Comparison((second, first), (0, 1), id="a")
    pressed = Choice("evaluation", (Option(clips[3], np.ones(9, np.float32)), None))
    inference = RewardInference(
        LinearReward(np.zeros(4, np.float32), np.ones(4, np.bool_), 5, LinearRewardConfig()), 4
    )
    inference.fit([*drives, *choices_from_comparison(answer), pressed], [answer], ())
    np.testing.assert_allclose(inference.usual_counts, [sums[0] + sums[2], sums[1]])
    again = RewardInference(inference.model, 4)
    again.load_state_dict(StateDict(json.loads(json.dumps(inference.state_dict().facts))))
    np.testing.assert_array_equal(again.usual_counts, inference.usual_counts)
    older = {**inference.state_dict().facts} | {"usual": sums[0].tolist()}  # before they were kept apart
    again.load_state_dict(StateDict(json.loads(json.dumps(older))))
    np.testing.assert_allclose(again.usual_counts, sums[:1])
