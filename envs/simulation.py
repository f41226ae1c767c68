"""The only mutable thing on this floor: N rows of a task, their clocks and their random words."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from envs import kernels
from envs.trajectory import Recorder, Trajectory
from envs.world import Array, Kernel, Task


class Step(NamedTuple):
    """What one step of N rows gave.

    obs [N, D]: where the rows are now (the fresh start in rows that just ended).
    last_obs [N, D]: where the step led (differs from obs in rows that ended).
    terms [N, M]; ended [N] bool: the horizon was reached and the row was reset (a truncation:
    bootstrap). last_states [N, K]: the states where the step led. Arrays are valid until the next
    step but one (two buffers alternate).
    """

    obs: NDArray[np.float32]
    last_obs: NDArray[np.float32]
    terms: NDArray[np.float32]
    ended: NDArray[np.bool_]
    last_states: Array


class AnySimulation(Protocol):
    """N rows of a task, whoever made its world. See `Simulation` for what each method does."""

    rows: int
    auto_reset: bool
    skipped_steps: int
    """Steps after early ends that were left out."""
    states: Array
    """[N, K]; K = 0 where nothing can be restored, unless pictures are kept."""
    rng: NDArray[np.uint64]

    @property
    def task(self) -> Task: ...

    @property
    def obs(self) -> NDArray[np.float32]: ...

    @property
    def clock(self) -> NDArray[np.int64]:
        """[N] steps since each row's episode began."""
        ...

    @property
    def over(self) -> NDArray[np.bool_]:
        """[N] whether a row's episode is over before the horizon."""
        ...

    def seed_rows(self, seeds: Array) -> None: ...
    def reset(self, seed: int | Array = 0) -> NDArray[np.float32]: ...
    def reset_rows(self, which: NDArray[np.bool_]) -> NDArray[np.float32]: ...
    def reset_as_env(self, seed: int) -> None:
        """Start row 0 as the task's Gymnasium environment starts with `reset(seed=seed)`."""
        ...

    def step(self, actions: Array) -> Step: ...
    def set_states(self, which: NDArray[np.bool_], states: Array, rng: Array) -> NDArray[np.float32]: ...
    def fork(self, row: int, trajectory: Trajectory, t: int = 0) -> NDArray[np.float32]: ...
    def recorder(self, row: int = 0, driver: str = "person") -> Recorder: ...
    def frame(self, row: int = 0) -> NDArray[np.uint8]:
        """A picture [H, W, 3] of a row now, of a task that draws itself (`Task.draws_itself`)."""
        ...

    def record_frames(self) -> None:
        """Keep pictures as states from now on, in a world whose recordings need them."""
        ...

    def replay_origin(self, row: int = 0) -> tuple[int | None, Array | None]:
        """What runs a row again up to now where no state is kept: its seed and the actions since."""
        ...

    def close(self) -> None: ...


def random_words_of(seeds: Array) -> NDArray[np.uint64]:
    """The random words that rows seeded with `seeds` begin with."""
    return np.asarray(seeds, np.uint64) * np.uint64(0xD1342543DE82EF95) + np.uint64(0x2545F4914F6CDD1D)


def fetch_kernels(task: Task) -> None:
    """In a process that began plain: load this world's compiled kernels, for simulations reset from then on.

    They must be in the cache (`kernels.is_warm`), else this compiles for many seconds. For a thread.
    """

    def use(twins: dict[Any, Any]) -> None:
        touch_kernels(task, Kernel(*(twins[one] for one in task.world.kernel)))

    kernels.load_compiled(task.world.kernel, use)


def touch_kernels(task: Task, kernel: Kernel) -> None:
    """Call each part of a kernel once: that is when numba compiles it, or loads it from its cache."""
    sim = Simulation(task, 1, kernel=kernel)
    sim.step(task.idle_actions(1))
    sim.set_states(np.ones(1, np.bool_), sim.states.copy(), sim.rng.copy())


