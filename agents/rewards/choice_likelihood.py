"""The likelihood of choices under rewards that are linear in the terms, asked thousands of times a fit.

The same as losses.choice, reckoned from differences of features that are made once. How careful each of
several raters is must be found out: the likelihood of all their answers is its mean over what their error
rate may be, so that few answers, and what the others say, tell who answers at random (Dawid and Skene 1979
estimate such rates beside what is true; here they are summed over).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.feedback.choices import PackedChoices
from agents.losses import MAX_RETURN_GAP

Float = NDArray[np.float32]
ERROR_RATES = np.array((0.02, 0.1, 0.25, 0.5, 1.0), np.float32)
"""Shares of somebody's answers that may be accidents."""
ERROR_RATE_PRIOR = np.array((0.5, 0.1, 0.1, 0.05, 0.25), np.float32)
"""How likely each share is, of one of several raters: who answers at random must be found out soon."""
UNKNOWN_RATER_ERROR_RATE = float(ERROR_RATES @ ERROR_RATE_PRIOR)
"""Share of accidents to expect of one of several raters of whom nothing is known."""


MAX_BAND = 10.0
"""Of ties [nats]."""


class LinearChoiceLikelihood:
    """Choices as differences of what the other options sum up to from what the chosen one does."""

    def __init__(
        self, packed: PackedChoices, features: Float, error_rate: float, included: NDArray[np.bool_]
    ) -> None:
        """features [S + 1, F] of each option; error_rate: share of accidents where a choice tells none.

        included [B]: the choices that are meant; at least one of them must have had an alternative.
        """
        mask = packed.mask & included[:, None]
        there = mask.sum(1)
        self.choice_indices = np.flatnonzero(there > 1)
        """Those that had an alternative."""
        row, place = np.nonzero(mask)
        row, place = row[place > 0], place[place > 0]
        self._feature_gaps = np.ascontiguousarray(
            (features[packed.option_index[row, place]] - features[packed.option_index[row, 0]]).T, np.float32
        )
        """[F, R]: each alternative less the chosen option; a choice's stand side by side."""
        self._pairs = packed.option_index[row, place], packed.option_index[row, 0]
        """Of each alternative: its option, and the one that was chosen in its place [R]."""
        self._starts = np.flatnonzero(np.diff(row, prepend=-1))
        self._kind = packed.kind[row]
        self._has_band = packed.has_band[row].astype(np.float32)
        options = there[self.choice_indices]
        self._uniform_probabilities = tuple(
            (1.0 / outcomes).astype(np.float32)
            for outcomes in (options, options + packed.has_band[self.choice_indices])
        )
        """Of each choice, had it been made blindly; with a band, a tie of a pair is an outcome as well."""
        self._ties = np.flatnonzero(packed.is_tie[self.choice_indices])
        self._error_rate = np.where(np.isnan(packed.error_rate), error_rate, packed.error_rate)[
            self.choice_indices
        ].astype(np.float32)
        rater = packed.rater[self.choice_indices]
        self._by_unknown_rater = np.argsort(rater, kind="stable")[(rater < 0).sum() :]
        """Those whose raters are judged, each rater's side by side."""
        self._with_known_error_rate = np.flatnonzero(rater < 0)
        self._rater_starts = np.flatnonzero(np.diff(rater[self._by_unknown_rater], prepend=-1))

    def __len__(self) -> int:
        return len(self.choice_indices)

    def intended_probability(
        self, weights: Float, rationality: Float, band: Float | None = None, further: Float | None = None
    ) -> Float:
        """P of each choice [E, len] if it was no accident, for weights [E, F] and trust [E, kinds].

        band [E]: by how much one of two clips must be better to be called so [nats]; None: 0.
        further [E, S + 1]: what options are worth beside what is linear in the features; None: nothing.
        """
        gaps = weights @ self._feature_gaps
        if further is not None:
            gaps += further[:, self._pairs[0]] - further[:, self._pairs[1]]
        gaps *= rationality[:, self._kind]
        if band is not None:
            gaps += np.minimum(band, MAX_BAND)[:, None] * self._has_band
        np.clip(gaps, -MAX_RETURN_GAP, MAX_RETURN_GAP, out=gaps)
        np.exp(gaps, out=gaps)
        found = 1.0 / (1.0 + np.add.reduceat(gaps, self._starts, axis=1))
        if len(self._ties):
            found[:, self._ties] = self._tie_probability(gaps[:, self._starts[self._ties]], band)
        return np.asarray(found, np.float32)

    @staticmethod
    def _tie_probability(other: Float, band: Float | None) -> Float:
        """1 less both strict answers; other [E, T]: exp(gap + band) of the option not chosen in that row."""
        if band is None:
            return 1.0 / (1.0 + other)
        twice = np.exp(2.0 * np.minimum(band, MAX_BAND))[:, None]
        return np.asarray(1.0 - 1.0 / (1.0 + other) - 1.0 / (1.0 + twice / other), np.float32)

    def log_likelihood(
        self,
        weights: Float,
        rationality: Float,
        counts: Float,
        band: Float | None = None,
        further: Float | None = None,
    ) -> Float:
        """log P of all choices together [E], each as often as `counts` [len] says."""
        meant = self.intended_probability(weights, rationality, band, further)
        uniform, known = self._uniform_probabilities[band is not None], self._with_known_error_rate
        plain = _log_probabilities(meant[:, known], uniform[known], self._error_rate[known])
        found = (plain * counts[known]).sum(1)  # @ warns of invalid values where there are none
        if len(self._by_unknown_rater):
            who = self._by_unknown_rater
            found += self._marginal_log_likelihood(meant[:, who], uniform[who], counts[who])
        return np.asarray(found, np.float32)

    def _marginal_log_likelihood(self, intended: Float, uniform: Float, counts: Float) -> Float:
        """log of the mean over ERROR_RATES of how likely each rater's answers are, summed over raters [E]."""
        each = [
            np.log(likely)
            + np.add.reduceat(_log_probabilities(intended, uniform, error) * counts, self._rater_starts, 1)
            for error, likely in zip(ERROR_RATES, ERROR_RATE_PRIOR, strict=True)
        ]
        return np.asarray(np.logaddexp.reduce(each).sum(1), np.float32)


def _log_probabilities(intended: Float, uniform: Float, error_rate: Float | np.float32) -> Float:
    return np.asarray(np.log((1.0 - error_rate) * intended + error_rate * uniform), np.float32)
