"""Moments shortly before something happened that happens seldom, to ask about.

What an agent hardly ever does, clips from where it usually is hardly ever show, and nobody can say what
they think of it. So a few moments are kept from which each rare term came about within a rollout.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from agents.policies.rollouts import Moment, moments_of
from agents.rl.rollout_collection import Transitions
from envs.world import Task

RARE = 0.2
"""A term that occurs in a larger share of the rows of a rollout needs no such help."""
KEPT, AT_ONCE = 4, 2
"""Moments kept for each term, and taken of one rollout."""


class RareEvents:
    """The newest moments before each rare term."""

    def __init__(self, task: Task, seed: int) -> None:
        self.task = task
        self._random = np.random.default_rng([seed, 6])
        self._found: dict[int, deque[Moment]] = {}

    def add_transitions(self, made: Transitions) -> None:
        """Look at a rollout: what happened in each row after the step whose states were kept.

        Where rows can't be put into a stored state there is nothing to keep.
        """
        if not self.task.can_restore:
            return
        after = made.terms[made.kept :]
        whole = made.states[:, self.task.world.clock] + len(after) <= self.task.horizon
        happened = (np.abs(after) > 1e-6).any(0) & whole[:, None]
        for term in np.flatnonzero((happened.mean(0) < RARE) & happened.any(0)):
            rows = self._random.permutation(np.flatnonzero(happened[:, term]))[:AT_ONCE]
            moments = moments_of(self.task, made.states[rows], made.rng[rows])
            self._found.setdefault(int(term), deque(maxlen=KEPT)).extend(moments)

    @property
    def moments(self) -> list[Moment]:
        """All that are kept."""
        return [moment for found in self._found.values() for moment in found]
