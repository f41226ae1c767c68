"""`teachbox bench abroad`: learners in worlds of somebody else's, beside random, constant and the oracle."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from agents.evaluation import scores
from envs.task_catalog import task as make_task
from envs.world import Task
from sandbox.bench.learning.experiment_sets import taught_condition
from sandbox.bench.learning.learner_scores import (
    Condition,
    Line,
    RunFailure,
    ScoreTarget,
    measure,
    with_target,
)
from sandbox.progress import ProgressCallback, sub_progress

WORLDS: dict[str, str] = {
    "FrozenLake-v1": "",
    "Taxi-v3": "",
    "CliffWalking-v1": "",
    "CartPole-v1": "",
    "Acrobot-v1": "",
    "MountainCar-v0": "",
    "MountainCarContinuous-v0": "",
    "Pendulum-v1": "",
    "LunarLander-v3": "Box2D",
    "minigrid:MiniGrid-Empty-5x5-v0": "minigrid",
    "minigrid:MiniGrid-DoorKey-5x5-v0": "minigrid",
    "Hopper-v5": "mujoco",
    "HalfCheetah-v5": "mujoco",
    "Swimmer-v5": "mujoco",
    "highway_env:highway-fast-v0": "highway_env",
}
"""Each world, and the package it needs beside Gymnasium."""
LEARNERS: dict[str, str] = {
    "bc": "demonstration=2/demonstration=10",
    "preferences": "comparison=25/comparison=50/comparison=75",
    "joint": "demonstration=2,comparison=25/demonstration=5,comparison=25",
}
"""Who learns from how much."""
TARGETS = {
    "demonstration=10": ScoreTarget(0.9, 0.5),
    "comparison=75": ScoreTarget(0.9, 0.5),
    "demonstration=2,comparison=25": ScoreTarget(0.9, 0.5),
}
N_CONSTANT_LAYOUTS = 40
"""Starts by which each constant action is judged."""


@dataclass(frozen=True)
class WorldLine:
    """A world and what scores lie between: mean returns of acting at random, of the best constant action and
    of the oracle; what is to be said of them."""

    world: str
    random: float
    constant: float
    oracle: float
    constant_score: float
    remark: str


def chosen(names: Sequence[str]) -> list[str]:
    """The worlds of these names, or all that can be run here; any other Gymnasium id may be named too."""
    if names:
        return list(names)
    return [name for name, package in WORLDS.items() if not package or importlib.util.find_spec(package)]


def left_out() -> list[str]:
    """Worlds that need a package which is not installed."""
    return [name for name, package in WORLDS.items() if package and not importlib.util.find_spec(package)]


def conditions(
    worlds: Sequence[str], learners: Sequence[str], teacher: str, budgets: str | None = None
) -> list[Condition]:
    """A condition for each world and learner. budgets: in place of the usual ones, for all."""
    if unknown := [name for name in learners if name not in LEARNERS]:
        raise ValueError(f"{unknown[0]!r} is not measured here: choose of {', '.join(LEARNERS)}")
    return [
        taught_condition(name, world, budgets or LEARNERS[name], teacher=teacher, prior="none")
        for world in worlds
        for name in learners
    ]


def best_constant(task: Task) -> float:
    """The mean return of the constant action that does best; of a Box those at the corners of one axis."""
    space = task.world.action_space
    tried: list[Any] = (
        [np.int64(one) for one in range(int(space.n))] if isinstance(space, spaces.Discrete) else []
    )
    if isinstance(space, spaces.Box):
        middle = np.clip(np.zeros(space.shape, np.float32), space.low, space.high)
        tried = [middle]
        for axis in range(middle.size):
            for bound in (space.low.ravel()[axis], space.high.ravel()[axis]):
                if np.isfinite(bound):
                    corner = middle.copy().ravel()
                    corner[axis] = bound
                    tried.append(corner.reshape(space.shape))
    seeds = np.arange(N_CONSTANT_LAYOUTS)
    return max(
        scores.run_episodes(task, lambda obs, one=one: np.stack([one] * len(obs)), seeds).mean  # type: ignore[misc]
        for one in tried
    )


def world_line(name: str) -> WorldLine:
    """The references of a world, measured once and kept."""
    task = make_task(name)
    known = scores.reference_means(task)
    constant = best_constant(task)
    return WorldLine(name, known.random, constant, known.oracle, known.score(constant), known.remark)


def run(
    worlds: Sequence[str],
    found: Sequence[Condition],
    *,
    seeds: int,
    folder: Path,
    processes: int,
    tell: ProgressCallback,
) -> tuple[list[WorldLine], list[Line], list[RunFailure]]:
    """Measure references and then runs; what is kept in `folder` is not made again."""
    gymnasium.logger.min_level = gymnasium.logger.ERROR
    references = []
    for place, name in enumerate(worlds):
        tell(0.2 * place / len(worlds), f"references of {name}")
        references.append(world_line(name))
    lines, faults = measure(found, seeds, folder, sub_progress(tell, 0.2, 1.0, ""), processes)
    return references, [with_target(line, TARGETS) for line in lines], faults
