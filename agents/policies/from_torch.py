"""Networks between torch and the plain arrays of a snapshot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import nn

from agents.policies.cnn_torch import ImageExtractor
from agents.policies.normalising_torch import NormalisingExtractor
from agents.policies.policy_arrays import Layers, PolicyArrays


def to_array(tensor: torch.Tensor) -> Any:
    """A float32 copy outside torch."""
    return tensor.detach().cpu().numpy().astype(np.float32, copy=True)


def make_mlp(inputs: int, hidden: int, seed: int) -> nn.Sequential:
    """inputs -> hidden -> 1 with tanh; the same weights for the same seed, whatever was drawn before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, 1))


def mlp_layers(*parts: nn.Module) -> Layers:
    """(weight [in, out], bias [out]) of the linear layers of `parts`, in order."""
    linear = [m for part in parts for m in part.modules() if isinstance(m, nn.Linear)]
    return tuple((to_array(m.weight).T.copy(), to_array(m.bias)) for m in linear)


def policy_arrays(policy: ActorCriticPolicy) -> PolicyArrays:
    """An SB3 MLP policy as arrays whose forward pass matches `predict`."""
    layers = mlp_layers(policy.mlp_extractor.policy_net, policy.action_net)
    activation: Any = "relu" if policy.activation_fn is nn.ReLU else "tanh"
    space, extractor = policy.action_space, policy.features_extractor
    eyes = extractor.to_arrays() if isinstance(extractor, ImageExtractor) else None
    known = extractor.to_arrays() if isinstance(extractor, NormalisingExtractor) else None
    if isinstance(space, spaces.Discrete):
        return PolicyArrays(layers, "discrete", activation=activation, eyes=eyes, normalisation=known)
    if not isinstance(space, spaces.Box):
        raise ValueError(f"actions of {space} can't be carried as arrays: use Discrete or Box")
    return PolicyArrays(
        layers,
        "gaussian",
        log_std=to_array(policy.log_std),
        low=space.low.astype(np.float32).reshape(-1),
        high=space.high.astype(np.float32).reshape(-1),
        activation=activation,
        eyes=eyes,
        normalisation=known,
    )


def value_layers(policy: ActorCriticPolicy) -> Layers:
    """The value function of an SB3 MLP policy."""
    return mlp_layers(policy.mlp_extractor.value_net, policy.value_net)


def critic_layers(algorithm: BaseAlgorithm | None) -> Layers:
    """The value function of an SB3 model whose policy is an actor-critic; () of others, and of none."""
    policy = None if algorithm is None else algorithm.policy
    return value_layers(policy) if isinstance(policy, ActorCriticPolicy) else ()


def uniform_policy(policy: PolicyArrays) -> PolicyArrays:
    """The same shape of policy that knows nothing: every action equally likely."""
    zero = tuple((np.zeros_like(w), np.zeros_like(b)) for w, b in policy.layers)
    log_std = None if policy.log_std is None else np.zeros_like(policy.log_std)
    return replace(policy, layers=zero, log_std=log_std)
