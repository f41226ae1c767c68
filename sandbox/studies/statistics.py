"""Aggregates over few runs (Agarwal et al. 2021, "Deep RL at the edge of the statistical precipice").

scores are [runs, tasks]: the interquartile mean over all of them, and an interval by stratified
bootstrap, which draws runs anew within each task.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """An interquartile mean and its interval (95% unless told)."""

    iqm: float
    low: float
    high: float


def iqm(scores: Float) -> Float:
    """The mean of the middle half of the last two axes; quarters that cut a score count it in part."""
    flat = np.sort(scores.reshape(*scores.shape[:-2], -1), axis=-1)
    count = flat.shape[-1]
    edges = np.arange(count + 1) / count
    weights = np.clip(np.minimum(edges[1:], 0.75) - np.maximum(edges[:-1], 0.25), 0.0, None)
    return np.asarray((flat * weights).sum(-1) / weights.sum())


def interval(scores: Float, *, draws: int = 2000, level: float = 0.95, seed: int = 0) -> Interval:
    """The interquartile mean of scores [runs, tasks] with its stratified bootstrap interval."""
    random = np.random.default_rng(seed)
    runs, tasks = scores.shape
    picked = random.integers(runs, size=(draws, runs, tasks))
    drawn = iqm(np.take_along_axis(scores[None], picked, axis=1))
    tail = (1.0 - level) / 2
    low, high = np.quantile(drawn, (tail, 1.0 - tail))
    return Interval(float(iqm(scores)), float(low), float(high))
