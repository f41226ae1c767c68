"""What a bundle holds of a policy and a reward: facts for its JSON, arrays for its safetensors, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta, Struct

from agents.io.checked_json import Number, wrong
from agents.io.safe_files import Arrays, UnsafeFile, read_expected_tensors
from agents.policies.cnn import CnnArrays, ImageSlice
from agents.policies.obs_normalisation import ObsNormalisation
from agents.policies.policy_arrays import (
    Layers,
    PolicyArrays,
    layer_arrays,
    policy_to_arrays,
    read_layers,
    read_normalisation,
)
from agents.rewards.reward_arrays import CanonicalView, RewardArrays

POLICY, REWARD = "policy.safetensors", "reward.safetensors"
PARTS = ("weight", "bias")
MAX_WIDTH, MAX_DEPTH = 2**20, 16
"""Numbers in a layer, and layers."""
MAX_MEMBERS = 256
MAX_CONVOLUTION_INPUTS = 2**24
"""Numbers that a convolution looks at for one picture."""
Expected = dict[str, tuple[str, tuple[int, ...]]]
"""name -> (safetensors dtype, shape)"""

Count = Annotated[int, Meta(ge=0, le=MAX_WIDTH)]
Size = Annotated[int, Meta(gt=0, le=MAX_WIDTH)]
Members = Annotated[int, Meta(ge=0, le=MAX_MEMBERS)]
Sizes = Annotated[tuple[Size, ...], Meta(max_length=MAX_DEPTH)]
"""Of a chain of layers, () for none."""
Kernel = tuple[Size, Size, Size, Size]
"""Out, in, edge, stride."""


class EyesFacts(Struct, frozen=True):
    """Sizes of the convolutions that a policy looks with."""

    at: Count
    picture: tuple[Size, Size, Size]
    convolutions: Annotated[tuple[Kernel, ...], Meta(max_length=MAX_DEPTH)]
    features: Size


class PolicyFacts(Struct, frozen=True):
    """Sizes and kinds of a policy and of the value function beside it."""

    kind: Literal["discrete", "gaussian", "squashed"]
    activation: Literal["tanh", "relu"]
    sizes: Sizes
    value_sizes: Sizes
    log_std: bool
    bounds: bool
    eyes: EyesFacts | None = None  # older ones name none
    normalised: bool = False


class RewardFacts(Struct, frozen=True):
    """Sizes and single numbers of a reward."""

    members: Members
    terms: Count
    nets: Members
    sizes: Sizes
    potential_sizes: Sizes
    turns: Sizes
    one_hot: Count
    shift: Number
    scale: Number
    gamma: Number
    squash: Literal["", "softplus"]
    normalised: Count = 0  # numbers observed, where they are normalised


# Out.


def policy_facts(policy: PolicyArrays, value: Layers) -> PolicyFacts:
    """What is said of a policy and of the value function beside it."""
    return PolicyFacts(
        kind=policy.kind,
        activation=policy.activation,
        sizes=_sizes(policy.layers),
        value_sizes=_sizes(value),
        log_std=policy.log_std is not None,
        bounds=policy.low is not None,
        eyes=None if policy.eyes is None else _eyes_facts(policy.eyes),
        normalised=policy.normalisation is not None,
    )


def policy_arrays(policy: PolicyArrays, value: Layers) -> Arrays:
    """Their numbers by name."""
    return policy_to_arrays(policy, "policy", PARTS) | layer_arrays("value", value, PARTS)


def _eyes_facts(eyes: CnnArrays) -> EyesFacts:
    height, width, depth = (int(n) for n in eyes.image_slice.shape)
    kernels = tuple(
        (weight.shape[0], weight.shape[1], weight.shape[2], stride) for weight, _, stride in eyes.convolutions
    )
    return EyesFacts(eyes.image_slice.at, (height, width, depth), kernels, eyes.dense[0].shape[1])


def _sizes(layers: Layers) -> tuple[int, ...]:
    return (layers[0][0].shape[0], *(weight.shape[1] for weight, _ in layers)) if layers else ()


def reward_facts(reward: RewardArrays) -> RewardFacts:
    """What is said of a reward."""
    return RewardFacts(
        members=reward.weights.shape[0],
        terms=reward.weights.shape[1],
        nets=len(reward.nets),
        sizes=_sizes(reward.nets[0]) if reward.nets else (),
        potential_sizes=_sizes(reward.potential),
        turns=() if reward.turns is None else reward.turns.orders.shape,
        one_hot=reward.one_hot,
        shift=float(reward.shift),
        scale=float(reward.scale),
        gamma=float(reward.gamma),
        squash=reward.squash,
        normalised=0 if reward.normalisation is None else len(reward.normalisation.mean),
    )


def reward_arrays(reward: RewardArrays) -> Arrays:
    """Its numbers by name."""
    found: Arrays = {"weights": np.ascontiguousarray(reward.weights, np.float32)}
    for number, net in enumerate(reward.nets):
        found |= layer_arrays(f"net{number}", net, PARTS)
    if reward.turns is not None:
        found["turns.orders"] = np.ascontiguousarray(reward.turns.orders, np.int64)
        found["turns.actions"] = np.ascontiguousarray(reward.turns.actions, np.int64)
    if (known := reward.normalisation) is not None:
        found |= {"obs_mean": known.mean, "obs_deviation": known.deviation}
    return found | layer_arrays("potential", reward.potential, PARTS)


# In.


def _expected_layers(name: str, sizes: Sequence[int]) -> Expected:
    found: Expected = {}
    for i, (wide, next_wide) in enumerate(pairwise(sizes)):
        found[f"{name}.{i}.weight"] = ("F32", (wide, next_wide))
        found[f"{name}.{i}.bias"] = ("F32", (next_wide,))
    return found


def read_policy(facts: PolicyFacts, name: str, content: bytes, folder: Path) -> tuple[PolicyArrays, Layers]:
    """The policy and value function of these facts in the file `name`. Raises UnsafeFile with a sentence."""
    sizes, value_sizes, eyes = facts.sizes, facts.value_sizes, facts.eyes
    squashed = facts.kind == "squashed"
    if len(sizes) < 2 or (squashed and sizes[-1] % 2):
        raise wrong(name, "policy.sizes", sizes)
    if facts.log_std != (facts.kind == "gaussian"):
        raise wrong(name, "policy.log_std", facts.log_std)
    if value_sizes and (len(value_sizes) < 2 or value_sizes[0] != sizes[0] or value_sizes[-1] != 1):
        raise wrong(name, "policy.value_sizes", value_sizes)
    if squashed and not facts.bounds:
        raise wrong(name, "policy.bounds", facts.bounds)
    wanted = _expected_layers("policy", sizes) | _expected_layers("value", value_sizes)
    beside = ["log_std"] * facts.log_std + ["low", "high"] * facts.bounds
    wanted |= dict.fromkeys(beside, ("F32", (sizes[-1] // (1 + squashed),)))
    if facts.normalised:
        wanted |= dict.fromkeys(("obs_mean", "obs_deviation"), ("F32", (sizes[0],)))
    chain = [] if eyes is None else _eyes_sizes(eyes, name, sizes[0])
    wanted |= {f"eyes.{i}.{part}": ("F32", shape) for i, both in enumerate(chain) for part, shape in both}
    arrays = read_expected_tensors(content, wanted, str(folder / POLICY))
    policy = PolicyArrays(
        read_layers("policy", arrays, PARTS),
        facts.kind,
        arrays.get("log_std"),
        arrays.get("low"),
        arrays.get("high"),
        facts.activation,
        None if eyes is None else _eyes(eyes, arrays),
        _checked_normalisation(arrays, folder / POLICY),
    )
    return policy, read_layers("value", arrays, PARTS)


def _checked_normalisation(arrays: Arrays, path: Path) -> ObsNormalisation | None:
    found = read_normalisation(arrays)
    if found is not None and not (found.deviation > 0.0).all():
        raise UnsafeFile(f"{path} normalises by a deviation that isn't above 0.")
    return found


Shapes = tuple[tuple[str, tuple[int, ...]], ...]


def _eyes_sizes(facts: EyesFacts, name: str, inputs: int) -> list[Shapes]:
    """The shapes of weight and bias of each convolution and of the dense layer, which must fit each other."""
    if not math.prod(facts.picture) <= MAX_WIDTH:
        raise wrong(name, "policy.eyes.picture", facts.picture)
    if facts.features > inputs:
        raise wrong(name, "policy.eyes.features", facts.features)
    if facts.at > inputs - facts.features:  # more numbers before the picture than there are beside it
        raise wrong(name, "policy.eyes.at", facts.at)
    found: list[Shapes] = []
    channels, *edges = ImageSlice(facts.at, facts.picture).channels_first
    for kernel in facts.convolutions:
        out, into, edge, stride = kernel
        if into != channels or edge > min(edges):
            raise wrong(name, "policy.eyes.convolutions", facts.convolutions)
        edges = [(n - edge) // stride + 1 for n in edges]
        if math.prod(edges) * into * edge * edge > MAX_CONVOLUTION_INPUTS:
            raise wrong(name, "policy.eyes.convolutions", facts.convolutions)
        found.append((("weight", (out, into, edge, edge)), ("bias", (out,))))
        channels = out
    found.append((("weight", (channels * math.prod(edges), facts.features)), ("bias", (facts.features,))))
    return found


def _eyes(facts: EyesFacts, arrays: Arrays) -> CnnArrays:
    *convolutions, dense = read_layers("eyes", arrays, PARTS)
    with_strides = [(*both, kernel[3]) for both, kernel in zip(convolutions, facts.convolutions, strict=True)]
    return CnnArrays(ImageSlice(facts.at, facts.picture), tuple(with_strides), dense)


def read_reward(facts: RewardFacts, name: str, content: bytes, folder: Path) -> RewardArrays:
    """The reward of these facts in the file `name`. Raises UnsafeFile with a sentence."""
    members, terms, nets, turns = facts.members, facts.terms, facts.nets, facts.turns
    sizes, potential = facts.sizes, facts.potential_sizes
    if not members:
        raise wrong(name, "reward.members", members)
    if bool(nets) != bool(sizes):
        raise wrong(name, "reward.nets", nets)
    if len(turns) not in (0, 2):
        raise wrong(name, "reward.turns", turns)
    for key, chain in (("sizes", sizes), ("potential_sizes", potential)):
        if chain and (len(chain) < 2 or chain[-1] != 1):
            raise wrong(name, f"reward.{key}", chain)
    wanted: Expected = {"weights": ("F32", (members, terms))}
    for number in range(nets):
        wanted |= _expected_layers(f"net{number}", sizes)
    wanted |= _expected_layers("potential", potential)
    if turns:
        wanted |= {"turns.orders": ("I64", turns), "turns.actions": ("I64", (turns[0],))}
    if facts.normalised:
        wanted |= dict.fromkeys(("obs_mean", "obs_deviation"), ("F32", (facts.normalised,)))
    arrays = read_expected_tensors(content, wanted, str(folder / REWARD))
    found = None
    if turns:
        found = CanonicalView(arrays["turns.orders"], arrays["turns.actions"])
        for array, most in ((found.orders, turns[1] + 1), (found.actions, turns[0])):
            if array.min() < 0 or array.max() >= most:
                raise UnsafeFile(f"{folder / REWARD} turns views by an index outside 0 to {most - 1}.")
    return RewardArrays(
        arrays["weights"],
        tuple(read_layers(f"net{number}", arrays, PARTS) for number in range(nets)),
        facts.shift,
        facts.scale,
        facts.one_hot,
        found,
        read_layers("potential", arrays, PARTS),
        facts.gamma,
        facts.squash,
        _checked_normalisation(arrays, folder / REWARD),
    )
