"""What a term that nobody named might be: each number that is seen, its change, and pairs of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from agents.rewards.derived_terms import LINEAR_SCALE, DerivedTerms

Float = NDArray[np.float32]
KNOTS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Where bends lie, as shares of the range that a number has."""
WIDTH = 0.25
"""Of a bend, in deviations of the number."""
FEW_VALUES = 3
"""A number with at most so many different values needs no bends."""
PAIR_OFFSETS = (-1.0, 0.0, 1.0)
"""Where bends of two numbers' sum and difference lie, in deviations."""


def single_candidates(
    obs: Float, actions: Float, next_obs: Float, names: Sequence[str], one_hot: int
) -> list[DerivedTerms]:
    """For each number that varies: how it is, and how it changes; and the action.

    obs, next_obs [L, D], actions [L, C]: steps that were judged. Gains are 1, and a term is 0 where the
    number is as it usually is.
    """
    width = obs.shape[1]
    n_inputs = 3 * width + (one_hot or actions.shape[1])
    found = []
    for number in range(width):
        values = next_obs[:, number]
        if float(values.std()) > 1e-4:
            found.append(_level(number, values, width, n_inputs, names[number], one_hot))
        change = next_obs[:, number] - obs[:, number]
        if float(change.std()) > 1e-4:
            found.append(_change(number, change, width, n_inputs, names[number], one_hot))
    if one_hot:
        taken = np.eye(one_hot, dtype=np.float32)[actions[:, 0].astype(np.int64)].mean(0)
        into = np.zeros((n_inputs, one_hot), np.float32)
        into[3 * width :] = np.eye(one_hot) * LINEAR_SCALE
        found.append(
            _terms(into, np.zeros(one_hot), taken * LINEAR_SCALE, 1 / LINEAR_SCALE, "the action", one_hot)
        )
    return found


def pair_candidates(
    next_obs: Float, numbers: Sequence[int], names: Sequence[str], n_inputs: int, one_hot: int
) -> list[DerivedTerms]:
    """Two of these numbers together: bends of their sum and of their difference, in their deviations."""
    width, found = next_obs.shape[1], []
    for one, other in combinations(numbers, 2):
        mean, spread = next_obs.mean(0), np.maximum(next_obs.std(0), 1e-3)
        into = np.zeros((n_inputs, 2 * len(PAIR_OFFSETS)), np.float32)
        bias = np.zeros(into.shape[1], np.float32)
        for column, (sign, offset) in enumerate((s, o) for s in (1.0, -1.0) for o in PAIR_OFFSETS):
            for number, weight in ((one, 1.0), (other, sign)):
                _after(into, number, width, column, weight / spread[number])
                bias[column] -= weight * mean[number] / spread[number]
            bias[column] -= offset
        values = np.tanh(_after_inputs(next_obs, into, width) + bias)
        found.append(_terms(into, bias, values.mean(0), 1.0, f"{names[one]} with {names[other]}", one_hot))
    return found


def _after_inputs(next_obs: Float, into: Float, width: int) -> Float:
    return np.asarray(next_obs @ into[:width], np.float32)


def _after(into: Float, number: int, width: int, column: int, weight: float) -> None:
    """Let a unit see a number as it is after the step: before it, plus its rise, less its fall."""
    for part, sign in enumerate((1.0, 1.0, -1.0)):
        into[part * width + number, column] += sign * weight


def _level(number: int, values: Float, width: int, n_inputs: int, name: str, one_hot: int) -> DerivedTerms:
    bends: list[tuple[float, float]] = []
    if len(np.unique(values[:5_000])) > FEW_VALUES:
        low, high = np.quantile(values, 0.01), np.quantile(values, 0.99)
        wide = float(WIDTH * max(values.std(), 0.02))
        bends = [(float(low + share * (high - low)), wide) for share in KNOTS]
    into = np.zeros((n_inputs, 1 + len(bends)), np.float32)
    bias = np.zeros(into.shape[1], np.float32)
    _after(into, number, width, 0, LINEAR_SCALE)
    gain = np.ones(into.shape[1], np.float32)
    gain[0] = 1 / LINEAR_SCALE / max(float(values.std()), 1e-4)
    for column, (knot, wide) in enumerate(bends, 1):
        _after(into, number, width, column, 1.0 / wide)
        bias[column] = -knot / wide
    rest = np.tanh(np.outer(values, into[number]) + bias).mean(0)
    return _terms(into, bias, rest, gain, name, one_hot)


def _change(number: int, change: Float, width: int, n_inputs: int, name: str, one_hot: int) -> DerivedTerms:
    into = np.zeros((n_inputs, 2), np.float32)
    into[width + number, 0] = into[2 * width + number, 1] = LINEAR_SCALE
    moved = np.stack([np.maximum(change, 0.0), np.maximum(-change, 0.0)], 1)
    gain = 1 / LINEAR_SCALE / np.maximum(moved.std(0), 1e-4)
    rest = np.tanh(moved * LINEAR_SCALE).mean(0)
    return _terms(into, np.zeros(2), rest, gain, f"change of {name}", one_hot)


def _terms(into: Float, bias: object, rest: object, gain: object, name: str, one_hot: int) -> DerivedTerms:
    size = into.shape[1]
    each = (np.broadcast_to(np.asarray(part, np.float32), (size,)).copy() for part in (bias, gain, rest))
    its_bias, its_gain, its_rest = each
    return DerivedTerms(into, its_bias, its_gain, its_rest, np.zeros(size, np.int64), (name,), one_hot)
