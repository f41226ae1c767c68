"""Where a step leads; called by the kernel in the other file."""

from __future__ import annotations

from envs.kernels import kernel

LENGTH, PUDDLE = 9, 4


@kernel
def landing(place, action):
    """The next cell: one back, the same, one on, or over the puddle (elsewhere a hop goes nowhere)."""
    if action == 3:
        return place + 2 if place == PUDDLE - 1 else place
    return min(max(place + action - 1, 0), LENGTH - 1)
