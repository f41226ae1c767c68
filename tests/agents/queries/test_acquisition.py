"""What a person's seconds are worth: by hand, and by what must hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.feedback.records import Comparison, Demonstration, Record
from agents.inference.rater_reliability import RaterParams
from agents.learners.joint import JointLearner
from agents.learners.joint_config import JointConfig
from agents.policies.rollouts import episode_starts
from agents.queries.acquisition import (
    choice_probabilities,
    expected_value_of_information,
    information_gain,
    ranking_gains,
    ranking_probabilities,
)
from agents.queries.feedback_planner import (
    FeedbackCosts,
    demonstration_gain,
    evaluation_gain,
    measure_costs,
    suggest_feedback,
)
from agents.queries.query_manager import QueryManager
from agents.queries.selection import (
    Group,
    QueryConfig,
    choose_questions,
    pair_information_gain,
    stake_weights,
)
from envs.rooms.rooms_tasks import rooms_tidy
from envs.simulate import simulate
from envs.trajectory import Trajectory

SURE = np.log(1e9)
"""Nats by which something is surely better."""


def clip(actions: Sequence[int]) -> Trajectory:
    many = len(actions)
    seen, did = np.zeros((many + 1, 1), np.float32), np.array(actions, np.int64)
    return Trajectory(
        "t",
        np.zeros((many + 1, 0)),
        np.zeros(many + 1, np.uint64),
        seen,
        did,
        np.zeros((many, 2), np.float32),
    )


def test_an_answer_that_two_beliefs_give_opposite_tells_all_there_is() -> None:
    worth = np.array([[SURE, 0.0], [0.0, SURE]])  # two beliefs, two clips
    assert float(information_gain(ranking_probabilities(worth, 0.0))) == pytest.approx(np.log(2))
    assert float(information_gain(ranking_probabilities(np.zeros((2, 2)), 0.0))) == pytest.approx(0.0)
    p = np.array([0.95, 0.05])
    by_hand = np.log(2) + float((p * np.log(p)).sum())
    assert float(information_gain(ranking_probabilities(worth, 0.1))) == pytest.approx(by_hand)


def test_orders_are_plackett_luce_and_of_two_bradley_terry() -> None:
    assert ranking_probabilities(np.array([1.0, 0.0]), 0.0) == pytest.approx(
        [1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))]
    )
    p = ranking_probabilities(np.log([3.0, 2.0, 1.0]), 0.0)
    assert p.sum() == pytest.approx(1.0)
    assert p[0] == pytest.approx(3 / 6 * 2 / 3)  # first, second, third
    assert p[-1] == pytest.approx(1 / 6 * 2 / 5)  # third, second, first
    gaps = np.random.default_rng(0).normal(size=(5, 40))
    pairs = np.stack([gaps, np.zeros_like(gaps)], -1)
    assert pair_information_gain(gaps.astype(np.float32)) == pytest.approx(
        information_gain(ranking_probabilities(pairs, 0.1)), abs=1e-6
    )


def test_a_ranking_tells_at_least_as_much_as_any_pair_of_it() -> None:
    worth = np.random.default_rng(1).normal(size=(6, 60, 4))
    by_size = [ranking_gains(worth, clips, 0.0)[0].max(1) for clips in (2, 3, 4)]
    for fewer, more in pairwise(by_size):
        assert (more >= fewer - 1e-9).all()


def test_a_drive_counts_once_what_two_stretches_both_tell() -> None:
    one = np.array([[SURE, 0.0], [0.0, SURE]])
    random = np.random.default_rng(2)
    same = demonstration_gain(np.stack([one, one]), 0.0, 2, random)
    assert same == pytest.approx(np.log(2))
    four = np.array([[a, b] for a in (0.0, SURE) for b in (0.0, SURE)])  # four beliefs about two things
    apart = np.stack([np.stack([four[:, i], np.full(4, SURE / 2)], -1) for i in (0, 1)])
    assert demonstration_gain(apart, 0.0, 2, random) == pytest.approx(np.log(4), abs=1e-3)
    assert demonstration_gain(apart, 0.0, 1, random) == pytest.approx(np.log(2), abs=1e-3)
    assert choice_probabilities(np.zeros(4), 0.2).sum() == pytest.approx(1.0)


def steps(clips: Sequence[Trajectory]) -> np.ndarray:
    """Two beliefs: a step right is worth much, or costs as much."""
    right = np.array([float((one.actions == 1).sum() - (one.actions == 0).sum()) for one in clips])
    return np.stack([right, -right]).astype(np.float32)


def test_the_cheaper_way_to_know_is_suggested() -> None:
    random = np.random.default_rng(3)
    group = (clip([1] * 8), clip([0] * 8), clip([1, 0] * 4), clip([0, 1] * 4))
    told = suggest_feedback([group], steps, FeedbackCosts(4.0, 2.0), 0.0, 10.0, random)
    assert told is not None
    assert (told.kind, told.clips) == ("comparison", 2)
    cheap = suggest_feedback([group], steps, FeedbackCosts(4.0, 2.0, demonstration=0.5), 0.0, 10.0, random)
    assert cheap is not None
    assert cheap.kind == "demonstration"
    prices = FeedbackCosts(4.0, 2.0, demonstration=0.5)
    doubted = suggest_feedback([group], steps, prices, 0.0, 10.0, random, lambda _: (1.0, 0.05))
    dull = suggest_feedback([group], steps, prices, 0.0, 10.0, random, lambda _: (0.0, 1.0))
    assert doubted is not None
    assert dull is not None
    assert (
        doubted.kind == dull.kind == "comparison"
    )  # what is hardly trusted, or hardly chooses, tells little
    assert suggest_feedback([], steps, FeedbackCosts(), 0.0, 10.0, random) is None
    unknown = suggest_feedback([group], None, FeedbackCosts(4.0, 2.0, demonstration=60.0), 0.0, 0.1, random)
    assert unknown is not None
    assert (unknown.kind, unknown.clips) == ("comparison", 2)
    dear = suggest_feedback(
        [group[::-1]], steps, FeedbackCosts(1e6, 1e6, demonstration=1e6, evaluation=1.0), 0.0, 2.0, random
    )
    assert dear is not None
    assert dear.kind == "evaluation"


def test_a_press_tells_nothing_where_every_step_is_alike() -> None:
    assert evaluation_gain([clip([1] * 8)], steps, 0.0, 2.0) == pytest.approx(0.0, abs=1e-6)
    assert evaluation_gain([clip([0] * 7 + [1])], steps, 0.0, 2.0) > 0.1


def test_prices_are_what_this_person_took() -> None:
    a, b, c = clip([0]), clip([1]), clip([0, 1])
    said: list[Record] = [
        Comparison((a, b), (0, 1), seconds=10.0),
        Comparison((a, b), (1, 0), seconds=12.0),
        Comparison((a, b, c), (0, 1, 2), seconds=16.0),
        Demonstration(clip([1] * 30)),
    ]
    found = measure_costs(FeedbackCosts(4.0, 2.0, demonstration=9.0), said, 10.0)
    assert (found.pair, found.further_clip, found.demonstration) == (11.0, 5.0, 3.0)
    assert found.ranking(4) == 21.0
    assert measure_costs(FeedbackCosts(), said[3:], 10.0) == FeedbackCosts()


EVENLY = np.ones(2)
"""Weights of two groups."""


def test_an_answer_improves_where_it_decides_what_to_do() -> None:
    told, starts = np.eye(2), np.array([0, 2])  # two beliefs, and each gives its own answer
    worth = np.array([[1.0, 0.0, 3.0, 2.0], [0.0, 1.0, 3.0, 2.0]])  # the second group is decided anyway
    assert expected_value_of_information(told, worth, starts, EVENLY) == pytest.approx((1.0 - 0.5) / 2)
    silent = np.full((2, 2), 0.5)
    assert expected_value_of_information(silent, worth, starts, EVENLY) == pytest.approx(0.0)
    unsure = np.array([[0.8, 0.2], [0.2, 0.8]])
    assert expected_value_of_information(unsure, worth, starts, EVENLY) == pytest.approx((0.8 - 0.5) / 2)
    assert expected_value_of_information(told, worth, starts, np.array([1.6, 0.4])) == pytest.approx(
        1.6 * (1.0 - 0.5) / 2
    )


def test_an_answer_about_how_much_better_improves_nothing() -> None:
    worth = np.array([[2.0, 0.0], [9.0, 0.0]])
    assert expected_value_of_information(np.eye(2), worth, np.array([0]), EVENLY[:1]) == pytest.approx(0.0)
    assert float(information_gain(np.eye(2))) == pytest.approx(np.log(2))


@given(st.integers(0, 2**32 - 1))
def test_no_answer_makes_the_choice_worse(seed: int) -> None:
    random = np.random.default_rng(seed)
    worth = random.standard_normal((6, 8))
    p = random.dirichlet(np.ones(3), 6)
    assert expected_value_of_information(p, worth, np.array([0, 3, 4]), random.random(3)) >= -1e-9


def test_what_decides_is_asked_before_what_only_tells_how_much() -> None:
    """Of one pair it is known which is better and not by how much, of the other the better one is not."""
    clips = [replace(clip([k]), observations=np.full((2, 1), k, np.float32)) for k in range(4)]
    much, which = clips[:2], clips[2:]
    returns = np.array([[0.2, 0.0, 0.0, 1.0], [6.0, 0.0, 1.0, 0.0]], np.float32)

    def believed(clips: Sequence[Trajectory]) -> np.ndarray:
        return returns[:, [int(one.actions[0]) for one in clips]]

    for by, first in (("improvement", which), ("information", much)):
        config = QueryConfig(acquisition=by, error_rate=0.0)
        question, *_ = choose_questions([much, which], believed, 2, 1, config, np.random.default_rng(0))
        assert {id(one) for one in question.clips} == {id(one) for one in first}


def telling(*terms: float) -> Trajectory:
    """A clip of one step, with so much of each term."""
    found = clip([0])
    sums = np.zeros_like(found.terms)
    sums[0, : len(terms)] = terms
    return replace(found, terms=sums, observations=np.full_like(found.observations, sum(terms)))


def test_each_term_counts_alike_however_seldom_it_is_at_stake() -> None:
    """The first term differs in three groups of five, the second in one, and in one nothing does: 5/3 three
    times, 5 and 1, less their mean of 11/5."""
    nothing, often = (telling(), telling()), (telling(), telling(1.0))
    seldom = (telling(), telling(0.0, 2.0))
    expected = np.array([5 / 3, 5 / 3, 1.0, 5.0, 5 / 3]) / (11 / 5)
    np.testing.assert_allclose(stake_weights([often, often, nothing, seldom, often]), expected)


def first_asked(groups: Sequence[Group], samples: np.ndarray, noise: float) -> Group:
    """The clips of the best question under these samples [S, 2] of two terms' weights."""

    def believed(clips: Sequence[Trajectory]) -> np.ndarray:
        return np.asarray(samples @ np.stack([one.terms.sum(0)[:2] for one in clips]).T)

    question, *_ = choose_questions(
        groups, believed, 2, 1, QueryConfig(error_rate=noise), np.random.default_rng(0)
    )
    return next(g for g in groups if {id(one) for one in g} == {id(one) for one in question.clips})


