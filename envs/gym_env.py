"""Our tasks for everybody else's tools: one row as `gymnasium.Env`, many as `gymnasium.vector.VectorEnv`.

The reward is the proxy reward, as any other tool would see it; `info["terms"]` names what it was made of.
The true reward is not shown. Episodes end by truncation at the horizon, never before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from envs import task_catalog
from envs.simulation import Simulation
from envs.world import OBS_BOUND, Array, Task, TaskOption, World

PICTURE_HEIGHT = 480
"""Of rgb_array frames [px]."""
RENDER_MODES = ("human", "rgb_array")


def _task_of(task: Task | str, options: Mapping[str, TaskOption]) -> Task:
    return task_catalog.task(task, **options) if isinstance(task, str) else task


def _obs_space(task: Task) -> spaces.Box:
    world = task.world
    if world.obs_dtype is np.uint8:
        return spaces.Box(0, 255, world.obs_shape, np.uint8)
    return spaces.Box(-OBS_BOUND, OBS_BOUND, world.obs_shape, np.float32)


def reshape_obs(world: World, obs: Array) -> Array:
    """Observations [..., D] of a Simulation as other tools get them: a copy [..., *obs_shape]."""
    if len(world.obs_shape) == 1:
        return obs.copy()
    if world.obs_dtype is np.uint8:
        obs = np.rint(obs * np.float32(255))
    return np.array(obs, world.obs_dtype).reshape(*obs.shape[:-1], *world.obs_shape)


def proxy_terms(task: Task) -> tuple[tuple[int, float], ...]:
    """The terms that the written reward pays for: index and weight."""
    names = task.world.term_names
    return tuple((names.index(name), float(weight)) for name, weight in task.proxy_reward.items())


def compute_proxy_reward(task: Task, terms: Array) -> NDArray[np.float64]:
    """The written reward [N] of terms [N, M], summed term by term: the same however many rows."""
    reward = np.zeros(len(terms))
    for index, weight in proxy_terms(task):
        reward += terms[:, index].astype(np.float64) * weight
    return reward


class TaskEnv(gymnasium.Env[Any, Any]):
    """One row of a task.

    task: a name that `envs.task_catalog.task` knows, or a Task. Options (size, difficulty,
    split) go to the task.
    reset(seed=s) gives what row s - s0 of a simulation reset with s0 begins with.
    """

    metadata: dict[str, Any] = {"render_modes": list(RENDER_MODES), "render_fps": 10}  # noqa: RUF012

    def __init__(self, task: Task | str, render_mode: str | None = None, **options: TaskOption) -> None:
        if render_mode not in (None, *RENDER_MODES):
            raise ValueError(
                f"render mode {render_mode!r} is unknown: choose one of {', '.join(RENDER_MODES)}"
            )
        self.task = _task_of(task, options)
        self.render_mode = render_mode
        self.metadata = {**self.metadata, "render_fps": self.task.world.steps_per_second}
        self.observation_space = _obs_space(self.task)
        self.action_space = self.task.world.action_space
        self._simulation = Simulation(self.task, 1, auto_reset=False)
        self._proxy_terms, self._names = proxy_terms(self.task), self.task.world.term_names
        self._flat = len(self.task.world.obs_shape) == 1
        self._clock, self._horizon = self.task.world.clock, self.task.horizon
        self._needs_seed = True
        self._canvas: Any = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """A new start: from `seed`, or going on from the last one's random word."""
        super().reset(seed=seed)
        if seed is None and self._needs_seed:
            seed = int(self.np_random.integers(2**31))
        self._needs_seed = False
        if seed is None:
            self._simulation.reset_rows(np.ones(1, np.bool_))
        else:
            self._simulation.reset(seed)
        if self.render_mode == "human":
            self.render()
        return reshape_obs(self.task.world, self._simulation.obs[0]), {}

    def step(self, action: Any) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """One step; truncated at the horizon."""
        simulation = self._simulation
        rows, terms_of = simulation.advance(np.asarray(action)[None])
        values = terms_of[0].tolist()
        reward = 0.0
        for index, weight in self._proxy_terms:
            reward += values[index] * weight
        terms = dict(zip(self._names, values, strict=True))
        if self.render_mode == "human":
            self.render()
        obs = rows[0].copy() if self._flat else reshape_obs(self.task.world, rows[0])
        ended = bool(simulation.states.item(self._clock) >= self._horizon)
        return obs, reward, False, ended, {"terms": terms}

    def render(self) -> Any:
        """The picture uint8 [H, W, 3], or None after showing it in a window of its own."""
        if self.render_mode is None:
            return None
        if self._canvas is None:
            from envs.show.viewer import StateCanvas

            self._canvas = StateCanvas(self.task, PICTURE_HEIGHT, window=self.render_mode == "human")
        return self._canvas.show(self._simulation.states[0])

    def close(self) -> None:
        if self._canvas is not None:
            self._canvas.close()
            self._canvas = None


