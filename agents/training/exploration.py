"""Finding what can happen before anybody is asked: where nothing is named, and nothing is known.

From chance alone the first clips of somebody else's world show a corner of it, and nobody can say what they
think of what they never see. So a few thousand steps are made only to get about: again and again a moment
that was seldom met is gone back to, by running its recording again, and from there chance goes on (Ecoffet
et al. 2021, "First return, then explore"). What counts as the same is a cell of what is seen: each number
rounded to a share of its deviation. Nothing of the reward is looked at.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.policies.obs_normalisation import ObsNormalisation
from agents.policies.rollouts import Moment, moment_at
from envs.external.external_simulation import ExternalSimulation
from envs.simulate import random_actions, simulate
from envs.trajectory import Trajectory
from envs.world import Task

N_STEPS, N_SLOW_STEPS, SLOW_STEP = 30_000, 400, 2e-3
"""Steps that are made; and where a step takes longer than this [s]."""
N_FIRST_STEPS = 1_000
"""Steps of chance alone, by which numbers are measured."""
WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Edges of a cell that are tried [deviations], the finest that is met again often enough is taken."""
MAX_NEW_SHARE = 0.3
"""Share of the first steps that may be cells of their own."""
BURST, FRESH_SHARE, REPEAT_SHARE = 24, 0.2, 0.5
"""Steps from a moment; share of bursts that begin a new episode; share of actions that repeat the last."""
MAX_MOMENTS, LEAD = 64, 6
"""Moments kept to begin clips and episodes at, and how many steps before a rare cell each lies."""


def can_explore(task: Task) -> bool:
    """Whether moments are come back to by replay alone: a world of somebody else's, which repeats itself."""
    return not task.can_restore and not task.keeps_frames


@dataclass(frozen=True)
class _Place:
    recording: Trajectory
    step: int


class Exploration:
    """What was found; nothing before `run`."""

    def __init__(self, task: Task, seed: int) -> None:
        self.task = task
        self._random = np.random.default_rng([seed, 11])
        self._visits: Counter[bytes] = Counter()
        self._places: dict[bytes, _Place] = {}
        self._normalisation: ObsNormalisation | None = None
        self._width = 1.0
        self.has_run = False
        self.moments: list[Moment] = []
        """Moments shortly before what is seldom met, the rarest first."""

    @property
    def n_cells(self) -> int:
        """How many different things were seen."""
        return len(self._visits)

    def run(self) -> None:
        """Look around once."""
        if self.has_run:
            return
        self.has_run = True
        began = time.perf_counter()
        sim = simulate(self.task, 1, seed=int(self._random.integers(2**31)), auto_reset=False)
        first = [self._burst(sim, None, self.task.horizon)]
        n_steps = N_SLOW_STEPS if (time.perf_counter() - began) / len(first[0]) > SLOW_STEP else N_STEPS
        while sum(map(len, first)) < min(N_FIRST_STEPS, n_steps):
            first.append(self._burst(sim, None, self.task.horizon))
        self._measure(first)
        for recording in first:
            self._count(recording)
        left = n_steps - sum(map(len, first))
        while left > 0:
            fresh = self._random.random() < FRESH_SHARE or not self._places
            place = None if fresh else self._rare_place()
            recording = self._burst(sim, place, BURST if place else self.task.horizon)
            self._count(recording)
            left -= max(1, len(recording)) + (place.step if place else 0)
        sim.close()
        self.moments = self._rare_moments()

    def _burst(self, sim: object, place: _Place | None, steps: int) -> Trajectory:
        """Chance from a place, or from a new start."""
        assert isinstance(sim, ExternalSimulation)
        if place is None:
            sim.reset_rows(np.ones(1, np.bool_))
        else:
            sim.fork(0, place.recording, place.step)
            sim.rng[:] = self._random.integers(2**63, dtype=np.uint64)
        record = sim.recorder(0, driver="exploration")
        action = random_actions(self.task, 1, self._random)
        for _ in range(min(steps, self.task.horizon - int(sim.clock[0]))):
            if self._random.random() >= REPEAT_SHARE:
                action = random_actions(self.task, 1, self._random)
            step = sim.step(action)
            record.add(action[0], step.terms[0], step.last_states[0], int(sim.rng[0]), step.last_obs[0])
            if sim.over[0]:
                break
        return record.trajectory()

    def _measure(self, recordings: list[Trajectory]) -> None:
        """What a cell is, by the first steps of chance."""
        seen = np.concatenate([one.observations for one in recordings])
        alive = seen[seen[:, -1] == 0.0].astype(np.float64)
        deviation = alive.std(0)
        deviation[deviation <= 1e-5 * np.abs(alive.mean(0))] = 1.0
        deviation[deviation == 0.0] = 1.0
        self._normalisation = ObsNormalisation(alive.mean(0).astype(np.float32), deviation.astype(np.float32))
        for self._width in WIDTHS:
            if len(set(self._cells(seen))) <= MAX_NEW_SHARE * len(seen):
                return

    def _cells(self, obs: NDArray[np.float32]) -> list[bytes]:
        assert self._normalisation is not None
        rounded = np.round(self._normalisation(obs) / self._width).astype(np.int8)
        cells = [one.tobytes() for one in rounded]
        for t in np.flatnonzero(obs[:, -1] == 1.0):  # ends are told apart by what was before them
            cells[t] = cells[t] + cells[t - 1] if t else cells[t]
        return cells

    def _count(self, recording: Trajectory) -> None:
        for t, cell in enumerate(self._cells(recording.observations)):
            self._visits[cell] += 1
            if cell not in self._places:
                self._places[cell] = _Place(recording, t)

    def _rare_place(self) -> _Place:
        """A place whose cell was seldom met, the more likely the more seldom."""
        cells = [cell for cell, place in self._places.items() if not self._is_last(place)]
        weights = np.array([1.0 / np.sqrt(self._visits[cell]) for cell in cells])
        return self._places[cells[int(self._random.choice(len(cells), p=weights / weights.sum()))]]

    def _is_last(self, place: _Place) -> bool:
        """Whether nothing can follow it."""
        moment = moment_at(self.task, place.recording, place.step)
        return moment.steps_left <= 1 or place.recording.observations[place.step, -1] == 1.0

    def _rare_moments(self) -> list[Moment]:
        rare = sorted(self._places, key=lambda cell: (self._visits[cell], cell))[:MAX_MOMENTS]
        found = []
        for place in (self._places[cell] for cell in rare):
            lead = int(self._random.integers(1, LEAD + 1))
            found.append(moment_at(self.task, place.recording, max(0, place.step - lead)))
        return found
