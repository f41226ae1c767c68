"""Keeps states from shortly before rare events, so that clips about these events can be asked about.

Clips that start from the agent's usual states rarely show what it rarely does, so nobody could say what they
think of it. For each rare term a few states are kept after which the term occurred in a rollout.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from agents.policies.rollouts import Moment, moments_from_states
from agents.rl.rollout_collection import Transitions
from envs.world import Task

MAX_RARE_SHARE = 0.2
"""A term is rare if it occurs in less than this share of the rows of a rollout."""
MAX_MOMENTS_PER_TERM, MAX_MOMENTS_PER_ROLLOUT = 4, 2
"""How many states are kept for each term, and how many are added by one rollout."""


class RareEvents:
    """The newest states before each rare event."""

    def __init__(self, task: Task, seed: int) -> None:
        self.task = task
        self._random = np.random.default_rng([seed, 6])
        self._moments_by_term: dict[int, deque[Moment]] = {}

    def add_transitions(self, transitions: Transitions) -> None:
        """Add the states of a rollout: what happened in each row after the step whose states were kept.
        Nothing is kept in worlds whose states can't be restored."""
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
        """All states that are kept."""
        return [moment for found in self._moments_by_term.values() for moment in found]
