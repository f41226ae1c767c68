"""The best known policy under a reward: an exact plan, a driver by rule, or PPO with many steps.

The reward is a parameter: scores give the true reward; the measurement of the reward gap gives the proxy
reward too. No learner uses this file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.policies import rollouts
from agents.policies.clipped_gaussian import clipped_mean
from agents.policies.from_torch import policy_arrays
from agents.policies.policy_arrays import PolicyArrays, forward
from agents.policies.rollouts import ActFunction
from agents.rl.ppo import IncrementalPPO, PPOConfig, discounted_return_std
from agents.rl.vec_env import SimulationVecEnv
from envs.simulate import simulate
from envs.world import Task, TrueReward

ORACLE_STEPS = 10_000_000
"""Ten times the environment steps of a normal run of a learner."""
EXTERNAL_ORACLE_STEPS = 400_000
N_EVALUATIONS = 20
"""How many times the policy is scored during training; the best one is kept."""
FINAL_RATE_SHARE = 0.1
"""Learning rate and entropy bonus fall to this share of their initial values, so that the last policy is
nearly deterministic."""

Progress = Callable[[float, str], None]
MeanReturn = Callable[[ActFunction], float]
"""The mean return of a policy on the layouts that are scored."""


def external_config(config: PPOConfig) -> PPOConfig:
    """The same configuration for a world that steps one row at a time: few rows, longer rollouts."""
    return replace(config, n_envs=8, n_steps=256, batch_size=256)


def ppo_on_reward(
    task: Task, reward: TrueReward, seed: int = 0, config: PPOConfig | None = None
) -> IncrementalPPO:
    """PPO with our defaults on `reward`, scaled by a first rollout.

    As in all our learners, the reward is divided by the standard deviation of its discounted sums.
    """
    config = config or (external_config(PPOConfig()) if task.is_costly else PPOConfig())
    sim = simulate(task, config.n_envs, seed=seed * 1_000_003 + 29)
    env = SimulationVecEnv(sim, stagger=np.random.default_rng([seed, 7]))
    env.reward_override = reward
    ppo = IncrementalPPO.for_env(env, config, seed=seed)
    ppo.collect_only()
    paid = ppo.rollout_buffer.rewards
    usual = float(np.abs(paid).max()) if task.is_costly else 1.0  # anybody's reward may be in millionths
    unit = discounted_return_std(paid, ppo.gamma, 1e-3 * usual or 1e-3)

    def in_units(before: Any, terms: Any, after: Any) -> NDArray[np.float32]:
        return np.asarray(reward(before, terms, after) / unit, np.float32)

    env.reward_override = in_units
    return ppo


@dataclass(frozen=True)
class TrainedPolicy:
    """The best policy that was met in training. deterministic: whether its likeliest actions scored higher
    than sampled ones."""

    policy: PolicyArrays
    deterministic: bool
    mean_return: float
    steps: int


def train_oracle(
    task: Task,
    reward: TrueReward,
    mean_return: MeanReturn,
    steps: int,
    progress: Progress = lambda share, text: None,
    seed: int = 0,
) -> TrainedPolicy:
    """Train PPO on `reward` for so many environment steps. Returns the policy with the highest
    `mean_return`."""
    ppo = ppo_on_reward(task, reward, seed)
    rate, entropy = float(ppo.lr_schedule(1.0)), ppo.ent_coef
    best: TrainedPolicy | None = None
    for part in range(1, N_EVALUATIONS + 1):
        while ppo.num_timesteps < steps * part // N_EVALUATIONS:
            left = 1.0 - (1.0 - FINAL_RATE_SHARE) * min(1.0, ppo.num_timesteps / steps)
            ppo.policy.optimizer.param_groups[0]["lr"] = rate * left
            ppo.ent_coef = entropy * left
            ppo.train_iteration()
        policy = policy_arrays(ppo.policy)
        for surest in (False, True):
            found = mean_return(act_function(policy, surest))
            if best is None or found > best.mean_return:
                best = TrainedPolicy(policy, surest, found, steps)
        assert best is not None
        progress(
            part / N_EVALUATIONS, f"PPO, {ppo.num_timesteps:,} steps, best return {best.mean_return:.2f}"
        )
    assert best is not None
    return best


def act_function(policy: PolicyArrays, deterministic: bool, seed: int = 0) -> ActFunction:
    """A policy's actions: always the likeliest (of a Gaussian: the mean of what it does), or sampled."""
    if deterministic and policy.log_std is not None and policy.low is not None and policy.high is not None:
        deviation, low, high = np.exp(policy.log_std), policy.low, policy.high
        return lambda obs: clipped_mean(
            forward(policy.layers, policy.extract_features(obs), policy.activation), deviation, low, high
        )
    if deterministic:
        return lambda obs: policy.act(obs)
    return rollouts.sampling_act(policy, seed)


def rule_based_act(task: Task) -> ActFunction | None:
    """The careful driver by rule that some worlds have (`WorldHooks.rule_driver`), None in others."""
    hook = task.world.hooks.rule_driver
    return None if hook is None else hook(task)
