"""Rest after an early end, in worlds of somebody else's: reckoned, not driven."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agents import learner_catalog as catalog_of_learners
from agents.evaluation import scores
from agents.learners.adversarial import AirlLearner, GailLearner
from agents.learners.pebble import EXPLORING_PHASE
from agents.rewards.reward_arrays import RewardArrays
from agents.rl.sac_dqn import OffPolicyConfig
from agents.teachers.synthetic import make_teacher
from agents.training.off_policy import OffPolicyTrainer
from agents.training.trainer import PolicyTrainer
from agents.training.trainer_config import TrainerConfig
from envs import task_catalog
from envs.external.external_simulation import ExternalSimulation
from envs.external.external_task import HAS_ENDED
from envs.simulate import absorbing_step

LONG = 120
"""Horizon: who does anything at random has fallen long before."""


def _cart_pole() -> Any:
    return replace(task_catalog.task("CartPole-v1"), horizon=LONG)


def _only_falls_cost(task: Any) -> RewardArrays:
    """-1 for each moment after a fall, and nothing else."""
    wide = len(task.world.obs_names)
    into = np.zeros((2 * wide + 2, 1), np.float32)
    into[wide - 1] = -1.0
    net = ((into, np.zeros(1, np.float32)),)
    return RewardArrays(np.zeros((1, 2), np.float32), (net,), 0.0, 1.0, 2)


def test_rows_start_anew_right_after_an_early_end() -> None:
    task = _cart_pole()
    sim = ExternalSimulation(task, 4, skip_absorbing=True)
    fallen = skipped = 0
    for _ in range(LONG):
        clock = sim.clock.copy()
        step = sim.step(np.zeros(4, np.int64))
        early = step.terms[:, HAS_ENDED] == 1.0
        assert step.ended.tolist() == early.tolist()
        assert (step.last_obs[early, -1] == 1.0).all()
        assert (step.obs[:, -1] == 0.0).all()
        assert (sim.clock[early] == 0).all()
        skipped += int((LONG - clock[early] - 1).sum())
        fallen += int(early.sum())
    assert fallen > 20  # always to the left: down in ten steps or so
    assert sim.skipped_steps == skipped > 0


def test_without_it_they_rest_until_the_horizon() -> None:
    sim = ExternalSimulation(_cart_pole(), 1)
    ended = [bool(sim.step(np.zeros(1, np.int64)).ended[0]) for _ in range(LONG)]
    assert ended == [False] * (LONG - 1) + [True]
    assert sim.skipped_steps == 0


def test_a_fall_is_worth_what_all_the_rest_is_paid() -> None:
    """Discounted for ever, as the horizon's end is bootstrapped too: reward + gamma * rest / (1 - gamma)."""
    task = _cart_pole()
    practice = PolicyTrainer(task, 0, TrainerConfig())
    practice.set_reward(_only_falls_cost(task))
    practice.train_iteration()
    practice.algorithm.collect_only()
    buffer, facts, gamma = (
        practice.algorithm.rollout_buffer,
        practice.algorithm.rollout,
        practice.algorithm.gamma,
    )
    fell = facts.transitions.next_obs[..., -1] == 1.0
    assert fell.sum() > 20
    rest = practice.env.absorbing_reward()
    expected = buffer.rewards[fell] + gamma * rest / (1.0 - gamma)
    np.testing.assert_allclose(buffer.returns[fell], expected, rtol=1e-4)
    assert rest < 0.0
    # the fall itself and all the rest: exactly minus one each, in the reward's own unit
    obs, action, after, terms = absorbing_step(task)
    assert practice.scaled_reward.reward is not None
    assert float(
        practice.scaled_reward.reward.member_rewards(obs, action, after, terms).mean()
    ) == pytest.approx(-1.0)


def test_off_policy_a_fall_is_worth_what_all_the_rest_is_paid_also_after_another_reward() -> None:
    practice = OffPolicyTrainer(_cart_pole(), 0, OffPolicyConfig(gradient_steps=4, batch_size=64))
    buffer, gamma = practice.buffer, practice.algorithm.gamma
    falls = _only_falls_cost(practice.task)
    for twice in (1.0, 2.0):
        practice.set_reward(replace(falls, scale=twice))
        for _ in range(2):
            practice.train_iteration()
        n = buffer.n_stored_steps
        seen, over = buffer.next_observations[:n, :, -1] == 1.0, buffer.early_ends(slice(n))
        assert 20 < seen.sum() < n * 8 // 4
        assert (buffer.observations[:n, :, -1] == 0.0).all(), "who rests teaches nothing"
        assert np.array_equal(seen, over)
        alive, rest = (
            (0.0 - practice.scaled_reward.mean) / practice.reward_scale,
            practice.env.absorbing_reward(),
        )
        assert buffer.rewards[:n][~over] == pytest.approx(alive, abs=1e-4)
        assert buffer.rewards[:n][over] == pytest.approx(alive + gamma * rest / (1.0 - gamma), rel=1e-3)


def test_pebble_learns_to_stand_from_ten_answers() -> None:
    task, teacher = _cart_pole(), make_teacher("rational", _cart_pole())
    learner = catalog_of_learners.make(
        "pebble", task, settings={"explore_steps": 5_000, "steps_per_fit": 20_000}
    )
    while learner.phase == EXPLORING_PHASE:
        learner.step()
    for seq in range(1, 11):
        learner.observe(seq, [teacher.compare(learner.query())])
        learner.step()
    while learner.step():
        pass
    assert scores.evaluate_policy(task, learner.snapshot().policy).mean > 60.0  # at random 20


def test_an_episode_lasts_its_horizon_also_where_its_rest_is_left_out() -> None:
    """What an episode is worth comes to the same whether rest is driven or reckoned."""
    task, worth = _cart_pole(), []
    for skips in (False, True):
        practice = PolicyTrainer(task, 0, TrainerConfig(skip_absorbing=skips))
        practice.set_reward(_only_falls_cost(task))
        for _ in range(3):  # untaught all along
            practice.algorithm.collect_only()
        practice._update_reward_scale()
        practice.algorithm.collect_only()
        worth.append(practice.learned_return)
        total = practice.algorithm.n_steps * practice.algorithm.n_envs
        assert (practice.algorithm.rollout.episodes * LONG > total) == skips
    # falls after some 22 steps of 120
    assert worth[0] == pytest.approx(-98.0, abs=6.0)
    assert worth[1] == pytest.approx(-98.0, abs=6.0)


@pytest.mark.parametrize("learner", [GailLearner, AirlLearner])
def test_adversaries_drive_it(learner: Any) -> None:
    assert not learner(_cart_pole()).trainer.env.simulation.skip_absorbing
