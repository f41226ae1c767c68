"""All steps of judged options, and of what these lead to, as inputs of derived terms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.feedback.choices import PackedChoices
from agents.rewards.derived_terms import DerivedTerms, step_inputs

Float = NDArray[np.float32]
Float64 = NDArray[np.float64]
CHUNK = 8_192
"""Steps that are reckoned at once."""


@dataclass(frozen=True)
class StepTable:
    """L steps of S options, an option's side by side.

    inputs [L, 3 D + A]; weight [L] how often a step counts; option [L] whose it is; n_options S.
    """

    inputs: Float
    weight: Float
    option: NDArray[np.int64]
    n_options: int

    def sums(self, terms: DerivedTerms) -> Float64:
        """The terms summed over each option's steps [S + 1, K]; the last row is "nothing at all"."""
        found = np.zeros((self.n_options + 1, len(terms)))
        if not len(terms):
            return found
        for start in range(0, len(self.inputs), CHUNK):
            rows = slice(start, start + CHUNK)
            steps = (np.tanh(self.inputs[rows] @ terms.into + terms.bias) - terms.rest) * terms.gain
            steps *= self.weight[rows, None]
            first = np.flatnonzero(np.diff(self.option[rows], prepend=-1))
            found[self.option[rows][first]] += np.add.reduceat(steps.astype(np.float64), first, axis=0)
        return found


def judged_steps(packed: PackedChoices, one_hot: int) -> StepTable:
    """The steps of the options themselves."""
    inputs = step_inputs(packed.obs, packed.actions, packed.next_obs, one_hot)
    return StepTable(inputs, packed.step_weight, packed.step_option, len(packed.term_sums) - 1)


def future_steps(packed: PackedChoices, one_hot: int) -> StepTable:
    """The steps of what the options lead to."""
    parts, weights, owners = [], [], []
    for option, future in enumerate(packed.futures):
        if future is None:
            continue
        for drive, weight in zip(future.drives, future.weights, strict=True):
            parts.append(step_inputs(drive.observations[:-1], drive.actions, drive.observations[1:], one_hot))
            weights.append(np.full(len(drive), weight, np.float32))
            owners.append(np.full(len(drive), option))
    n_options = len(packed.term_sums) - 1
    if not parts:
        return StepTable(
            np.zeros((0, 0), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), n_options
        )
    return StepTable(np.concatenate(parts), np.concatenate(weights), np.concatenate(owners), n_options)
