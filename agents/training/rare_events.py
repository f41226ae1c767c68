"""Moments shortly before something happened that happens seldom, to ask about.

What an agent hardly ever does, clips from where it usually is hardly ever show, and nobody can say what
they think of it. So a few moments are kept from which each rare term came about within a rollout.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from agents.policies.rollouts import Moment, moments_from_states
from agents.rl.rollout_collection import Transitions
from envs.world import Task

MAX_RARE_SHARE = 0.2
"""A term that occurs in a larger share of the rows of a rollout needs no such help."""
MAX_MOMENTS_PER_TERM, MAX_MOMENTS_PER_ROLLOUT = 4, 2
"""Moments kept for each term, and taken of one rollout."""


class RareEvents:
    """The newest moments before each rare term."""

    def __init__(self, task: Task, seed: int) -> None:
        self.task = task
        self._random = np.random.default_rng([seed, 6])
        self._moments_by_term: dict[int, deque[Moment]] = {}

    def add_transitions(self, transitions: Transitions) -> None:
        """Look at a rollout: what happened in each row after the step whose states were kept.

        Where rows can't be put into a stored state there is nothing to keep.
        """
        if not self.task.can_restore:
            return
        after = transitions.terms[transitions.state_step :]
        whole = transitions.states[:, self.task.world.clock] + len(after) <= self.task.horizon
        happened = (np.abs(after) > 1e-6).any(0) & whole[:, None]
        for term in np.flatnonzero((happened.mean(0) < MAX_RARE_SHARE) & happened.any(0)):
            rows = self._random.permutation(np.flatnonzero(happened[:, term]))[:MAX_MOMENTS_PER_ROLLOUT]
            moments = moments_from_states(self.task, transitions.states[rows], transitions.rng[rows])
            self._moments_by_term.setdefault(int(term), deque(maxlen=MAX_MOMENTS_PER_TERM)).extend(moments)

    @property
    def moments(self) -> list[Moment]:
        """All that are kept."""
        return [moment for found in self._moments_by_term.values() for moment in found]
