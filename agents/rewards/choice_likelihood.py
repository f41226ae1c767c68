"""The likelihood of choices under rewards that are linear in the terms, asked thousands of times a fit.

The same as losses.choice, reckoned from differences of features that are made once. How careful each of
several raters is must be found out: the likelihood of all their answers is its mean over what their error
rate may be, so that few answers, and what the others say, tell who answers at random (Dawid and Skene 1979
estimate such rates beside what is true; here they are summed over).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.feedback.choices import Packed
from agents.losses import CLIP

Float = NDArray[np.float32]
ERRORS = np.array((0.02, 0.1, 0.25, 0.5, 1.0), np.float32)
"""Shares of somebody's answers that may be accidents."""
LIKELY = np.array((0.5, 0.1, 0.1, 0.05, 0.25), np.float32)
"""How likely each share is, of one of several raters: who answers at random must be found out soon."""
UNKNOWN_RATER_ERROR = float(ERRORS @ LIKELY)
"""Share of accidents to expect of one of several raters of whom nothing is known."""


class LinearChoiceLikelihood:
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
        self._chance = (1.0 / there[self.choices]).astype(np.float32)
        """Of each choice, had it been made blindly."""
        self._noise = np.where(np.isnan(packed.noise), noise, packed.noise)[self.choices].astype(np.float32)
        rater = packed.rater[self.choices]
        self._judged = np.argsort(rater, kind="stable")[(rater < 0).sum() :]
        """Those whose raters are judged, each rater's side by side."""
        self._plain = np.flatnonzero(rater < 0)
        self._raters = np.flatnonzero(np.diff(rater[self._judged], prepend=-1))

    def __len__(self) -> int:
        return len(self.choices)

    def intended_probability(self, weights: Float, trust: Float) -> Float:
        """P of each choice [E, len] if it was no accident, for weights [E, F] and trust [E, kinds]."""
        gaps = weights @ self._gaps
        gaps *= trust[:, self._kind]
        np.clip(gaps, -CLIP, CLIP, out=gaps)
        np.exp(gaps, out=gaps)
        return np.asarray(1.0 / (1.0 + np.add.reduceat(gaps, self._starts, axis=1)), np.float32)

    def log_likelihood(self, weights: Float, trust: Float, counts: Float) -> Float:
        """log P of all choices together [E], each as often as `counts` [len] says."""
        meant = self.intended_probability(weights, trust)
        plain = self._logs(meant, self._plain, self._noise[self._plain])
        found = (plain * counts[self._plain]).sum(1)  # @ warns of invalid values where there are none
        if len(self._judged):
            found += self._judged_logs(meant, counts[self._judged])
        return np.asarray(found, np.float32)

    def _logs(self, meant: Float, which: NDArray[np.int64], error: Float | np.float32) -> Float:
        return np.log((1.0 - error) * meant[:, which] + error * self._chance[which])

    def _judged_logs(self, meant: Float, counts: Float) -> Float:
        """log of the mean over ERRORS of how likely each rater's answers are, summed over raters [E]."""
        each = [
            np.log(likely) + np.add.reduceat(self._logs(meant, self._judged, error) * counts, self._raters, 1)
            for error, likely in zip(ERRORS, LIKELY, strict=True)
        ]
        return np.asarray(np.logaddexp.reduce(each).sum(1), np.float32)
