"""N rows of a world of somebody else's, behind the same face as `envs.simulation.Simulation`.

No state can be taken out of such a world, so a moment of it is known by the seed of its episode and
the actions since: replays and forks are made by running it again, and checked against what was seen.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any, cast

import gymnasium
import numpy as np
from numpy.typing import NDArray

from envs.foreign.task import ENDED, REWARD, ForeignTask, ForeignWorldError
from envs.simulation import Simulation, Step, words_of
from envs.trajectory import Recorder, Trajectory
from envs.world import Array

NEAR = 1e-3
"""How far a re-simulated observation may lie from the recorded one (machines differ in last bits)."""


class ForeignSimulation:
    """N environments with a fixed horizon, an absorbing moment after early ends, and auto-reset."""

    def __init__(self, task: ForeignTask, rows: int, *, seed: int = 0, auto_reset: bool = True) -> None:
        self.task, self.rows, self.auto_reset = task, rows, auto_reset
        self._envs = [task.make() for _ in range(rows)]
        self.states = np.zeros((rows, 0), np.float32)
        self.rng = np.zeros(rows, np.uint64)
        self.seeds = np.zeros(rows, np.int64)
        """[N] the seed that each row's episode started from."""
        self.clock = np.zeros(rows, np.int64)
        """[N] steps since the episode's start."""
        self._since: list[list[Any]] = [[] for _ in range(rows)]
        self._over = np.zeros(rows, np.bool_)
        size = len(task.world.obs_names)
        self._obs = [np.zeros((rows, size), np.float32) for _ in range(2)]
        self._last = [np.zeros((rows, size), np.float32) for _ in range(2)]
        self._terms = [np.zeros((rows, len(task.world.terms)), np.float32) for _ in range(2)]
        self._turn = 0
        self._frames: dict[int, NDArray[np.uint8]] = {}
        self.reset(seed)

    @property
    def obs(self) -> NDArray[np.float32]:
        return self._obs[self._turn]

    def seed_rows(self, seeds: Array) -> None:
        """Give each row the random word that follows from its own seed (row order is irrelevant)."""
        self.rng[:] = words_of(seeds)

    def reset(self, seed: int | Array = 0) -> NDArray[np.float32]:
        """Start every row anew; row i is seeded with seed + i, or with seed[i]."""
        self.seed_rows(seed + np.arange(self.rows) if isinstance(seed, int) else seed)
        return self.reset_rows(np.ones(self.rows, np.bool_))

    def reset_rows(self, which: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Start some rows anew, each from a seed drawn from its own random word."""
        self.rng[which] = words_of(self.rng[which])
        for row in np.flatnonzero(which):
            self._start(int(row), int(self.rng[row] >> np.uint64(33)))
        return self.obs

    def _start(self, row: int, seed: int) -> None:
        self.seeds[row], self.clock[row], self._over[row] = seed, 0, False
        self._since[row] = []
        self._frames.pop(row, None)
        obs, _ = self._envs[row].reset(seed=seed)
        self.obs[row, :-1], self.obs[row, -1] = self.task.flat_obs(obs), 0.0

    def step(self, actions: Array) -> Step:
        """Advance all rows; rows whose horizon is reached start anew."""
        before, turn = self.obs, 1 - self._turn
        self._turn = turn
        obs, last, terms = self._obs[turn], self._last[turn], self._terms[turn]
        obs[:] = before
        self._frames.clear()
        for row in range(self.rows):
            self._advance(row, actions[row], obs, terms)
        ended = self.clock >= self.task.horizon
        if not (self.auto_reset and ended.any()):
            return Step(obs, obs, terms, ended, self.states)
        last[:] = obs
        self.reset_rows(ended)
        return Step(obs, last, terms, ended, self.states)

    def _advance(self, row: int, action: Any, obs: NDArray[np.float32], terms: NDArray[np.float32]) -> None:
        terms[row] = 0.0
        self.clock[row] += 1
        self._since[row].append(np.array(action))
        if self._over[row]:
            return
        seen, reward, terminated, truncated, _ = self._envs[row].step(self.task.its_action(action))
        terms[row, REWARD] = reward
        early = terminated or (truncated and self.clock[row] < self.task.horizon)
        self._over[row] = early
        if early:
            terms[row, ENDED] = 1.0
            obs[row], obs[row, -1] = 0.0, 1.0
        else:
            obs[row, :-1] = self.task.flat_obs(seen)

    def put(self, which: NDArray[np.bool_], states: Array, rng: Array) -> NDArray[np.float32]:
        """Not possible here: a world of somebody else's has no states to put. Use `fork`."""
        raise TypeError(f"{self.task.id} can't be put into a state; fork a recording of it instead")

    def fork(self, row: int, trajectory: Trajectory, t: int = 0) -> NDArray[np.float32]:
        """Bring one row to moment `t` of a recording by running it again; it goes on from there.

        Raises ForeignWorldError when the world doesn't repeat itself, or the seed was not recorded.
        """
        if trajectory.seed is None:
            raise ForeignWorldError(
                f"this recording of {trajectory.task} has no seed, so it can't be run again"
            )
        if not 0 <= t <= len(trajectory):
            raise ValueError(f"moment {t} is not in a recording of {len(trajectory)} steps")
        self._start(row, trajectory.seed)
        self.rng[row] = trajectory.rng[t]
        head: Iterable[Any] = () if trajectory.prefix is None else trajectory.prefix
        for action in (*head, *trajectory.actions[:t]):
            self._advance(row, action, self.obs, self._terms[self._turn])
        self._frames.pop(row, None)
        self._check(row, trajectory, t)
        return self.obs

    def _check(self, row: int, trajectory: Trajectory, t: int) -> None:
        if not np.allclose(self.obs[row], trajectory.observations[t], rtol=NEAR, atol=NEAR, equal_nan=True):
            raise ForeignWorldError(
                f"{self.task.id} didn't repeat itself: run again from seed {trajectory.seed} it is somewhere "
                f"else at step {t}, so its recordings can't be replayed or taken over"
            )

    def frame(self, row: int = 0) -> NDArray[np.uint8]:
        """What the world draws of itself now, uint8 [H, W, 3]. After an early end: its last picture.

        Raises ForeignWorldError when it has no picture.
        """
        if row not in self._frames:
            self._frames[row] = picture(self.task, self._envs[row])
        return self._frames[row]

    def origin(self, row: int = 0) -> tuple[int, Array | None]:
        """What runs a row again up to now: its episode's seed, and the actions since (None: none yet)."""
        since = self._since[row]
        return int(self.seeds[row]), np.array(since) if since else None

    def recorder(self, row: int = 0, driver: str = "person") -> Recorder:
        """A recorder that begins at a row's moment now, with what is needed to run it again."""
        seed, prefix = self.origin(row)
        return Recorder(
            self.task.id,
            self.states[row],
            int(self.rng[row]),
            self.obs[row],
            driver=driver,
            kernel="foreign",
            options=self.task.options,
            seed=seed,
            prefix=prefix,
        )

    def close(self) -> None:
        """Let the environments go.

        Not by their own `close` where pygame is in use: several quit it for the whole process, window
        and all.
        """
        if "pygame" not in sys.modules:
            for env in self._envs:
                env.close()
        self._envs = []


AnySimulation = Simulation | ForeignSimulation
"""Both have task, rows, obs, states, rng, reset, reset_rows, step, fork and recorder."""


def picture(task: ForeignTask, env: gymnasium.Env[Any, Any]) -> NDArray[np.uint8]:
    """One frame, or a sentence about why there is none."""
    if not task.has_frames:
        raise ForeignWorldError(
            f"{task.id} has no render mode 'rgb_array', so it can't be shown: choose a world that can draw "
            "itself, or train on it without a window"
        )
    try:
        frame = env.render()
    except gymnasium.error.DependencyNotInstalled as error:
        raise ForeignWorldError(f"{task.id} needs a package to draw itself: {error}") from error
    if not isinstance(frame, np.ndarray) or frame.ndim != 3 or frame.shape[2] != 3:
        raise ForeignWorldError(f"{task.id} drew {type(frame).__name__} instead of a picture [H, W, 3]")
    return cast("NDArray[np.uint8]", frame.astype(np.uint8, copy=False))


def frames_of(task: ForeignTask, trajectory: Trajectory) -> Iterator[NDArray[np.uint8]]:
    """A recording's T+1 frames one by one, by running it again; checked at each moment."""
    simulation = ForeignSimulation(task, 1, auto_reset=False)
    try:
        simulation.fork(0, trajectory, 0)
        yield simulation.frame()
        for t, action in enumerate(trajectory.actions, start=1):
            simulation.step(np.asarray(action)[None])
            simulation._check(0, trajectory, t)
            yield simulation.frame()
    finally:
        simulation.close()


def resimulate(task: ForeignTask, trajectory: Trajectory) -> list[NDArray[np.uint8]]:
    """All T+1 frames of a recording, uint8 [H, W, 3] each."""
    return list(frames_of(task, trajectory))
