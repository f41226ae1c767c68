"""A Simulation as an SB3 vector environment; the learned reward enters at one seam.

The seam is one plain callable, `reward(obs, actions, next_obs, terms) -> [N]`. `next_obs` is where
the step led, never the fresh start after it (SB3 and the reward see the same terminal observation).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from envs.external.external_simulation import ExternalSimulation
from envs.simulate import absorbing_step
from envs.simulation import AnySimulation
from envs.trajectory import Trajectory
from envs.world import Array, TrueReward

Float = NDArray[np.float32]
RewardFunction = Callable[[Float, Array, Float, Float], Float]


def zero_reward(obs: Float, actions: Array, next_obs: Float, terms: Float) -> Float:
    """Zero everywhere: what a learner has before it knows anything."""
    return np.zeros(len(obs), np.float32)


class SimulationVecEnv(VecEnv):
    """N rows of a Simulation. Its ends are truncations, to be bootstrapped.

    stagger: draws how far each row's first episode has gone already, so that the rows don't all end
    at once (what is learned from them is then less alike). None: all begin at their start.
    """

    def __init__(
        self,
        simulation: AnySimulation,
        reward: RewardFunction = zero_reward,
        stagger: np.random.Generator | None = None,
    ) -> None:
        world = simulation.task.world
        box = spaces.Box(-np.inf, np.inf, (len(world.obs_names),), np.float32)
        super().__init__(simulation.rows, box, world.action_space)
        self.simulation, self.reward, self._stagger = simulation, reward, stagger
        self.reward_override: TrueReward | None = None
        """Rewards by the true reward instead, for the oracle's own training; no learner sets it."""
        self._actions: Array = np.zeros(simulation.rows, np.int64)

    def reset(self) -> VecEnvObs:
        self.reset_infos = [{} for _ in range(self.num_envs)]
        sim = self.simulation
        sim.reset_rows(np.ones(self.num_envs, np.bool_))
        if self._stagger is not None and sim.task.world.state_size:
            clock, horizon = sim.task.world.clock, sim.task.horizon
            sim.states[:, clock] = self._stagger.integers(horizon, size=sim.rows)
        return sim.obs.copy()

    def step_async(self, actions: Array) -> None:
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        before, judge = self.simulation.obs, self.reward_override
        states = self.simulation.states if judge is None else self.simulation.states.copy()
        step = self.simulation.step(self._actions)
        if judge is not None:
            rewards = judge(states, step.terms, step.last_states)
        else:
            rewards = self.reward(before, self._actions, step.last_obs, step.terms)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for row in np.flatnonzero(step.ended):
            infos[row] = {"terminal_observation": step.last_obs[row].copy(), "TimeLimit.truncated": True}
        return step.obs.copy(), np.asarray(rewards, np.float32), step.ended.copy(), infos

    def begin_at(self, starts: Sequence[tuple[Trajectory, int]]) -> None:
        """Let some episodes begin at these moments of recordings, in a world of somebody else's."""
        if isinstance(self.simulation, ExternalSimulation):
            self.simulation.starts = list(starts)

    @property
    def skipped_steps(self) -> int:
        """Steps of rest after early ends that were left out so far."""
        return int(self.simulation.skipped_steps)

    def absorbing_reward(self) -> float:
        """What each step of rest after an early end is paid."""
        return float(self.reward(*absorbing_step(self.simulation.task))[0])

    def close(self) -> None:
        pass

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [getattr(self, attr_name, None)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        setattr(self, attr_name, value)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        found = getattr(self, method_name)(*args, **kwargs)
        return [found] * len(list(self._get_indices(indices)))

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        return [False] * len(list(self._get_indices(indices)))

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        first = 0 if seed is None else seed
        self.simulation.seed_rows(first + np.arange(self.num_envs))
        return [first + row for row in range(self.num_envs)]
