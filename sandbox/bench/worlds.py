"""How fast worlds run: random actions, drawn beforehand; starting anew at the horizon is included."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from envs import catalog
from envs.simulation import Simulation
from envs.world import Task

PEERS = ("CartPole-v1", "MiniGrid-FourRooms-v0", "highway-fast-v0")
"""Worlds of other people, each run as `gymnasium.make` gives it; those not installed are left out."""
PEER_MODULES = {"MiniGrid-FourRooms-v0": "minigrid", "highway-fast-v0": "highway_env"}
POOL = 64


@dataclass(frozen=True)
class Speed:
    """One world run in one way. steps_per_cpu_second counts every row's steps; one core."""

    world: str
    way: str
    rows: int
    steps: int
    steps_per_cpu_second: float


def measure(rows: Sequence[int], *, seconds: float) -> Iterator[Speed]:
    """Each of our tasks at each number of rows, then one row through gymnasium.make, then the peers."""
    for id in catalog.task_ids():
        task = catalog.task(id)
        for count in rows:
            yield of_simulation(task, count, seconds)
    for id in catalog.task_ids():
        yield of_gymnasium(id, seconds)
    for id in PEERS:
        if installed(id):
            yield of_gymnasium(id, seconds)


def of_simulation(task: Task, rows: int, seconds: float) -> Speed:
    """A simulation of N rows, for whole episodes."""
    sim = Simulation(task, rows)
    pool = np.stack([[task.world.action_space.sample() for _ in range(rows)] for _ in range(POOL)])

    def episode() -> int:
        for t in range(task.horizon):
            sim.step(pool[t % POOL])
        return task.horizon * rows

    return Speed(task.id, "simulation", rows, *_timed(episode, seconds))


def of_gymnasium(id: str, seconds: float) -> Speed:
    """One environment as `gymnasium.make` gives it, reset when it ends."""
    env: Any = gymnasium.make(id)
    env.reset(seed=0)
    pool = [env.action_space.sample() for _ in range(POOL)]

    def steps() -> int:
        for action in pool:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        return POOL

    speed = Speed(id, "gymnasium.make", 1, *_timed(steps, seconds))
    env.close()
    return speed


def _timed(work: Callable[[], int], seconds: float) -> tuple[int, float]:
    """Steps done and steps per CPU-second, from at least `seconds` of CPU time after a first go."""
    work()
    steps, begun = 0, time.process_time()
    while True:
        steps += work()
        spent = time.process_time() - begun
        if spent >= seconds:
            return steps, steps / spent


def installed(id: str) -> bool:
    """Whether a peer can be made here."""
    module = PEER_MODULES.get(id)
    if module is None:
        return True
    try:
        __import__(module)
    except ImportError:
        return False
    return id in gymnasium.registry
