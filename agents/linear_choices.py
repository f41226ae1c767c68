"""The likelihood of choices under rewards that are linear in the terms, asked thousands of times a fit.

The same as losses.choice, reckoned from differences of features that are made once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.choices import Packed
from agents.losses import CLIP

Float = NDArray[np.float32]


class LinearChoices:
    """Choices as differences of what the other options sum up to from what the chosen one does."""

    def __init__(self, packed: Packed, features: Float, noise: float, which: NDArray[np.bool_]) -> None:
        """features [S + 1, F] of each option; noise: share of accidents where a choice tells none.

        which [B]: the choices that are meant; at least one of them must have had an alternative.
        """
        mask = packed.mask & which[:, None]
        there = mask.sum(1)
        self.choices = np.flatnonzero(there > 1)
        """Those that had an alternative."""
        row, place = np.nonzero(mask)
        row, place = row[place > 0], place[place > 0]
        self._gaps = np.ascontiguousarray(
            (features[packed.option[row, place]] - features[packed.option[row, 0]]).T, np.float32
        )
        """[F, R]: each alternative less the chosen option; a choice's stand side by side."""
        self._starts = np.flatnonzero(np.diff(row, prepend=-1))
        self._kind = packed.kind[row]
        accidents = np.where(np.isnan(packed.noise), noise, packed.noise)[self.choices].astype(np.float32)
        self._least, self._rest = accidents / there[self.choices].astype(np.float32), 1.0 - accidents

    def __len__(self) -> int:
        return len(self.choices)

    def log_likelihoods(self, weights: Float, trust: Float) -> Float:
        """log P of each choice [E, len], for weights [E, F] and trust [E, kinds]."""
        gaps = weights @ self._gaps
        gaps *= trust[:, self._kind]
        np.clip(gaps, -CLIP, CLIP, out=gaps)
        np.exp(gaps, out=gaps)
        chosen = self._rest / (1.0 + np.add.reduceat(gaps, self._starts, axis=1)) + self._least
        return np.asarray(np.log(chosen), np.float32)
