"""SB3's own PPO with our settings, and a world that costs nothing: what ours is compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn
from torch import nn

from agents.ppo import PPOConfig
from agents.vec_env import SimulationVecEnv
from envs.simulation import Simulation, Step
from envs.world import Array


def stock_ppo(env: VecEnv, config: PPOConfig, seed: int = 0) -> PPO:
    """SB3's PPO as it comes, with these settings."""
    return PPO(
        "MlpPolicy",
        env,
        n_steps=config.steps,
        batch_size=min(config.batch, config.steps * env.num_envs),
        n_epochs=config.epochs,
        learning_rate=config.rate,
        gamma=config.gamma,
        gae_lambda=config.lam,
        ent_coef=config.entropy,
        clip_range=config.clip,
        vf_coef=config.value_weight,
        max_grad_norm=config.grad_norm,
        policy_kwargs={
            "net_arch": list(config.hidden),
            "activation_fn": nn.ReLU if config.activation == "relu" else nn.Tanh,
        },
        seed=seed,
        device="cpu",
    )


class StillSimulation(Simulation):
    """The shapes of a simulation, and nothing ever happens: stepping costs nothing."""

    def step(self, actions: Array) -> Step:
        return Step(self._obs[0], self._obs[0], self._terms[0], self._never, self.states)

    @property
    def _never(self) -> NDArray[np.bool_]:
        return np.zeros(self.rows, np.bool_)


class StillVecEnv(SimulationVecEnv):
    """The same for SB3's own rollout: one and the same answer to every step."""

    def reset(self) -> Any:
        self.reset_infos = [{} for _ in range(self.num_envs)]
        self._answer: VecEnvStepReturn = (
            self.simulation.obs.copy(),
            np.zeros(self.num_envs, np.float32),
            np.zeros(self.num_envs, np.bool_),
            [{} for _ in range(self.num_envs)],
        )
        return self._answer[0]

    def step_wait(self) -> VecEnvStepReturn:
        return self._answer
