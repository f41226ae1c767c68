"""A kind of feedback counts as far as it foresees the answers: two Gaussians, worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from agents.rewards.slice_sampler import Float, LogLikelihood
from agents.rewards.tempering import WEIGHT_PRIOR, WEIGHTS, tempering_weights


def _normal(centre: float, precision: float) -> LogLikelihood:
    def log_likelihood(x: Float) -> Float:
        return np.asarray(-0.5 * precision * (x[:, 0] - centre) ** 2, np.float32)

    return log_likelihood


def _by_hand(kind: float, answers: float, precisions: tuple[float, float]) -> float:
    """w has a standard normal prior; under share s of the kind it is N(m, v); the answers' mean likelihood
    is then exp(-p (answers - m)^2 / (2 (1 + p v))) / sqrt(1 + p v)."""
    found = []
    for share, prior in zip(WEIGHTS, WEIGHT_PRIOR, strict=True):
        k, p = share * precisions[0], precisions[1]
        m, v = k * kind / (1 + k), 1 / (1 + k)
        found.append(prior * math.exp(-p * (answers - m) ** 2 / (2 * (1 + p * v))) / math.sqrt(1 + p * v))
    return sum(w * s for w, s in zip(found, WEIGHTS, strict=True)) / sum(found)


@pytest.mark.parametrize(("kind", "answers"), [(1.0, 1.0), (-1.5, 1.0), (0.0, 0.0)])
def test_the_share_is_what_the_answers_give_it(kind: float, answers: float) -> None:
    found = tempering_weights(_normal(answers, 9.0), {"demonstration": _normal(kind, 16.0)}, 400, 1, 0)
    wanted = _by_hand(kind, answers, (16.0, 9.0))
    assert found["demonstration"] == pytest.approx(wanted, abs=0.05)


def test_who_contradicts_the_answers_hardly_counts_and_who_agrees_does() -> None:
    assert _by_hand(-1.5, 1.0, (16.0, 9.0)) < 0.05 < 0.6 < _by_hand(1.0, 1.0, (16.0, 9.0))
