"""The simulation of any task, ours or external, and actions that are random or idle there."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from envs.simulation import AnySimulation, Simulation
from envs.world import Array, Task

Float = NDArray[np.float32]


def is_external(task: Task) -> bool:
    """Whether the world is somebody else's: no states, so nothing can be put there."""
    return task.world.state_size == 0


def absorbing_step(task: Task) -> tuple[Float, Array, Float, Float]:
    """(obs, action, next obs, terms) of one step after an early end (see `Task.ends_early`)."""
    over = np.zeros((1, len(task.world.obs_names)), np.float32)
    over[0, -1] = 1.0
    return over, task.idle_actions(1), over, np.zeros((1, len(task.world.terms)), np.float32)


def simulate(
    task: Task, rows: int, seed: int = 0, auto_reset: bool = True, skips: bool = False
) -> AnySimulation:
    """N rows of a task, run by its compiled kernel, or by what its world brings (`WorldHooks.simulation`).

    skips: where episodes end early, whether the steps of rest until the horizon are left out.
    """
    hook = task.world.hooks.simulation
    if hook is not None:
        made: AnySimulation = hook(task, rows, seed, auto_reset, skips)
        return made
    return Simulation(task, rows, seed=seed, auto_reset=auto_reset)


def random_actions(task: Task, rows: int, random: np.random.Generator) -> NDArray[Any]:
    """Uniform actions [N] or [N, C]; where a bound is infinite, from -1 to 1."""
    space = task.world.action_space
    if isinstance(space, spaces.Discrete):
        return random.integers(0, int(space.n), rows)
    low = np.where(np.isfinite(space.low), space.low, -1.0)
    high = np.where(np.isfinite(space.high), space.high, 1.0)
    return random.uniform(low, high, (rows, *low.shape)).astype(np.float32)
