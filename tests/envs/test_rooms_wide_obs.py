"""The usual observation of Rooms: place, past, and ways that keep off things."""

from __future__ import annotations

import numpy as np
import pytest

from envs import task_catalog
from envs.recorded_options import recorded_options
from envs.rooms import rooms_feature_obs, rooms_wide_obs
from envs.rooms.rooms_state_layout import HEADER, MEMORY, cells_of, edge_of
from envs.simulation import Simulation
from envs.world import Task

NAMES = rooms_wide_obs.OBS_NAMES
STAY, UP, RIGHT, DOWN, LEFT = range(5)
TWO_ROOMS = """
#########
#R..#...#
#.%%=...#
#.%%#.l.#
#...#...#
#D..#.V.#
#...#...#
#...=..l#
#########
"""


def drawn(text: str = TWO_ROOMS) -> Simulation:
    return Simulation(task_catalog.task("teachbox/RoomsTidy-v0", layout=text), 1, auto_reset=False)


def told(sim: Simulation, name: str) -> float:
    return float(sim.obs[0, NAMES.index(name)])


def around(sim: Simulation, name: str) -> list[float]:
    """What a name tells for up, right, down and left."""
    return [told(sim, f"{name}_{move}") for move in rooms_feature_obs.MOVES]


def drive(sim: Simulation, *moves: int) -> None:
    for move in moves:
        sim.step(np.array([move]))


@pytest.mark.parametrize("name", ["RoomsTidy", "RoomsReach", "RoomsLoophole", "RoomsKeys"])
def test_it_begins_with_the_features_and_changes_nothing_else(name: str) -> None:
    wide, plain = (
        Simulation(task_catalog.task(f"teachbox/{name}-v0", observation=seen), 20, seed=3)
        for seen in ("wide", "features")
    )
    random = np.random.default_rng(1)
    for _ in range(70):
        actions = random.integers(0, plain.task.world.action_space.n, 20)  # type: ignore[union-attr]
        one, other = wide.step(actions), plain.step(actions)
        assert np.array_equal(one.obs[:, : other.obs.shape[1]], other.obs)
        assert np.array_equal(one.terms, other.terms)
        assert np.array_equal(one.last_states[:, : other.last_states.shape[1]], other.last_states)
        assert np.abs(one.obs).max() <= 2.0
    assert plain.task.world.obs_names == NAMES[: len(plain.task.world.obs_names)]


@pytest.mark.parametrize("name", ["RoomsTidy", "RoomsLoophole", "RoomsKeys"])
def test_a_state_says_all_that_is_seen(name: str) -> None:
    sim = Simulation(task_catalog.task(f"teachbox/{name}-v0"), 30, seed=5)
    again, random = Simulation(sim.task, 30), np.random.default_rng(2)
    for _ in range(90):
        seen = sim.step(random.integers(0, sim.task.world.action_space.n, 30)).obs  # type: ignore[union-attr]
        assert np.array_equal(again.set_states(np.ones(30, bool), sim.states, sim.rng), seen)


def test_where_it_is_and_which_room() -> None:
    sim = drawn()
    assert around(sim, "reach") == pytest.approx([0, 6 / 7, 6 / 7, 0])
    assert around(sim, "room_reach") == pytest.approx([0, 4 / 7, 0, 0]), "the flat goes on to the right"
    drive(sim, DOWN, RIGHT, RIGHT, RIGHT)
    assert around(sim, "room_reach") == pytest.approx([1 / 7, 3 / 7, 5 / 7, 3 / 7]), "a doorway by itself"
    drive(sim, RIGHT)
    assert around(sim, "room_reach") == pytest.approx([0, 0, 0, 4 / 7])
    assert around(sim, "start") == pytest.approx([1 / 7, 0, 0, 4 / 7])


def test_where_it_has_been() -> None:
    sim = drawn()
    assert told(sim, "been_here") == 0.25
    drive(sim, DOWN, UP, STAY, UP)
    assert told(sim, "been_here") == 0.5, "come back once; neither resting nor a bump is coming"
    assert around(sim, "been") == [0, 0, 0.25, 0]
    assert around(sim, "way_new") == [0, 1, 0, 0], "down it has been, up and left are walls"
    assert (told(sim, "cells_been"), told(sim, "time")) == pytest.approx((2 / 60, 4 / 60))
    drive(sim, DOWN, RIGHT)
    assert told(sim, "carpet_steps") == pytest.approx(1 / 20)
    drive(sim, LEFT, DOWN, DOWN, DOWN)
    assert told(sim, "home_visits") == 0.25


def test_ways_that_keep_off() -> None:
    sim = drawn()
    drive(sim, DOWN)
    assert around(sim, "way_fetch") == [-1, 1, -1, -1], "straight over the carpet"
    off = around(sim, "way_next_off_carpet")
    assert off == [0.5, -1, 1, -1], "down to the other doorway; up is a detour of two steps"
    assert told(sim, "spoiled_next_off_carpet") == 0, "no carpet lies there"
    assert told(sim, "spoiled_next_off_vases") == 0
    drive(sim, RIGHT, RIGHT, RIGHT, RIGHT)
    assert around(sim, "vase_near") == [0, 0, 0, 0]
    farthest = around(sim, "way_farthest")
    assert farthest[2] == max(farthest), "past the near piece"


def test_options_of_files_name_what_was_seen_then() -> None:
    assert recorded_options("teachbox/RoomsTidy-v0", {"size": 9}) == {"size": 9, "observation": "features"}
    assert recorded_options("teachbox/RoomsTidy-v0", {"observation": "grid"}) == {"observation": "grid"}
    assert recorded_options("CartPole-v1", {}) == {}
    now: Task = task_catalog.task("teachbox/RoomsTidy-v0")
    assert recorded_options(now.id, now.options) == now.options, "what is written now says it"


@pytest.mark.parametrize("edge", range(5, 26))
def test_sizes_are_told_by_the_length_of_a_state(edge: int) -> None:
    area = edge * edge
    assert edge_of(HEADER + area) == edge
    assert edge_of(HEADER + 2 * area + MEMORY) == edge
    assert cells_of(np.zeros((3, HEADER + 2 * area + MEMORY))).shape == (3, area)
