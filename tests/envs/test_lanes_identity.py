"""The same drive, bit for bit: alone or among many, in any order, in another process, plain or compiled."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs import task_catalog
from envs.kernels import mode
from envs.lanes.lanes_expert import CarefulDriver
from envs.lanes.lanes_state_layout import CRASHED, FREE, LANE, LANES, LENGTH, RING, V, X, Y, cars_of
from envs.lanes.lanes_tasks import CONTROLS
from envs.lanes.lanes_world import OBSERVATIONS
from envs.lanes.traffic import neighbours
from envs.simulation import Simulation
from envs.world import Array, Task
from tests.envs.roads import placed
from tests.envs.test_contract import actions_for, run
from tests.envs.test_lanes import overlapping

IDS = tuple(id for id in task_catalog.task_ids() if id.startswith("teachbox/Lanes"))
VARIANTS = tuple(product(IDS, CONTROLS, OBSERVATIONS))
ROOT = Path(__file__).parents[2]


def made(id: str, actions: str, observation: str) -> Task:
    return task_catalog.task(id, actions=actions, observation=observation)


def drives(rows: int, steps: int) -> dict[str, Array]:
    """Every variant driven at random: what it was like, by a name for each number."""
    found: dict[str, Array] = {}
    for at, (id, actions, observation) in enumerate(VARIANTS):
        task = made(id, actions, observation)
        some = 6 if observation == "pixels" else steps
        data = run(Simulation(task, rows, seed=40 + at), actions_for(task, some, rows, seed=at))
        found |= {f"{at}_{name}": values for name, values in data.items()}
    return found


OTHER_PROCESS = """
import sys
import numpy as np
from envs.kernels import mode
from tests.envs.test_lanes_identity import drives
assert mode() == sys.argv[2]
np.savez(sys.argv[1], **drives(int(sys.argv[3]), int(sys.argv[4])))
"""


def elsewhere(out: Path, kernels: str, rows: int, steps: int) -> dict[str, Any]:
    command = [sys.executable, "-c", OTHER_PROCESS, str(out), kernels, str(rows), str(steps)]
    subprocess.run(command, check=True, env={**os.environ, "TEACHBOX_KERNEL": kernels}, cwd=ROOT)
    with np.load(out, allow_pickle=False) as data:
        return dict(data)


def test_another_process_gives_the_same(tmp_path: Path) -> None:
    here, there = drives(3, 60), elsewhere(tmp_path / "there.npz", mode(), 3, 60)
    assert here.keys() == there.keys()
    for name, values in here.items():
        assert np.array_equal(values, there[name]), (VARIANTS[int(name.split("_")[0])], name)


def test_plain_python_stays_close_to_compiled(tmp_path: Path) -> None:
    here, there = drives(1, 15), elsewhere(tmp_path / "plain.npz", "plain", 1, 15)
    for name, values in here.items():
        variant = VARIANTS[int(name.split("_")[0])]
        if name.endswith("rng"):
            assert np.array_equal(values, there[name]), variant
        elif name.endswith("obs") and variant[2] == "pixels":
            assert (np.abs(values - there[name]) > 1.5 / 255).mean() < 0.002, variant
        else:
            assert np.abs(values.astype(np.float64) - there[name]).max() < 1e-3, (variant, name)


def rollouts(task: Task, seeds: Array, actions: Array, rows: int) -> dict[str, Array]:
    """Last states, random words and observations, and terms summed, of a whole drive from each seed."""
    parts: list[tuple[Array, ...]] = []
    for start in range(0, len(seeds), rows):
        some = slice(start, start + rows)
        sim = Simulation(task, len(seeds[some]), auto_reset=False)
        sim.reset(seeds[some])
        terms = np.zeros((sim.rows, len(task.world.terms)))
        for now in actions:
            terms += sim.step(now[some]).terms
        parts.append((sim.states.copy(), sim.rng.copy(), sim.obs.copy(), terms))
    names = ("states", "rng", "obs", "terms")
    return {name: np.concatenate([part[k] for part in parts]) for k, name in enumerate(names)}


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS, ids="-".join)
def test_a_thousand_rollouts_are_the_same_alone_and_among_others(variant: tuple[str, str, str]) -> None:
    task = made(*variant)
    count = 20 if variant[2] == "pixels" else 1000
    seeds, order = np.arange(count), np.random.default_rng(1).permutation(count)
    actions = actions_for(task, task.horizon, count, seed=3)
    alone = rollouts(task, seeds, actions, 1)
    mixed = rollouts(task, seeds[order], actions[:, order], 64)
    for name, values in alone.items():
        assert np.array_equal(values[order], mixed[name]), name


@pytest.mark.parametrize("id", IDS)
def test_cars_that_are_steered_never_overlap_unless_crashed(id: str) -> None:
    task, rows = task_catalog.task(id, actions="continuous", difficulty="hard"), 60
    random, driver = np.random.default_rng(2), CarefulDriver(task.world)
    sim = Simulation(task, rows, seed=17, auto_reset=False)
    wild = np.zeros((rows, 2), np.float32)
    for t in range(task.horizon):
        if t % 4 == 0:
            wild = random.uniform([-0.6, -1.0], 1.0, (rows, 2)).astype(np.float32)
        sim.step(np.where((np.arange(rows) % 3 == 0)[:, None], driver.act(sim.obs), wild))
        assert not (overlapping(sim.states, task.world.params[RING]) & (sim.states[:, CRASHED] == 0)).any()
    assert (sim.states[:, CRASHED] == 1).any(), "nobody crashed: the test says nothing"


def too_near(states: Array, task: Task) -> Array:
    """Rows whose start has somebody on the road who overlaps the next or can't stop behind it."""
    ring, lanes = task.world.params[RING], int(task.world.params[LANES])
    bad = np.zeros(len(states), bool)
    for row, cars in enumerate(cars_of(states).astype(np.float64)):
        for i in range(len(cars)):
            if cars[i, LANE] >= lanes:
                continue
            lead, gap, _, _ = neighbours(cars, ring, i, int(cars[i, LANE]))
            need = max(0.0, cars[i, V] ** 2 - cars[lead, V] ** 2) / 12.0 if gap < FREE else 0.0
            bad[row] |= gap <= need
    return bad


