"""Running policies: clips from one and the same moment, for questions, and whole episodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from agents.policies.policy_arrays import PolicyArrays
from envs.kernels import mode
from envs.simulate import simulate
from envs.simulation import Step
from envs.trajectory import Trajectory
from envs.world import Array, Task

Float = NDArray[np.float32]
ActFunction = Callable[[Float], Array]
"""obs [N, D] -> actions."""


@dataclass(frozen=True)
class PolicyVariant:
    """A way of acting: a policy at a temperature, and what recordings of it are called."""

    policy: PolicyArrays
    temperature: float = 1.0
    driver: str = "policy"

    def act(self, obs: Float, random: np.random.Generator) -> Array:
        return self.policy.act(obs, random, self.temperature)


@dataclass(frozen=True)
class Moment:
    """Where clips start. Ours: state [K] and random word. Somebody else's: a recording and a step."""

    state: Array
    rng: int
    steps_left: int  # steps to the horizon
    recording: Trajectory | None = None
    recording_step: int = 0


def moment_at(task: Task, trajectory: Trajectory, at: int) -> Moment:
    """Moment `at` of a recording."""
    if not task.can_restore:
        prefix = 0 if trajectory.prefix is None else len(trajectory.prefix)
        return Moment(
            trajectory.states[at], int(trajectory.rng[at]), task.horizon - prefix - at, trajectory, at
        )
    left = task.horizon - int(trajectory.states[at][task.world.clock])
    return Moment(trajectory.states[at], int(trajectory.rng[at]), left)


def moments_from_states(task: Task, states: Array, rng: Array) -> list[Moment]:
    """A moment for each row of stored states [N, K]."""
    left = task.horizon - states[:, task.world.clock]
    return [Moment(s, int(r), int(n)) for s, r, n in zip(states, rng, left, strict=True)]


def episode_starts(task: Task, count: int, seed: int) -> list[Moment]:
    """The starts of `count` new episodes."""
    if not task.can_restore:
        words = np.random.default_rng(seed).integers(2**63, size=count, dtype=np.uint64)
        return [Moment(np.zeros(0), int(word), task.horizon) for word in words]
    sim = simulate(task, count, seed=seed)
    return moments_from_states(task, sim.states, sim.rng)


def external_moments(
    task: Task,
    policy: PolicyArrays,
    random: np.random.Generator,
    episodes: int = 6,
    moments_per_episode: int = 2,
) -> list[Moment]:
    """Moments in whole episodes driven for it: nothing can be put into a state in somebody else's world.

    Of a world that doesn't repeat itself only the starts of episodes.
    """
    starts = episode_starts(task, episodes, int(random.integers(2**31)))
    if task.keeps_frames:
        return starts
    whole = rollout_clips(task, starts, [PolicyVariant(policy)] * episodes, [task.horizon] * episodes, random)
    found = []
    for recording in whole:
        alive = max(1, int((recording.observations[:-1, -1] == 0.0).sum()))  # last is `ended`
        found += [
            moment_at(task, recording, int(at)) for at in random.integers(alive, size=moments_per_episode)
        ]
    return found


def rollout_clips(
    task: Task,
    moments: Sequence[Moment],
    variants: Sequence[PolicyVariant],
    steps: Sequence[int],
    random: np.random.Generator,
) -> list[Trajectory]:
    """Clip i starts at moments[i], acts by variants[i] and lasts steps[i], or to the horizon if sooner."""
    rows = len(moments)
    if rows == 0:
        return []
    sim = simulate(task, rows, auto_reset=False)
    seeds: list[tuple[int | None, Array | None]] = [(None, None)] * rows
    if not task.can_restore:
        sim.record_frames()
        for row, moment in enumerate(moments):
            _start_row(sim, row, moment)
            seeds[row] = sim.replay_origin(row)
    else:
        states = np.stack([m.state for m in moments])
        sim.set_states(np.ones(rows, np.bool_), states, np.array([m.rng for m in moments], np.uint64))
    lasts = [min(n, m.steps_left) for n, m in zip(steps, moments, strict=True)]
    log = _run_steps(sim, variants, max(lasts), random)
    kernel = mode() if task.can_restore else "foreign"
    return [
        Trajectory(
            task=task.id,
            states=log.states[: n + 1, row],
            rng=log.rng[: n + 1, row],
            observations=log.obs[: n + 1, row],
            actions=log.actions[:n, row],
            terms=log.terms[:n, row],
            driver=variants[row].driver,
            kernel=kernel,
            options=task.options,
            seed=seeds[row][0],
            prefix=seeds[row][1],
        )
        for row, n in enumerate(lasts)
    ]


