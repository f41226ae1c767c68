"""What on-policy and off-policy training share: rows of a simulation, the reward, and what was measured.

It knows nothing of feedback: it is given the reward as plain arrays.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import numpy as np
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from agents.checkpoint import Arrays, StateDict
from agents.policies.from_torch import uniform_policy
from agents.policies.policy_arrays import PolicyArrays
from agents.policies.rollouts import (
    Moment,
    PolicyVariant,
    StepTerms,
    episode_starts,
    external_moments,
    moments_from_states,
)
from agents.rewards.reward_arrays import RewardArrays
from agents.rl.rollout_collection import Rollout, Steps
from agents.rl.vec_env import SimulationVecEnv
from agents.training.policy_history import PolicyHistory
from agents.training.scaled_reward import ScaledReward
from agents.training.trainer_protocol import TermCounts
from envs.simulate import simulate
from envs.world import Array, Task

REJECTED_VARIANTS = 2
"""How many clips show the policy that was rejected, where each earlier policy has one.

Answers about it decide whether the rejection was right.
"""

Algorithm = TypeVar("Algorithm", bound=OnPolicyAlgorithm | OffPolicyAlgorithm)


def make_env(
    task: Task, seed: int, n_envs: int, skip_absorbing: bool, reward: ScaledReward
) -> SimulationVecEnv:
    """Rows of the task with the rewards of `reward`."""
    sim = simulate(task, n_envs, seed=seed * 1_000_003 + 17, skips=skip_absorbing)
    return SimulationVecEnv(sim, reward, stagger=np.random.default_rng([seed, 3]))


class RolloutTrainer(ABC, Generic[Algorithm]):
    """Trains the policy of a model of Stable-Baselines3 by rollouts in many rows at once."""

    def __init__(
        self,
        task: Task,
        env: SimulationVecEnv,
        algorithm: Algorithm,
        reward: ScaledReward,
        temperatures: tuple[float, ...],
    ) -> None:
        """temperatures: with which the policy acts in clips, beside its own."""
        self.task, self.env, self.algorithm = task, env, algorithm
        self.scaled_reward, self._temperatures = reward, temperatures
        self.history = PolicyHistory()
        self.iterations = 0
        self.further_terms: StepTerms | None = None
        """Terms beside the named ones, K of them; None: none."""

    @property
    @abstractmethod
    def policy(self) -> PolicyArrays: ...

    @property
    @abstractmethod
    def rollout(self) -> Rollout | None:
        """The newest rollout; None before the first."""

    @abstractmethod
    def train_iteration(self) -> int: ...

    @property
    def env_steps(self) -> int:
        return int(self.algorithm.num_timesteps)

    @property
    def reward_scale(self) -> float | None:
        """The number by which rewards are divided; None before the first rollout."""
        return self.scaled_reward.scale

    def set_reward(self, reward: RewardArrays | None) -> None:
        """Train on another reward from now on; None: all rewards are 0."""
        self.scaled_reward.reward = reward
        self._update_reward_scale()

    def update_reward_weights(self, reward: RewardArrays) -> None:
        """Continue with slightly different weights of the same reward; its scale and the best policy stay."""
        self.scaled_reward.reward = reward

    def _update_reward_scale(self) -> None:
        gamma, skips = self.algorithm.gamma, self.env.skipped_steps > 0
        self.scaled_reward.update_scale(self.newest_steps(), self.env.num_envs, gamma, skips)

    def newest_steps(self) -> Steps | None:
        """The newest rollout, one row for each step; None before the first."""
        return None if self.rollout is None else self.rollout.transitions.steps

    @property
    def learned_return(self) -> float:
        """The newest rollout's learned reward per episode, unscaled."""
        rollout, scaled = self.rollout, self.scaled_reward
        paid = 0.0 if rollout is None else rollout.reward_sum / max(rollout.episodes, 1e-9)
        return paid * (scaled.scale or 1.0) + scaled.mean * self.task.horizon

    @property
    def term_counts(self) -> TermCounts | None:
        """Each term per episode [M + K], in the newest rollout; None before the first."""
        rollout = self.rollout
        if rollout is None:
            return None
        sums = rollout.term_sums
        if self.further_terms is not None and len(self.further_terms):
            obs, actions, next_obs, _ = rollout.transitions.steps
            sums = np.append(sums, self.further_terms(obs, actions, next_obs).sum(0))
        return np.asarray(sums / rollout.episodes, np.float32)

    def set_further_terms(self, terms: StepTerms, counts: TermCounts | None) -> TermCounts | None:
        """Count these terms too, beside those that the world names. Returns the `counts` of an episode with
        them."""
        self.further_terms = terms
        return counts if counts is None or self._counts_all(counts) else self.term_counts

    def _counts_all(self, counts: TermCounts) -> bool:
        """Whether these counts include the further terms of now; those of another fit may be others."""
        return not self.further_terms and len(counts) == len(self.task.world.terms)

    def curve_values(self) -> dict[str, float]:
        """Values of the learning curve that training can give now."""
        names = [f"term {name}" for name in self.task.world.term_names]
        counts = self.term_counts
        terms = {} if counts is None else dict(zip(names, counts.tolist(), strict=False))
        return {"learned reward": self.learned_return, **terms}

    def variants(self) -> list[PolicyVariant]:
        """Policies to draw clips from: the current one, the same at higher temperatures, earlier ones, the
        rejected one, and random actions."""
        now, name = self.policy, f"policy:{self.env_steps}"
        bolder = [PolicyVariant(now, temperature, name) for temperature in self._temperatures]
        earlier = [PolicyVariant(policy, 1.0, f"policy:{at}") for at, policy in self.history]
        rejected = self.history.rejected
        given_up = [PolicyVariant(rejected, 1.0, "given up")] * REJECTED_VARIANTS if rejected else []
        unlearned = PolicyVariant(uniform_policy(now), 1.0, "random")
        return [PolicyVariant(now, 1.0, name), *bolder, *earlier, *given_up, unlearned]

    def moments(self, random: np.random.Generator) -> list[Moment]:
        """States to start clips from: those of every row at one step of the newest rollout."""
        if not self.task.can_restore:
            return external_moments(self.task, self.policy, random)
        if self.rollout is None:
            return episode_starts(self.task, 64, int(random.integers(2**31)))
        made = self.rollout.transitions
        return moments_from_states(self.task, made.states, made.rng)

    # Stopping and going on.

    def state_dict(self) -> StateDict:
        history, sim = self.history.state_dict(), self.env.simulation
        facts = {
            "env_steps": self.env_steps,
            "bursts": self.iterations,
            "usual": self.scaled_reward.mean,
            "unit": self.scaled_reward.scale,
            **history.facts,
        }
        if (centres := self.scaled_reward.centres) is not None:
            facts["centres"] = centres.tolist()
        return StateDict(facts, history.arrays | {"sim.states": sim.states, "sim.rng": sim.rng})

    def load_state_dict(self, state: StateDict, reward: RewardArrays | None) -> None:
        """Restore the state. The networks must have been restored before."""
        facts = state.facts
        self.algorithm.num_timesteps, self.iterations = facts["env_steps"], facts["bursts"]
        self.history.load_state_dict(state, self.policy)
        scaled = self.scaled_reward
        scaled.reward, scaled.scale, scaled.mean = reward, facts["unit"], facts["usual"]
        centres = facts.get("centres")
        scaled.centres = None if centres is None else np.array(centres, np.float32)

    def _put_states(self, arrays: Arrays) -> Array:
        """Put all rows into these states. Returns the observations [N, D]."""
        every = np.ones(self.env.num_envs, np.bool_)
        return self.env.simulation.set_states(every, arrays["sim.states"], arrays["sim.rng"]).copy()