class Simulation:
    """N rows of one task with fixed horizon and auto-reset. kernel: another than the fastest there is."""

    def __init__(
        self, task: Task, rows: int, *, seed: int = 0, auto_reset: bool = True, kernel: Kernel | None = None
    ) -> None:
        world = task.world
        self.task, self.rows, self.auto_reset, self.skipped_steps = task, rows, auto_reset, 0
        self._given, self._kernel = kernel, kernel or world.kernel
        self._params, self._clock = world.params, world.clock
        self.states: Array = np.zeros((rows, world.state_size), world.state_dtype)
        self.rng = np.zeros(rows, np.uint64)
        self._aux: Array = np.zeros((rows, world.aux_size), world.aux_dtype)
        size = len(world.obs_names)
        self._obs = [np.zeros((rows, size), np.float32) for _ in range(2)]
        self._last = [np.zeros((rows, size), np.float32) for _ in range(2)]
        self._terms = [np.zeros((rows, len(world.terms)), np.float32) for _ in range(2)]
        self._buffer_index = 0
        self._all = np.ones(rows, np.bool_)
        discrete = isinstance(world.action_space, spaces.Discrete)
        self._action_dtype: type = np.int64 if discrete else np.float32
        self.reset(seed)

    @property
    def obs(self) -> NDArray[np.float32]:
        return self._obs[self._buffer_index]

    @property
    def clock(self) -> NDArray[np.int64]:
        """[N] steps since each row's episode began."""
        return self.states[:, self._clock].astype(np.int64)

    @property
    def over(self) -> NDArray[np.bool_]:
        """[N] False: no episode is over before the horizon."""
        return np.zeros(self.rows, np.bool_)

    def reset_as_env(self, seed: int) -> None:
        """Start row 0 as `envs.gym_env.TaskEnv` starts with `reset(seed=seed)`."""
        self.reset(seed)

    def frame(self, row: int = 0) -> NDArray[np.uint8]:
        """Not possible here: a renderer draws the states."""
        raise TypeError(f"{self.task.id} does not draw itself; draw its states with a renderer")

    def record_frames(self) -> None:
        """Nothing to do: states are kept."""

    def replay_origin(self, row: int = 0) -> tuple[int | None, Array | None]:
        """Nothing: a state is enough."""
        return None, None

    def close(self) -> None:
        """Nothing is held that must be given back."""

    def seed_rows(self, seeds: Array) -> None:
        """Give each row the random word that follows from its own seed (row order is irrelevant)."""
        self.rng[:] = random_words_of(seeds)

    def reset(self, seed: int | Array = 0) -> NDArray[np.float32]:
        """Start every row anew; row i is seeded with seed + i, or with seed[i]."""
        self._kernel = self._given or self.task.world.kernel.fastest()
        seeds = seed + np.arange(self.rows) if isinstance(seed, int) else seed
        self.seed_rows(seeds)
        return self.reset_rows(self._all)

    def reset_rows(self, which: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Draw new starts in some rows from their own random words."""
        self._kernel.reset(self._params, which, self.rng, self.states, self._aux)
        self._kernel.observe(self._params, self.states, self._aux, self.obs)
        return self.obs

    def advance(self, actions: Array) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Advance all rows, whether their horizon is reached or not: (obs [N, D], terms [N, M])."""
        turn = self._buffer_index = 1 - self._buffer_index
        obs, terms = self._obs[turn], self._terms[turn]
        actions = np.asarray(actions, self._action_dtype)
        self._kernel.step(self._params, actions, self.rng, self.states, self._aux, terms)
        self._kernel.observe(self._params, self.states, self._aux, obs)
        return obs, terms

    def step(self, actions: Array) -> Step:
        """Advance all rows; rows whose horizon is reached start anew."""
        obs, terms = self.advance(actions)
        ended = self.states[:, self._clock] >= self.task.horizon
        if not (self.auto_reset and ended.any()):
            return Step(obs, obs, terms, ended, self.states)
        last = self._last[self._buffer_index]
        last[:] = obs
        last_states = self.states.copy()
        self._kernel.reset(self._params, ended, self.rng, self.states, self._aux)
        fresh = np.empty((int(ended.sum()), obs.shape[1]), np.float32)
        self._kernel.observe(self._params, self.states[ended], self._aux[ended], fresh)
        obs[ended] = fresh
        return Step(obs, last, terms, ended, last_states)

    def set_states(self, which: NDArray[np.bool_], states: Array, rng: Array) -> NDArray[np.float32]:
        """Place stored states (and random words) into some rows; they go on from there."""
        if which.all():
            self._kernel = self._given or self.task.world.kernel.fastest()
        self.states[which] = states
        self.rng[which] = rng
        self._kernel.refresh(self._params, which, self.states, self._aux)
        self._kernel.observe(self._params, self.states, self._aux, self.obs)
        return self.obs

    def fork(self, row: int, trajectory: Trajectory, t: int = 0) -> NDArray[np.float32]:
        """Place moment `t` of a recording into one row; it goes on from there."""
        if trajectory.states.shape[1:] != self.states.shape[1:]:
            raise ValueError(
                f"a recording with {trajectory.states.shape[-1]} numbers of state doesn't fit a simulation "
                f"of {self.states.shape[1]}: make the task with the recording's own options"
            )
        which = np.arange(self.rows) == row
        return self.set_states(which, trajectory.states[t], trajectory.rng[t])

    def recorder(self, row: int = 0, driver: str = "person") -> Recorder:
        """A recorder that begins at a row's moment now."""
        return Recorder(
            self.task.id,
            self.states[row],
            int(self.rng[row]),
            self.obs[row],
            driver=driver,
            kernel=kernels.mode_of(self._kernel.step),
            options=self.task.options,
            n_terms=len(self.task.world.terms),
        )
