"""Log-probabilities of actions under policies: of arrays and of torch, discrete and Gaussian."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch.nn import functional as F

from agents.policies.policy_arrays import PolicyArrays, forward
from envs.world import Array

Float = NDArray[np.float32]


def log_prob(policy: PolicyArrays, obs: Float, actions: Array) -> Float:
    """log pi(a|s) [N] of actions [N] or [N, C] at observations [N, D]."""
    out = forward(policy.layers, policy.extract_features(obs), policy.activation)
    if policy.kind == "discrete":
        peak = out.max(1, keepdims=True)
        out = out - peak - np.log(np.exp(out - peak).sum(1, keepdims=True))
        return np.asarray(out[np.arange(len(out)), actions.astype(np.int64).ravel()], np.float32)
    assert policy.log_std is not None
    apart = (actions.reshape(len(out), -1) - out) / np.exp(policy.log_std)
    return np.asarray((-0.5 * apart**2 - policy.log_std - 0.5 * np.log(2 * np.pi)).sum(1), np.float32)


def gaussian_log_prob(means: torch.Tensor, actions: torch.Tensor, log_std: torch.Tensor) -> torch.Tensor:
    """log-density [...] of actions [..., C] around means, with deviations exp(log_std) [C]."""
    scaled = (actions - means) / log_std.exp()
    return (-0.5 * scaled**2 - log_std - 0.5 * np.log(2 * np.pi)).sum(-1)


def evaluate_actions(
    policy: Any, obs: torch.Tensor, actions: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(log-probability [B], mean entropy, value [B]) of actions under an SB3 policy; all on its device."""
    obs = policy.features_extractor(obs)
    hidden = policy.mlp_extractor.policy_net(obs)
    out = policy.action_net(hidden)
    values = policy.value_net(policy.mlp_extractor.value_net(obs)).squeeze(-1)
    if isinstance(policy.action_space, spaces.Discrete):
        log_p = F.log_softmax(out, -1)
        entropy = -(log_p.exp() * log_p).sum(-1).mean()
        return log_p.gather(1, actions.long()).squeeze(-1), entropy, values
    log_std = policy.log_std
    return gaussian_log_prob(out, actions, log_std), (log_std + 0.5 + 0.5 * np.log(2 * np.pi)).sum(), values
