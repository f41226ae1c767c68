"""PPO's update by hand gives torch's gradients and Adam, and the torch policy goes with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.vec_env import DummyVecEnv
from torch.nn import functional as F

from agents.policies.distributions import evaluate_actions
from agents.policies.from_torch import policy_arrays
from agents.rl.ppo import IncrementalPPO, PPOConfig
from agents.rl.ppo_numpy import Batch, LossCoefficients, compute_gradients
from agents.rl.vec_env import SimulationVecEnv
from envs import task_catalog
from envs.simulation import Simulation

DISCRETE, BOX = spaces.Discrete(5), spaces.Box(-1.0, 1.0, (3,), np.float32)
WEIGHTS = LossCoefficients(clip_range=0.2, vf_coef=0.5, ent_coef=0.01)
CONFIG = PPOConfig(n_envs=2, n_steps=32, batch_size=16, n_epochs=2, net_arch=(16, 8))


class Still(gymnasium.Env[Any, Any]):
    """Random observations of 7 numbers, paid by the first of them."""

    def __init__(self, action_space: spaces.Space[Any]) -> None:
        self.observation_space = spaces.Box(-1.0, 1.0, (7,), np.float32)
        self.action_space = action_space

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> Any:
        obs = self.observation_space.sample()
        return obs, float(obs[0]), False, bool(self.np_random.random() < 0.1), {}


def learner(space: spaces.Space[Any], activation: Any = "tanh", seed: int = 0) -> IncrementalPPO:
    config = PPOConfig(**{**vars(CONFIG), "activation": activation})
    return IncrementalPPO.for_env(DummyVecEnv([lambda: Still(space)] * 2), config, seed)


def minibatch(ppo: IncrementalPPO, count: int = 200, seed: int = 0) -> Batch:
    """Steps whose old log-probabilities are far enough away for some of them to be clipped."""
    random = np.random.default_rng(seed)
    obs = random.standard_normal((count, 7)).astype(np.float32)
    if ppo.flat_policy.discrete:
        actions: Any = random.integers(5, size=count)
    else:
        actions = random.standard_normal((count, 3)).astype(np.float32)
    with torch.no_grad():
        now = log_prob_of(ppo, obs, actions)[0].numpy()
    old = now + random.normal(0.0, 0.3, count)
    gains, returns = random.standard_normal((2, count))
    return Batch(obs, actions, old.astype(np.float32), gains.astype(np.float32), returns.astype(np.float32))


def log_prob_of(ppo: IncrementalPPO, obs: Any, actions: Any) -> Any:
    acted = torch.from_numpy(actions)
    acted = acted[:, None] if ppo.flat_policy.discrete else acted
    return evaluate_actions(ppo.policy, torch.from_numpy(obs), acted)


def weight_of(ppo: IncrementalPPO) -> torch.Tensor:
    weight: Any = ppo.policy.action_net.weight
    return torch.as_tensor(weight)


def loss_in_torch(ppo: IncrementalPPO, batch: Batch, weights: LossCoefficients) -> torch.Tensor:
    log_prob, entropy, values = log_prob_of(ppo, batch.obs, batch.actions)
    ratio = torch.exp(log_prob - torch.from_numpy(batch.old_log_prob))
    gain = torch.from_numpy(batch.advantages)
    low, high = 1 - weights.clip_range, 1 + weights.clip_range
    assert 0 < int(((ratio < low) | (ratio > high)).sum()) < len(ratio), "some are clipped, not all"
    surrogate = torch.min(gain * ratio, gain * ratio.clamp(low, high)).mean()
    return weights.vf_coef * F.mse_loss(values, torch.from_numpy(batch.returns)) - (
        surrogate + weights.ent_coef * entropy
    )


@pytest.mark.parametrize("space", [DISCRETE, BOX])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_gradients_are_those_of_torch(space: spaces.Space[Any], activation: str) -> None:
    ppo = learner(space, activation)
    with torch.no_grad():  # heads begin near zero: gradients that miss a factor of theirs would pass
        for param in ppo.policy.parameters():
            param.add_(0.3 * torch.randn_like(param))
    batch = minibatch(ppo)
    compute_gradients(ppo.flat_policy, batch, WEIGHTS)
    wanted = torch.autograd.grad(loss_in_torch(ppo, batch, WEIGHTS), ppo.flat_policy.parameters)
    np.testing.assert_allclose(
        ppo.flat_policy.grads, torch.cat([g.reshape(-1) for g in wanted]).numpy(), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("space", [DISCRETE, BOX])
def test_a_whole_update_is_that_of_torch(space: spaces.Space[Any]) -> None:
    """Clipped by actor and critic apart, then torch's own Adam; an extra loss in torch is added."""
    ppo, other = learner(space), learner(space)
    torch_adam = torch.optim.Adam(other.flat_policy.parameters, lr=2e-3, eps=1e-5)
    most, cut = 0.05, len(other.flat_policy.parameters) - 2 * len(other.flat_policy.critic)
    for round in range(4):
        batch = minibatch(other, seed=round)
        compute_gradients(ppo.flat_policy, batch, WEIGHTS)
        ppo.flat_policy.add_gradients(weight_of(ppo).pow(2).sum())
        ppo.flat_policy.clip_gradients(most)
        ppo.flat_policy.adam_step(2e-3)
        torch_adam.zero_grad()
        loss: Any = loss_in_torch(other, batch, WEIGHTS) + weight_of(other).pow(2).sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(other.flat_policy.parameters[:cut], most)
        torch.nn.utils.clip_grad_norm_(other.flat_policy.parameters[cut:], most)
        torch_adam.step()
    np.testing.assert_allclose(ppo.flat_policy.values, other.flat_policy.values, atol=1e-5)


