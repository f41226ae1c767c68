"""Features of the additive reward: what they are, and that their weighted sum is the net made of them."""

from __future__ import annotations

import numpy as np
import pytest

from agents.policies.policy_arrays import forward
from agents.rewards.additive_features import KNOT_POSITIONS, AdditiveFeatures
from agents.rewards.term_predictor import TermPredictor, TermPredictorConfig

ACTIONS, SEEN = 3, 2


def _steps(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    obs, after = random.standard_normal((2, count, SEEN)).astype(np.float32)
    return obs, random.integers(ACTIONS, size=count), after


def _features(terms: int) -> AdditiveFeatures:
    predictor = TermPredictor(terms, 0, TermPredictorConfig(n_initial_updates=5))
    features = AdditiveFeatures(ACTIONS, (), predictor)
    obs, actions, after = _steps(50)
    if terms:
        predictor.add_rollout(
            features.step_inputs(obs, actions, after, None), np.tile(after, terms)[:, :terms]
        )
    features.fit(after)
    return features


@pytest.mark.parametrize("terms", [0, 2])
def test_a_weighted_sum_of_features_is_the_net_made_of_it(terms: int) -> None:
    features, steps = _features(terms), _steps(20, 1)
    found = features(*steps)
    sizes = features.sizes(found.shape[1])
    assert sizes == (SEEN, 2 * SEEN, ACTIONS, SEEN * len(KNOT_POSITIONS), terms)
    assert sum(sizes) == found.shape[1]
    weights = np.random.default_rng(2).standard_normal(found.shape[1]).astype(np.float32)
    by_net = forward(features.as_layers(weights), features.step_inputs(*steps, None))[:, 0]
    np.testing.assert_allclose(by_net, found @ weights, atol=2e-3)


def test_the_features_of_a_step_by_hand() -> None:
    features = _features(0)
    obs, after = np.array([[1.0, -1.0]], np.float32), np.array([[0.5, 2.0]], np.float32)
    (found,) = features(obs, np.array([2]), after)
    np.testing.assert_allclose(found[:9], [0.5, 2.0, 0.0, 3.0, 0.5, 0.0, 0.0, 0.0, 1.0], atol=1e-6)
    bends = np.tanh((after - features.knots) / features.knot_width)
    np.testing.assert_allclose(found[9:], bends.ravel(), atol=1e-6)


def test_a_number_and_its_bends_are_one_group() -> None:
    features = _features(2)
    count = sum(features.sizes(features(*_steps(1)).shape[1]))
    expected = [0, 1, *[2, 3], *[4, 5], 6, 6, 6, *[0, 1] * len(KNOT_POSITIONS), 7, 8]
    groups = features.groups(count)
    assert len(groups) == count
    assert groups.tolist() == expected


def test_what_is_kept_comes_back() -> None:
    features, again, steps = _features(2), AdditiveFeatures(ACTIONS, (), TermPredictor(2, 1)), _steps(9, 3)
    again.load_state_dict(features.state_dict())
    np.testing.assert_array_equal(again(*steps), features(*steps))
    again.reset()
    assert again.n_predicted_terms == 0
    assert again.knots.size == 0
