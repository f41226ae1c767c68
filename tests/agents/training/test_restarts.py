"""Practising more than once on one reward, and which of its policies is kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from agents import learner_catalog
from agents.teachers.synthetic import make_teacher
from agents.training.restarts import RecentPolicies
from agents.training.trainer import PolicyTrainer
from agents.training.trainer_config import TrainerConfig
from tests.agents.toy import toy
from tests.agents.training.test_warm_start import _drives, _imitate

FIRST, SECOND = np.array([1.0, 2.0, 0.0, 3.0], np.float32), np.zeros(4, np.float32)
"""Of each term per episode."""


def _surely(counts: Any, than: Any) -> bool:
    return True


def _one(value: float) -> dict[str, torch.Tensor]:
    return {"a": torch.tensor([value, 0.0])}


def test_the_mean_of_late_policies_is_even_at_first_and_then_forgets() -> None:
    late = RecentPolicies(window=2, averaging_rate=0.4)
    means = []
    for value in (8.0, 4.0, 0.0, 10.0):
        late.add(0.0, _one(value))
        means.append(round(float(late.mean_parameters["a"][0]), 4))
    assert means == [8.0, 6.0, 3.6, 6.16]  # shares of the newest: 1, 1/2, 0.4, 0.4
    late.reset()
    late.add(0.0, _one(5.0) | {"batches": torch.tensor(3)})
    assert late.mean_parameters["a"].tolist() == [5.0, 0.0]
    late.add(0.0, _one(7.0) | {"batches": torch.tensor(4)})
    assert late.mean_parameters["batches"] == 4  # what is counted has no mean


def test_the_best_late_policy_is_that_whose_last_rollouts_were_worth_most() -> None:
    late = RecentPolicies(window=2, averaging_rate=0.1)
    for worth, value in ((9.0, 1.0), (1.0, 2.0), (4.0, 3.0), (7.0, 4.0), (0.0, 5.0)):
        late.add(worth, _one(value))
    assert late.best is not None
    assert late.best[0] == 5.5  # (4 + 7) / 2; the first alone fills no window, and (9 + 1) / 2 is less
    assert late.best[1]["a"][0] == 4.0
    assert late.mean_value == 3.5
    late.reset()
    assert late.best is None
    assert not late.values


def _practice_with(good: float) -> tuple[PolicyTrainer, dict[str, Any]]:
    """One whose late mean is told apart by a judge, who counts moves: it stays where it is, or hardly."""
    practice = PolicyTrainer(toy(), 0, TrainerConfig(value_window=2))
    practice.train_iteration()
    still = {name: value.clone() for name, value in practice.algorithm.policy.state_dict().items()}
    still["action_net.bias"][0] += good
    practice.restarts.recent_policies.mean_parameters = still
    return practice, still


@pytest.mark.parametrize(("bias", "kept"), [(20.0, True), (-20.0, False)])
def test_a_try_ends_in_the_policy_whose_whole_episodes_are_worth_most(bias: float, kept: bool) -> None:
    practice, mean = _practice_with(bias)
    practice.restarts.episode_value = lambda counts: -float(counts[3])
    newest = practice.restarts.parameters()
    counts = practice.restarts.accept_or_revert(np.full(4, 7.0, np.float32), _surely)
    now = practice.restarts.parameters()["action_net.bias"]
    assert torch.equal(now, (mean if kept else newest)["action_net.bias"])
    assert counts is not None
    assert (counts[3] < 0.1) == kept  # moves an episode, counted in whole episodes
    practice.restarts.episode_value = None  # nobody can tell: the newest stays
    practice.restarts._load_parameters(newest)
    assert practice.restarts.accept_or_revert(np.full(4, 7.0, np.float32), _surely).tolist() == [7.0] * 4  # type: ignore[union-attr]
    assert torch.equal(practice.restarts.parameters()["action_net.bias"], newest["action_net.bias"])


def test_what_was_thought_of_a_policy_counts_no_more_when_the_belief_has_changed() -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    learner = learner_catalog.make("joint", task, settings={"proxy_steps": 4_000, "steps_per_fit": 200_000})
    while learner.phase == "learning from the written reward":
        learner.step()
    learner.observe(3, [teacher.compare(learner.query()) for _ in range(3)])
    learner.step()  # hears
    learner.step()
    stale = (1e9, learner.trainer.restarts.parameters())
    kept, early, learner.schedule.steps_since_fit = [], [], 10_000
    for share in (0.06, 0.11, 0.2):  # it is fitted on at a tenth of practice
        learner.trainer.restarts.recent_policies.best = stale
        before, learner.schedule.steps_since_fit = learner.schedule.steps_since_fit, int(share * 200_000)
        learner.refine_fit(before)
        kept.append(learner.trainer.restarts.recent_policies.best is stale)
        early.append(learner.trainer.restarts._early_parameters is not None)
    assert kept == [True, False, True]
    assert early == [False, True, True]


@pytest.mark.parametrize(
    ("worths", "best"), [((1.0, 2.0, 1.5), 1), ((1.0, 0.5, 1.5), 2), ((1.0, 1.01, 0.9), 0)]
)
def test_of_three_tries_the_best_is_kept(worths: tuple[float, ...], best: int) -> None:
    """From where it was, from where it can start over, and from the clone."""
    practice = PolicyTrainer(toy(), 0, TrainerConfig(value_window=2))
    practice.restarts.warm_start.set_demonstrations(_drives(1))
    practice.train_iteration()
    practice.restarts.mark_restart_point()
    practice.train_iteration()
    practice.set_reward(None)
    policies, began = [], []
    for number, worth in enumerate(worths):
        _imitate(practice)
        began.append(practice.restarts.is_at_restart_point)
        practice.restarts.episode_value = lambda counts, worth=worth: worth  # type: ignore[misc]
        practice.train_iteration()
        practice.train_iteration()
        policies.append(practice.policy.layers[0][0].copy())
        assert practice.restarts.can_restart == (number < 2)
        if practice.restarts.can_restart:
            practice.restarts.restart(np.full(4, float(number), np.float32))
            assert practice.restarts.is_warm_starting == (number == 1)
    assert practice.restarts.accept_or_revert(np.full(4, 2.0, np.float32), _surely) is not None
    assert began == [False, True, True]
    np.testing.assert_array_equal(practice.policy.layers[0][0], policies[best])
    practice.set_reward(None)
    assert practice.restarts.can_restart


def _practised(worths: list[float]) -> PolicyTrainer:
    """After a first try whose bursts were judged by the first of these, and a second by the other."""
    practice = PolicyTrainer(toy(), 0, TrainerConfig(value_window=2))
    practice.train_iteration()
    practice.restarts.mark_restart_point()
    practice.train_iteration()
    practice.set_reward(None)
    for worth in worths:
        practice.restarts.episode_value = lambda counts, worth=worth: worth  # type: ignore[misc]
        practice.train_iteration()
        practice.train_iteration()
        if worth != worths[-1]:
            practice.restarts.restart(FIRST)
    return practice


def _layers(practice: PolicyTrainer) -> Any:
    return practice.policy.layers[0][0].copy()


@pytest.mark.parametrize(("second", "kept"), [(1.01, False), (1.04, True), (-5.0, False)])
def test_the_second_try_is_kept_if_it_is_clearly_worth_more(second: float, kept: bool) -> None:
    practice = _practised([1.0, second])
    shown, now = practice.shown_policy.layers[0][0].copy(), _layers(practice)
    assert practice.restarts.is_restarting
    assert not np.array_equal(shown, now)
    counts = practice.restarts.accept_or_revert(SECOND, _surely)
    assert not practice.restarts.is_restarting
    again = practice.restarts._evaluate_candidate(practice.restarts.parameters())
    assert again is not None
    np.testing.assert_array_equal(counts, again.counts)  # of whole episodes of the policy that is kept
    np.testing.assert_array_equal(_layers(practice), now if kept else shown)
    np.testing.assert_array_equal(practice.shown_policy.layers[0][0], _layers(practice))


@pytest.mark.parametrize("surely", [True, False])
def test_what_long_practice_took_up_is_given_up_unless_it_is_surely_better(surely: bool) -> None:
    practice = PolicyTrainer(toy(), 0, TrainerConfig(value_window=2))
    practice.restarts.episode_value = lambda counts: 0.0
    policies = []
    for before, now in ((0.0, 0.09), (0.09, 0.12), (0.12, 0.5)):
        practice.train_iteration()
        policies.append(practice.restarts.parameters())
        practice.restarts.keep_early_policy(before, now)
    early, newest = (
        practice.restarts._evaluate_candidate(policies[1]),
        practice.restarts._evaluate_candidate(policies[2]),
    )
    assert early is not None
    assert newest is not None
    seen: list[Any] = []
    counts = practice.restarts.accept_or_revert(
        FIRST, lambda counts, than: bool(seen.append((counts, than))) or surely
    )
    assert torch.equal(
        practice.restarts.parameters()["action_net.bias"], policies[1 + surely]["action_net.bias"]
    )
    np.testing.assert_array_equal(counts, (newest if surely else early).counts)
    np.testing.assert_array_equal(seen[0][0], newest.counts)
    np.testing.assert_array_equal(seen[0][1], early.counts)
    given_up, acting = practice.history.rejected, [v.policy for v in practice.variants()]
    assert (given_up is None) == surely  # what was given up is asked about
    if given_up is not None:
        assert any(policy is given_up for policy in acting)
        np.testing.assert_array_equal(given_up.layers[-1][1], policies[2]["action_net.bias"].numpy())
    practice.restarts.accept_or_revert(FIRST, lambda counts, than: False)  # what was early is forgotten
    assert len(seen) == 1
    practice.restarts.keep_early_policy(0.0, 1.0)
    practice.set_reward(None)
    assert practice.restarts._early_parameters is None


def test_who_is_told_more_goes_on_from_what_was_seen() -> None:
    practice = _practised([1.0, 3.0])
    shown, first = practice.shown_policy.layers[0][0].copy(), practice.restarts._best_candidate
    assert first is not None
    assert practice.restarts.restore_candidate(SECOND) is first.counts
    assert practice.restarts.restore_candidate(SECOND) is SECOND
    practice.set_reward(None)
    np.testing.assert_array_equal(_layers(practice), shown)
    assert not practice.restarts.is_at_restart_point


def test_a_second_try_goes_on_after_a_stop() -> None:
    first, again = _practised([1.0, 3.0]), PolicyTrainer(toy(), 5, TrainerConfig(value_window=2))
    assert first.restarts._best_candidate is not None
    first.restarts.keep_early_policy(0.0, 0.1)
    first.history.rejected = first.policy
    again.load_state_dict(first.state_dict(), None)
    np.testing.assert_array_equal(again.shown_policy.layers[0][0], first.shown_policy.layers[0][0])
    np.testing.assert_array_equal(_layers(again), _layers(first))
    assert again.history.rejected is not None
    np.testing.assert_array_equal(again.history.rejected.layers[0][0], first.history.rejected.layers[0][0])
    assert again.restarts._early_parameters is not None
    assert first.restarts._early_parameters is not None
    assert all(
        torch.equal(again.restarts._early_parameters[name], value)
        for name, value in first.restarts._early_parameters.items()
    )
    np.testing.assert_array_equal(
        again.restarts.restore_candidate(None), first.restarts._best_candidate.counts
    )
    np.testing.assert_array_equal(_layers(again), first.shown_policy.layers[0][0])


def test_joint_tries_again_where_it_went_on_from_another_reward() -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    learner = learner_catalog.make("joint", task, settings={"proxy_steps": 4_000, "steps_per_fit": 12_000})
    tried = []
    for round in range(2):
        answers = [teacher.compare(learner.query()) for _ in range(2)]
        learner.observe(2 * round + 2, answers)
        seen: set[bytes] = set()
        while learner.step():
            if learner.trainer.restarts.is_restarting:
                seen.add(learner.snapshot().policy.layers[0][0].tobytes())
        tried.append(len(seen))
    assert tried == [0, 1]  # the first began where the written reward ended; of the second nothing is seen


def test_of_two_tries_that_were_too_short_to_judge_the_first_is_kept() -> None:
    practice = PolicyTrainer(toy(), 0, TrainerConfig())
    practice.train_iteration()
    shown = _layers(practice)
    practice.restarts.restart(FIRST)
    practice.train_iteration()
    assert practice.restarts.accept_or_revert(SECOND, _surely) is FIRST
    np.testing.assert_array_equal(_layers(practice), shown)
