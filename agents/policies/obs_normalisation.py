"""Observations of no known scale, brought to mean 0 and deviation 1. No torch here.

Worlds of ours show numbers of order one. A world of somebody else's may show millimetres beside kilometres,
or sit at an offset of 1000: such numbers are normalised by their mean and deviation so far, and clipped, as
Stable-Baselines3's VecNormalize does. The numbers belong to the policy (or reward) that was trained on them,
and are kept with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
CLIP = 10.0
"""Deviations from the mean at which a number is cut off, as VecNormalize does."""
MIN_RANGE_SHARE = 0.02
"""Least deviation of a number that has declared bounds, as a share of the distance between them."""
CONSTANT_SHARE = 1e-5
"""A number whose deviation is a smaller share of its size than this (float32's precision) is constant."""


@dataclass(frozen=True)
class ObsNormalisation:
    """(obs - mean) / deviation of each number [D], cut off at `CLIP`; mean 0 and deviation 1 leave it alone.

    The last number observed says that the episode has ended, where the rest are no measurements but zeros:
    they stay zeros, in the middle of what is usual.
    """

    mean: Float
    deviation: Float

    def __call__(self, obs: Float) -> Float:
        """Observations [..., D] in units of their usual deviation, float32."""
        obs = np.asarray(obs, np.float32)
        found = ((obs - self.mean) / self.deviation).clip(-CLIP, CLIP)
        found *= 1.0 - obs[..., -1:]
        found[..., -1] = obs[..., -1]
        return np.asarray(found, np.float32)


class RunningStatistics:
    """Mean and deviation of all observations so far (Chan et al. 1979, parallel update)."""

    def __init__(self, ranges: Float) -> None:
        """ranges [D]: see `Task.obs_ranges`."""
        self._ranges, self.count = np.asarray(ranges, np.float64), 0.0
        self.mean, self.squares = np.zeros((2, len(ranges)))

    def add(self, obs: NDArray[Any]) -> None:
        """Count more observations [N, D] in; those after an episode's end tell nothing."""
        known = np.asarray(obs, np.float64)[np.asarray(obs)[:, -1] == 0.0]
        if not len(known):
            return
        mean, total = known.mean(0), self.count + len(known)
        apart = mean - self.mean
        self.squares += ((known - mean) ** 2).sum(0) + apart**2 * self.count * len(known) / total
        self.mean = self.mean + apart * len(known) / total
        self.count = total

    def normalisation(self) -> ObsNormalisation:
        """What follows from them; a number that never changed is measured by its own size."""
        scaled = self._ranges > 0.0
        deviation = np.sqrt(self.squares / max(self.count, 1.0))
        size = np.abs(self.mean)
        deviation = np.where(deviation <= CONSTANT_SHARE * size, np.maximum(size, 1.0), deviation)
        deviation = np.where(deviation == 0.0, 1.0, deviation)
        bounded = np.where(np.isfinite(self._ranges), MIN_RANGE_SHARE * self._ranges, 0.0)
        deviation = np.where(scaled, np.maximum(deviation, bounded), 1.0)
        mean = np.where(scaled, self.mean, 0.0)
        return ObsNormalisation(mean.astype(np.float32), deviation.astype(np.float32))


def normalisation_of(obs: NDArray[Any], ranges: Float | None) -> ObsNormalisation | None:
    """That of these observations [N, D]; None where all numbers are of a known scale."""
    if ranges is None:
        return None
    statistics = RunningStatistics(ranges)
    statistics.add(obs)
    return statistics.normalisation()
