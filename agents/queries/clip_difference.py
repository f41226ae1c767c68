"""Pairs of clips that differ most, for the first questions where no terms are named.

Before anything is believed the answer that tells most is one about clips in which different things happen;
two clips of the same corner are seen alike, whatever is wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from envs.trajectory import Trajectory

Group = tuple[Trajectory, ...]
JUMP_WEIGHT = 2.0
"""How much a sudden change counts beside what is usually seen."""


def clip_features(clip: Trajectory, deviation: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a clip shows [2 D]: the mean of each number, and its largest change at once [deviations]."""
    seen = clip.observations / deviation
    return np.concatenate([seen.mean(0), JUMP_WEIGHT * np.abs(np.diff(seen, axis=0)).max(0, initial=0.0)])


def select_different_pairs(
    groups: Sequence[Group], count: int, random: np.random.Generator
) -> list[tuple[float, Group]]:
    """Up to `count` pairs, at most one of each group, those that differ most first; (difference, pair)."""
    clips = [clip for group in groups for clip in group]
    if not clips:
        return []
    seen = np.concatenate([clip.observations for clip in clips]).astype(np.float64)
    deviation = seen.std(0)
    deviation[deviation <= 1e-5 * np.abs(seen.mean(0))] = np.inf  # what never changes tells nothing
    deviation[deviation == 0.0] = np.inf
    found: list[tuple[float, Group]] = []
    for group in groups:
        features = [clip_features(clip, deviation) for clip in group]
        pairs = [
            (float(np.linalg.norm(features[a] - features[b])), (group[a], group[b]))
            for a, b in combinations(range(len(group)), 2)
        ]
        pairs = [pair for pair in pairs if pair[0] > 0.0]
        if pairs:
            found.append(max(pairs, key=lambda pair: pair[0]))
    found.sort(key=lambda pair: -pair[0] * random.uniform(0.7, 1.0))
    return found[:count]
