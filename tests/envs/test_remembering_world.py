"""A memory at the end of the state: the physics stay as they were, forks and recordings carry it along."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from envs.remembering_world import Memory, remembering
from envs.simulation import Simulation
from envs.tabular import canonical_form
from envs.task_catalog import task
from envs.world import Array, Task


def counting() -> Memory:
    """How many steps were made since the start, and the last cell's row."""

    def after(memory: Array, before: Array, terms: Array, now: Array) -> Array:
        return np.stack([memory[:, 0] + 1, now[:, 1]], 1).astype(memory.dtype)

    return Memory(2, lambda states: np.zeros((len(states), 2), states.dtype), after)


def remembered(shown: bool = False) -> Task:
    plain = task("teachbox/RoomsTidy-v0")
    return replace(plain, world=remembering(plain.world, counting(), shown=shown))


def test_the_physics_stay_as_they_were() -> None:
    plain, random = task("teachbox/RoomsTidy-v0"), np.random.default_rng(0)
    one, other = Simulation(plain, 8, seed=3), Simulation(remembered(), 8, seed=3)
    known = plain.world.state_size
    for number in range(70):  # over the horizon, where rows start anew
        actions = random.integers(0, 5, 8)
        a, b = one.step(actions), other.step(actions)
        assert (one.states == other.states[:, :known]).all()
        assert (a.terms == b.terms).all()
        assert (a.obs == b.obs).all()
        assert (b.last_states[:, known] == number % plain.horizon + 1).all()
    assert (other.states[:, known] == 70 - plain.horizon).all()


def test_a_fork_goes_on_from_what_was_remembered() -> None:
    sim = Simulation(remembered(), 1, seed=5, auto_reset=False)
    record = sim.recorder(0)
    for _ in range(10):
        step = sim.step(np.array([2]))
        record.add(2, step.terms[0], step.last_states[0], int(sim.rng[0]), step.last_obs[0])
    again = Simulation(remembered(), 1, auto_reset=False)
    again.fork(0, record.trajectory(), 4)
    for _ in range(6):
        again.step(np.array([2]))
    assert (again.states == sim.states).all()


def test_it_is_seen_only_where_it_is_shown() -> None:
    hidden, shown = remembered(), remembered(shown=True)
    assert hidden.world.obs_names == task("teachbox/RoomsTidy-v0").world.obs_names
    assert shown.world.obs_names[-2:] == ("memory_0", "memory_1")
    sim = Simulation(shown, 3, seed=1)
    sim.step(np.zeros(3, np.int64))
    assert (sim.obs[:, -2] == 1.0).all()


def test_states_that_remember_otherwise_are_not_merged() -> None:
    made = remembered()
    sim = Simulation(made, 2, seed=1)
    both = np.repeat(sim.states[:1], 2, 0)
    both[1, -2] = 7
    found = canonical_form(made)(both)
    assert (found[0, :-2] == found[1, :-2]).all()
    assert found[0, -2] != found[1, -2]


def test_its_places_are_those_of_the_world() -> None:
    made = remembered()
    states, where = made.world.placements(Simulation(made, 1).states[0])
    assert states.shape[1] == made.world.state_size
    assert (made.world.agent_position(states) == where).all()
