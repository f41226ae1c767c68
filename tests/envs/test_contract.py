"""One contract, held by every task that comes with teachbox."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from envs import task_catalog
from envs.lanes.lanes_state_layout import CRASHED
from envs.rooms.rooms_state_layout import PARKED
from envs.rover import rover_state_layout as rover
from envs.simulation import Simulation
from envs.world import OBS_BOUND, Array, Task

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    **{id.split("/")[1]: (id, {}) for id in task_catalog.task_ids()},
    "RoomsTidy-13-hard-test": (
        "teachbox/RoomsTidy-v0",
        {"size": 13, "difficulty": "hard", "split": "test"},
    ),
    "LanesCruise-hard-test": ("teachbox/LanesCruise-v0", {"difficulty": "hard", "split": "test"}),
    "RoverDeliver-hard-test": ("teachbox/RoverDeliver-v0", {"difficulty": "hard", "split": "test"}),
}
ABSORBED = {"rooms": PARKED, "lanes": CRASHED, "rover": rover.PARKED}
"""By world: the number of the state that is 1 once nothing more can happen."""


@pytest.fixture(params=KINDS, scope="module")
def task(request: pytest.FixtureRequest) -> Task:
    id, options = KINDS[request.param]
    return task_catalog.task(id, **options)


def actions_for(task: Task, steps: int, rows: int, seed: int = 0) -> Array:
    """Random actions [steps, rows] or [steps, rows, C], held for a few steps so that something happens."""
    space, random, held = task.world.action_space, np.random.default_rng(seed), steps // 3 + 1
    drawn: Array
    if isinstance(space, spaces.Discrete):
        drawn = random.integers(0, int(space.n), (held, rows))
    else:
        drawn = random.uniform(space.low, space.high, (held, rows, *space.shape)).astype(np.float32)
    return np.repeat(drawn, 3, axis=0)[:steps]


def run(sim: Simulation, actions: Array) -> dict[str, Array]:
    """Everything that a simulation gives for actions [T, N]."""
    kept: dict[str, list[Array]] = {
        name: [] for name in ("obs", "last_obs", "terms", "ended", "states", "rng")
    }
    for now in actions:
        step = sim.step(now)
        for name in ("obs", "last_obs", "terms", "ended"):
            kept[name].append(getattr(step, name).copy())
        kept["states"].append(sim.states.copy())
        kept["rng"].append(sim.rng.copy())
    return {name: np.stack(values) for name, values in kept.items()}


def same(left: dict[str, Array], right: dict[str, Array]) -> None:
    for name, values in left.items():
        assert np.array_equal(values, right[name]), f"{name} differs"


def near_the_end(sim: Simulation) -> Simulation:
    """The simulation, where random driving is unlikely to come to an end moved to where it does."""
    if sim.task.world.name == "rover":
        states = sim.states.copy()
        states[:, [rover.X, rover.Y]] = states[:, [rover.BEACON_X, rover.BEACON_Y]] - [1.0, 1.0]
        sim.set_states(np.ones(sim.rows, bool), states, sim.rng.copy())
    return sim


def test_words_and_spaces(task: Task) -> None:
    world = task.world
    assert task.id in task_catalog.task_ids()
    assert task.title
    assert task.about.endswith(".")
    assert len(set(world.obs_names)) == len(world.obs_names)
    assert len(set(world.term_names)) == len(world.term_names)
    assert set(task.proxy_reward) <= set(world.term_names)
    assert task.proxy_weights.any(), "the written reward asks for nothing"
    assert "" in task.keys, "no key must mean something"
    if isinstance(world.action_space, spaces.Discrete):
        assert len(world.action_names) == int(world.action_space.n)
        assert (task.idle_actions(4) == world.idle_action).all()
    else:
        assert world.action_space.shape == (len(world.action_names),)
        assert (task.idle_actions(4) == task.keys[""]).all()
    assert task.idle_actions(4).shape == (4, *np.shape(task.keys[""]))
    for key, action in task.keys.items():
        given = np.asarray(action, world.action_space.dtype)
        assert given in world.action_space, f"key {key!r} gives {action}"
    assert world.steps_per_second > 0


def test_shapes_types_and_bounds(task: Task) -> None:
    world, rows = task.world, 16
    sim = near_the_end(Simulation(task, rows))
    data = run(sim, actions_for(task, 2 * task.horizon + 5, rows))
    assert data["obs"].shape[1:] == (rows, len(world.obs_names))
    assert data["terms"].shape[1:] == (rows, len(world.terms))
    assert data["states"].shape[1:] == (rows, world.state_size)
    assert data["obs"].dtype == data["terms"].dtype == np.float32
    assert data["states"].dtype == world.state_dtype
    for name in ("obs", "last_obs", "terms", "states"):
        assert np.isfinite(data[name]).all(), name
    assert np.abs(data["obs"]).max() <= OBS_BOUND
    assert np.abs(data["last_obs"]).max() <= OBS_BOUND
    moving = data["terms"].reshape(-1, len(world.terms)).std(axis=0)
    assert moving[[world.term_names.index(name) for name in task.proxy_reward]].all(), (
        "a written term never changes"
    )


def test_horizon_and_auto_reset(task: Task) -> None:
    rows = 5
    sim = Simulation(task, rows)
    data = run(sim, actions_for(task, 2 * task.horizon + 1, rows))
    ends = np.zeros(2 * task.horizon + 1, bool)
    ends[[task.horizon - 1, 2 * task.horizon - 1]] = True
    assert (data["ended"] == ends[:, None]).all()
    clock = data["states"][..., task.world.clock]
    assert (clock[ends] == 0).all(), "a row that ended stands at the start"
    assert (data["obs"][~ends] == data["last_obs"][~ends]).all()
    assert (data["obs"][ends] != data["last_obs"][ends]).any(), "obs is the fresh start, last_obs the end"
    starts = data["states"][task.horizon - 1], data["states"][2 * task.horizon - 1]
    assert (starts[0] != starts[1]).any(axis=1).all(), "each episode draws its own start"


def test_without_auto_reset_rows_stay_at_their_end(task: Task) -> None:
    sim = Simulation(task, 3, auto_reset=False)
    data = run(sim, actions_for(task, task.horizon, 3))
    assert data["ended"][-1].all()
    assert (data["states"][-1, :, task.world.clock] == task.horizon).all()


def test_absorbing_states_pay_nothing_and_stay(task: Task) -> None:
    """Driven at random until some row is absorbed; then only the clock may run."""
    column, clock = ABSORBED[task.world.name], task.world.clock
    task = absorbing_soon(task)
    sim = near_the_end(Simulation(task, 64))
    data = run(sim, actions_for(task, task.horizon - 1, 64, seed=1))
    absorbed = data["states"][..., column] == 1
    assert absorbed.any(), "no row was absorbed: the test says nothing"
    before, after = absorbed[:-1], data["states"][1:]
    assert (after[..., column][before] == 1).all(), "what is absorbed stays so"
    assert (data["terms"][1:][before] == 0).all(), "an absorbed row is still paid"
    others = np.arange(task.world.state_size) != clock
    settled = absorbed[:-2] & absorbed[1:-1]
    assert (data["obs"][2:][settled] == data["obs"][1:-1][settled]).all(), "what is seen still changes"
    moved = data["states"][2:][settled][:, others] != data["states"][1:-1][settled][:, others]
    assert not moved.any()
    told = data["obs"][absorbed].min(axis=0) > data["obs"][~absorbed].max(axis=0)
    assert told.any(), "no number of the observation says that the row is absorbed"


def absorbing_soon(task: Task) -> Task:
    """The task, long enough that random driving comes to an end state."""
    if task.world.name == "rooms":
        small = task_catalog.task(task.id, **{**task.options, "size": 7, "difficulty": "easy"})
        return replace(small, horizon=1500)
    return task


def test_single_and_batched_are_bit_identical(task: Task) -> None:
    rows, seed = 7, 11
    actions = actions_for(task, task.horizon + 20, rows)
    batched = run(Simulation(task, rows, seed=seed), actions)
    for row in (0, 3, 6):
        alone = run(Simulation(task, 1, seed=seed + row), actions[:, row : row + 1])
        same(alone, {name: values[:, row : row + 1] for name, values in batched.items()})


def test_rows_seeded_one_by_one_or_as_a_run_are_the_same(task: Task) -> None:
    by_run, by_list = Simulation(task, 4, seed=5), Simulation(task, 4)
    by_list.reset(np.array([5, 6, 7, 8]))
    assert np.array_equal(by_run.states, by_list.states)
    assert np.array_equal(by_run.rng, by_list.rng)


def test_a_saved_state_goes_on_bit_identically(task: Task) -> None:
    rows, middle = 6, task.horizon // 2
    actions = actions_for(task, task.horizon + 30, rows)
    sim = Simulation(task, rows, seed=2)
    run(sim, actions[:middle])
    states, rng, obs = sim.states.copy(), sim.rng.copy(), sim.obs.copy()
    rest = run(sim, actions[middle:])
    fresh = Simulation(task, rows, seed=99)
    assert np.array_equal(fresh.set_states(np.ones(rows, bool), states, rng), obs)
    same(rest, run(fresh, actions[middle:]))


def test_a_fork_goes_on_bit_identically(task: Task) -> None:
    actions = actions_for(task, min(40, task.horizon - 1), 1)
    sim = Simulation(task, 1, seed=3)
    recorder = sim.recorder(0, driver="random")
    for now in actions:
        step = sim.step(now)
        recorder.add(now[0], step.terms[0], step.last_states[0], int(sim.rng[0]), step.last_obs[0])
    trajectory = recorder.trajectory()
    assert trajectory.driver == "random"
    many = Simulation(task, 3, seed=50)
    others = many.states[[0, 2]].copy()
    many.fork(1, trajectory, 10)
    assert np.array_equal(many.states[[0, 2]], others), "a fork disturbs no other row"
    data = run(many, np.repeat(actions[10:], 3, axis=1))
    assert np.array_equal(data["states"][:, 1], trajectory.states[11:])
    assert np.array_equal(data["terms"][:, 1], trajectory.terms[10:])


def test_a_recording_of_another_size_is_refused() -> None:
    small, large = (task_catalog.task("teachbox/RoomsTidy-v0", size=size) for size in (9, 13))
    trajectory = Simulation(small, 1).recorder().trajectory()
    with pytest.raises(ValueError, match="options"):
        Simulation(large, 1).fork(0, trajectory, 0)


def test_splits_never_share_a_start() -> None:
    for id in task_catalog.task_ids():
        starts = []
        for split in ("train", "test"):
            sim = Simulation(task_catalog.task(id, split=split), 300)
            starts.append({state.tobytes() for state in sim.states})
        assert not starts[0] & starts[1]


def test_wish_and_done_have_one_number_a_step(task: Task) -> None:
    sim = Simulation(task, 1, auto_reset=False)
    before = sim.states.copy()
    data = run(sim, actions_for(task, task.horizon, 1))
    states = np.concatenate([before[None], data["states"]])[:, 0]
    wish = task.true_reward(states[:-1], data["terms"][:, 0], states[1:])
    assert wish.shape == (task.horizon,)
    assert wish.dtype == np.float32
    assert np.isfinite(wish).all()
    done = task.done(states)
    assert done.shape == (task.horizon + 1,)
    assert done.dtype == bool
    assert not done[0]


def test_places_and_placements(task: Task) -> None:
    sim = Simulation(task, 3)
    assert task.world.agent_position(sim.states).shape == (3, 2)
    states, where = task.world.placements(sim.states[0])
    assert len(states) == len(where) > 10
    assert states.dtype == sim.states.dtype
    assert np.allclose(task.world.agent_position(states), where)
    many = Simulation(task, len(states))
    many.set_states(np.ones(len(states), bool), states, np.zeros(len(states), np.uint64))
    assert np.isfinite(many.obs).all()


OTHER_PROCESS = """
import sys
import numpy as np
from tests.envs.test_contract import KINDS, actions_for, run
from envs import task_catalog as catalog
from envs.kernels import mode
from envs.simulation import Simulation
kind, steps, out, wanted = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
assert mode() == wanted
id, options = KINDS[kind]
task = catalog.task(id, **options)
np.savez(out, **run(Simulation(task, 4, seed=21), actions_for(task, steps, 4)))
"""


def elsewhere(kind: str, steps: int, out: Path, mode: str) -> dict[str, Array]:
    """The same run in a process of its own."""
    command = [sys.executable, "-c", OTHER_PROCESS, kind, str(steps), str(out), mode]
    environment = {**os.environ, "TEACHBOX_KERNEL": mode}
    subprocess.run(command, check=True, env=environment, cwd=Path(__file__).parents[2])
    with np.load(out, allow_pickle=False) as data:
        return dict(data)


@pytest.mark.parametrize("kind", ["RoomsTidy-v0", "LanesCruise-v0", "RoverDeliver-v0"])
def test_another_process_gives_the_same(kind: str, tmp_path: Path) -> None:
    id, options = KINDS[kind]
    task = task_catalog.task(id, **options)
    steps = task.horizon + 10
    here = run(Simulation(task, 4, seed=21), actions_for(task, steps, 4))
    same(here, elsewhere(kind, steps, tmp_path / "run.npz", "compiled"))


@pytest.mark.parametrize("kind", ["RoomsTidy-v0", "LanesCruise-v0", "RoverDeliver-v0"])
def test_plain_python_stays_close_to_compiled(kind: str, tmp_path: Path) -> None:
    id, options = KINDS[kind]
    task = task_catalog.task(id, **options)
    steps = task.horizon + 10
    here = run(Simulation(task, 4, seed=21), actions_for(task, steps, 4))
    plain = elsewhere(kind, steps, tmp_path / "run.npz", "plain")
    assert np.array_equal(here["rng"], plain["rng"]), "random words are whole numbers: never different"
    assert np.abs(here["obs"] - plain["obs"]).max() < 1e-3
    assert np.abs(here["terms"] - plain["terms"]).max() < 1e-3
