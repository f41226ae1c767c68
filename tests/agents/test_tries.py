"""Practising more than once on one reward, and which of its policies is kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from agents import catalog
from agents.practice import Practice, PracticeConfig
from agents.teachers import make_teacher
from agents.tries import Late
from tests.agents.test_head_start import _drives, _imitate
from tests.agents.toy import toy


def _one(value: float) -> dict[str, torch.Tensor]:
    return {"a": torch.tensor([value, 0.0])}


def test_the_mean_of_late_policies_is_even_at_first_and_then_forgets() -> None:
    late = Late(window=2, blend=0.4)
    means = []
    for value in (8.0, 4.0, 0.0, 10.0):
        late.note(0.0, _one(value))
        means.append(round(float(late.mean["a"][0]), 4))
    assert means == [8.0, 6.0, 3.6, 6.16]  # shares of the newest: 1, 1/2, 0.4, 0.4
    late.forget()
    late.note(0.0, _one(5.0) | {"batches": torch.tensor(3)})
    assert late.mean["a"].tolist() == [5.0, 0.0]
    late.note(0.0, _one(7.0) | {"batches": torch.tensor(4)})
    assert late.mean["batches"] == 4  # what is counted has no mean


def test_the_best_late_policy_is_that_whose_last_rollouts_were_worth_most() -> None:
    late = Late(window=2, blend=0.1)
    for worth, value in ((9.0, 1.0), (1.0, 2.0), (4.0, 3.0), (7.0, 4.0), (0.0, 5.0)):
        late.note(worth, _one(value))
    assert late.best is not None
    assert late.best[0] == 5.5  # (4 + 7) / 2; the first alone fills no window, and (9 + 1) / 2 is less
    assert late.best[1]["a"][0] == 4.0
    assert late.now == 3.5
    late.forget()
    assert late.best is None
    assert not late.worths


def _practice_with(good: float) -> tuple[Practice, dict[str, Any]]:
    """One whose late mean is told apart by a judge, who counts moves: it stays where it is, or hardly."""
    practice = Practice(toy(), 0, PracticeConfig(window=2))
    practice.burst()
    still = {name: value.clone() for name, value in practice.ppo.policy.state_dict().items()}
    still["action_net.bias"][0] += good
    practice.late.mean = still
    return practice, still


@pytest.mark.parametrize(("bias", "kept"), [(20.0, True), (-20.0, False)])
def test_a_try_ends_in_the_policy_whose_whole_episodes_are_worth_most(bias: float, kept: bool) -> None:
    practice, mean = _practice_with(bias)
    practice.judge = lambda counts: -float(counts[3])
    newest = practice._parameters()
    counts = practice.choose(np.full(4, 7.0, np.float32))
    now = practice._parameters()["action_net.bias"]
    assert torch.equal(now, (mean if kept else newest)["action_net.bias"])
    assert counts is not None
    assert (counts[3] < 0.1) == kept  # moves an episode, counted in whole episodes
    practice.judge = None  # nobody can tell: the newest stays
    practice._load(newest)
    assert practice.choose(np.full(4, 7.0, np.float32)).tolist() == [7.0] * 4  # type: ignore[union-attr]
    assert torch.equal(practice._parameters()["action_net.bias"], newest["action_net.bias"])


def test_what_was_thought_of_a_policy_counts_no_more_when_the_belief_has_changed() -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    learner = catalog.make("joint", task, prior_steps=4_000, steps_per_fit=200_000)
    while learner.phase == "learning from the written reward":
        learner.step()
    learner.observe(3, [teacher.compare(learner.query()) for _ in range(3)])
    learner.step()  # hears
    learner.step()
    stale = (1e9, learner.practice._parameters())
    kept, learner._since_fit = [], 10_000
    for share in (0.06, 0.11, 0.2):  # it is fitted on at a tenth of practice
        learner.practice.late.best = stale
        before, learner._since_fit = learner._since_fit, int(share * 200_000)
        learner._refine(before)
        kept.append(learner.practice.late.best is stale)
    assert kept == [True, False, True]


@pytest.mark.parametrize(
    ("worths", "best"), [((1.0, 2.0, 1.5), 1), ((1.0, 0.5, 1.5), 2), ((1.0, 1.01, 0.9), 0)]
)
def test_of_three_tries_the_best_is_kept(worths: tuple[float, ...], best: int) -> None:
    """From where it was, from where it can start over, and from the clone."""
    practice = Practice(toy(), 0, PracticeConfig(window=2))
    practice.head_start.hear(_drives(1))
    practice.burst()
    practice.remember()
    practice.burst()
    practice.set_reward(None)
    policies, began = [], []
    for number, worth in enumerate(worths):
        _imitate(practice)
        began.append(practice.began_anew)
        practice.judge = lambda counts, worth=worth: worth  # type: ignore[misc]
        practice.burst()
        practice.burst()
        policies.append(practice.policy.layers[0][0].copy())
        assert practice.may_do_better == (number < 2)
        if practice.may_do_better:
            practice.try_again(np.full(4, float(number), np.float32))
            assert practice.imitates == (number == 1)
    assert practice.choose(np.full(4, 2.0, np.float32)) is not None
    assert began == [False, True, True]
    np.testing.assert_array_equal(practice.policy.layers[0][0], policies[best])
    practice.set_reward(None)
    assert practice.may_do_better
