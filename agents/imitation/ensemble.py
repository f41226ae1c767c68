"""Several nets side by side in one policy, each learning by itself; the policy's output is their mean.

Their mistakes differ and mostly cancel (Lakshminarayanan et al. 2017, "Simple and scalable predictive
uncertainty estimation using deep ensembles"). To everybody else it is an ordinary policy, whose hidden layers
are as wide as all members' together and know nothing of each other: blocks on the diagonal, nought elsewhere.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from agents.policies.normalising_torch import NormalisingExtractor


def _hidden_layers(policy: Any) -> list[nn.Linear]:
    return [part for part in policy.mlp_extractor.policy_net if isinstance(part, nn.Linear)]


def _member_weights(layer: nn.Linear, n_members: int, is_first: bool) -> Tensor:
    """A view of each member's weights [K, out, in]. What comes into the first layer, every member sees."""
    wide = layer.out_features // n_members
    if is_first:
        return layer.weight.view(n_members, wide, layer.in_features)
    deep = layer.in_features // n_members
    return layer.weight.view(n_members, wide, n_members, deep).diagonal(dim1=0, dim2=2).permute(2, 0, 1)


def make_ensemble(policy: Any, n_members: int, seed: int) -> None:
    """Make so many members of an SB3 MLP policy's hidden layers, each begun anew as SB3 begins a net."""
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for number, layer in enumerate(_hidden_layers(policy)):
            layer.weight.zero_()
            for block in _member_weights(layer, n_members, number == 0):
                begun = nn.init.orthogonal_(torch.empty(block.shape), math.sqrt(2.0), generator=chance)
                block.copy_(begun)


def normalises(policy: Any) -> bool:
    """Whether a policy brings what it sees to one scale first."""
    return isinstance(policy.features_extractor, NormalisingExtractor)


def member_outputs(policy: Any, obs: Tensor, n_members: int) -> Tensor:
    """What each member makes of its own observations [K, B, D]: logits or means [K, B, A]."""
    if n_members == 1:
        features = policy.features_extractor(obs[0])
        found: Tensor = policy.action_net(policy.mlp_extractor.policy_net(features))
        return found[None]
    x, bend = policy.features_extractor(obs) if normalises(policy) else obs, policy.activation_fn()
    for number, layer in enumerate(_hidden_layers(policy)):
        bias = layer.bias.view(n_members, 1, -1)
        x = bend(torch.baddbmm(bias, x, _member_weights(layer, n_members, number == 0).transpose(1, 2)))
    last = policy.action_net
    mine = last.weight.view(len(last.weight), n_members, -1).permute(
        1, 2, 0
    )  # of a sum: a share of their mean
    return n_members * torch.bmm(x, mine) + last.bias
