"""Collecting rollouts: what is written down of each step, and what it comes to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from agents.policies import rollouts
from agents.policies.from_torch import policy_arrays
from agents.policies.rollouts import episode_terms
from agents.rl.ppo import IncrementalPPO, PPOConfig
from agents.rl.rollout_collection import Rollout, Transitions, collect_transitions
from agents.rl.sac_dqn import OffPolicyConfig
from agents.rl.vec_env import SimulationVecEnv
from agents.training.off_policy import OffPolicyTrainer
from envs.simulate import simulate
from tests.agents.toy import toy

ROWS, STEPS = 6, 50


def _collected(seed: int = 0) -> tuple[Transitions, list[Any]]:
    """Rows that act at random, and the observations that they acted on."""
    env, random = SimulationVecEnv(simulate(toy(), ROWS, seed=seed)), np.random.default_rng(1)
    seen: list[Any] = []

    def sample(obs: Any) -> tuple[Any, Any]:
        seen.append(obs.copy())
        actions = random.integers(5, size=len(obs))
        return actions, actions[:, None]

    return collect_transitions(env, sample, STEPS, np.random.default_rng(2)), seen


def test_a_rollout_can_be_repeated_step_by_step() -> None:
    made, seen = _collected()
    assert made.state_step == int(np.random.default_rng(2).integers(STEPS))
    np.testing.assert_array_equal(made.obs, seen)
    sim = simulate(toy(), ROWS, seed=0)
    for t in range(STEPS):
        if t == made.state_step:
            np.testing.assert_array_equal(sim.states, made.states)
            np.testing.assert_array_equal(sim.rng, made.rng)
        step = sim.step(made.actions[t, :, 0])
        np.testing.assert_array_equal(step.last_obs, made.next_obs[t])
        np.testing.assert_array_equal(step.terms, made.terms[t])
        np.testing.assert_array_equal(step.ended, made.ended[t])
    assert made.ended.any()
    assert (made.next_obs[:-1][made.ended[:-1]] != made.obs[1:][made.ended[:-1]]).any()


def test_a_reward_takes_one_row_for_each_step() -> None:
    made, _ = _collected()
    obs, actions, next_obs, terms = made.steps
    at = 3 * ROWS + 2
    np.testing.assert_array_equal(obs[at], made.obs[3, 2])
    assert actions.shape == (STEPS * ROWS,)
    assert actions[at] == made.actions[3, 2, 0]
    np.testing.assert_array_equal(next_obs[at], made.next_obs[3, 2])
    np.testing.assert_array_equal(terms[at], made.terms[3, 2])


@pytest.mark.parametrize("skipped", [0, 30])
def test_rest_that_was_left_out_counts_as_if_it_had_been_stepped(skipped: int) -> None:
    made, _ = _collected()
    made = Transitions(**{**vars(made), "skipped_steps": skipped})
    rewards = np.full((STEPS, ROWS), 2.0, np.float32)
    rollout = Rollout.from_rewards(made, rewards, absorbing_reward=-1.0, horizon=10)
    assert rollout.reward_sum == 2.0 * STEPS * ROWS - skipped
    assert rollout.episodes == STEPS * ROWS / 10 + skipped / 10
    np.testing.assert_allclose(rollout.term_sums, made.terms.sum((0, 1)))


def test_terms_of_whole_episodes_are_those_of_their_steps() -> None:
    task, seeds = toy(), np.arange(4)
    policy = IncrementalPPO.for_env(SimulationVecEnv(simulate(task, 1)), PPOConfig(n_envs=1, net_arch=(8,)))
    arrays = policy_arrays(policy.policy)
    found = episode_terms(task, rollouts.sampling_act(arrays, 3), seeds)
    sim, act = simulate(task, 4, auto_reset=False), rollouts.sampling_act(arrays, 3)
    sim.reset(seeds)
    total = np.zeros_like(found)
    for _ in range(task.horizon):
        total += sim.step(act(sim.obs)).terms
    np.testing.assert_array_equal(found, total)
    assert total.sum() > 0.0


def test_training_leaves_no_folder_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ppo = IncrementalPPO.for_env(
        SimulationVecEnv(simulate(toy(), 4)), PPOConfig(n_envs=4, n_steps=4, net_arch=(8,))
    )
    ppo.train_iteration()
    ppo.collect_only()
    OffPolicyTrainer(toy(), 0, OffPolicyConfig(n_envs=4, gradient_steps=4)).train_iteration()
    assert not list(tmp_path.iterdir())


def test_off_policy_training_leaves_the_global_generators_alone() -> None:
    np.random.seed(7)
    torch.manual_seed(7)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()  # type: ignore[index]
    trainer = OffPolicyTrainer(toy(), 0, OffPolicyConfig(n_envs=4, gradient_steps=4))
    trainer.train_iteration()
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])  # type: ignore[index]
    assert torch.equal(torch.get_rng_state(), before[1])
