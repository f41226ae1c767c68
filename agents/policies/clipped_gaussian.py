"""A Gaussian whose samples are clipped to a box: the mean of what sampling it does.

PPO on Box actions learns by doing what was clipped, so a mean far outside the box means "nearly always
full thrust", and one at the edge "about two thirds of it". Clipping the mean itself (what Stable-
Baselines3's deterministic `predict` does) overdoes both; this is the single action that fits them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]


def clipped_mean(mean: Float, deviation: Float, low: Float, high: Float) -> Float:
    """E[clip(X, low, high)] for X ~ Normal(mean [N, C], deviation [C]); exact to about 1e-6 of the box."""
    below, above = (low - mean) / deviation, (high - mean) / deviation
    under, over = _normal_cdf(below), _normal_cdf(above)
    inside = mean * (over - under) - deviation * (_normal_pdf(above) - _normal_pdf(below))
    return np.asarray(low * under + high * (1.0 - over) + inside, np.float32)


def _normal_pdf(x: Float) -> NDArray[np.float64]:
    return np.asarray(np.exp(-0.5 * np.square(x, dtype=np.float64)) / np.sqrt(2 * np.pi))


def _normal_cdf(x: Float) -> NDArray[np.float64]:
    """The normal distribution's share below x (Abramowitz and Stegun 1964, 7.1.26: error under 1.5e-7)."""
    z = np.abs(np.asarray(x, np.float64)) / np.sqrt(2.0)
    t = 1.0 / (1.0 + 0.3275911 * z)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    tail = 0.5 * series * np.exp(-z * z)
    return np.where(np.asarray(x) < 0, tail, 1.0 - tail)
