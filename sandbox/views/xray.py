"""What the learner believes is good, as a number for each place of the world: a reward x-ray.

The agent is put at every place of the state on screen and every action is tried there. Where places
stay as they are (a flat), a place is worth the mean learned reward of the steps that lead to it from
elsewhere, so litter lights up on the litter and not on its neighbours; where no step leads, or where
the places go with the agent (a road), of the steps that begin there.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from agents.rewards.reward_arrays import RewardArrays
from envs.kernels import is_slow
from envs.simulation import Simulation
from envs.world import Array, Task

Overlay = tuple[Array, NDArray[np.float32]]
"""(where [P, 2], value [P]), as renderers take it."""

FAINT = 0.25
"""Differences below this many deviations of the learned reward are painted faintly, not stretched."""


def action_fan(space: spaces.Space[Any]) -> Array:
    """The actions to try: all of a Discrete space; low, middle and high along each axis of a Box."""
    if isinstance(space, spaces.Discrete):
        return np.arange(int(space.n))
    if isinstance(space, spaces.Box) and len(space.shape) == 1 and space.shape[0] <= 3:
        low, high = np.maximum(space.low, -10.0), np.minimum(space.high, 10.0)
        axes = zip(low, (low + high) / 2, high, strict=True)
        return np.array(list(itertools.product(*axes)), np.float32)
    raise ValueError(f"no x-ray of {space}: only Discrete actions and Box actions of up to 3 numbers")


def normalised(value: Array) -> NDArray[np.float32]:
    """Values as -1..1 about the typical (median) place; [P] -> [P]."""
    centred = value - np.median(value)
    return np.asarray(centred / max(float(np.abs(centred).max()), FAINT), np.float32)


class XRay:
    """Keeps an overlay up to date without ever taking more than its share of a frame."""

    def __init__(self, task: Task, *, rows: int = 64) -> None:
        self.task = task
        self.overlay: Overlay | None = None
        """The newest complete one; None before the first, or where there is nothing to paint."""
        self._rows, self._sim = rows, Simulation(task, 1, auto_reset=False)
        self._fan = action_fan(task.world.action_space)
        states, where = task.world.placements(self._sim.states[0])
        self.fixed = bool(np.array_equal(where, task.world.placements(states[-1])[1]))
        """Whether the places are the same wherever the agent is."""
        self._work: Iterator[Overlay | None] | None = None
        self._done: tuple[object, bytes] | None = None

    def update(self, state: Array, reward: RewardArrays | None, budget: float = 0.001) -> bool:
        """Work for at most about `budget` seconds; True when a new overlay has just been finished.

        `reward` is compared by identity: a new snapshot carries a new one.
        """
        if reward is None:
            self.overlay, self._work, self._done = None, None, None
            return False
        states, where = self.task.world.placements(state)
        if self.fixed and self.overlay is not None and not np.array_equal(self.overlay[0], where):
            self.overlay, self._work = None, None  # another flat
        if self._work is None:
            states[:, self.task.world.clock] = 0  # all but the clock and the agent's own place
            layout = states.tobytes()
            if self._done is not None and self._done[0] is reward and self._done[1] == layout:
                return False
            self._done, self._work = (reward, layout), self._evaluate(state.copy(), reward)
        until = time.perf_counter() + budget
        for overlay in self._work:
            if overlay is not None:
                self.overlay, self._work = overlay, None
                return True
            if time.perf_counter() >= until:
                break
        return False

    def at(self, before: Array, after: Array, blend: float) -> Overlay | None:
        """The overlay for a picture between two states [K]: places that go with the agent have moved on."""
        if self.overlay is None or self.fixed:
            return self.overlay
        a, b = (self.task.world.placements(state)[1] for state in (before, after))
        return a + blend * (b - a), self.overlay[1]

    def paint(self, state: Array, reward: RewardArrays) -> tuple[Array, NDArray[np.float32]]:
        """(where [P, 2], learned reward [P], not yet brought to -1..1), all at once."""
        where, value = self.task.world.placements(state)[1], np.zeros(0, np.float32)
        for done in self._values(state, reward):
            value = value if done is None else done
        return where, value

    def _evaluate(self, state: Array, reward: RewardArrays) -> Iterator[Overlay | None]:
        where = self.task.world.placements(state)[1]
        for value in self._values(state, reward):
            yield None if value is None else (where, normalised(value))

    def _simulation(self) -> Simulation:
        """Of many rows, or of one while the kernels are still plain: a batch must fit into a frame."""
        rows = 1 if is_slow(self.task.world.kernel.step) else self._rows
        if self._sim.rows != rows:
            self._sim = Simulation(self.task, rows, auto_reset=False)
        return self._sim

    def _values(self, state: Array, reward: RewardArrays) -> Iterator[NDArray[np.float32] | None]:
        """Yields None after each batch of rows and at last the places' values [P]."""
        world, sim, fan = self.task.world, self._simulation(), self._fan
        states, where = world.placements(state)
        places, rows = len(states), sim.rows
        spacing = np.array([_spacing(where[:, 0]), _spacing(where[:, 1])])
        left, come = np.zeros(places), np.zeros((2, places))  # sums by origin; (sum, number) by arrival
        pairs = np.arange(places * len(fan))
        all_rows, words = np.ones(rows, np.bool_), np.full(rows, 1, np.uint64)
        for start in range(0, len(pairs), rows):
            batch = pairs[start : start + rows]
            padded = np.resize(batch, rows)
            origin, actions = padded // len(fan), fan[padded % len(fan)]
            before = sim.set_states(all_rows, states[origin], words).copy()
            step = sim.step(actions)
            worth = reward(before, actions, step.last_obs, step.terms)
            gap = (((world.agent_position(step.last_states)[:, None] - where[None]) / spacing) ** 2).sum(
                axis=2
            )
            target, n = gap.argmin(axis=1), len(batch)
            arrived = self.fixed & ((target != origin) & (gap.min(axis=1) < 1.0))[:n]
            np.add.at(left, origin[:n], worth[:n])
            np.add.at(come[0], target[:n][arrived], worth[:n][arrived])
            np.add.at(come[1], target[:n][arrived], 1)
            yield None
        value = np.where(come[1] > 0, come[0] / np.maximum(come[1], 1), left / len(fan))
        yield value.astype(np.float32)


def _spacing(values: Array) -> float:
    """The smallest distance between different coordinates along one axis."""
    steps = np.diff(np.unique(values))
    return float(steps.min()) if len(steps) else 1.0
