"""A process that begins plain fetches the same compiled kernels that others begin with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from envs import task_catalog
from envs.simulate import simulate
from envs.world import Array, Task

WORLDS = ("teachbox/RoomsTidy-v0", "teachbox/LanesMerge-v0", "teachbox/RoverDeliver-v0")
STEPS = 40


def roll(task: Task, seed: int = 5) -> dict[str, Array]:
    """One row under random actions: the observations, terms and random words of each step."""
    sim = simulate(task, 1, seed)
    space = task.world.action_space
    space.seed(seed)
    seen: dict[str, list[Array]] = {"obs": [], "terms": [], "rng": []}
    for _ in range(STEPS):
        step = sim.step(np.array([space.sample()]))
        for name, value in (("obs", step.obs), ("terms", step.terms), ("rng", sim.rng)):
            seen[name].append(value.copy())
    kinds = {sim.recorder().trajectory().kernel}
    return {**{name: np.array(values) for name, values in seen.items()}, "kernel": np.array(sorted(kinds))}


_CHILD = """
import sys
import numpy as np
from envs import kernels
kernels.use_plain()
from envs import task_catalog as catalog
from envs.simulate import simulate
from envs.simulation import fetch_kernels
from tests.envs.test_kernels import roll
task = catalog.task(sys.argv[1])
early = simulate(task, 1, 5)
first = roll(task)
assert "numba" not in sys.modules
fetch_kernels(task)
np.savez(sys.argv[2], early=early.recorder().trajectory().kernel, first=first["kernel"], **roll(task))
"""


@pytest.mark.parametrize("world", WORLDS)
def test_fetched_kernels_are_the_compiled_ones(world: str, tmp_path: Path) -> None:
    file = tmp_path / "run.npz"
    subprocess.run(
        [sys.executable, "-c", _CHILD, world, str(file)],
        check=True,
        cwd=Path(__file__).parents[2],
        env={name: value for name, value in os.environ.items() if name != "TEACHBOX_KERNEL"},
    )
    here, there = roll(task_catalog.task(world)), np.load(file)
    assert str(there["early"]) == "plain", "a simulation keeps what it was reset with"
    assert list(there["first"]) == ["plain"]
    assert list(there["kernel"]) == ["compiled"]
    for name in ("obs", "terms", "rng"):
        assert np.array_equal(here[name], there[name]), name