def test_what_is_seldom_done_is_asked_about_though_it_is_at_stake_in_few_groups() -> None:
    """Either term may be good or bad; one is at stake in nine groups, one in one, for more."""
    often = [(telling(), telling(1.0)) for _ in range(9)]
    seldom = (telling(), telling(0.0, 1.0))
    samples = np.array([[1.0, 1.1], [1.0, -1.1], [-1.0, 1.1], [-1.0, -1.1]])
    assert first_asked([*often, seldom], samples, 0.0) is seldom
    assert first_asked([*often, seldom], samples * (1.2, 1.0), 0.0) is not seldom


def test_what_is_thought_bad_is_asked_about_though_one_answer_would_change_no_mind() -> None:
    """One belief in ten has the first term at 3, the rest at -1.5: after a "yes" of somebody whose answers
    are accidents one time in three (0.81 likely under the one, 0.28 under the nine) its mean stays below 0:
    (0.81 * 3 - 9 * 0.28 * 1.5) / 10 < 0. The other term hardly matters."""
    bad, little = (telling(), telling(1.0)), (telling(), telling(0.0, 1.0))
    samples = np.array([[3.0, 0.3], *[[-1.5, 0.3]] * 4, *[[-1.5, -0.3]] * 5])
    assert first_asked([bad, little], samples, 0.32) is bad


