"""Sums of terms over what was judged: the world's named terms, and derived ones beside them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.feedback.choices import BEHAVIOUR_KINDS, CHOICE_KINDS, Future, PackedChoices
from agents.rewards.derived_selection import Selection
from agents.rewards.derived_terms import DerivedTerms
from agents.rewards.step_table import StepTable, future_steps, judged_steps
from envs.trajectory import Trajectory

Float = NDArray[np.float32]


def no_derived_terms(one_hot: int) -> Selection:
    """Nothing matters beside the named terms, or that has not been looked at."""
    return Selection(DerivedTerms(one_hot=one_hot), np.zeros(0, np.float32))


class TermSums:
    """Counts M named terms and K derived ones."""

    def __init__(self, one_hot: int) -> None:
        """one_hot: number of Discrete actions, 0 for Box."""
        self.one_hot = one_hot
        self.derived = no_derived_terms(one_hot)
        self._tables: tuple[PackedChoices, StepTable, StepTable] | None = None

    def step_tables(self, packed: PackedChoices) -> tuple[StepTable, StepTable]:
        """The steps of the options and of what they lead to; those of the newest choices are kept."""
        if self._tables is None or self._tables[0] is not packed:
            self._tables = packed, judged_steps(packed, self.one_hot), future_steps(packed, self.one_hot)
        return self._tables[1:]

    def of_options(self, packed: PackedChoices) -> tuple[Float, Float]:
        """Sums of all terms [S + 1, M + K] over the options, and over what they lead to."""
        named = packed.term_sums, packed.future_term_sums
        if not len(self.derived.terms):
            return named
        derived = [table.sums(self.derived.terms) for table in self.step_tables(packed)]
        steps, future = (
            np.concatenate([own, further], 1).astype(np.float32)
            for own, further in zip(named, derived, strict=True)
        )
        return steps, future

    def features(self, packed: PackedChoices, term_scale: Float) -> tuple[Float, int]:
        """What a likelihood is linear in [S + 1, (2 + raters) (M + K)], and how many raters there are.

        Terms in usual amounts, those of behaviour once more, and each rater's share of what options lead to.
        """
        terms, future = (part / term_scale for part in self.of_options(packed))
        driven = _is_behaviour(packed)[:, None]
        raters = max(1, int(packed.rater.max(initial=0)) + 1)
        own = np.zeros(len(terms), np.int64)
        rows, places = np.nonzero(packed.mask)
        own[packed.option_index[rows, places]] = np.maximum(packed.rater[rows], 0)
        by_rater = [future * (own == rater)[:, None] for rater in range(raters)]
        return np.concatenate([terms, terms * driven, *by_rater], 1).astype(np.float32), raters

    def of_steps(self, steps: Trajectory, step_weights: Float | None = None) -> Float:
        """Sums [M + K] over a recording's steps, each as often as its weight [T] says."""
        terms = np.concatenate([steps.terms, self.derived.terms.of(steps)], 1)
        return np.asarray(terms.sum(0) if step_weights is None else step_weights @ terms, np.float32)

    def of_future(self, future: Future | None, n_named: int) -> Float:
        """Sums [M + K] over what a clip leads to; zeros where that is not known."""
        found = np.zeros(n_named + len(self.derived.terms), np.float32)
        if future is not None:
            for drive, weight in zip(future.drives, future.weights, strict=True):
                found += np.float32(weight) * self.of_steps(drive)
            found[:n_named] = future.term_sums
        return found


def _is_behaviour(packed: PackedChoices) -> Float:
    """1 for each option [S + 1] of a demonstration or a correction, 0 for what was only judged."""
    found = np.zeros(len(packed.term_sums), np.float32)
    rows = np.isin(packed.kind, [CHOICE_KINDS.index(kind) for kind in BEHAVIOUR_KINDS])
    found[packed.option_index[rows][packed.mask[rows]]] = 1.0
    return found
