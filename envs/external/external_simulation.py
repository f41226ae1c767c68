"""N rows of a world of somebody else's, behind the same face as `envs.simulation.Simulation`.

No state can be taken out of such a world, so a moment of it is known by the seed of its episode and
the actions since: replays and forks are made by running it again, and checked against what was seen.
A world that doesn't repeat itself is filmed instead: the states of its recordings are its pictures,
made small and laid flat, and nothing is forked.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any, cast

import gymnasium
import numpy as np
from numpy.typing import NDArray

from envs.external.determinism import is_filmed, shrink_frame
from envs.external.external_errors import ExternalWorldError, call_external
from envs.external.external_task import HAS_ENDED, REWARD, ExternalTask
from envs.external.extra_terms import N_OWN_TERMS, further_terms
from envs.external.stepping import reset_env, reset_env_raw, step_env
from envs.simulation import Step, random_words_of
from envs.trajectory import Recorder, Trajectory
from envs.world import Array

OBS_TOLERANCE = 1e-3
"""How far a re-simulated observation may lie from the recorded one (machines differ in last bits)."""
START_SHARE = 0.5
"""Share of the episodes that begin at a moment of `starts`."""


class ExternalSimulation:
    """N environments with a fixed horizon, an absorbing moment after early ends, and auto-reset.

    skip_absorbing: start anew right after an early end, and only count in `skipped_steps` the steps of rest
    left out.
    """

    def __init__(
        self,
        task: ExternalTask,
        rows: int,
        *,
        seed: int = 0,
        auto_reset: bool = True,
        skip_absorbing: bool = False,
    ) -> None:
        self.task, self.rows, self.auto_reset = task, rows, auto_reset
        self.skip_absorbing, self.skipped_steps = skip_absorbing, 0
        self._envs = [task.make_env() for _ in range(rows)]
        self._recording_frames: tuple[int, ...] = _frame_shape(task, self._envs[0]) if is_filmed(task) else ()
        self._frame_envs = np.zeros(rows, np.bool_)
        shape = (rows, int(np.prod(self._recording_frames)) if self._recording_frames else 0)
        self.states: Array = np.zeros(shape, np.uint8 if self._recording_frames else task.world.state_dtype)
        """[N, K] nothing (K = 0), or in a filmed world the newest small picture of rows being recorded."""
        self.rng = np.zeros(rows, np.uint64)
        self.seeds = np.zeros(rows, np.int64)
        """[N] the seed that each row's episode started from."""
        self.clock = np.zeros(rows, np.int64)
        """[N] steps since the episode's start."""
        self._actions_since_reset: list[list[Any]] = [[] for _ in range(rows)]
        self.over = np.zeros(rows, np.bool_)
        """[N] whether a row's episode is over before the horizon."""
        size = len(task.world.obs_names)
        self._obs = [np.zeros((rows, size), np.float32) for _ in range(2)]
        self._last = [np.zeros((rows, size), np.float32) for _ in range(2)]
        self._terms = [np.zeros((rows, len(task.world.terms)), np.float32) for _ in range(2)]
        self._buffer_index = 0
        self.starts: list[tuple[Trajectory, int]] = []
        """Moments of recordings that `START_SHARE` of the episodes begin at; none: at their start."""
        self._raw_obs: list[Any] = [None] * rows
        self._frames: dict[int, NDArray[np.uint8]] = {}
        self.reset(seed)

    @property
    def obs(self) -> NDArray[np.float32]:
        return self._obs[self._buffer_index]

    def seed_rows(self, seeds: Array) -> None:
        """Give each row the random word that follows from its own seed (row order is irrelevant)."""
        self.rng[:] = random_words_of(seeds)

    def reset(self, seed: int | Array = 0) -> NDArray[np.float32]:
        """Start every row anew; row i is seeded with seed + i, or with seed[i]."""
        self.seed_rows(seed + np.arange(self.rows) if isinstance(seed, int) else seed)
        return self.reset_rows(np.ones(self.rows, np.bool_))

    def reset_rows(self, which: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Start some rows anew, each from a seed drawn from its own random word."""
        self.rng[which] = random_words_of(self.rng[which])
        for row in np.flatnonzero(which):
            word = int(self.rng[row])
            if self.starts and (word & 1023) < START_SHARE * 1024:
                self._start_at(int(row), *self.starts[(word >> 10) % len(self.starts)])
                self.rng[row] = word
            else:
                self._start(int(row), word >> 33)
        return self.obs

    def _start_at(self, row: int, recording: Trajectory, t: int) -> None:
        """Begin an episode in the middle of another one; what the last step counted stays."""
        counted = self._terms[self._buffer_index][row].copy()
        self.fork(row, recording, t)
        self._terms[self._buffer_index][row] = counted

    def reset_as_env(self, seed: int) -> None:
        """Start row 0 as the environment itself does with `reset(seed=seed)`."""
        self._start(0, seed)

    def _start(self, row: int, seed: int) -> None:
        self.seeds[row], self.clock[row], self.over[row] = seed, 0, False
        self._actions_since_reset[row] = []
        self._frames.pop(row, None)
        seen, self._raw_obs[row] = reset_env_raw(self.task, self._envs[row], seed)
        self.obs[row, :-1], self.obs[row, -1] = seen, 0.0
        self._store_frame(row)

    def record_frames(self) -> None:
        """Keep all rows' pictures in `states` from now on, if this world has to be filmed."""
        for row in range(self.rows):
            self._frame_envs[row] = True
            self._store_frame(row)

    def _store_frame(self, row: int) -> None:
        """Put a row's picture into its state, if it is being filmed."""
        if self._recording_frames and self._frame_envs[row]:
            self.states[row] = shrink_frame(self.frame(row)).reshape(-1)

    def step(self, actions: Array) -> Step:
        """Advance all rows; rows whose horizon is reached start anew, and those that `skip_absorbing`
        says."""
        before, turn = self.obs, 1 - self._buffer_index
        self._buffer_index = turn
        obs, last, terms = self._obs[turn], self._last[turn], self._terms[turn]
        obs[:] = before
        self._frames.clear()
        for row in range(self.rows):
            self._advance(row, actions[row], obs, terms)
        ended = self.clock >= self.task.horizon
        if self.skip_absorbing:
            self.skipped_steps += int((self.task.horizon - self.clock)[self.over].sum())
            ended |= self.over
        if not (self.auto_reset and ended.any()):
            return Step(obs, obs, terms, ended, self.states)
        last[:] = obs
        last_states = self.states.copy()
        self.reset_rows(ended)
        return Step(obs, last, terms, ended, last_states)

    def _advance(self, row: int, action: Any, obs: NDArray[np.float32], terms: NDArray[np.float32]) -> None:
        terms[row] = 0.0
        self.clock[row] += 1
        self._actions_since_reset[row].append(np.array(action))
        if self.over[row]:
            return
        seen = step_env(self.task, self._envs[row], action, int(self.clock[row]))
        terms[row, REWARD] = seen.reward
        if len(self.task.world.terms) > N_OWN_TERMS:
            more = further_terms(self.task, seen.info, self._raw_obs[row], action, seen.raw_obs)
            terms[row, N_OWN_TERMS:] = more
        self._raw_obs[row] = seen.raw_obs
        early = seen.terminated or (seen.truncated and self.clock[row] < self.task.horizon)
        self.over[row] = early
        if early:
            terms[row, HAS_ENDED] = 1.0
            obs[row], obs[row, -1] = 0.0, 1.0
        else:
            obs[row, :-1] = seen.obs
        self._store_frame(row)

    def set_states(self, which: NDArray[np.bool_], states: Array, rng: Array) -> NDArray[np.float32]:
        """Not possible here: a world of somebody else's has no states to put. Use `fork`."""
        raise TypeError(f"{self.task.id} can't be put into a state; fork a recording of it instead")

    def fork(self, row: int, trajectory: Trajectory, t: int = 0) -> NDArray[np.float32]:
        """Bring one row to moment `t` of a recording by running it again; it goes on from there.

        Raises ExternalWorldError when the world doesn't repeat itself, or the seed was not recorded.
        """
        if self._recording_frames:
            raise ExternalWorldError(
                f"{self.task.id} doesn't repeat itself when it is run again, so a recording of it can be "
                "watched but not taken over"
            )
        if trajectory.seed is None:
            raise ExternalWorldError(
                f"this recording of {trajectory.task} has no seed, so it can't be run again"
            )
        if not 0 <= t <= len(trajectory):
            raise ValueError(f"moment {t} is not in a recording of {len(trajectory)} steps")
        self._start(row, trajectory.seed)
        self.rng[row] = trajectory.rng[t]
        head: Iterable[Any] = () if trajectory.prefix is None else trajectory.prefix
        for action in (*head, *trajectory.actions[:t]):
            self._advance(row, action, self.obs, self._terms[self._buffer_index])
        self._frames.pop(row, None)
        self._check_replay(row, trajectory, t)
        return self.obs

    def _check_replay(self, row: int, trajectory: Trajectory, t: int) -> None:
        if not np.allclose(
            self.obs[row], trajectory.observations[t], rtol=OBS_TOLERANCE, atol=OBS_TOLERANCE, equal_nan=True
        ):
            raise ExternalWorldError(
                f"{self.task.id} didn't repeat itself: run again from seed {trajectory.seed} it is somewhere "
                f"else at step {t}, so its recordings can't be replayed or taken over"
            )

    def frame(self, row: int = 0) -> NDArray[np.uint8]:
        """What the world draws of itself now, uint8 [H, W, 3]. After an early end: its last picture.

        Raises ExternalWorldError when it has no picture.
        """
        if row not in self._frames:
            self._frames[row] = render_frame(self.task, self._envs[row])
        return self._frames[row]

    def replay_origin(self, row: int = 0) -> tuple[int, Array | None]:
        """What runs a row again up to now: its episode's seed, and the actions since (None: none yet)."""
        since = self._actions_since_reset[row]
        return int(self.seeds[row]), np.array(since) if since else None

    def recorder(self, row: int = 0, driver: str = "person") -> Recorder:
        """A recorder that begins at a row's moment now, with what is needed to run it again."""
        seed, prefix = self.replay_origin(row)
        self._frame_envs[row] = True
        self._store_frame(row)
        return Recorder(
            self.task.id,
            self.states[row],
            int(self.rng[row]),
            self.obs[row],
            driver=driver,
            kernel="foreign",
            options=self.task.options,
            n_terms=len(self.task.world.terms),
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


def render_frame(task: ExternalTask, env: gymnasium.Env[Any, Any]) -> NDArray[np.uint8]:
    """One frame, or a sentence about why there is none."""
    if not task.can_render:
        raise ExternalWorldError(
            f"{task.id} has no render mode 'rgb_array', so it can't be shown: choose a world that can draw "
            "itself, or train on it without a window"
        )
    try:
        frame: Any = call_external(task.id, "when it drew itself", env.render)
        viewer: Any = getattr(env.unwrapped, "viewer", None)
        if getattr(viewer, "enabled", True) is False:  # highway-env draws nothing where there is no display
            viewer.enabled = True
            frame = call_external(task.id, "when it drew itself", env.render)
    except ExternalWorldError as error:
        if isinstance(error.__cause__, gymnasium.error.DependencyNotInstalled):
            raise ExternalWorldError(
                f"{task.id} needs a package to draw itself: {error.__cause__}"
            ) from error
        raise
    if not isinstance(frame, np.ndarray) or frame.ndim != 3 or frame.shape[2] != 3:
        raise ExternalWorldError(f"{task.id} drew {type(frame).__name__} instead of a picture [H, W, 3]")
    return cast("NDArray[np.uint8]", frame.astype(np.uint8, copy=False))


def trajectory_frames(task: ExternalTask, trajectory: Trajectory) -> Iterator[NDArray[np.uint8]]:
    """A recording's T+1 frames one by one: kept ones, or by running it again, checked at each moment."""
    if is_filmed(task):
        yield from _stored_frames(task, trajectory)
        return
    simulation = ExternalSimulation(task, 1, auto_reset=False)
    try:
        simulation.fork(0, trajectory, 0)
        yield simulation.frame()
        for t, action in enumerate(trajectory.actions, start=1):
            simulation.step(np.asarray(action)[None])
            simulation._check_replay(0, trajectory, t)
            yield simulation.frame()
    finally:
        simulation.close()


def _stored_frames(task: ExternalTask, trajectory: Trajectory) -> NDArray[np.uint8]:
    """The pictures that a recording holds as its states: uint8 [T + 1, h, w, 3]."""
    shape = _frame_shape(task, task.make_env())
    if trajectory.states.shape[1] != int(np.prod(shape)):
        raise ExternalWorldError(
            f"{task.id} doesn't repeat itself, and this recording of it holds no pictures to show instead"
        )
    return trajectory.states.reshape(-1, *shape)


def _frame_shape(task: ExternalTask, env: gymnasium.Env[Any, Any]) -> tuple[int, ...]:
    """(h, w, 3) of the pictures that recordings keep."""
    reset_env(task, env, 0)
    return shrink_frame(render_frame(task, env)).shape
