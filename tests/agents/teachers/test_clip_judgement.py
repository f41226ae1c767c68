"""Judging as people do: odds by hand, where a clip leads, ties in a band, orders, errors over time."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from agents.feedback.records import Question
from agents.teachers.clip_judgement import (
    CONFUSED,
    CROWD,
    REGRET,
    SPAN,
    TIRING,
    ClipJudge,
    Judgement,
    answer_probabilities,
    felt,
    usual_unit,
)
from agents.teachers.synthetic import TEACHERS, make_teacher
from agents.teachers.teacher_protocol import UnknownTeacher
from agents.teachers.value_functions import ExpertValue, NoValue, PolicyValue, value_function
from envs import task_catalog
from envs.rooms.planner import best_returns
from envs.simulation import Simulation
from envs.trajectory import Trajectory
from envs.world import Array
from tests.agents.toy import toy

SURE = 1e6  # so sharp that noise does not show


def clip(coins: float, leads_to: float = 0.0, steps: int = 3) -> Trajectory:
    """A made-up clip of the toy: so many coins in its first step; its last x is where it leads."""
    states = np.zeros((steps + 1, 7), np.int16)
    states[-1, 0] = leads_to
    terms = np.zeros((steps, 4), np.float32)
    terms[0, 0] = coins
    zeros = np.zeros(steps, np.int64)
    return Trajectory("toy", states, np.zeros(steps + 1, np.uint64), np.zeros((steps + 1, 6)), zeros, terms)


def by_place(states: Array, rng: NDArray[np.uint64]) -> NDArray[np.float64]:
    """A value that anybody can add up: the first number of the state."""
    return states[:, 0].astype(np.float64)


def judge(how: Judgement, seed: int = 0) -> ClipJudge:
    return ClipJudge(toy(), replace(how, unit=how.unit or 1.0), np.random.default_rng(seed), by_place)


def test_odds_worked_by_hand() -> None:
    # a gap of 4 is felt as 2: 1/(1+exp(-1.55)), 1/(1+exp(2.45))
    first, same, second = answer_probabilities(np.array(4.0), CROWD)
    assert (first, second) == pytest.approx((0.82491, 0.07944), abs=1e-5)
    assert same == pytest.approx(0.09565, abs=1e-5)
    # without a gap: 1/(1+exp(.45)) each, the rest a tie
    assert answer_probabilities(np.array(0.0), CROWD) == pytest.approx([0.38936, 0.22128, 0.38936], abs=1e-5)
    # regret is logistic in the gap itself and knows no ties
    assert answer_probabilities(np.array(-1.0), REGRET) == pytest.approx([0.26894, 0.0, 0.73106], abs=1e-5)


@given(st.floats(-1e4, 1e4), st.floats(0.0, 3.0), st.floats(0.01, 5.0), st.booleans())
def test_odds_are_odds_and_turn_with_the_sides(gap: float, band: float, beta: float, root: bool) -> None:
    how = Judgement(beta=beta, band=band, root=root)
    there, back = answer_probabilities(np.array(gap), how), answer_probabilities(np.array(-gap), how)
    assert there.sum() == pytest.approx(1.0)
    assert (there >= 0.0).all()
    assert there == pytest.approx(back[::-1])
    assert answer_probabilities(np.array(gap + 1.0), how)[0] >= there[0] - 1e-12


def test_a_felt_gap_keeps_its_sign() -> None:
    assert felt(np.array([-9.0, 0.0, 4.0]), True).tolist() == [-3.0, 0.0, 2.0]
    assert felt(np.array([-9.0, 4.0]), False).tolist() == [-9.0, 4.0]


def test_a_clip_is_worth_its_sum_and_a_share_of_what_it_leads_to() -> None:
    assert judge(CROWD).worth(clip(2.0, leads_to=4)) == pytest.approx(2.0 + 0.75 * 4.0)
    assert judge(REGRET).worth(clip(2.0, leads_to=4)) == pytest.approx(6.0)
    assert judge(Judgement(alpha=0.0)).worth(clip(2.0, leads_to=4)) == pytest.approx(2.0)


def test_who_looks_ahead_prefers_what_leads_further() -> None:
    pair = (clip(3.0), clip(0.0, leads_to=5))  # 3 against 0.75 * 5 = 3.75, and against 0
    sharp = replace(CROWD, beta=SURE, band=0.0)
    assert judge(sharp).ranks(pair) == (1, 0)
    assert judge(replace(sharp, alpha=0.0)).ranks(pair) == (0, 1)
    assert judge(replace(sharp, alpha=0.6, band=0.1)).ranks(pair) == (0, 0)  # 3 each


def test_answers_come_as_often_as_their_odds() -> None:
    one = judge(CROWD)
    found = [one.ranks((clip(4.0), clip(0.0))) for _ in range(4000)]
    shares = [np.mean([ranks == answer for ranks in found]) for answer in ((0, 1), (0, 0), (1, 0))]
    assert shares == pytest.approx(answer_probabilities(np.array(4.0), CROWD), abs=0.02)


def test_the_unit_is_what_gaps_are_counted_in() -> None:
    halved = judge(replace(CROWD, unit=0.5), 3)
    plain = judge(CROWD, 3)
    pairs = [(clip(float(c)), clip(0.0)) for c in range(1, 30)]
    assert [halved.ranks(pair) for pair in pairs] == [
        plain.ranks((clip(2 * p[0].terms.sum()), p[1])) for p in pairs
    ]


def test_four_clips_in_order_with_ties() -> None:
    sharp = judge(Judgement(alpha=0.0, beta=SURE, band=0.45))
    assert sharp.ranks([clip(1.0), clip(3.0), clip(0.0), clip(3.1)]) == (2, 0, 3, 0)  # root of 0.1 is 0.32
    assert sharp.ranks([clip(0.0), clip(0.0), clip(5.0)]) == (1, 1, 0)


def test_errors_fall_while_learning_and_rise_with_tiredness() -> None:
    assert CROWD.error(0) == CROWD.error(500) == 0.0
    assert TIRING.error(0) == pytest.approx(0.4)
    assert TIRING.error(10) == pytest.approx(0.4 / np.e)
    assert TIRING.error(40) == pytest.approx(0.4 * np.exp(-4.0))
    assert TIRING.error(80) == pytest.approx(0.4 * np.exp(-8.0) + 0.4 * (1.0 - 1.0 / np.e))
    errors = [TIRING.error(n) for n in range(200)]
    assert errors.index(min(errors)) in range(30, 60)


def test_noise_grows_with_the_terms_that_differ() -> None:
    simple, mixed = clip(4.0), clip(4.0)
    mixed.terms[0, 1:] = 0.5  # three more terms differ; a puddle costs 0.5
    how = replace(CONFUSED, alpha=0.0, band=0.0, confusion=2.0)
    shares = []
    for seen in (simple, mixed):
        one = judge(how)
        shares.append(np.mean([one.ranks((seen, clip(0.0))) == (0, 1) for _ in range(2000)]))
    assert shares[0] == pytest.approx(1.0 / (1.0 + np.exp(-2.0)), abs=0.03)
    assert shares[1] == pytest.approx(1.0 / (1.0 + np.exp(-np.sqrt(3.5) / 7.0)), abs=0.04)


@pytest.mark.parametrize("name", ["crowd", "regret", "confused", "tiring", "crowd:2", "tiring:0.3"])
def test_they_answer_by_name(name: str) -> None:
    teacher = make_teacher(name, toy(), 1)
    answer = teacher.compare(Question((clip(2.0), clip(0.0))))
    assert len(answer.ranks) == 2


def test_numbers_set_what_they_say() -> None:
    assert TEACHERS["crowd"].judgement == CROWD
    assert make_teacher("crowd:2", toy()).noise.judgement == replace(CROWD, beta=2.0)
    assert make_teacher("tiring:0.3", toy()).noise.judgement == replace(
        TIRING, first_error=0.3, tired_error=0.3
    )
    with pytest.raises(UnknownTeacher, match="out of range"):
        make_teacher("tiring:2", toy())


def test_values_in_a_flat_are_those_of_the_exact_plan() -> None:
    task = task_catalog.task("teachbox/RoomsTidy-v0")
    teacher = make_teacher("rational", task)
    driven = teacher.demonstrate(5).trajectory
    found = value_function(task, np.random.default_rng(0))
    assert isinstance(found, ExpertValue)
    first, later = found(driven.states[[0, 12]], driven.rng[[0, 12]])
    assert first == pytest.approx(float(best_returns(task, np.array([5]))[0]), abs=1e-4)
    paid = task.true_reward(driven.states[:12], driven.terms[:12], driven.states[1:13]).sum()
    assert first - later == pytest.approx(float(paid), abs=1e-4)  # who drives best loses nothing
    regret = ClipJudge(task, replace(REGRET, unit=1.0), np.random.default_rng(0), found)
    assert regret.worth(driven.clip(0, 12)) == pytest.approx(0.0, abs=1e-4)


def test_a_policy_drives_on_to_the_horizon() -> None:
    task = toy()
    sim = Simulation(task, 1, auto_reset=False)
    sim.reset(np.array([3]))
    state = sim.states.copy()
    state[0, :2] = state[0, 2:4]  # on the coin, which pays 1 a step
    state[0, 4:6] = (state[0, 2:4] + 1) % 5
    stay = PolicyValue(task, lambda obs: np.zeros(len(obs), np.int64), rollouts=2)
    late = state.copy()
    late[0, 6] = task.horizon - 3
    both = np.concatenate([state, late])
    assert stay(both, np.zeros(2, np.uint64)).tolist() == [task.horizon, 3.0]


def test_nothing_is_to_come_where_nothing_is_known(caplog: pytest.LogCaptureFixture) -> None:
    task = toy()
    blind = replace(task, world=replace(task.world, state_size=0))
    with caplog.at_level(logging.WARNING, "teachbox"):
        found = value_function(blind, np.random.default_rng(0))
    assert isinstance(found, NoValue)
    assert "no state can be restored" in caplog.text
    assert found(np.zeros((2, 0)), np.zeros(2, np.uint64)).tolist() == [0.0, 0.0]
    assert usual_unit(blind) == 1.0


def test_the_unit_of_a_task_is_its_span() -> None:
    from agents.evaluation import scores

    task = task_catalog.task("teachbox/RoomsTidy-v0")
    means = scores.reference_means(task)
    assert usual_unit(task) == pytest.approx((means.oracle - max(means.random, means.still)) / SPAN, rel=0.02)