@pytest.mark.parametrize("space", [DISCRETE, BOX])
def test_the_torch_policy_goes_with_it_and_is_saved_and_loaded(
    space: spaces.Space[Any], tmp_path: Path
) -> None:
    ppo = learner(space)
    obs = np.random.default_rng(0).standard_normal((50, 7)).astype(np.float32)
    before = policy_arrays(ppo.policy).layers[0][0]
    ppo.learn(128)
    assert not np.allclose(before, policy_arrays(ppo.policy).layers[0][0])
    np.testing.assert_array_equal(weight_of(ppo).detach().numpy(), ppo.flat_policy.actor[-1][0])
    ppo.save(tmp_path / "ppo.zip")
    again = learner(space, seed=1)
    again.set_parameters(str(tmp_path / "ppo.zip"), exact_match=True)

    def acts(one: IncrementalPPO) -> Any:
        return one.predict(obs, deterministic=True)[0]

    np.testing.assert_array_equal(acts(ppo), acts(again))
    batch = minibatch(ppo)
    for one in (ppo, again):  # Adam goes on where it was: the same step from both
        one.flat_policy.share_memory()
        compute_gradients(one.flat_policy, batch, WEIGHTS)
        one.flat_policy.adam_step(2e-3)
    assert ppo.flat_policy.step_count == again.flat_policy.step_count > 1
    np.testing.assert_array_equal(ppo.flat_policy.values, again.flat_policy.values)


def test_advantages_are_bootstrapped_by_where_each_step_led() -> None:
    """Also where a row ended within the rollout and the next observation is a fresh start."""
    task = task_catalog.task("teachbox/RoomsReach-v0")
    weights, random = task.proxy_weights, np.random.default_rng(0)
    env = SimulationVecEnv(
        Simulation(task, 32), lambda obs, actions, after, terms: terms @ weights, stagger=random
    )
    config = PPOConfig(n_envs=32, n_steps=16, batch_size=64, net_arch=(16, 8))
    ppo = IncrementalPPO.for_env(env, config)
    ppo.train_iteration()
    ppo.collect_only()
    buffer, after = ppo.rollout_buffer, ppo.rollout.transitions.next_obs
    ended = np.ones(buffer.rewards.shape, np.bool_)
    ended[:-1] = (after[:-1] != buffer.observations[1:]).any(-1)
    assert 0 < ended[:-1].sum() < ended[:-1].size
    with torch.no_grad():
        led_to = ppo.policy.predict_values(torch.from_numpy(after.reshape(-1, after.shape[-1])))
    delta = buffer.rewards + config.gamma * led_to.numpy().reshape(ended.shape) - buffer.values
    wanted = delta.copy()
    for t in reversed(range(len(delta) - 1)):
        wanted[t] += config.gamma * config.gae_lambda * np.where(ended[t], 0.0, wanted[t + 1])
    np.testing.assert_allclose(buffer.advantages, wanted, atol=1e-5)