class TaskVectorEnv(VectorEnv[Any, Any, Array]):
    """Many rows of a task in one simulation.

    A row that reaches its horizon is reset in the same step (AutoresetMode.SAME_STEP): its last
    observation is in `infos["final_obs"]` and its terms in `infos["final_info"]["terms"]`.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012
        "render_modes": ["rgb_array"],
        "render_fps": 10,
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(
        self, task: Task | str, num_envs: int = 1, render_mode: str | None = None, **options: TaskOption
    ) -> None:
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render mode {render_mode!r} is unknown for many rows: choose 'rgb_array'")
        self.task, self.num_envs, self.render_mode = _task_of(task, options), num_envs, render_mode
        self.single_observation_space = _obs_space(self.task)
        self.single_action_space = self.task.world.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._simulation = Simulation(self.task, num_envs)
        self._needs_seed = True
        self._canvas: Any = None

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """New starts; row i is seeded with seed + i, or with seed[i].

        options {"reset_mask": bool [N]} resets only these rows.
        """
        super().reset(seed=seed if isinstance(seed, int) else None)
        which = (options or {}).get("reset_mask", np.ones(self.num_envs, np.bool_))
        if seed is None and self._needs_seed:
            seed = int(self.np_random.integers(2**31))
        self._needs_seed = False
        if seed is not None:
            self._seed(seed, which)
        return reshape_obs(self.task.world, self._simulation.reset_rows(which)), {}

    def _seed(self, seed: int | Sequence[int | None], which: NDArray[np.bool_]) -> None:
        seeds = [seed + i for i in range(self.num_envs)] if isinstance(seed, int) else list(seed)
        if len(seeds) != self.num_envs:
            raise ValueError(f"{len(seeds)} seeds were given for {self.num_envs} rows: give one for each")
        kept = self._simulation.rng.copy()
        given = which & np.array([one is not None for one in seeds])
        self._simulation.seed_rows(np.array([one or 0 for one in seeds]))
        self._simulation.rng[~given] = kept[~given]

    def step(
        self, actions: Array
    ) -> tuple[Array, Array, NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """One step of all rows."""
        step = self._simulation.step(actions)
        infos = self._terms_info(step.terms, np.ones(self.num_envs, np.bool_))
        if step.ended.any():
            final = np.full(self.num_envs, None, dtype=object)
            for row in np.flatnonzero(step.ended):
                final[row] = reshape_obs(self.task.world, step.last_obs[row])
            infos |= {"final_obs": final, "_final_obs": step.ended.copy()}
            infos |= {
                "final_info": self._terms_info(step.terms, step.ended),
                "_final_info": step.ended.copy(),
            }
        rewards = compute_proxy_reward(self.task, step.terms)
        return (
            reshape_obs(self.task.world, step.obs),
            rewards,
            np.zeros(self.num_envs, np.bool_),
            step.ended.copy(),
            infos,
        )

    def _terms_info(self, terms: Array, which: NDArray[np.bool_]) -> dict[str, Any]:
        """Gymnasium's vector form: each key beside a mask of the rows that have it."""
        told: dict[str, Any] = {}
        for index, name in enumerate(self.task.world.term_names):
            told[name], told[f"_{name}"] = np.where(which, terms[:, index], 0.0), which.copy()
        return {"terms": told, "_terms": which.copy()}

    def render(self) -> tuple[Any, ...] | None:
        """Every row's picture uint8 [H, W, 3]."""
        if self.render_mode is None:
            return None
        if self._canvas is None:
            from envs.show.viewer import StateCanvas

            self._canvas = StateCanvas(self.task, PICTURE_HEIGHT // 2)
        return tuple(self._canvas.show(state) for state in self._simulation.states)