def _start_row(sim: Any, row: int, moment: Moment) -> None:
    if moment.recording is not None:
        sim.fork(row, moment.recording, moment.recording_step)
    else:
        which = np.arange(sim.rows) == row
        sim.rng[row] = np.uint64(moment.rng)
        sim.reset_rows(which)


@dataclass(frozen=True)
class _StepLog:
    states: Array  # [T + 1, N, K]
    rng: NDArray[np.uint64]
    obs: Float
    actions: Array  # [T, N] or [T, N, C]
    terms: Float


def _run_steps(
    sim: Any, variants: Sequence[PolicyVariant], steps: int, random: np.random.Generator
) -> _StepLog:
    """T steps of all rows, each by its own variant."""
    groups = [(v, np.array([w is v for w in variants])) for v in {id(v): v for v in variants}.values()]
    states, rng, seen = [sim.states.copy()], [sim.rng.copy()], [sim.obs.copy()]
    acted, terms = [], []
    for _ in range(steps):
        obs, parts = sim.obs, {}
        for index, (variant, rows) in enumerate(groups):
            parts[index] = variant.act(obs[rows], random)
        actions = np.zeros((sim.rows, *parts[0].shape[1:]), parts[0].dtype)
        for index, (_, rows) in enumerate(groups):
            actions[rows] = parts[index]
        step = sim.step(actions)
        acted.append(actions)
        terms.append(step.terms.copy())
        states.append(step.last_states.copy())
        rng.append(sim.rng.copy())
        seen.append(step.last_obs.copy())
    if not acted:
        one = np.zeros((0, sim.rows), np.int64)
        return _StepLog(
            np.stack(states), np.stack(rng), np.stack(seen), one, np.zeros((0, sim.rows, 0), np.float32)
        )
    return _StepLog(np.stack(states), np.stack(rng), np.stack(seen), np.stack(acted), np.stack(terms))


def sampling_act(policy: PolicyArrays, seed: int = 0) -> ActFunction:
    """The policy as it acts on screen: sampled at temperature 1."""
    random = np.random.default_rng(seed)
    return lambda obs: policy.act(obs, random)


def episode_steps(
    task: Task, act: ActFunction, seeds: Array, *, by_state: bool = False
) -> Iterator[tuple[Array, Step]]:
    """One whole episode from each seed's start: (states before [N, K], the step) at each step.

    `act` sees the observations, or the states if `by_state`. No step starts a row anew.
    """
    sim = simulate(task, len(seeds), auto_reset=False)
    sim.reset(np.asarray(seeds))
    for _ in range(task.horizon):
        before = sim.states.copy()
        yield before, sim.step(act(before if by_state else sim.obs))


class StepTerms(Protocol):
    """Further terms of steps, beside those that the world names."""

    def __len__(self) -> int:
        """How many, K."""
        ...

    def __call__(self, obs: Float, actions: Any, next_obs: Float) -> Float:
        """The terms [N, K] of N steps."""
        ...


def episode_terms(
    task: Task, act: ActFunction, seeds: Array, further: StepTerms | None = None
) -> NDArray[np.float64]:
    """Each term [N, M + K] summed over one whole episode from each seed's start; further: K more of them."""
    n_named = len(task.world.terms)
    terms = np.zeros((len(seeds), n_named + (0 if further is None else len(further))))
    acted: list[Any] = []
    seen: Float = np.zeros(0, np.float32)

    def watched(obs: Float) -> Array:
        nonlocal seen
        seen = obs.copy()
        acted[:] = [act(obs)]
        return np.asarray(acted[0])

    for _, step in episode_steps(task, watched, seeds):
        terms[:, :n_named] += step.terms
        if further is not None and len(further):
            terms[:, n_named:] += further(seen, acted[0], step.last_obs)
    return terms
