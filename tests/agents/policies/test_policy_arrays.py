"""Policies as arrays by name, as files hold them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from agents.policies.cnn import CnnArrays, ImageSlice
from agents.policies.policy_arrays import PolicyArrays, layer_arrays, policy_to_arrays, read_layers


def _layers(*sizes: int) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    random = np.random.default_rng(0)
    return tuple(
        (random.random((one, two), np.float32), random.random(two, np.float32))
        for one, two in pairwise(sizes)
    )


def test_layers_come_back_under_their_name() -> None:
    both = layer_arrays("policy", _layers(3, 4, 2), ("weight", "bias")) | layer_arrays("value", _layers(3, 1))
    assert sorted(both) == sorted(
        [*(f"policy.{i}.{part}" for i in (0, 1) for part in ("weight", "bias")), "value.0.0", "value.0.1"]
    )
    for again, layers in (
        (read_layers("policy", both, ("weight", "bias")), _layers(3, 4, 2)),
        (read_layers("value", both), _layers(3, 1)),
    ):
        assert all(
            np.array_equal(one, two)
            for pair in zip(again, layers, strict=True)
            for one, two in zip(*pair, strict=True)
        )
    assert read_layers("policy", both) == ()  # other names of the parts


def test_a_policys_arrays_hold_all_its_numbers() -> None:
    bound, convolution = np.ones(2, np.float32), np.ones((1, 3, 2, 2), np.float32)
    eyes = CnnArrays(
        ImageSlice(0, (36, 36, 3)), ((convolution, np.ones(1, np.float32), 2),), _layers(324, 3)[0]
    )
    policy = PolicyArrays(_layers(3, 2), "gaussian", bound, -bound, bound, eyes=eyes)
    found = policy_to_arrays(policy, "layer")
    assert set(found) == {
        *("layer.0.0", "layer.0.1", "log_std", "low", "high"),
        *("eyes.0.0", "eyes.0.1", "eyes.1.0", "eyes.1.1"),
    }
    assert np.array_equal(found["eyes.1.0"], eyes.dense[0])
    bare = PolicyArrays(_layers(3, 2), "discrete")
    assert set(policy_to_arrays(bare, "layer")) == {"layer.0.0", "layer.0.1"}
