"""Seeded rollouts boiled down to digests, to compare runs that must be the same to the last bit.

`python -m tests.envs.rollouts COUNT OUT` writes those of every variant, in a process of its own.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces

from envs import task_catalog, variants
from envs.kernels import mode
from envs.simulation import Simulation
from envs.world import Array, Task

FEW_PIXELS = 20
PAST_THE_END = 3  # steps of the next episode


def made(name: str) -> Task:
    """The variant of that name (`envs.variants.named`)."""
    id, options = variants.named()[name]
    return task_catalog.task(id, **options)


def seeds_for(task: Task, count: int) -> Array:
    """Seeds 0..count-1, fewer for pictures."""
    return np.arange(min(count, FEW_PIXELS) if task.world.obs_dtype is np.uint8 else count)


def actions_of(task: Task, seed: int, steps: int) -> Array:
    """A rollout's actions [steps] or [steps, C]: random, held for three steps each."""
    space, random, held = task.world.action_space, np.random.default_rng([seed, 17]), steps // 3 + 1
    drawn: Array
    if isinstance(space, spaces.Discrete):
        drawn = random.integers(0, int(space.n), held)
    else:
        drawn = random.uniform(space.low, space.high, (held, *space.shape)).astype(np.float32)
    return np.repeat(drawn, 3, axis=0)[:steps]


def digests(task: Task, seeds: Array, rows: int, *, since: int = 0, restored: bool = False) -> dict[int, str]:
    """By seed: a digest of all that a rollout gives, from step `since` on; so many rows at once.

    restored: at `since` everything is put into another simulation, which goes on with it.
    """
    found: dict[int, str] = {}
    for start in range(0, len(seeds), rows):
        some = seeds[start : start + rows]
        found.update(_together(task, some, since, restored))
    return found


def _together(task: Task, seeds: Array, since: int, restored: bool) -> dict[int, str]:
    steps = task.horizon + PAST_THE_END
    actions = np.stack([actions_of(task, int(seed), steps) for seed in seeds], axis=1)
    sim = Simulation(task, len(seeds), seed=12345)
    sim.reset(seeds)
    sums: list[Any] = [hashlib.sha256() for _ in seeds]
    for t, now in enumerate(actions):
        if restored and t == since:
            fresh = Simulation(task, len(seeds), seed=999)
            fresh.set_states(np.ones(len(seeds), np.bool_), sim.states.copy(), sim.rng.copy())
            sim = fresh
        step = sim.step(now)
        if t < since:
            continue
        for one in (step.obs, step.last_obs, step.terms, step.last_states, sim.states, sim.rng, step.ended):
            for row, digest in enumerate(sums):
                digest.update(one[row].tobytes())
    return {int(seed): digest.hexdigest() for seed, digest in zip(seeds, sums, strict=True)}


def everything(count: int) -> dict[str, dict[str, str]]:
    """Digests of so many rollouts of each variant, by its name and the seed."""
    found: dict[str, dict[str, str]] = {}
    for name in variants.named():
        task = made(name)
        here = digests(task, seeds_for(task, count), 64)
        found[name] = {str(seed): digest for seed, digest in here.items()}
    return found


if __name__ == "__main__":
    assert mode() == "compiled"
    Path(sys.argv[2]).write_text(json.dumps(everything(int(sys.argv[1]))))
