"""Weights and hyperparameters that are fitted to choices: by hand, and against what made the choices."""

from __future__ import annotations

import numpy as np
import pytest

from agents.feedback.choices import CHOICE_KINDS, Choice, Option, pack_choices
from agents.rewards.evidence import EvidenceConfig, fit_evidence, newton_step
from tests.agents.rewards.test_additive import _clip

CONFIG = EvidenceConfig(4, 12, 0.1, 0.0, (1.0,) * len(CHOICE_KINDS), (0.05, 0.8, 0.5, 0.7))


def _pairs(count: int) -> list[Choice]:
    clips = [_clip(np.zeros((2, 1))) for _ in range(2 * count)]
    return [
        Choice("comparison", (Option(one), Option(two)))
        for one, two in zip(clips[::2], clips[1::2], strict=True)
    ]


def _chosen_by(weights: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Features [2 count + 1, F] of options, the better one of each pair first; the last row is nothing."""
    rows = np.random.default_rng(seed).standard_normal((count, 2, len(weights)))
    better = np.argsort(-(rows @ weights), axis=1)
    rows = np.take_along_axis(rows, better[..., None], 1).reshape(-1, len(weights))
    return np.concatenate([rows, np.zeros((1, len(weights)))])


def test_a_newton_step_by_hand() -> None:
    """One pair whose features differ by 2, from weight 0 under N(0, 1): P = 1/2, slope 1, curvature 1."""
    features = np.array([[1.0], [-1.0], [0.0]])
    weights, covariance = newton_step(
        features,
        np.zeros(1),
        np.zeros(1),
        np.ones(1),
        np.ones(len(CHOICE_KINDS)),
        0.0,
        pack_choices(_pairs(1)),
    )
    assert weights == pytest.approx([0.5])
    assert covariance.ravel() == pytest.approx([0.5])


def test_what_made_the_choices_is_found_and_what_did_not_is_irrelevant() -> None:
    truth, count = np.array([3.0, 0.0, 0.0, 0.0]), 120
    features, groups = _chosen_by(truth, count, 1), np.array([0, 1, 1, 2])
    found = fit_evidence(pack_choices(_pairs(count)), features, np.zeros(4), np.ones(4), groups, CONFIG)
    assert found.mean[0] > 4.0 * np.abs(found.mean[1:]).max()
    deviation = np.sqrt(np.diag(found.covariance))
    assert deviation[1:3].max() < 0.5  # half the prior's: the irrelevant group is pulled to 0
    assert found.covariance == pytest.approx(found.covariance.T, abs=1e-8)


def test_the_last_groups_prior_stays_as_it_is() -> None:
    """Nothing speaks of the last feature, so its posterior is its prior, whatever the others' relevance."""
    features = np.concatenate([_chosen_by(np.ones(1), 40, 2), np.zeros((81, 1))], 1)
    found = fit_evidence(
        pack_choices(_pairs(40)),
        features,
        np.array([0.0, 1.0]),
        np.array([1.0, 0.49]),
        np.array([0, 1]),
        CONFIG,
    )
    assert found.mean[1] == pytest.approx(1.0)
    assert found.covariance[1, 1] == pytest.approx(0.49)
