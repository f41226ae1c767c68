"""Rollouts of a policy: what N rows did in T steps, and what they were paid for it.

On-policy and off-policy training collect in the same way and differ in what they do with the steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from agents.rl.vec_env import SimulationVecEnv
from envs.world import Array

Float = NDArray[np.float32]
ActionSampler = Callable[[Float], tuple[Array, Array]]
"""obs [N, D] -> (actions as the world takes them, actions as the policy drew them [N, C])."""
Steps = tuple[Float, Array, Float, Float]
"""(obs [S, D], actions [S] or [S, C], next_obs [S, D], terms [S, M]), one row for each step."""


@dataclass(frozen=True)
class Transitions:
    """T steps of N rows. `states` and `rng` are those before step `state_step`, for clips to start from."""

    obs: Float  # [T, N, D]
    actions: Array  # [T, N, C] as the policy drew them; Discrete ones have one column
    next_obs: Float  # [T, N, D] where the step led, never the fresh start after it
    terms: Float  # [T, N, M]
    ended: NDArray[np.bool_]  # [T, N]
    override_rewards: Float | None  # [T, N] by the environment's `judge`, None where it has none
    is_discrete: bool
    state_step: int
    states: Array  # [N, K]
    rng: NDArray[np.uint64]  # [N]
    skipped_steps: int  # steps of rest after early ends that were left out

    @property
    def steps(self) -> Steps:
        """The same with one row for each step: what a reward takes."""
        size = self.ended.size
        actions = self.actions.reshape(size, -1)
        if self.is_discrete:
            actions = actions[:, 0].astype(np.int64)
        return (
            self.obs.reshape(size, -1),
            actions,
            self.next_obs.reshape(size, -1),
            self.terms.reshape(size, -1),
        )


@dataclass(frozen=True)
class Rollout:
    """Transitions and what they were paid. Rest that was left out counts as if it had been stepped."""

    transitions: Transitions
    reward_sum: float  # of all rows and steps
    episodes: float  # steps of all rows over the horizon

    @classmethod
    def from_rewards(
        cls, transitions: Transitions, rewards: Float, absorbing_reward: float, horizon: int
    ) -> Rollout:
        """rewards [T, N] or [S]. absorbing_reward: what each step of rest is paid that was left out."""
        reward_sum, episodes = float(rewards.sum()), transitions.ended.size / horizon
        if transitions.skipped_steps:
            reward_sum += transitions.skipped_steps * absorbing_reward
            episodes += transitions.skipped_steps / horizon
        return cls(transitions, reward_sum, episodes)

    @property
    def term_sums(self) -> NDArray[Any]:
        """Each term summed over all rows and steps [M]."""
        return np.asarray(self.transitions.terms.sum((0, 1)))


def collect_transitions(
    env: SimulationVecEnv, sample: ActionSampler, steps: int, random: np.random.Generator
) -> Transitions:
    """Let `sample` act for so many steps of every row; `random` draws the step whose states are kept."""
    sim, rows = env.simulation, env.num_envs
    obs = np.zeros((steps, rows, sim.obs.shape[1]), np.float32)
    next_obs = np.zeros_like(obs)
    terms = np.zeros((steps, rows, len(sim.task.world.terms)), np.float32)
    ended = np.zeros((steps, rows), np.bool_)
    true_rewards = None if env.reward_override is None else np.zeros((steps, rows), np.float32)
    drawn: list[Array] = []
    kept, skipped = int(random.integers(steps)), env.skipped_steps
    for t in range(steps):
        if t == kept:
            states, rng = sim.states.copy(), sim.rng.copy()
        obs[t] = sim.obs
        actions, as_drawn = sample(obs[t])
        drawn.append(as_drawn)
        before = sim.states.copy() if env.reward_override is not None else sim.states
        step = sim.step(actions)
        if env.reward_override is not None and true_rewards is not None:
            true_rewards[t] = env.reward_override(before, step.terms, step.last_states)
        next_obs[t], terms[t], ended[t] = step.last_obs, step.terms, step.ended
    return Transitions(
        obs,
        np.stack(drawn),
        next_obs,
        terms,
        ended,
        true_rewards,
        isinstance(env.action_space, spaces.Discrete),
        kept,
        states,
        rng,
        env.skipped_steps - skipped,
    )
