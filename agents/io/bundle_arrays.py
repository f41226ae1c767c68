"""What a bundle holds of a policy and a reward: facts for its JSON, arrays for its safetensors, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from agents.io.json_fields import MAX_DEPTH, MAX_WIDTH, JsonFields
from agents.io.safe_files import Arrays, UnsafeFile, read_expected_tensors
from agents.policies.cnn import CnnArrays, ImageSlice
from agents.policies.policy_arrays import (
    Layers,
    PolicyArrays,
    layer_arrays,
    policy_to_arrays,
    read_layers,
)
from agents.rewards.reward_arrays import CanonicalView, RewardArrays

POLICY, REWARD = "policy.safetensors", "reward.safetensors"
PARTS = ("weight", "bias")
MAX_MEMBERS = 256
MAX_CONVOLUTION_INPUTS = 2**24
"""Numbers that a convolution looks at for one picture."""
Expected = dict[str, tuple[str, tuple[int, ...]]]
"""name -> (safetensors dtype, shape)"""


# Out.


def policy_facts(policy: PolicyArrays, value: Layers) -> dict[str, Any]:
    """Sizes and kinds of a policy and of the value function beside it."""
    return {
        "kind": policy.kind,
        "activation": policy.activation,
        "sizes": _sizes(policy.layers),
        "value_sizes": _sizes(value),
        "log_std": policy.log_std is not None,
        "bounds": policy.low is not None,
        "eyes": None if policy.eyes is None else _cnn_facts(policy.eyes),
    }


def policy_arrays(policy: PolicyArrays, value: Layers) -> Arrays:
    """Their numbers by name."""
    return policy_to_arrays(policy, "policy", PARTS) | layer_arrays("value", value, PARTS)


def _cnn_facts(cnn: CnnArrays) -> dict[str, Any]:
    kernels = [[*(int(n) for n in weight.shape[:3]), stride] for weight, _, stride in cnn.convolutions]
    return {
        "at": cnn.image_slice.at,
        "picture": [int(n) for n in cnn.image_slice.shape],
        "convolutions": kernels,  # [out, in, edge, stride] of each
        "features": int(cnn.dense[0].shape[1]),
    }


def _sizes(layers: Layers) -> list[int]:
    return [layers[0][0].shape[0], *(weight.shape[1] for weight, _ in layers)] if layers else []


def reward_facts(reward: RewardArrays) -> dict[str, Any]:
    """Sizes and single numbers of a reward."""
    return {
        "members": reward.weights.shape[0],
        "terms": reward.weights.shape[1],
        "nets": len(reward.nets),
        "sizes": _sizes(reward.nets[0]) if reward.nets else [],
        "potential_sizes": _sizes(reward.potential),
        "turns": [] if reward.turns is None else list(reward.turns.orders.shape),
        "one_hot": reward.one_hot,
        "shift": float(reward.shift),
        "scale": float(reward.scale),
        "gamma": float(reward.gamma),
        "squash": reward.squash,
    }


def reward_arrays(reward: RewardArrays) -> Arrays:
    """Its numbers by name."""
    found: Arrays = {"weights": np.ascontiguousarray(reward.weights, np.float32)}
    for number, net in enumerate(reward.nets):
        found |= layer_arrays(f"net{number}", net, PARTS)
    if reward.turns is not None:
        found["turns.orders"] = np.ascontiguousarray(reward.turns.orders, np.int64)
        found["turns.actions"] = np.ascontiguousarray(reward.turns.actions, np.int64)
    return found | layer_arrays("potential", reward.potential, PARTS)


# In.


def _expected_layers(name: str, sizes: Sequence[int]) -> Expected:
    found: Expected = {}
    for i, (wide, next_wide) in enumerate(pairwise(sizes)):
        found[f"{name}.{i}.weight"] = ("F32", (wide, next_wide))
        found[f"{name}.{i}.bias"] = ("F32", (next_wide,))
    return found


def read_policy(facts: JsonFields, content: bytes, folder: Path) -> tuple[PolicyArrays, Layers]:
    """The policy and value function of these facts. Raises UnsafeFile with a sentence."""
    kind = facts.text("kind", ("discrete", "gaussian", "squashed"))
    sizes, value_sizes = facts.sizes("sizes"), facts.sizes("value_sizes")
    if not sizes or facts.flag("log_std") != (kind == "gaussian"):
        raise facts.error("sizes" if not sizes else "log_std")
    if value_sizes and (value_sizes[0] != sizes[0] or value_sizes[-1] != 1):
        raise facts.error("value_sizes")
    wanted = _expected_layers("policy", sizes) | _expected_layers("value", value_sizes)
    beside = ["log_std"] * facts.flag("log_std") + ["low", "high"] * facts.flag("bounds")
    squashed = kind == "squashed"
    if squashed and (sizes[-1] % 2 or not facts.flag("bounds")):
        raise facts.error("sizes" if sizes[-1] % 2 else "bounds")
    wanted |= dict.fromkeys(beside, ("F32", (sizes[-1] // (1 + squashed),)))
    looks = None if facts.values.get("eyes") is None else facts.nested("eyes")  # older ones name none
    chain = [] if looks is None else _cnn_shapes(looks, sizes[0])
    wanted |= {f"eyes.{i}.{part}": ("F32", shape) for i, both in enumerate(chain) for part, shape in both}
    arrays = read_expected_tensors(content, wanted, str(folder / POLICY))
    policy = PolicyArrays(
        read_layers("policy", arrays, PARTS),
        kind,
        arrays.get("log_std"),
        arrays.get("low"),
        arrays.get("high"),
        facts.text("activation", ("tanh", "relu")),
        None if looks is None else _read_cnn(looks, arrays),
    )
    return policy, read_layers("value", arrays, PARTS)


Shapes = tuple[tuple[str, tuple[int, ...]], ...]


def _cnn_shapes(facts: JsonFields, inputs: int) -> list[Shapes]:
    """The shapes of weight and bias of each convolution and of the dense layer, which must fit each other."""
    picture, features = facts.sizes("picture"), facts.count("features", MAX_WIDTH)
    at, kernels = facts.count("at", MAX_WIDTH), facts.values.get("convolutions")
    if len(picture) != 3 or not math.prod(picture) <= MAX_WIDTH:
        raise facts.error("picture")
    if not 0 < features <= inputs:
        raise facts.error("features")
    if at > inputs - features:  # more numbers before the picture than there are beside it
        raise facts.error("at")
    found: list[Shapes] = []
    channels, *edges = ImageSlice(at, (picture[0], picture[1], picture[2])).channels_first
    for kernel in kernels if isinstance(kernels, list) and len(kernels) <= MAX_DEPTH else [None]:
        if not isinstance(kernel, list) or [type(n) for n in kernel] != [int] * 4 or min(kernel) < 1:
            raise facts.error("convolutions")
        out, into, edge, stride = kernel
        if into != channels or edge > min(edges) or max(kernel) > MAX_WIDTH:
            raise facts.error("convolutions")
        edges = [(n - edge) // stride + 1 for n in edges]
        if math.prod(edges) * into * edge * edge > MAX_CONVOLUTION_INPUTS:
            raise facts.error("convolutions")
        found.append((("weight", (out, into, edge, edge)), ("bias", (out,))))
        channels = out
    found.append((("weight", (channels * math.prod(edges), features)), ("bias", (features,))))
    return found


def _read_cnn(facts: JsonFields, arrays: Arrays) -> CnnArrays:
    height, width, depth = facts.sizes("picture")
    kernels: Any = facts.values["convolutions"]
    *convolutions, dense = read_layers("eyes", arrays, PARTS)
    with_strides = [(*both, kernel[3]) for both, kernel in zip(convolutions, kernels, strict=True)]
    return CnnArrays(
        ImageSlice(facts.count("at", MAX_WIDTH), (height, width, depth)), tuple(with_strides), dense
    )


def read_reward(facts: JsonFields, content: bytes, folder: Path) -> RewardArrays:
    """The reward of these facts. Raises UnsafeFile with a sentence."""
    members, terms = facts.count("members", MAX_MEMBERS), facts.count("terms", MAX_WIDTH)
    nets, sizes = facts.count("nets", MAX_MEMBERS), facts.sizes("sizes")
    potential, turns = facts.sizes("potential_sizes"), facts.sizes("turns")
    one_hot = facts.count("one_hot", MAX_WIDTH)
    if not members or bool(nets) != bool(sizes) or len(turns) not in (0, 2):
        raise facts.error("members")
    if any(chain and chain[-1] != 1 for chain in (sizes, potential)):
        raise facts.error("sizes")
    wanted: Expected = {"weights": ("F32", (members, terms))}
    for number in range(nets):
        wanted |= _expected_layers(f"net{number}", sizes)
    wanted |= _expected_layers("potential", potential)
    if turns:
        wanted |= {"turns.orders": ("I64", tuple(turns)), "turns.actions": ("I64", (turns[0],))}
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
        facts.number("shift"),
        facts.number("scale"),
        one_hot,
        found,
        read_layers("potential", arrays, PARTS),
        facts.number("gamma"),
        facts.text("squash", ("", "softplus")),
    )
