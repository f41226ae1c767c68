"""The best that is known under a reward: exact plans, a driver by rule, or PPO at a long budget.

The reward is handed in (`judge`): the wish where scores ask, the written reward where the gap between
the two is measured. No learner comes here.
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
from agents.policies.rollouts import Act
from agents.rl.ppo import BurstPPO, PPOConfig, discounted_deviation
from agents.rl.vec_env import SimulationVecEnv
from envs.simulate import simulate
from envs.world import Task, TrueReward

STEPS = 10_000_000
"""Ten times what a normal run of a learner practises at most [environment steps]."""
FOREIGN_STEPS = 400_000
SCORED = 20
"""How often along the way the policy is scored; the best counts."""
FINAL_RATE = 0.1
"""Learning rate and entropy bonus fall to this share of their start: the last policy is a sure one."""

Progress = Callable[[float, str], None]
Worth = Callable[[Act], float]
"""The mean return of a way of acting on the layouts that are scored."""


def foreign_config(config: PPOConfig) -> PPOConfig:
    """The same for a world that steps one row at a time: few rows, longer rollouts."""
    return replace(config, n_envs=8, n_steps=256, batch_size=256)


def ppo_on_reward(task: Task, judge: TrueReward, seed: int = 0, config: PPOConfig | None = None) -> BurstPPO:
    """PPO with our defaults whose reward is `judge`, in the unit that a first rollout shows.

    As in every learner of ours the reward is divided by the deviation of its discounted sums.
    """
    config = config or (foreign_config(PPOConfig()) if task.is_costly else PPOConfig())
    sim = simulate(task, config.n_envs, seed=seed * 1_000_003 + 29)
    env = SimulationVecEnv(sim, stagger=np.random.default_rng([seed, 7]))
    env.judge = judge
    ppo = BurstPPO.on(env, config, seed=seed)
    ppo.learn_nothing()
    unit = discounted_deviation(ppo.rollout_buffer.rewards, ppo.gamma)

    def in_units(before: Any, terms: Any, after: Any) -> NDArray[np.float32]:
        return np.asarray(judge(before, terms, after) / unit, np.float32)

    env.judge = in_units
    return ppo


@dataclass(frozen=True)
class Trained:
    """The best policy along the way. surest: whether its surest action (see `acting`) beat sampling."""

    policy: PolicyArrays
    surest: bool
    worth: float
    steps: int


def train(
    task: Task,
    judge: TrueReward,
    worth: Worth,
    steps: int,
    progress: Progress = lambda share, text: None,
    seed: int = 0,
) -> Trained:
    """PPO on `judge` for so many environment steps; the policy that `worth` liked best."""
    ppo = ppo_on_reward(task, judge, seed)
    rate, entropy = float(ppo.lr_schedule(1.0)), ppo.ent_coef
    best: Trained | None = None
    for part in range(1, SCORED + 1):
        while ppo.num_timesteps < steps * part // SCORED:
            left = 1.0 - (1.0 - FINAL_RATE) * min(1.0, ppo.num_timesteps / steps)
            ppo.policy.optimizer.param_groups[0]["lr"] = rate * left
            ppo.ent_coef = entropy * left
            ppo.train_iteration()
        policy = policy_arrays(ppo.policy)
        for surest in (False, True):
            found = worth(acting(policy, surest))
            if best is None or found > best.worth:
                best = Trained(policy, surest, found, steps)
        assert best is not None
        progress(part / SCORED, f"PPO, {ppo.num_timesteps:,} steps, best return {best.worth:.2f}")
    assert best is not None
    return best


def acting(policy: PolicyArrays, surest: bool, seed: int = 0) -> Act:
    """A policy's actions: always the likeliest (of a Gaussian: the mean of what it does), or sampled."""
    if surest and policy.log_std is not None and policy.low is not None and policy.high is not None:
        deviation, low, high = np.exp(policy.log_std), policy.low, policy.high
        return lambda obs: clipped_mean(forward(policy.layers, obs, policy.activation), deviation, low, high)
    if surest:
        return lambda obs: policy.act(obs)
    return rollouts.acting(policy, seed)


def by_rule(task: Task) -> Act | None:
    """The careful driver by rule that some worlds have (`WorldHooks.rule_driver`), None in others."""
    hook = task.world.hooks.rule_driver
    return None if hook is None else hook(task)
