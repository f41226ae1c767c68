"""What a world of somebody else's can do, as hooks of its World (see `envs.world.WorldHooks`)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from envs.external.determinism import is_filmed
from envs.external.external_simulation import ExternalSimulation, trajectory_frames
from envs.external.external_task import ExternalTask
from envs.simulation import AnySimulation
from envs.trajectory import Trajectory
from envs.world import Task, WorldHooks


def _external(task: Task) -> ExternalTask:
    """The task, as only a task of this kind has these hooks."""
    if not isinstance(task, ExternalTask):
        raise TypeError(f"{task.id} is not made of a Gymnasium environment: its world has the wrong hooks")
    return task


def _simulation(task: Task, rows: int, seed: int, auto_reset: bool, skip_absorbing: bool) -> AnySimulation:
    return ExternalSimulation(
        _external(task), rows, seed=seed, auto_reset=auto_reset, skip_absorbing=skip_absorbing
    )


def _keeps_frames(task: Task) -> bool:
    return is_filmed(_external(task))


def _frames(task: Task, trajectory: Trajectory) -> Iterator[NDArray[np.uint8]]:
    return trajectory_frames(_external(task), trajectory)


EXTERNAL_HOOKS = WorldHooks(simulation=_simulation, keeps_frames=_keeps_frames, frames=_frames)
