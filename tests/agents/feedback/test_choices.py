"""Feedback of every kind compiled to choices says what the formula of its kind says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from agents import losses
from agents.feedback.choices import (
    CHOICE_KINDS,
    PRESS_DELAY_S,
    Choice,
    choices_from_comparison,
    choices_from_correction,
    choices_from_evaluation,
    delayed_credit,
    overlapping_windows,
    pack_choices,
)
from agents.feedback.records import Comparison, Correction, Demonstration, Evaluation
from agents.inference.choice_sets import choice_sets
from agents.policies.policy_arrays import PolicyArrays
from agents.policies.rollouts import PolicyVariant, episode_starts, rollout_clips
from agents.rewards.base import choices_loss
from envs.trajectory import Trajectory
from sandbox.views.mark_tape import credit
from tests.agents.toy import toy

WEIGHTS = torch.tensor([1.0, -0.5, 0.25, 0.1])
TRUST = torch.ones(1, len(CHOICE_KINDS))


def _drives(count: int, steps: int = 9, seed: int = 0) -> list[Trajectory]:
    task, random = toy(), np.random.default_rng(seed)
    blank = PolicyArrays(((np.zeros((6, 5), np.float32), np.zeros(5, np.float32)),), "discrete")
    moments = episode_starts(task, 1, seed) * count
    return rollout_clips(task, moments, [PolicyVariant(blank)] * count, [steps] * count, random)


def _loss(choices: list[Choice]) -> float:
    packed = pack_choices(choices)
    returns = (torch.from_numpy(packed.term_sums) @ WEIGHTS).unsqueeze(0)
    loss = choices_loss(returns, TRUST, packed, losses.DEFAULT_ERROR_RATE) * torch.from_numpy(packed.weight)
    return float(loss.sum())


def _returns(clips: list[Trajectory]) -> torch.Tensor:
    return torch.stack([torch.from_numpy(c.terms).sum(0) @ WEIGHTS for c in clips])


@pytest.mark.parametrize("ranks", [(0, 1), (1, 0), (0, 0)])
def test_a_comparison_is_bradley_terry(ranks: tuple[int, int]) -> None:
    clips = _drives(2)
    first, second = _returns(clips).unsqueeze(1)
    target = torch.tensor([0.5 if ranks == (0, 0) else float(ranks == (0, 1))])
    wanted = losses.bradley_terry(first, second, target).item()
    assert _loss(choices_from_comparison(Comparison(tuple(clips), ranks))) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("ranks", [(0, 1, 2), (2, 0, 1), (0, 0, 1), (1, 1, 1), (0, 1, 1, 3), (0, 0, 2, 2)])
def test_a_ranking_is_plackett_luce(ranks: tuple[int, ...]) -> None:
    clips = _drives(len(ranks))
    wanted = losses.plackett_luce(_returns(clips), ranks).item()
    assert _loss(choices_from_comparison(Comparison(tuple(clips), ranks))) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("verdict", ["cant_tell", "skipped"])
def test_no_answer_trains_nothing(verdict: str) -> None:
    assert choices_from_comparison(Comparison(tuple(_drives(2)), (), verdict)) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [-2.0, -1.0, 1.0, 2.0])
def test_a_press_is_an_evaluation(value: float) -> None:
    segment = _drives(1, steps=12)[0]
    rewards = (torch.from_numpy(segment.terms) @ WEIGHTS).unsqueeze(0)
    age = (np.arange(12, 0, -1) - 0.5 + 1.5) / 10.0
    credit = age * np.exp(-age / 0.28)
    scaled = torch.from_numpy((credit / credit.max()).astype(np.float32)).unsqueeze(0)
    wanted = losses.evaluation(rewards, scaled, torch.tensor([value])).item()
    found = _loss(choices_from_evaluation(Evaluation(segment, value, delay_steps=1.5), 10.0))
    assert found == pytest.approx(wanted, rel=1e-4)


def test_a_press_in_slow_motion_is_credited_in_seconds() -> None:
    slow, fast = delayed_credit(20, 0.0, 5.0), delayed_credit(20, 0.0, 20.0)
    assert slow.argmax() > fast.argmax()  # at 5 steps/s the reaction time is one or two steps


def test_a_takeover_compares_equally_many_steps() -> None:
    person, agent = _drives(2, steps=8)
    wanted = losses.correction(_returns([person.clip(0, 5)]), _returns([agent.clip(0, 5)])).item()
    assert _loss(choices_from_correction(Correction(agent, person.clip(0, 5)))) == pytest.approx(
        wanted, rel=1e-5
    )
    assert choices_from_correction(Correction(agent.clip(0, 0), person)) == []


def test_a_demonstration_is_a_choice_among_drives_from_its_moments() -> None:
    task = toy()
    driven = _drives(1, steps=12)[0]
    blank = PolicyArrays(((np.zeros((6, 5), np.float32), np.zeros(5, np.float32)),), "discrete")
    found = choice_sets(task, [Demonstration(driven)], [PolicyVariant(blank)], 8, 0)
    assert [len(c.options[0].steps) for c in found] == [8]
    for choice in found:
        starts = {o.steps.observations[0].tobytes() for o in choice.options}
        lengths = {len(o.steps) for o in choice.options}
        assert len(starts) == len(lengths) == 1
    again = choice_sets(task, [Demonstration(driven)], [PolicyVariant(blank)], 8, 0)
    assert len(again) == len(found)


def test_resting_when_all_is_done_is_no_choice() -> None:
    task, random = toy(), np.random.default_rng(0)
    blank = PolicyArrays(((np.zeros((6, 5), np.float32), np.zeros(5, np.float32)),), "discrete")
    driven = rollout_clips(task, episode_starts(task, 1, 0), [PolicyVariant(blank)], [24], random)[0]
    for last, wanted in [(23, 3), (16, 3), (15, 2), (7, 1)]:
        terms = driven.terms.copy()
        terms[last], terms[last + 1 :] = 1.0, 0.0
        found = choice_sets(task, [Demonstration(replace(driven, terms=terms))], [PolicyVariant(blank)], 8, 0)
        assert len(found) == wanted, f"something happened last at step {last}"
    never = replace(driven, terms=np.zeros_like(driven.terms))
    assert len(choice_sets(task, [Demonstration(never)], [PolicyVariant(blank)], 8, 0)) == 3, "rest was shown"


def test_windows_overlap_and_reach_the_end() -> None:
    assert overlapping_windows(24, 30, 8) == [(0, 24), (8, 24), (16, 24)]
    assert overlapping_windows(60, 30, 8)[0] == (0, 30)
    assert overlapping_windows(60, 30, 8)[-1][1] == 60
    assert overlapping_windows(3, 30, 8) == [(0, 3)]


def test_options_shared_by_choices_are_kept_once() -> None:
    clips = _drives(3)
    packed = pack_choices(choices_from_comparison(Comparison(tuple(clips), (0, 1, 2))))
    assert len(packed.term_sums) == 4  # three clips and nothing at all
    assert len(packed.obs) == 27


def test_the_view_shows_the_credit_that_a_press_gives() -> None:
    rate, steps = 10.0, 40
    ages = [(steps - i - 0.5) / rate for i in range(steps)]
    shown = np.array([credit(age) for age in ages])
    apart = shown / shown.max() - delayed_credit(steps, 0.0, rate)
    assert np.ptp(apart) < 1e-6  # the learner takes off the segment's mean
    assert credit(PRESS_DELAY_S) == 1.0
    assert credit(-0.1) == 0.0
