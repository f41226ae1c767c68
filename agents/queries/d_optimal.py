"""What the first questions are about: all that can happen, each direction of the terms once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from agents.feedback.records import Question
from agents.queries.selection import Group, are_different, term_sums


class DOptimalDesign:
    """Which directions of the terms have been asked about: a Bayesian design for the first questions.

    The next pair is the one whose difference of terms is least certain given the pairs asked so far,
    in the linear-Gaussian picture of it: D-optimal, greedily (Chaloner and Verdinelli 1995, section 2).
    So twenty questions asked at once are not twenty times about the same.
    """

    def __init__(self, n_terms: int) -> None:
        self._precision = np.eye(n_terms)
        self._scale = np.ones(n_terms)

    def select_pairs(self, groups: Sequence[Group], count: int) -> list[tuple[float, Group]]:
        """Up to `count` pairs from different groups, and by how much each was uncertain."""
        pairs = [
            (i, a, b) for i, g in enumerate(groups) for a, b in combinations(g, 2) if are_different(a, b)
        ]
        if not pairs:
            return []
        gaps = np.stack([term_sums(a) - term_sums(b) for _, a, b in pairs]).astype(np.float64)
        scale = np.maximum(np.sqrt((gaps**2).mean(0)), 1e-6)
        gaps = self._normalised_gaps(gaps, scale)
        found: list[tuple[float, Group]] = []
        used, precision = np.zeros(len(pairs), np.bool_), self._precision.copy()
        for _ in range(min(count, len({i for i, _, _ in pairs}))):
            spread = np.einsum("qi,ij,qj->q", gaps, np.linalg.inv(precision), gaps)
            best = int(np.where(used, -1.0, spread).argmax())
            used |= np.array([i == pairs[best][0] for i, _, _ in pairs])
            precision += np.outer(gaps[best], gaps[best])
            found.append((float(spread[best]), pairs[best][1:]))
        self._scale = scale
        return found

    def add_question(self, question: Question) -> None:
        """Remember what a pair was about."""
        gap = self._normalised_gaps(term_sums(question.clips[0]) - term_sums(question.clips[1]), self._scale)
        self._precision += np.outer(gap, gap)

    @staticmethod
    def _normalised_gaps(gaps: Any, scale: Any) -> Any:
        """Differences [..., M] in units of the usual one; an answer tells a sign, not an amount."""
        gaps = gaps / scale
        return gaps / np.sqrt(1.0 + (gaps**2).mean(-1, keepdims=True))
