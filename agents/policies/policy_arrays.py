"""A policy as plain arrays: its layers, its forward pass, and how it acts. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from agents.policies.cnn import CnnArrays
from agents.policies.obs_normalisation import ObsNormalisation

Float = NDArray[np.float32]
Layers = tuple[tuple[Float, Float], ...]
"""(weight [in, out], bias [out]) of each layer."""
Arrays = dict[str, NDArray[Any]]
"""Arrays by name, as a safetensors file holds them."""
LOG_STD_BOUNDS = (-20.0, 2.0)
"""Bounds of a squashed policy's logs of deviations, as in Stable-Baselines3's SAC."""


def forward(layers: Layers, x: Float, activation: Literal["tanh", "relu"] = "tanh") -> Float:
    """An MLP's output [N, out] for x [N, in]: the activation after all layers but the last."""
    for index, (weight, bias) in enumerate(layers):
        x = x @ weight + bias
        if index < len(layers) - 1:
            x = np.tanh(x) if activation == "tanh" else np.maximum(x, 0.0)
    return x


@dataclass(frozen=True)
class PolicyArrays:
    """An MLP policy. kind "discrete": outputs are logits; "gaussian": means, with log_std [C]; "squashed":
    means and logs of deviations [2 C], through tanh and stretched to low..high (SAC's). eyes: what the
    layers see of an observation in place of itself (a "CnnPolicy"). normalisation: how what is seen is
    brought to one scale first, where the world's is unknown."""

    layers: Layers
    kind: Literal["discrete", "gaussian", "squashed"]
    log_std: Float | None = None
    low: Float | None = None
    high: Float | None = None
    activation: Literal["tanh", "relu"] = "tanh"
    eyes: CnnArrays | None = None
    normalisation: ObsNormalisation | None = None

    @property
    def n_inputs(self) -> int:
        """How many numbers an observation has."""
        wide = int(self.layers[0][0].shape[0])
        return wide if self.eyes is None else wide - self.eyes.dense[1].size + self.eyes.image_slice.size

    def extract_features(self, obs: Float) -> Float:
        """What the layers see of observations [N, D]."""
        obs = np.asarray(obs, np.float32)
        if self.normalisation is not None:
            return self.normalisation(obs)
        return obs if self.eyes is None else self.eyes(obs)

    def folded(self) -> PolicyArrays:
        """The same for programs that don't normalise: mean and deviation are taken into the first layer. What
        lies more than `CLIP` deviations off is not cut off any more."""
        known = self.normalisation
        if known is None:
            return self
        return replace(self, layers=fold_normalisation(self.layers, known), normalisation=None)

    def act(
        self, obs: Float, random: np.random.Generator | None = None, temperature: float = 1.0
    ) -> NDArray[Any]:
        """Actions [N] or [N, C] for obs [N, D]: sampled when `random` is given, else the best."""
        out: NDArray[Any] = forward(self.layers, self.extract_features(obs), self.activation)
        if self.kind == "discrete":
            if random is None:
                return out.argmax(axis=1)
            gumbel = random.gumbel(size=out.shape)
            return np.asarray((out / temperature + gumbel).argmax(axis=1))
        if self.kind == "squashed":
            return self._act_squashed(out, random, temperature)
        if random is not None and self.log_std is not None:
            noise = random.standard_normal(out.shape).astype(np.float32)
            out = out + temperature * np.exp(self.log_std) * noise
        return out if self.low is None else np.clip(out, self.low, self.high)

    def _act_squashed(self, out: Float, random: np.random.Generator | None, temperature: float) -> Float:
        assert self.low is not None
        assert self.high is not None
        mean, log_std = np.split(out, 2, axis=1)
        if random is not None:
            noise = random.standard_normal(mean.shape).astype(np.float32)
            mean = mean + temperature * np.exp(log_std.clip(*LOG_STD_BOUNDS)) * noise
        return np.asarray(self.low + 0.5 * (np.tanh(mean) + 1.0) * (self.high - self.low), np.float32)


def fold_normalisation(layers: Layers, known: ObsNormalisation) -> Layers:
    """Layers that take raw observations, of layers that take normalised ones; () of ()."""
    if not layers:
        return layers
    (weight, bias), *rest = layers
    scaled = weight.astype(np.float64) / known.deviation[:, None]
    moved = bias - known.mean.astype(np.float64) @ scaled
    return ((scaled.astype(np.float32), moved.astype(np.float32)), *rest)


# As arrays by name, for files.


def layer_arrays(name: str, layers: Layers, parts: tuple[str, str] = ("0", "1")) -> Arrays:
    """Layers as `name.i.part`: i is the number of a layer, `parts` names its weight and its bias."""
    return {
        f"{name}.{i}.{part}": np.ascontiguousarray(value, np.float32)
        for i, layer in enumerate(layers)
        for part, value in zip(parts, layer, strict=True)
    }


def read_layers(name: str, arrays: Mapping[str, NDArray[Any]], parts: tuple[str, str] = ("0", "1")) -> Layers:
    """The layers that `layer_arrays` wrote under `name`; () where there are none."""
    found: list[tuple[Float, Float]] = []
    weight, bias = parts
    while f"{name}.{len(found)}.{weight}" in arrays:
        head = f"{name}.{len(found)}"
        found.append((arrays[f"{head}.{weight}"], arrays[f"{head}.{bias}"]))
    return tuple(found)


def read_normalisation(arrays: Mapping[str, NDArray[Any]]) -> ObsNormalisation | None:
    """The one that `policy_to_arrays` wrote; None where there is none."""
    if "obs_mean" not in arrays:
        return None
    return ObsNormalisation(arrays["obs_mean"], arrays["obs_deviation"])


def policy_to_arrays(policy: PolicyArrays, name: str, parts: tuple[str, str] = ("0", "1")) -> Arrays:
    """All numbers of a policy: its layers under `name`, log_std, low and high where it has them, and the
    weights of its convolutions and of the dense layer after them under "eyes"."""
    beside = {"log_std": policy.log_std, "low": policy.low, "high": policy.high}
    found = layer_arrays(name, policy.layers, parts)
    if policy.normalisation is not None:
        beside |= {"obs_mean": policy.normalisation.mean, "obs_deviation": policy.normalisation.deviation}
    found |= {key: np.ascontiguousarray(v, np.float32) for key, v in beside.items() if v is not None}
    if policy.eyes is not None:
        convolutions = tuple((weight, bias) for weight, bias, _ in policy.eyes.convolutions)
        found |= layer_arrays("eyes", (*convolutions, policy.eyes.dense), parts)
    return found
