"""SB3's own PPO with our settings, and a world that costs nothing: what ours is compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn
from torch import nn

from agents.rl.ppo import PPOConfig
from agents.rl.silent_logger import silent_logger
from agents.rl.vec_env import SimulationVecEnv
from envs.simulation import Simulation, Step
from envs.world import Array, Task


def sb3_ppo(env: VecEnv, config: PPOConfig, seed: int = 0) -> PPO:
    """SB3's PPO as it comes, with these settings."""
    model = PPO(
        "MlpPolicy",
        env,
        n_steps=config.n_steps,
        batch_size=min(config.batch_size, config.n_steps * env.num_envs),
        n_epochs=config.n_epochs,
        learning_rate=config.learning_rate,
        gamma=config.gamma,
        gae_lambda=config.gae_lambda,
        ent_coef=config.ent_coef,
        clip_range=config.clip_range,
        vf_coef=config.vf_coef,
        max_grad_norm=config.max_grad_norm,
        policy_kwargs={
            "net_arch": list(config.net_arch),
            "activation_fn": nn.ReLU if config.activation == "relu" else nn.Tanh,
        },
        seed=seed,
        device="cpu",
    )
    model.set_logger(silent_logger())
    return model


class NoOpSimulation(Simulation):
    """The shapes and the horizon of a simulation, and nothing ever happens: stepping costs nothing."""

    def __init__(self, task: Task, rows: int) -> None:
        super().__init__(task, rows)
        ends = np.arange(rows) * task.horizon // rows
        self.endings = [ends == clock for clock in range(task.horizon)]
        """Which rows end [N] at each step of the horizon: about as many as ever end at once."""
        self.turn = 0

    def step(self, actions: Array) -> Step:
        self.turn = (self.turn + 1) % self.task.horizon
        return Step(self._obs[0], self._obs[0], self._terms[0], self.endings[self.turn], self.states)


class NoOpVecEnv(SimulationVecEnv):
    """The same for SB3's own rollout: answers made beforehand."""

    def __init__(self, simulation: NoOpSimulation) -> None:
        super().__init__(simulation)
        self._answers = [self._answer(ended) for ended in simulation.endings]
        self._turn = 0

    def _answer(self, ended: NDArray[np.bool_]) -> VecEnvStepReturn:
        obs = self.simulation.obs.copy()
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for row in np.flatnonzero(ended):
            infos[row] = {"terminal_observation": obs[row], "TimeLimit.truncated": True}
        return obs, np.zeros(self.num_envs, np.float32), ended, infos

    def reset(self) -> Any:
        self.reset_infos = [{} for _ in range(self.num_envs)]
        return self.simulation.obs.copy()

    def step_wait(self) -> VecEnvStepReturn:
        self._turn = (self._turn + 1) % len(self._answers)
        return self._answers[self._turn]