def starts_are_sound(id: str, difficulty: str, seeds: int) -> None:
    """Nobody is too near at the start, and a careful driver gets on from it without a crash."""
    task = task_catalog.task(id, difficulty=difficulty)
    sim, driver = Simulation(task, seeds, auto_reset=False), CarefulDriver(task.world)
    assert not too_near(sim.states[: min(seeds, 2000)], task).any()
    assert (cars_of(sim.states)[..., LENGTH] > 3.0).all()
    for _ in range(task.horizon):
        sim.step(driver.act(sim.obs))
    # Traffic is deterministic from its start and this driver a simple one: of ten thousand a few are lost.
    assert (sim.states[:, CRASHED] == 1).mean() <= 0.001
    assert (cars_of(sim.states)[:, 0, X] < 50.0).mean() <= 0.001


@pytest.mark.parametrize("id", IDS)
def test_starts_can_be_driven_from(id: str) -> None:
    starts_are_sound(id, "normal", 200)


@pytest.mark.slow
@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize("difficulty", ["easy", "normal", "hard"])
def test_ten_thousand_starts_can_be_driven_from(id: str, difficulty: str) -> None:
    starts_are_sound(id, difficulty, 10_000)


def test_steering_by_hand() -> None:
    """Full steer at 20 m/s is 0.75 lanes/s, 0.15 a step; at 3 m/s the slant allows 0.2 * 3 / 3.5 * 0.2."""
    for speed, across in ((20.0, 0.15), (3.0, 0.2 * 3.0 / 3.5 * 0.2)):
        task = task_catalog.task(IDS[0], actions="continuous")
        sim = placed((0.0, 1, speed), task=task)
        sim.step(np.array([[0.0, -1.0]], np.float32))
        assert cars_of(sim.states)[0, 0, Y] == pytest.approx(1.0 - across, abs=1e-5)
