"""Rooms as planes and as pictures: what stands where, and what other people's tools get."""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common import env_checker as sb3

from envs import task_catalog
from envs.rooms.grid_pixel_obs import OWN, PIXELS, PLANES
from envs.rooms.rooms_state_layout import (
    BROKEN,
    COL,
    DIRTY,
    DOCK,
    FORCED,
    HEADER,
    LITTER,
    MUDDY,
    PARKED,
    ROW,
    SHARDS,
    WALL,
)
from envs.simulation import Simulation
from envs.world import Task

FLAT = "#######\n#l.V.D#\n#.R%%.#\n#..m..#\n#######\n"
VARIANTS: list[dict[str, Any]] = [
    {"observation": "grid"},
    {"observation": "grid", "view": 5},
    {"observation": "grid", "view": 0},
    {"observation": "pixels"},
]


def tidy(**options: Any) -> Task:
    return task_catalog.task("teachbox/RoomsTidy-v0", **options)


def seen(task: Task, states: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """The planes by name that the (first) row sees at its start, or in a state."""
    sim = Simulation(task, 1)
    if states is not None:
        sim.set_states(np.ones(1, bool), states[None], sim.rng)
    return dict(zip(PLANES, sim.obs[0].reshape(task.world.obs_shape), strict=True))


def test_the_whole_flat_in_planes() -> None:
    task = tidy(layout=FLAT, observation="grid", view=0)
    planes = seen(task)
    cells = Simulation(task, 1).states[0, HEADER:].reshape(7, 7)
    assert np.array_equal(planes["wall"] == 1, cells == WALL)
    for name, row, col in (("fetch", 2, 1), ("vase", 2, 3), ("home", 2, 5), ("mud", 4, 3), ("robot", 3, 2)):
        assert np.argwhere(planes[name]).tolist() == [[row, col]], name
    assert np.argwhere(planes["carpet"]).tolist() == [[3, 3], [3, 4]]
    assert all(not planes[name].any() for name in OWN)


def test_a_window_keeps_the_robot_in_its_middle_and_ends_at_walls() -> None:
    planes = seen(tidy(layout=FLAT, observation="grid", view=5))
    assert np.argwhere(planes["robot"]).tolist() == [[2, 2]]
    assert np.argwhere(planes["fetch"]).tolist() == [[1, 1]]
    assert np.argwhere(planes["vase"]).tolist() == [[1, 3]]
    assert not planes["home"].any(), "three cells away"
    assert planes["wall"].sum() == 13
    corner = Simulation(tidy(layout=FLAT, observation="grid"), 1).states[0]
    corner[[ROW, COL]] = 2, 1
    planes = seen(tidy(layout=FLAT, observation="grid", view=7), corner)
    assert planes["wall"][:, :3].all(), "beyond the flat is wall"
    assert not planes["wall"][3, 3:].any()


def test_what_is_spoiled_counts_half_and_own_levels_fill_their_planes() -> None:
    state = Simulation(tidy(layout=FLAT, observation="grid"), 1).states[0]
    at = HEADER + 2 * 7
    state[at + 1], state[at + 2], state[at + 3] = DIRTY, FORCED, SHARDS
    state[BROKEN], state[MUDDY], state[PARKED] = 1, 2, 1
    planes = seen(tidy(layout=FLAT, observation="grid", view=0), state)
    assert planes["carpet"][2, 1] == planes["doorway"][2, 2] == planes["vase"][2, 3] == 0.5
    assert (planes["muddy"] == 0.5).all()
    assert (planes["spoiled"] == 1).all()
    assert (planes["parked"] == 1).all()
    assert (planes["holding"] == 0).all()


@pytest.mark.parametrize("view", [5, 0])
def test_grids_turn_together_with_their_actions(view: int) -> None:
    task = tidy(observation="grid", view=view)
    sim, turned = Simulation(task, 64, seed=5), Simulation(task, 64)
    rng = np.random.default_rng(0)
    for _ in range(12):
        sim.step(rng.integers(0, 5, 64))
    states, everyone = sim.states.copy(), np.ones(64, bool)
    base, names = sim.obs.copy(), []
    for index, (order, action_map) in enumerate(task.world.symmetries):
        turn, mirror = divmod(index, 2)

        def transform(grid: np.ndarray, turn: int = turn, mirror: int = mirror) -> np.ndarray:
            return np.rot90(grid[:, ::-1] if mirror else grid, turn)

        moved = states.copy()
        for row, state in enumerate(states):
            here = np.zeros((9, 9), bool)
            here[state[ROW], state[COL]] = True
            moved[row, HEADER:] = transform(state[HEADER:].reshape(9, 9)).ravel()
            moved[row, [ROW, COL]] = np.argwhere(transform(here))[0]
        turned.set_states(everyone, moved, sim.rng)
        assert np.array_equal(turned.obs, base[:, order])
        for action in range(5):
            sim.set_states(everyone, states, sim.rng)
            turned.set_states(everyone, moved, sim.rng)
            after = turned.step(np.full(64, action_map[action])).last_obs.copy()
            assert np.array_equal(after, sim.step(np.full(64, action)).last_obs[:, order])
        names.append(tuple(action_map))
    assert len(set(names)) == 8


def test_a_picture_shows_each_thing_in_its_place() -> None:
    task = tidy(layout=FLAT, observation="pixels")
    picture = np.rint(Simulation(task, 1).obs[0].reshape(PIXELS) * 255).astype(int)
    edge, up, side = 11, 1, 3

    def middle(row: int, col: int) -> tuple[int, ...]:
        return tuple(picture[up + row * edge + 5, side + col * edge + 5])

    assert middle(2, 1) == (255, 255, 255), "litter"
    assert middle(2, 5) == (70, 150, 230), "dock"
    assert middle(3, 2) == (40, 40, 48), "robot"
    assert middle(4, 1) == middle(4, 5) == (233, 214, 184), "floor"
    things = {
        middle(row, col) for row, col in ((2, 1), (2, 3), (2, 5), (3, 2), (3, 3), (4, 3), (0, 0), (4, 1))
    }
    assert len(things) == 8
    nose = picture[up + 3 * edge : up + 4 * edge, side + 2 * edge : side + 3 * edge]
    rows = np.argwhere((nose == (120, 240, 240)).all(axis=2))[:, 0]
    assert rows.min() > 6, "looks down"


def test_lamps_tell_what_the_robot_has_on_it() -> None:
    task = tidy(layout=FLAT, observation="pixels")
    sim = Simulation(task, 4)
    for row, (column, value) in enumerate(((MUDDY, 4), (BROKEN, 1), (PARKED, 1))):
        sim.states[row, column] = value
    sim.set_states(np.ones(4, bool), sim.states.copy(), sim.rng)
    lamps = sim.obs.reshape(4, *PIXELS)[:, 82, [5, 25, 45, 65]].max(axis=2)
    lit = lamps > 0.5
    assert lit.tolist() == [
        [True, False, False, False],
        [False, False, True, False],
        [False, False, False, True],
        [False, False, False, False],
    ]


@pytest.mark.parametrize("size", [7, 9, 13, 25])
def test_pictures_are_bytes_and_fit_at_every_size(size: int) -> None:
    sim = Simulation(tidy(observation="pixels", size=size), 2)
    levels = sim.obs * 255
    assert np.abs(levels - np.rint(levels)).max() < 1e-4
    walls = (np.rint(levels).astype(int).reshape(2, *PIXELS) == (104, 82, 76)).all(axis=3)
    rows, columns = walls[0].any(axis=1), walls[0].any(axis=0)
    assert rows.sum() == columns.sum() == 80 // size * size


@pytest.mark.parametrize("options", VARIANTS)
def test_the_world_goes_on_the_same_however_it_is_seen(options: dict[str, Any]) -> None:
    rng = np.random.default_rng(2)
    plain, other = Simulation(tidy(), 5, seed=4), Simulation(tidy(**options), 5, seed=4)
    for _ in range(70):
        action = rng.integers(0, 5, 5)
        left, right = plain.step(action), other.step(action)
        assert np.array_equal(left.terms, right.terms)
        kept = other.states.shape[1]  # only the usual observation needs a memory after it
        assert np.array_equal(plain.states[:, :kept], other.states)
        assert np.array_equal(plain.rng, other.rng)


@pytest.mark.parametrize("options", VARIANTS)
@pytest.mark.parametrize("name", ["RoomsTidy", "RoomsReach", "RoomsLoophole", "RoomsKeys"])
def test_both_checkers_pass(name: str, options: dict[str, Any]) -> None:
    """Planes are no picture and small: the checkers say so in a warning, and nothing else."""
    id = f"teachbox/{name}-v0"
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        check_env(gymnasium.make(id, **options).unwrapped)
        sb3.check_env(gymnasium.make(id, **options))
    pictures_only = ("image", "resolution")
    unexpected = [str(w.message) for w in told if not any(word in str(w.message) for word in pictures_only)]
    assert not unexpected
    assert options["observation"] == "grid" or not told


@pytest.mark.parametrize("options", VARIANTS)
def test_shapes_for_other_tools(options: dict[str, Any]) -> None:
    many: Any = gymnasium.make_vec("teachbox/RoomsTidy-v0", num_envs=3, **options)
    one = gymnasium.make("teachbox/RoomsTidy-v0", **options)
    start, _ = many.reset(seed=30)
    assert start in many.observation_space
    assert np.array_equal(one.reset(seed=31)[0], start[1])
    picture = options["observation"] == "pixels"
    assert start.dtype == (np.uint8 if picture else np.float32)
    if picture:
        assert start.max() == 255
    for _ in range(many.task.horizon):
        obs, _, _, cut, infos = many.step(np.array([1, 2, 3]))
        single = one.step(2)[0]
    assert cut.all()
    assert obs in many.observation_space
    assert infos["final_obs"][1] in many.single_observation_space
    assert np.array_equal(infos["final_obs"][1], single)


def test_features_stay_what_they_were() -> None:
    task = tidy(observation="features")
    assert task.options == {"size": 9, "difficulty": "normal", "split": "train", "observation": "features"}
    assert task.world.obs_shape == (len(task.world.obs_names),)
    assert task.world.obs_dtype is np.float32


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"observation": "smell"}, "'smell' is unknown: choose one of wide, features, grid, pixels"),
        ({"observation": "grid", "view": 4}, "view 4 is no odd number"),
        ({"sizes": 9}, "RoomsTidy has no keyword 'sizes'"),
    ],
)
def test_unknown_keywords_are_named(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        tidy(**options)


def test_the_variant_travels_in_the_options() -> None:
    for options in VARIANTS:
        task = tidy(**options)
        again = task_catalog.task(task.id, **task.options)
        assert again.world.obs_names == task.world.obs_names
        assert again.options == task.options
    assert LITTER != DOCK
