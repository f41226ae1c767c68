"""Whether something unnamed matters is said with odds, and only where the evidence says so."""

from __future__ import annotations

import numpy as np
import pytest

from agents.feedback.choices import Choice, Option, pack_choices
from agents.inference.misspecification import misspecification_warning
from agents.rewards.linear import LinearReward
from agents.rewards.linear_prior import LinearRewardConfig
from envs.trajectory import Trajectory

NAMES = ("gate", "near_vase", "light", "noise")
N_STEPS = 12


def clip(random: np.random.Generator) -> Trajectory:
    """Four numbers that each stay for a while, and two terms."""
    obs = np.repeat(random.random((4, len(NAMES))), [3, 3, 3, 4], 0).astype(np.float32)
    terms = (random.random((N_STEPS, 2)) < 0.3).astype(np.float32)
    actions = random.integers(0, 3, N_STEPS)
    return Trajectory("t", np.zeros((N_STEPS + 1, 0)), np.zeros(N_STEPS + 1, np.uint64), obs, actions, terms)


def judged(seed: int, count: int, is_named: bool) -> list[Choice]:
    """Answers of somebody who wants much of a term, or much of the second number that is seen."""
    random, found = np.random.default_rng(seed), []
    for _ in range(count):
        pair = [clip(random) for _ in range(2)]
        worth = [one.terms[:, 0].sum() if is_named else one.observations[1:, 1].sum() for one in pair]
        if worth[1] > worth[0]:
            pair.reverse()
        found.append(Choice("comparison", tuple(Option(one) for one in pair)))
    return found


def fitted(choices: list[Choice], seed: int) -> LinearReward:
    reward = LinearReward(np.zeros(2, np.float32), np.ones(2, np.bool_), 3, LinearRewardConfig(), seed, NAMES)
    reward.set_term_scales([o.term_sums() for c in choices for o in c.options if o])
    reward.fit(pack_choices(choices))
    return reward


@pytest.mark.parametrize("seed", range(3))
def test_what_no_term_names_is_found_and_said(seed: int) -> None:
    reward = fitted(judged(seed, 30, is_named=False), seed)
    assert reward.unnamed_log_odds is not None
    assert reward.unnamed_log_odds > 2.0
    assert "near_vase" in reward.derived_terms.names[0]
    assert "near vase" in misspecification_warning(reward)
    fresh = pack_choices(judged(seed + 100, 200, is_named=False))
    assert reward.agreement(fresh) > 0.85


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_said_where_the_terms_explain_the_answers(seed: int) -> None:
    reward = fitted(judged(seed, 30, is_named=True), seed)
    assert reward.unnamed_log_odds is not None
    assert reward.unnamed_log_odds < 0.0
    assert len(reward.derived_terms) == 0
    assert misspecification_warning(reward) == ""


def test_a_few_answers_say_nothing_of_it() -> None:
    reward = fitted(judged(0, 5, is_named=False), 0)
    assert reward.unnamed_log_odds is None
    assert misspecification_warning(reward) == misspecification_warning(None) == ""


def test_what_was_found_is_in_the_checkpoint() -> None:
    first = fitted(judged(1, 30, is_named=False), 1)
    again = fitted(judged(2, 6, is_named=True), 2)
    again.load_state_dict(first.state_dict())
    assert misspecification_warning(again) == misspecification_warning(first) != ""
    steps = clip(np.random.default_rng(9))
    np.testing.assert_allclose(again.count_terms(steps), first.count_terms(steps))
