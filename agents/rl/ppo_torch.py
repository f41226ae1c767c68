"""PPO's update in torch, where the policy has convolutions or is trained on a GPU.

The losses are those of `agents.rl.ppo_numpy`, which is faster for small nets on the processor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from agents.policies.cnn_torch import ImageExtractor
from agents.policies.distributions import evaluate_actions
from agents.rl.ppo_numpy import Batch, LossCoefficients

Float = NDArray[np.float32]
ForwardFunction = Callable[[Float], Float]
"""Observations [N, D] -> outputs [N, out]."""
MAX_BATCH = 256
"""Observations put through a net together: pictures take much memory on their way."""


def forward_functions(policy: Any) -> tuple[ForwardFunction, ForwardFunction]:
    """The policy's logits or means, and its value function, from arrays to arrays."""
    extractor = policy.mlp_extractor

    def outputs(features: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = policy.action_net(extractor.policy_net(features))
        return found

    def values(features: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = policy.value_net(extractor.value_net(features))
        return found

    return _forward_function(policy, outputs), _forward_function(policy, values)


def _forward_function(policy: Any, head: Callable[[torch.Tensor], torch.Tensor]) -> ForwardFunction:
    def net(obs: Float) -> Float:
        parts = np.split(obs, range(MAX_BATCH, len(obs), MAX_BATCH))
        with torch.no_grad():
            found = [
                head(policy.features_extractor(torch.as_tensor(part, device=policy.device))).cpu().numpy()
                for part in parts
            ]
        return np.concatenate(found)

    return net


def update_policy(
    policy: Any,
    batch: Batch,
    weights: LossCoefficients,
    max_grad_norm: float,
    auxiliary_loss: torch.Tensor | None,
) -> None:
    """One step of the policy's optimiser on a minibatch and an extra loss. max_grad_norm: norm of the
    gradients of actor and critic, each by itself where they share nothing."""
    on = {"device": policy.device}
    obs, log_prob = torch.as_tensor(batch.obs, **on), torch.as_tensor(batch.old_log_prob, **on)
    acted = torch.as_tensor(batch.actions, **on).reshape(len(obs), -1)
    gains, returns = torch.as_tensor(batch.advantages, **on), torch.as_tensor(batch.returns, **on)
    log_p, entropy, values = evaluate_actions(policy, obs, acted)
    ratio = (log_p - log_prob).exp()
    clipped = ratio.clamp(1.0 - weights.clip_range, 1.0 + weights.clip_range)
    loss = -torch.minimum(ratio * gains, clipped * gains).mean()
    loss = loss + weights.vf_coef * F.mse_loss(values, returns) - weights.ent_coef * entropy
    policy.optimizer.zero_grad(set_to_none=True)
    (loss if auxiliary_loss is None else loss + auxiliary_loss).backward()  # type: ignore[no-untyped-call]
    for part in _parameter_groups(policy):
        torch.nn.utils.clip_grad_norm_(part, max_grad_norm)
    policy.optimizer.step()


def _parameter_groups(policy: Any) -> list[list[torch.nn.Parameter]]:
    """The policy's parameters, the critic's by themselves unless both look through the same convolutions."""
    every = list(policy.parameters())
    if isinstance(policy.features_extractor, ImageExtractor):
        return [every]
    critic = [*policy.mlp_extractor.value_net.parameters(), *policy.value_net.parameters()]
    known = {id(p) for p in critic}
    return [[p for p in every if id(p) not in known], critic]
