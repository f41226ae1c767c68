"""What a bundle holds of a policy and a reward: facts for its JSON, arrays for its safetensors, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from agents.io.json_fields import MOST_DEEP, MOST_WIDE, JsonFields
from agents.io.safe_files import Arrays, UnsafeFile, expect_tensors
from agents.policies.cnn import CnnArrays, ImageSlice
from agents.policies.policy_arrays import (
    Layers,
    PolicyArrays,
    layer_arrays,
    layers_from,
    policy_to_arrays,
)
from agents.rewards.reward_arrays import RewardArrays, Turns

POLICY, REWARD = "policy.safetensors", "reward.safetensors"
PARTS = ("weight", "bias")
MOST_MEMBERS = 256
MOST_SEEN = 2**24
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
        "eyes": None if policy.eyes is None else _eyes_facts(policy.eyes),
    }


def policy_arrays(policy: PolicyArrays, value: Layers) -> Arrays:
    """Their numbers by name."""
    return policy_to_arrays(policy, "policy", PARTS) | layer_arrays("value", value, PARTS)


def _eyes_facts(eyes: CnnArrays) -> dict[str, Any]:
    kernels = [[*(int(n) for n in weight.shape[:3]), stride] for weight, _, stride in eyes.convolutions]
    return {
        "at": eyes.image_slice.at,
        "picture": [int(n) for n in eyes.image_slice.shape],
        "convolutions": kernels,  # [out, in, edge, stride] of each
        "features": int(eyes.dense[0].shape[1]),
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


def _layers_expected(name: str, sizes: Sequence[int]) -> Expected:
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
        raise facts.wrong("sizes" if not sizes else "log_std")
    if value_sizes and (value_sizes[0] != sizes[0] or value_sizes[-1] != 1):
        raise facts.wrong("value_sizes")
    wanted = _layers_expected("policy", sizes) | _layers_expected("value", value_sizes)
    beside = ["log_std"] * facts.flag("log_std") + ["low", "high"] * facts.flag("bounds")
    squashed = kind == "squashed"
    if squashed and (sizes[-1] % 2 or not facts.flag("bounds")):
        raise facts.wrong("sizes" if sizes[-1] % 2 else "bounds")
    wanted |= dict.fromkeys(beside, ("F32", (sizes[-1] // (1 + squashed),)))
    looks = None if facts.facts.get("eyes") is None else facts.part("eyes")  # older ones name none
    chain = [] if looks is None else _eyes_sizes(looks, sizes[0])
    wanted |= {f"eyes.{i}.{part}": ("F32", shape) for i, both in enumerate(chain) for part, shape in both}
    arrays = expect_tensors(content, wanted, str(folder / POLICY))
    policy = PolicyArrays(
        layers_from("policy", arrays, PARTS),
        kind,
        arrays.get("log_std"),
        arrays.get("low"),
        arrays.get("high"),
        facts.text("activation", ("tanh", "relu")),
        None if looks is None else _eyes(looks, arrays),
    )
    return policy, layers_from("value", arrays, PARTS)


Shapes = tuple[tuple[str, tuple[int, ...]], ...]


def _eyes_sizes(facts: JsonFields, inputs: int) -> list[Shapes]:
    """The shapes of weight and bias of each convolution and of the dense layer, which must fit each other."""
    picture, features = facts.sizes("picture"), facts.count("features", MOST_WIDE)
    at, kernels = facts.count("at", MOST_WIDE), facts.facts.get("convolutions")
    if len(picture) != 3 or not math.prod(picture) <= MOST_WIDE:
        raise facts.wrong("picture")
    if not 0 < features <= inputs:
        raise facts.wrong("features")
    if at > inputs - features:  # more numbers before the picture than there are beside it
        raise facts.wrong("at")
    found: list[Shapes] = []
    channels, *edges = ImageSlice(at, (picture[0], picture[1], picture[2])).channels_first
    for kernel in kernels if isinstance(kernels, list) and len(kernels) <= MOST_DEEP else [None]:
        if not isinstance(kernel, list) or [type(n) for n in kernel] != [int] * 4 or min(kernel) < 1:
            raise facts.wrong("convolutions")
        out, into, edge, stride = kernel
        if into != channels or edge > min(edges) or max(kernel) > MOST_WIDE:
            raise facts.wrong("convolutions")
        edges = [(n - edge) // stride + 1 for n in edges]
        if math.prod(edges) * into * edge * edge > MOST_SEEN:
            raise facts.wrong("convolutions")
        found.append((("weight", (out, into, edge, edge)), ("bias", (out,))))
        channels = out
    found.append((("weight", (channels * math.prod(edges), features)), ("bias", (features,))))
    return found


def _eyes(facts: JsonFields, arrays: Arrays) -> CnnArrays:
    height, width, depth = facts.sizes("picture")
    kernels: Any = facts.facts["convolutions"]
    *convolutions, dense = layers_from("eyes", arrays, PARTS)
    with_strides = [(*both, kernel[3]) for both, kernel in zip(convolutions, kernels, strict=True)]
    return CnnArrays(
        ImageSlice(facts.count("at", MOST_WIDE), (height, width, depth)), tuple(with_strides), dense
    )


def read_reward(facts: JsonFields, content: bytes, folder: Path) -> RewardArrays:
    """The reward of these facts. Raises UnsafeFile with a sentence."""
    members, terms = facts.count("members", MOST_MEMBERS), facts.count("terms", MOST_WIDE)
    nets, sizes = facts.count("nets", MOST_MEMBERS), facts.sizes("sizes")
    potential, turns = facts.sizes("potential_sizes"), facts.sizes("turns")
    one_hot = facts.count("one_hot", MOST_WIDE)
    if not members or bool(nets) != bool(sizes) or len(turns) not in (0, 2):
        raise facts.wrong("members")
    if any(chain and chain[-1] != 1 for chain in (sizes, potential)):
        raise facts.wrong("sizes")
    wanted: Expected = {"weights": ("F32", (members, terms))}
    for number in range(nets):
        wanted |= _layers_expected(f"net{number}", sizes)
    wanted |= _layers_expected("potential", potential)
    if turns:
        wanted |= {"turns.orders": ("I64", tuple(turns)), "turns.actions": ("I64", (turns[0],))}
    arrays = expect_tensors(content, wanted, str(folder / REWARD))
    found = None
    if turns:
        found = Turns(arrays["turns.orders"], arrays["turns.actions"])
        for array, most in ((found.orders, turns[1] + 1), (found.actions, turns[0])):
            if array.min() < 0 or array.max() >= most:
                raise UnsafeFile(f"{folder / REWARD} turns views by an index outside 0 to {most - 1}.")
    return RewardArrays(
        arrays["weights"],
        tuple(layers_from(f"net{number}", arrays, PARTS) for number in range(nets)),
        facts.number("shift"),
        facts.number("scale"),
        one_hot,
        found,
        layers_from("potential", arrays, PARTS),
        facts.number("gamma"),
        facts.text("squash", ("", "softplus")),
    )
