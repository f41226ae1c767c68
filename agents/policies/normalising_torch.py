"""`ObsNormalisation` as the features of an SB3 policy; its numbers are kept with the policy's parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor

from agents.policies.obs_normalisation import CLIP, ObsNormalisation, RunningStatistics
from envs.world import Task

Float = NDArray[np.float32]
STATISTICS = ("obs_mean", "obs_deviation", "obs_statistics")
"""The buffers of an extractor, which policies of older versions have not."""
KNOWN_COUNT = 1e6
"""Observations that a policy from a file is taken to have seen."""


class NormalisingExtractor(BaseFeaturesExtractor):
    """Observations in units of their usual deviation, by all that was seen so far."""

    obs_mean: torch.Tensor
    obs_deviation: torch.Tensor
    obs_statistics: torch.Tensor

    def __init__(self, space: spaces.Box, ranges: Float) -> None:
        """ranges [D]: see `Task.obs_ranges`."""
        wide = space.shape[0]
        super().__init__(space, wide)
        self._ranges = ranges
        self.register_buffer("obs_mean", torch.zeros(wide))
        self.register_buffer("obs_deviation", torch.ones(wide))
        self.register_buffer("obs_statistics", torch.zeros((3, wide), dtype=torch.float64))

    @property
    def is_untaught(self) -> bool:
        """Whether nothing has been seen yet."""
        return float(self.obs_statistics[0, 0]) == 0.0

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        ended = obs[..., -1:]
        found = ((obs - self.obs_mean) / self.obs_deviation).clamp(-CLIP, CLIP) * (1.0 - ended)
        return torch.cat([found[..., :-1], ended], -1)

    def add(self, obs: NDArray[Any]) -> None:
        """Count more observations [N, D] in."""
        seen = RunningStatistics(self._ranges)
        count, seen.mean, seen.squares = self.obs_statistics.cpu().numpy().copy()
        seen.count = float(count[0])
        seen.add(obs)
        counts = np.full_like(seen.mean, seen.count)
        self.obs_statistics.copy_(torch.from_numpy(np.stack([counts, seen.mean, seen.squares])))
        self.set_normalisation(seen.normalisation())

    def restart(self, obs: NDArray[Any]) -> None:
        """Know these observations [N, D] alone."""
        self.obs_statistics.zero_()
        self.add(obs)

    def set_normalisation(self, given: ObsNormalisation) -> None:
        """Normalise by these numbers."""
        self.obs_mean.copy_(torch.from_numpy(given.mean))
        self.obs_deviation.copy_(torch.from_numpy(given.deviation))

    def set_known(self, given: ObsNormalisation | None) -> None:
        """Go on from a policy that normalised so, as if from many observations; None: that took them raw."""
        wide = len(self.obs_mean)
        known = given or ObsNormalisation(np.zeros(wide, np.float32), np.ones(wide, np.float32))
        self.set_normalisation(known)
        mean, squares = known.mean.astype(np.float64), known.deviation.astype(np.float64) ** 2 * KNOWN_COUNT
        counts = np.full(wide, KNOWN_COUNT)
        self.obs_statistics.copy_(torch.from_numpy(np.stack([counts, mean, squares])))

    def to_arrays(self) -> ObsNormalisation:
        """The same as plain arrays."""
        return ObsNormalisation(self.obs_mean.cpu().numpy().copy(), self.obs_deviation.cpu().numpy().copy())


def normalising_kwargs(task: Task) -> dict[str, Any]:
    """Keywords of an SB3 policy that is to normalise what the task shows; {} where its scale is known."""
    ranges = task.obs_ranges
    if ranges is None:
        return {}
    return {
        "features_extractor_class": NormalisingExtractor,
        "features_extractor_kwargs": {"ranges": ranges},
    }


def normalising_extractors(policy: Any) -> list[NormalisingExtractor]:
    """Those of an SB3 policy, each once: an actor-critic has one, DQN and SAC one for each net."""
    return [part for part in policy.modules() if isinstance(part, NormalisingExtractor)]
