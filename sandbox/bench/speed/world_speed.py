"""How fast worlds run: random actions, drawn beforehand; starting anew at the horizon is included.

Everything takes its turn in each round, and a ratio is the median of the rounds' own ratios: a busy
machine slows both sides alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from envs import task_catalog
from envs.simulation import Simulation
from envs.world import Task
from sandbox.bench.cache import cached_part
from sandbox.progress import ProgressCallback

PEERS = ("CartPole-v1", "MiniGrid-FourRooms-v0", "highway-fast-v0")
"""Worlds of other people, each run as `gymnasium.make` gives it; those not installed are left out."""
PEER_MODULES = {"MiniGrid-FourRooms-v0": "minigrid", "highway-fast-v0": "highway_env"}
POOL = 64


TARGETS = {
    "rooms": ("MiniGrid-FourRooms-v0", 20.0, 400.0),
    "lanes": ("highway-fast-v0", 2_000.0, 5_000.0),
}
"""By kind of world: (peer, times as fast through gymnasium.make, times as fast at MANY rows)."""
MANY = 1024
SIMULATION, MADE = "simulation", "gymnasium.make"


@dataclass(frozen=True)
class Speed:
    """One world run in one way. steps_per_cpu_second counts every row's steps; one core."""

    world: str
    way: str
    rows: int
    steps: int
    steps_per_cpu_second: float
    round: int = 0


@dataclass(frozen=True)
class Ratio:
    """How two speeds compare: the median over rounds, and the least and most. wanted None: no target."""

    world: str
    way: str
    rows: int
    peer: str
    times: float
    low: float
    high: float
    wanted: float | None
    within_target: bool | None


def measure(
    rows: Sequence[int], *, rounds: int, seconds: float, folder: Path | None, tell: ProgressCallback
) -> list[Speed]:
    """In each round the peers, and each task at each number of rows and through gymnasium.make."""
    ids = task_catalog.task_ids()
    cells = [(peer, MADE, 1) for peer in PEERS if installed(peer)]
    cells += [(id, MADE, 1) for id in ids] + [(id, SIMULATION, count) for id in ids for count in rows]
    found = []
    for round in range(rounds):
        for number, cell in enumerate(cells):
            world, way, count = cell
            tell((round + number / len(cells)) / rounds, f"round {round + 1} of {rounds}: {world}, {count}")
            what = {"bench": "worlds", "cell": cell, "round": round, "seconds": seconds}

            def make(world: str = world, way: str = way, count: int = count) -> dict[str, Any]:
                if way == MADE:
                    return asdict(of_gymnasium(world, seconds))
                return asdict(of_simulation(task_catalog.task(world), count, seconds))

            found.append(replace(Speed(**cached_part(folder, what, make)), round=round))
    return found


def pooled(speeds: Sequence[Speed]) -> list[Speed]:
    """The rounds of each world run in one way as one line: the median, and all steps together."""
    lines = []
    for mine in _by_cell(speeds).values():
        pace = float(np.median([one.steps_per_cpu_second for one in mine]))
        steps = sum(one.steps for one in mine)
        lines.append(replace(mine[0], steps=steps, steps_per_cpu_second=pace, round=len(mine)))
    return lines


def _by_cell(speeds: Sequence[Speed]) -> dict[tuple[str, str, int], list[Speed]]:
    found: dict[tuple[str, str, int], list[Speed]] = {}
    for one in speeds:
        found.setdefault((one.world, one.way, one.rows), []).append(one)
    return found


def ratios(speeds: Sequence[Speed]) -> list[Ratio]:
    """Our tasks beside the peer of their kind, at every number of rows; CartPole where there is none."""
    cells = _by_cell(speeds)
    lines = []
    for (world, way, rows), mine in cells.items():
        if world not in task_catalog.task_ids():
            continue
        peer, made, many = TARGETS.get(task_catalog.task(world).world.name, ("CartPole-v1", None, None))
        base = {one.round: one.steps_per_cpu_second for one in cells.get((peer, MADE, 1), [])}
        found = [one.steps_per_cpu_second / base[one.round] for one in mine if one.round in base]
        if not found:
            continue
        wanted = made if way == MADE else many if rows == MANY else None
        times = float(np.median(found))
        within = None if wanted is None else times >= wanted
        name = world.removeprefix("teachbox/")
        lines.append(Ratio(name, way, rows, peer, times, min(found), max(found), wanted, within))
    return lines


def of_simulation(task: Task, rows: int, seconds: float) -> Speed:
    """A simulation of N rows, for whole episodes."""
    sim = Simulation(task, rows)
    pool = np.stack([[task.world.action_space.sample() for _ in range(rows)] for _ in range(POOL)])

    def episode() -> int:
        for t in range(task.horizon):
            sim.step(pool[t % POOL])
        return task.horizon * rows

    return Speed(task.id, SIMULATION, rows, *_timed(episode, seconds))


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

    speed = Speed(id, MADE, 1, *_timed(steps, seconds))
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
