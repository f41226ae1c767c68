"""Agents that act now, in the window: one, two side by side, or a swarm of the newest policy."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from envs.simulate import simulate
from envs.simulation import AnySimulation
from envs.world import Array, Task
from sandbox.play.playback import LiveClock

Act = Callable[[Array, np.random.Generator], Array]
"""act(obs [N, D], random) -> actions [N] or [N, C]."""
REST = 1.0
"""How long the end of an episode stays on screen [s]."""


class Crowd:
    """N agents in one task, advanced at the pace of the screen.

    together: all start in the same layout from the same moment, and start anew together (ghosts in
    one world); otherwise each has a layout of its own. Each life lasts the task's horizon; one that is
    over before (in worlds of other people) stands for a moment, then another begins.
    """

    def __init__(
        self,
        task: Task,
        rows: int,
        act: Act,
        *,
        seed: int = 0,
        together: bool = False,
        trail_length: int = 200,
    ) -> None:
        self.task, self.rows, self.act, self.together = task, rows, act, together
        self.clock = LiveClock(task.world.steps_per_second)
        self.episodes: deque[NDArray[np.float32]] = deque(maxlen=trail_length)
        """What each finished life summed up to, [M] terms each, newest last."""
        self.done: deque[bool] = deque(maxlen=trail_length)
        """Whether the whole task was done in each of them."""
        self.born = 0
        """How often the agents started anew together."""
        self.sim: AnySimulation = simulate(task, rows, seed)
        self._random = np.random.default_rng(seed)
        self._seed = seed
        self._sums = np.zeros((rows, len(task.world.terms)), np.float32)
        self._over = np.zeros(rows, np.int64)  # steps since each life was over
        self.trails: list[deque[Array]] = [deque(maxlen=40) for _ in range(rows)]
        self._start()

    @property
    def states(self) -> Array:
        """Where the agents are, states [N, K]."""
        return self.sim.states

    def advance(self, dt: float) -> int:
        """Let `dt` seconds pass; the number of steps made."""
        due = self.clock.advance(dt)
        for _ in range(due):
            self.step()
        return due

    def step(self) -> None:
        """One step of all agents."""
        self.before = self.sim.states.copy()
        for trail, state in zip(self.trails, self.before, strict=True):
            trail.append(state)
        step = self.sim.step(self.act(self.sim.obs, self._random))
        self._sums += step.terms
        if step.ended.any():
            self.done.extend(self.task.done(step.last_states[step.ended]).tolist())
        early = self._early(step.ended)
        ended = step.ended | early
        for row in np.flatnonzero(ended):
            self.episodes.append(self._sums[row].copy())
            self._sums[row] = 0
            self.trails[row].clear()
        if ended.any():
            if self.together:
                self._start()
            else:  # no blending between the end of one life and the start of the next
                if early.any():
                    self.sim.reset_rows(early)
                self.before[ended] = self.sim.states[ended]

    def _early(self, ended: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Rows [N] whose life has been over long enough, before the horizon: together, or none."""
        over = ~ended & self.sim.over
        self._over[:] = np.where(over, self._over + 1, 0)
        early = self._over > REST * self.task.world.steps_per_second
        return np.asarray(early & (early.all() or not self.together))

    def pair(self, row: int) -> Array:
        """An agent's states [2, K] that the picture is between."""
        return np.stack([self.before[row], self.states[row]])

    def start_at(self, state: Array) -> None:
        """All agents begin at this moment, each with luck of its own."""
        words = self._random.integers(0, 2**63, self.rows, np.uint64)
        self.sim.set_states(np.ones(self.rows, np.bool_), np.repeat(state[None], self.rows, axis=0), words)
        self._begin()

    def _start(self) -> None:
        self.born += 1
        if self.together:
            self.sim.reset(np.full(self.rows, self._seed + 7919 * self.born))
            if self.task.can_restore:
                self.start_at(self.sim.states[0].copy())
        self._begin()

    def _begin(self) -> None:
        self.before = self.sim.states.copy()
        self._sums[:] = 0
        self._over[:] = 0
        for trail in self.trails:
            trail.clear()


def grid(count: int, width: int, height: int, aspect: float) -> tuple[int, int]:
    """(columns, rows) in which `count` pictures of that aspect come out largest in width x height."""

    def size(columns: int) -> float:
        lines = -(-count // columns)
        return min(width / columns, height / lines * aspect)

    columns = max(range(1, count + 1), key=size)
    return columns, -(-count // columns)
