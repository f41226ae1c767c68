"""Is a state one that a world could be in? Asked of states that come from files of others.

Compiled kernels look things up by numbers in the state (where a robot stands, which car is the guest)
and don't look whether those lie inside: a state made to harm could make them write anywhere in memory.
"""

from __future__ import annotations

import numpy as np

from envs.world import Array, Task

LARGE = 1e6  # no number of a state is larger

StateCheck = tuple[str, Array]
"""(what is wrong, where it is [T+1] bool)"""


def why_invalid_state(task: Task, states: Array) -> str | None:
    """What is wrong with states [T+1, K] of a task, in a few words; None if nothing is.

    K and the type have to be right already. Of any world the size of the numbers and the clock are
    checked; `WorldHooks.state_checks` adds what its kernel relies on.
    """
    numbers = states.astype(np.float64)
    checks = [("a number out of range", ~(np.abs(numbers) <= LARGE).all(-1)), _clock(task, numbers)]
    if not any(wrong.any() for _, wrong in checks):
        hook = task.world.hooks.state_checks
        checks += [] if hook is None else list(hook(task, numbers))
    return next((what for what, wrong in checks if wrong.any()), None)


def _clock(task: Task, states: Array) -> StateCheck:
    clock = states[:, task.world.clock]
    return out_of_range("a clock outside the episode", clock, 0, task.horizon)


def out_of_range(what: str, values: Array, low: float, high: float, whole: bool = True) -> StateCheck:
    """Values [T+1] or [T+1, n] that are not (whole) numbers from low to high."""
    wrong = ~((values >= low) & (values <= high))
    if whole:
        wrong |= values != np.floor(values)
    return what, np.asarray(wrong if wrong.ndim == 1 else wrong.any(-1))
