"""A policy as plain arrays: its layers, its forward pass, and how it acts. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from agents.policies.cnn import CnnArrays

Float = NDArray[np.float32]
Layers = tuple[tuple[Float, Float], ...]
"""(weight [in, out], bias [out]) of each layer."""
LOG_STD = (-20.0, 2.0)
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
    layers see of an observation in place of itself (a "CnnPolicy")."""

    layers: Layers
    kind: Literal["discrete", "gaussian", "squashed"]
    log_std: Float | None = None
    low: Float | None = None
    high: Float | None = None
    activation: Literal["tanh", "relu"] = "tanh"
    eyes: CnnArrays | None = None

    @property
    def inputs(self) -> int:
        """How many numbers an observation has."""
        wide = int(self.layers[0][0].shape[0])
        return wide if self.eyes is None else wide - self.eyes.dense[1].size + self.eyes.image_slice.size

    def seen(self, obs: Float) -> Float:
        """What the layers see of observations [N, D]."""
        obs = np.asarray(obs, np.float32)
        return obs if self.eyes is None else self.eyes(obs)

    def act(
        self, obs: Float, random: np.random.Generator | None = None, temperature: float = 1.0
    ) -> NDArray[Any]:
        """Actions [N] or [N, C] for obs [N, D]: sampled when `random` is given, else the best."""
        out: NDArray[Any] = forward(self.layers, self.seen(obs), self.activation)
        if self.kind == "discrete":
            if random is None:
                return out.argmax(axis=1)
            gumbel = random.gumbel(size=out.shape)
            return np.asarray((out / temperature + gumbel).argmax(axis=1))
        if self.kind == "squashed":
            return self._squashed(out, random, temperature)
        if random is not None and self.log_std is not None:
            noise = random.standard_normal(out.shape).astype(np.float32)
            out = out + temperature * np.exp(self.log_std) * noise
        return out if self.low is None else np.clip(out, self.low, self.high)

    def _squashed(self, out: Float, random: np.random.Generator | None, temperature: float) -> Float:
        assert self.low is not None
        assert self.high is not None
        mean, log_std = np.split(out, 2, axis=1)
        if random is not None:
            noise = random.standard_normal(mean.shape).astype(np.float32)
            mean = mean + temperature * np.exp(log_std.clip(*LOG_STD)) * noise
        return np.asarray(self.low + 0.5 * (np.tanh(mean) + 1.0) * (self.high - self.low), np.float32)
