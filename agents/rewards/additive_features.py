"""The features that the additive reward is linear in, and the net that a weighted sum of them is.

Of a step from s to s' by action a, in this order: s' as it is seen, how much each number of it rose, how much
it fell, the action, a bend tanh((s' - knot) / width) for each number and knot (Rahimi and Recht 2008: a wide
first layer under a last one that is learned), and the world's terms as far as they are predicted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.checkpoint import StateDict
from agents.policies.policy_arrays import Layers
from agents.rewards.base import Float
from agents.rewards.ensemble_reward import LINEAR_UNIT_SCALE
from agents.rewards.reward_arrays import CanonicalView, reward_inputs
from agents.rewards.term_predictor import TermPredictor

KNOT_POSITIONS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Where bends lie, as shares of the range that each number has."""
KNOT_WIDTH = 0.25  # of a bend, in deviations of the number


class AdditiveFeatures:
    """Features of steps. Knots and the terms that are predicted are set by `fit`."""

    def __init__(self, one_hot: int, views: Sequence[CanonicalView], predictor: TermPredictor) -> None:
        """one_hot: number of Discrete actions, 0 for Box. views: see `canonical_views`."""
        self._one_hot, self._views, self._predictor = one_hot, views, predictor
        self.reset()

    def reset(self) -> None:
        """No knots, and no term is predicted."""
        self.knots, self.knot_width = np.zeros((0, 0), np.float32), np.zeros(0, np.float32)
        """[K, D] and [D]: places and widths of the bends."""
        self.n_predicted_terms = 0
        """How many terms are predicted: all of the world's, or none."""

    def fit(self, next_obs: Float) -> None:
        """Learn to predict terms from all that was seen, and place the knots; next_obs [L, D]."""
        self.n_predicted_terms = self._predictor.n_terms if self._predictor.train() else 0
        low, high = np.quantile(next_obs, 0.01, 0), np.quantile(next_obs, 0.99, 0)
        knots = np.stack([low + share * (high - low) for share in KNOT_POSITIONS]).astype(np.float32)
        self.knots = knots[: 0 if self._views else None]
        self.knot_width = (KNOT_WIDTH * np.maximum(next_obs.std(0), 0.05)).astype(np.float32)

    def step_inputs(self, obs: Float, actions: Any, next_obs: Float, view: CanonicalView | None) -> Float:
        """What the first layer sees of steps [N, 3 D + A], in a view turned by `view`."""
        acts: Any = np.asarray(actions).reshape(len(obs), -1)
        acts = acts[:, 0].astype(np.int64) if self._one_hot else acts
        return np.asarray(
            reward_inputs(obs, acts, next_obs, self._one_hot, view, split_changes=True), np.float32
        )

    def inputs_in_all_views(self, obs: Float, actions: Any, next_obs: Float) -> list[Float]:
        """`step_inputs` in every view that the world has of these steps."""
        return [self.step_inputs(obs, actions, next_obs, turns) for turns in self._views or (None,)]

    def __call__(self, obs: Float, actions: Any, next_obs: Float) -> Float:
        """Features of steps [N, F], F = 3 D + A + bends + predicted terms."""
        first = self._views[0] if self._views else None
        plain, wide = self.step_inputs(obs, actions, next_obs, first), obs.shape[1]
        came = plain[:, :wide] + plain[:, wide : 2 * wide] - plain[:, 2 * wide : 3 * wide]
        bends = [np.tanh((came - knot) / self.knot_width) for knot in self.knots]
        told = [self._predictor.predict(plain)] if self.n_predicted_terms else []
        return np.asarray(np.concatenate([came, plain[:, wide:], *bends, *told], 1), np.float32)

    def sizes(self, count: int) -> tuple[int, int, int, int, int]:
        """How many of `count` features are (seen, rises and falls, actions, bends, predicted terms)."""
        wide, bends = len(self.knot_width), self.knots.size
        return (
            wide,
            2 * wide,
            count - 3 * wide - bends - self.n_predicted_terms,
            bends,
            self.n_predicted_terms,
        )

    def groups(self, count: int) -> NDArray[np.int64]:
        """The group that each feature matters with [F].

        A number of s' and its bends are a group. Its rise, its fall, the action and each predicted term are
        one each.
        """
        wide, _, acts, _, terms = self.sizes(count)
        number = np.arange(wide)
        plain = [number, wide + number, 2 * wide + number, np.full(acts, 3 * wide)]
        told = 3 * wide + 1 + np.arange(terms)
        return np.concatenate([*plain, np.tile(number, len(self.knots)), told])

    def as_layers(self, weights: Float) -> Layers:
        """The net on `step_inputs` whose output is features @ weights [F]; it sees s, and s' = s + rise -
        fall."""
        wide, bends = len(self.knot_width), self.knots.size
        plain = len(weights) - self.n_predicted_terms - bends
        into = np.zeros((plain, bends), np.float32)
        numbers = np.tile(np.arange(wide), len(self.knots))
        steep = 1.0 / np.tile(self.knot_width, len(self.knots))
        for part, sign in enumerate((1.0, 1.0, -1.0)):
            into[part * wide + numbers, np.arange(bends)] = sign * steep
        bias, out = -self.knots.ravel() * steep, weights[plain : plain + bends]
        always = 0.0
        if self.n_predicted_terms:
            first, its_bias, last, rest = self._predictor.layers
            told = weights[plain + bends :]
            into, bias = np.concatenate([into, first], 1), np.append(bias, its_bias)
            out, always = np.append(out, last @ told), float(rest @ told)
        seen, straight = weights[:wide], weights[:plain].copy()
        straight[wide : 2 * wide] += seen
        straight[2 * wide : 3 * wide] -= seen
        size = max(float(np.abs(straight).max()), 1e-6) / LINEAR_UNIT_SCALE
        into = np.concatenate([into, straight[:, None] / size], 1).astype(np.float32)
        bias, out = np.append(bias, 0.0).astype(np.float32), np.append(out, size).astype(np.float32)
        return (into, bias), (out[:, None], np.array([always], np.float32))

    def state_dict(self) -> StateDict:
        """The knots, and the weights of the predictor where terms are predicted."""
        predictor = self._predictor.state_dict().arrays if self.n_predicted_terms else {}
        return StateDict(arrays={"reward.knots": self.knots, "reward.width": self.knot_width, **predictor})

    def load_state_dict(self, state: StateDict) -> None:
        arrays = state.arrays
        self.knots, self.knot_width = arrays["reward.knots"], arrays["reward.width"]
        self._predictor.load_state_dict(state)
        self.n_predicted_terms = self._predictor.n_terms if "reward.told.0" in arrays else 0