def test_later_questions_are_by_information() -> None:
    asked = []
    asker = QueryManager(rooms_tidy(), QueryConfig(n_improvement_answers=3), np.random.default_rng(0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "agents.queries.query_manager.choose_questions",
            lambda *given: asked.append(given[4].acquisition) or [],
        )
        for asker.n_answered in (2, 3):
            asker.select_queries(lambda clips: np.zeros((2, len(clips)), np.float32))
    assert asked == ["improvement", "information"]


def answers(count: int) -> list[Comparison]:
    clip = simulate(rooms_tidy(), 1).recorder(0, "random").trajectory()
    return [Comparison((clip, clip), (0, 1)) for _ in range(count)]


def test_questions_that_nobody_was_shown_do_not_count() -> None:
    """Beside a window one is made every two seconds: it is by answers how the next is chosen."""
    learner = JointLearner(
        rooms_tidy(), config=JointConfig(proxy_steps=0, query=QueryConfig(n_improvement_answers=3))
    )
    asked = [learner.query() for _ in range(6)]
    asker = learner.query_manager
    assert (asker.n_asked, asker.n_answered, asker._by_improvement) == (6, 0, True)
    learner.observe(3, [Comparison(one.clips, (0, 1)) for one in asked[:3] if one is not None])
    learner.step()
    assert (asker.n_answered, asker._by_improvement) == (3, False)


def test_where_many_answers_are_accidents_more_questions_are_by_improvement() -> None:
    """(1 - 0.4) / (1 - 0.1) = 2 / 3 squared is left of each answer: nine tell as much as four."""
    asked = []
    asker = QueryManager(rooms_tidy(), QueryConfig(n_improvement_answers=4), np.random.default_rng(0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "agents.queries.query_manager.choose_questions",
            lambda *given: asked.append((given[4].acquisition, given[4].error_rate)) or [],
        )
        for accidents, answered in ((None, 4), (0.4, 8), (0.4, 10), (0.02, 3), (0.02, 4)):
            asker.update(answers(answered), frozenset({"comparison"}), accidents)
            asker.select_queries(lambda clips: np.zeros((2, len(clips)), np.float32))
    later = [by == "information" for by, _ in asked]
    assert later == [True, False, True, False, True]
    assert [noise for _, noise in asked] == [0.1, 0.4, 0.4, 0.02, 0.02]


def test_of_several_raters_who_are_not_known_more_accidents_are_expected() -> None:
    """0.5 * 0.02 + 0.1 * 0.1 + 0.1 * 0.25 + 0.05 * 0.5 + 0.25 = 0.32, until each has answered enough."""
    learner = JointLearner(rooms_tidy())
    inference = learner.inference
    assert inference.error_rate is None
    inference.raters |= {"1": "ann", "2": "ann"}
    assert inference.error_rate is None
    inference.raters["3"] = "bob"
    assert inference.error_rate == pytest.approx(0.32)
    inference.reliability.raters["ann"] = RaterParams(9, error_rate=0.1)
    assert inference.error_rate == pytest.approx((0.1 + 0.32) / 2)
    learner.query()
    assert learner.query_manager._error_rate == pytest.approx(0.21)
    for prior, expected in (("written", pytest.approx(0.32)), ("none", None)):
        net = JointLearner(rooms_tidy(), prior=prior, config=JointConfig(model="net")).inference
        net.raters |= inference.raters
        assert net.error_rate == expected  # from nothing it finds out by what it foresaw


def test_clips_are_short_where_a_net_must_find_out_which_step_they_were_about() -> None:
    for model, steps in (("terms", 45), ("net", 30)):
        learner = JointLearner(rooms_tidy(), config=JointConfig(model=model))
        learner.query_manager.draw_clips(episode_starts(rooms_tidy(), 2, 0), learner.trainer.variants())
        assert {len(clip) for clip in learner.query_manager.clips} == {steps}


def test_repeats_come_by_answers_not_by_questions_that_nobody_saw() -> None:
    """Beside a window new questions are made all the time, and most of them are never shown."""
    asker = QueryManager(rooms_tidy(), QueryConfig(repeat_every=4), np.random.default_rng(0))
    answered: list[Comparison] = []
    repeats: list[int] = []
    for count in range(12):
        answered += answers(1)
        for _ in range(20):
            if asker.repeat_query(answered, []) is not None:
                repeats.append(count + 1)
            else:
                asker.n_asked += 1
    assert repeats == [3, 6, 9, 12]


def test_when_a_pair_was_last_repeated_is_known_after_a_stop() -> None:
    task, config = rooms_tidy(), QueryConfig(repeat_every=4)
    answered = answers(4)
    asker, later = (QueryManager(task, config, np.random.default_rng(0)) for _ in range(2))
    asker.n_asked = 3
    assert asker.repeat_query(answered, []) is not None
    later.load_state_dict(asker.state_dict())
    for one in (asker, later):
        one.n_asked = 7
        assert one.repeat_query(answered, []) is None  # nobody has answered anything since
        assert one.repeat_query([*answered, *answered], []) is not None
