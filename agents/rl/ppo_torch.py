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

from agents.policies.cnn_torch import PictureExtractor
from agents.policies.distributions import evaluate
from agents.rl.ppo_numpy import Batch, Weights

Float = NDArray[np.float32]
Net = Callable[[Float], Float]
"""Observations [N, D] -> outputs [N, out]."""
AT_ONCE = 256
"""Observations put through a net together: pictures take much memory on their way."""


def nets(policy: Any) -> tuple[Net, Net]:
    """The policy's logits or means, and its value function, from arrays to arrays."""
    extractor = policy.mlp_extractor

    def outputs(features: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = policy.action_net(extractor.policy_net(features))
        return found

    def values(features: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = policy.value_net(extractor.value_net(features))
        return found

    return _net(policy, outputs), _net(policy, values)


def _net(policy: Any, head: Callable[[torch.Tensor], torch.Tensor]) -> Net:
    def net(obs: Float) -> Float:
        parts = np.split(obs, range(AT_ONCE, len(obs), AT_ONCE))
        with torch.no_grad():
            found = [
                head(policy.features_extractor(torch.as_tensor(part, device=policy.device))).cpu().numpy()
                for part in parts
            ]
        return np.concatenate(found)

    return net


def update(policy: Any, batch: Batch, weights: Weights, most: float, extra: torch.Tensor | None) -> None:
    """One step of the policy's optimiser on a minibatch and an extra loss. most: norm of the gradients of
    actor and critic, each by itself where they share nothing."""
    on = {"device": policy.device}
    obs, log_prob = torch.as_tensor(batch.obs, **on), torch.as_tensor(batch.log_prob, **on)
    acted = torch.as_tensor(batch.actions, **on).reshape(len(obs), -1)
    gains, returns = torch.as_tensor(batch.advantages, **on), torch.as_tensor(batch.returns, **on)
    log_p, entropy, values = evaluate(policy, obs, acted)
    ratio = (log_p - log_prob).exp()
    clipped = ratio.clamp(1.0 - weights.clip, 1.0 + weights.clip)
    loss = -torch.minimum(ratio * gains, clipped * gains).mean()
    loss = loss + weights.value * F.mse_loss(values, returns) - weights.entropy * entropy
    policy.optimizer.zero_grad(set_to_none=True)
    (loss if extra is None else loss + extra).backward()  # type: ignore[no-untyped-call]
    for part in _apart(policy):
        torch.nn.utils.clip_grad_norm_(part, most)
    policy.optimizer.step()


def _apart(policy: Any) -> list[list[torch.nn.Parameter]]:
    """The policy's parameters, the critic's by themselves unless both look through the same convolutions."""
    every = list(policy.parameters())
    if isinstance(policy.features_extractor, PictureExtractor):
        return [every]
    critic = [*policy.mlp_extractor.value_net.parameters(), *policy.value_net.parameters()]
    known = {id(p) for p in critic}
    return [[p for p in every if id(p) not in known], critic]
