"""The best return known where nothing plans exactly: PPO on the wish itself at a long budget."""

from __future__ import annotations

from typing import Any

import numpy as np

from agents.networks import policy_arrays
from agents.ppo import BurstPPO, PPOConfig
from agents.rollouts import simulate
from agents.scores import episodes
from agents.vec_env import SimulationVecEnv
from envs.world import Array, Task, Wish

STEPS = 4_000_000
FOREIGN_STEPS = 400_000
SCORED = 20
"""How often along the way the policy is scored; the best counts."""


def trained_return(task: Task, seeds: Array, foreign: bool, wish: Wish) -> float:
    """The best mean wish return on the seeds' layouts that a policy trained on the wish had."""
    config = PPOConfig(rows=8, steps=256, batch=512) if foreign else PPOConfig()
    train = simulate(task, config.rows, seed=1)
    env = SimulationVecEnv(train)
    env.judge = wish
    ppo = BurstPPO.on(env, config, seed=0)
    budget = FOREIGN_STEPS if foreign else STEPS
    scored = seeds[:20] if foreign else seeds
    best, random = -np.inf, np.random.default_rng(0)
    for part in range(1, SCORED + 1):
        while ppo.num_timesteps < budget * part // SCORED:
            ppo.burst()
        policy = policy_arrays(ppo.policy)

        def sampled(obs: Any, policy: Any = policy) -> Array:
            return np.asarray(policy.act(obs, random))

        def surest(obs: Any, policy: Any = policy) -> Array:
            return np.asarray(policy.act(obs))

        best = max(best, episodes(task, sampled, scored).mean, episodes(task, surest, scored).mean)
    return float(best)
