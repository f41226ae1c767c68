"""The arrays of a snapshot act and judge as the torch models do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy

from agents.policies.from_torch import policy_arrays
from agents.rewards.reward_arrays import RewardArrays, reward_inputs

OBS = 12


def _policy(space: spaces.Space, activation: type[torch.nn.Module]) -> ActorCriticPolicy:
    torch.manual_seed(0)
    box = spaces.Box(-np.inf, np.inf, (OBS,), np.float32)
    policy = ActorCriticPolicy(box, space, lambda _: 1e-3, net_arch=[64, 64], activation_fn=activation)
    for parameter in policy.parameters():  # as if trained: far from the cautious start
        parameter.data += 0.3 * torch.randn_like(parameter)
    return policy


@pytest.mark.parametrize("activation", [torch.nn.Tanh, torch.nn.ReLU])
def test_discrete_forward_is_sb3_predict_on_ten_thousand(activation: type[torch.nn.Module]) -> None:
    policy = _policy(spaces.Discrete(5), activation)
    obs = np.random.default_rng(1).standard_normal((10_000, OBS)).astype(np.float32) * 2
    ours = policy_arrays(policy).act(obs)
    theirs, _ = policy.predict(obs, deterministic=True)
    same = ours == theirs
    assert same.mean() > 0.9999  # two logits may be equal to the last bit
    assert len(set(ours.tolist())) == 5


def test_gaussian_forward_is_sb3_predict_on_ten_thousand() -> None:
    low, high = np.array([-2.0, -1.0], np.float32), np.array([2.0, 0.5], np.float32)
    policy = _policy(spaces.Box(low, high), torch.nn.Tanh)
    obs = np.random.default_rng(1).standard_normal((10_000, OBS)).astype(np.float32)
    theirs, _ = policy.predict(obs, deterministic=True)
    np.testing.assert_allclose(policy_arrays(policy).act(obs), theirs, atol=1e-5)


def test_sampling_has_the_policys_probabilities() -> None:
    policy = _policy(spaces.Discrete(4), torch.nn.Tanh)
    one = np.random.default_rng(2).standard_normal((1, OBS)).astype(np.float32)
    drawn = policy_arrays(policy).act(np.repeat(one, 20_000, 0), np.random.default_rng(3))
    with torch.no_grad():
        wanted = policy.get_distribution(torch.from_numpy(one)).distribution.probs[0].numpy()
    np.testing.assert_allclose(np.bincount(drawn, minlength=4) / 20_000, wanted, atol=0.015)


def test_reward_is_terms_plus_net() -> None:
    random = np.random.default_rng(0)
    obs, after = (random.standard_normal((7, 3)).astype(np.float32) for _ in range(2))
    actions, terms = random.integers(4, size=7), random.standard_normal((7, 2)).astype(np.float32)
    first = random.standard_normal((10, 5)).astype(np.float32), np.zeros(5, np.float32)
    last = random.standard_normal((5, 1)).astype(np.float32), np.ones(1, np.float32)
    weights = np.array([[1.0, -2.0]], np.float32)
    reward = RewardArrays(weights, ((first, last),), shift=0.5, scale=2.0, one_hot=4)
    net = np.tanh(reward_inputs(obs, actions, after, 4) @ first[0]) @ last[0] + 1.0
    wanted = 2.0 * (terms @ weights[0] + net[:, 0] - 0.5)
    np.testing.assert_allclose(reward(obs, actions, after, terms), wanted, rtol=1e-4, atol=1e-5)
