"""`maxent`: maximum causal entropy inverse RL from demonstrations (Ziebart, Bagnell and Dey 2010).

Where a demonstration's world fits into tables (small flats) the likelihood is exact: soft value
iteration and the occupancies of its policy, whose feature expectations are matched. Elsewhere the
partition function is sampled from what the agent does (Finn et al. 2016), with the net as reward for
the deep variant (Wulfmeier et al. 2015).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.feedback.records import Demonstration, Record
from agents.learners.joint_config import JointConfig
from agents.learners.reward_learner import RewardLearner
from agents.renamed_settings import renamed_settings
from agents.rewards.linear import LinearReward
from agents.rewards.linear_prior import LinearRewardConfig
from envs.tabular import TabularMDP, TooManyStates, enumerate_states
from envs.trajectory import Trajectory

Float64 = NDArray[np.float64]


@renamed_settings(
    states="max_states",
    ascents="n_updates",
    rate="learning_rate",
    prior_spread="weight_std",
    most="max_demonstrations",
)
@dataclass(frozen=True)
class MaxEntConfig(JointConfig):
    """The settings of `joint`, and those of the exact likelihood."""

    max_states: int = 20_000  # more than these are sampled
    n_updates: int = 25  # steps uphill on the exact likelihood
    learning_rate: float = 0.3
    weight_std: float = 3.0  # deviation of a term's weight, in units of its usual amount [nats]
    max_demonstrations: int = 4  # demonstrations that are put into tables
    reward: LinearRewardConfig = field(default_factory=lambda: LinearRewardConfig(unmentioned_weight=0.0))
    """Nothing is believed of what the written reward leaves out: a drive speaks of all of it."""


def soft_policy(tables: TabularMDP, reward: Float64, horizon: int) -> Float64:
    """pi_t(a|s) [T, S, A] by soft value iteration backwards from the horizon (Ziebart et al. 2010, eq. 6).

    reward [S, A]. V_T = 0; Q_t = r + V_{t+1}(after); V_t = log sum_a exp Q_t; pi_t = exp(Q_t - V_t).
    """
    value, found = np.zeros(len(tables)), np.zeros((horizon, *reward.shape))
    for t in reversed(range(horizon)):
        q = reward + value[tables.next_states]
        top = q.max(1, keepdims=True)
        value = top[:, 0] + np.log(np.exp(q - top).sum(1))
        found[t] = np.exp(q - value[:, None])
    return found


def occupancies(tables: TabularMDP, policy: Float64, start: int = 0) -> Float64:
    """Expected number of times that each (s, a) occurs from `start` within the horizon, [S, A]; sums to the
    horizon."""
    here: Float64 = np.zeros(len(tables))
    here[start] = 1.0
    total = np.zeros(policy.shape[1:])
    for now in policy:
        flow = here[:, None] * now
        total += flow
        here = np.bincount(tables.next_states.ravel(), flow.ravel(), len(tables)).astype(np.float64)
    return total


def log_likelihood_gradient(
    tables: TabularMDP, weights: Float64, demonstrated: Float64, horizon: int, start: int = 0
) -> Float64:
    """Gradient of the log-likelihood in the weights [M] of the terms: observed minus expected counts (2010,
    theorem 6)."""
    policy = soft_policy(tables, tables.terms @ weights, horizon)
    return demonstrated - np.einsum("sa,sam->m", occupancies(tables, policy, start), tables.terms)


class MaxEntLearner(RewardLearner):
    """Computes the likelihood exactly where the world is small and by sampling elsewhere, then trains on the
    reward."""

    name: ClassVar[str] = "maxent"
    kinds: ClassVar[frozenset[str]] = frozenset({"demonstration"})
    Config: ClassVar[type[JointConfig]] = MaxEntConfig
    config: MaxEntConfig
    is_exact: bool = False
    """Whether the newest fit was exact."""

    def fit_reward(self, records: list[Record]) -> None:
        super().fit_reward(records)
        shown = [r.trajectory for r in records if isinstance(r, Demonstration)][
            : self.config.max_demonstrations
        ]
        self.is_exact = False
        if not shown or not isinstance(self.reward, LinearReward):
            return
        try:
            tables = [enumerate_states(self.task, t.states[0], self.config.max_states) for t in shown]
        except TooManyStates:
            return
        found = self._maximise_likelihood(tables, shown, self.reward)
        self.reward.set_weights(found.astype(np.float32))
        self.is_exact = True
        self.apply_reward()

    def _maximise_likelihood(
        self, tables: list[TabularMDP], demonstrations: list[Trajectory], model: LinearReward
    ) -> Float64:
        """Gradient ascent with Adagrad from the proxy reward, each term in its own unit."""
        config, unit = self.config, model.term_scale.astype(np.float64)
        prior = model.prior_mean().astype(np.float64)
        scaled, squares = prior.copy(), np.full(len(unit), 1e-8)
        for _ in range(config.n_updates):
            slope = -(scaled - prior) / config.weight_std**2
            for one, driven in zip(tables, demonstrations, strict=True):
                counted = driven.terms.sum(0).astype(np.float64)
                # The stretch that was shown: what lies after it was not.
                slope += (
                    log_likelihood_gradient(one, scaled / unit, counted, len(driven))
                    / unit
                    / len(demonstrations)
                )
            squares += slope**2
            scaled = scaled + config.learning_rate * slope / np.sqrt(squares) * 3.0
        return scaled / unit
