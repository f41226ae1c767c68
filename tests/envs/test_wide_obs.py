"""The usual observations of Lanes and Rover: the features, and after them place, limits and the past."""

from __future__ import annotations

import numpy as np
import pytest

from envs import task_catalog
from envs.lanes import lanes_state_layout as road
from envs.lanes.lanes_tasks import lanes_crossing, lanes_cruise
from envs.rover import rover_feature_obs
from envs.rover import rover_state_layout as ground
from envs.rover.rover_wide_obs import SHARE
from envs.simulate import random_actions
from envs.simulation import Simulation
from tests.envs.roads import placed, see

IDS = tuple(id for id in task_catalog.task_ids() if not id.startswith("teachbox/Rooms"))


@pytest.mark.parametrize("id", IDS)
def test_it_begins_with_the_features_and_changes_nothing_else(id: str) -> None:
    wide, plain = (
        Simulation(task_catalog.task(id, observation=seen), 20, seed=3) for seen in ("wide", "features")
    )
    random = np.random.default_rng(1)
    for _ in range(170):
        actions = random_actions(plain.task, 20, random)
        one, other = wide.step(actions), plain.step(actions)
        assert np.array_equal(one.obs[:, : other.obs.shape[1]], other.obs)
        assert np.array_equal(one.terms, other.terms)
        assert np.array_equal(one.last_states, other.last_states)
        assert np.abs(one.obs).max() <= 2.0
    names = plain.task.world.obs_names
    assert wide.task.world.obs_names[: len(names)] == names


def test_pace_place_and_distance_on_the_road() -> None:
    sim = placed((0.0, 2, 16.0), (19.0, 2, 16.0), (-30.0, 0, 16.0), task=lanes_cruise())
    assert see(sim, "of_limit") == pytest.approx(0.8)
    assert (see(sim, "from_left"), see(sim, "from_right")) == (1.0, 0.0)
    lengths = road.cars_of(sim.states)[0, :, road.LENGTH]
    gap = 19.0 - (lengths[0] + lengths[1]) / 2
    assert see(sim, "gap_ahead_near") == pytest.approx(1 - gap / 30.0)
    assert see(sim, "headway_long") == pytest.approx(gap / 16.0 / 6.0)
    assert see(sim, "ahead_lane_2") == pytest.approx(1 - gap / 80.0)
    assert see(sim, "ahead_lane_1") == see(sim, "behind_lane_1") == 0.0
    assert see(sim, "behind_lane_0") > 0.5


def test_the_limit_of_a_town_and_the_zebra_behind() -> None:
    sim = placed((0.0, 1, 7.0), task=lanes_crossing())
    assert see(sim, "of_limit") == pytest.approx(0.5)
    states = sim.states.copy()
    road.extras_of(states)[0, road.SITE] = -15.0
    road.extras_of(states)[0, road.SERVED] = 2.0
    sim.set_states(np.ones(1, bool), states, sim.rng)
    assert see(sim, "site_ahead") == pytest.approx(-15 / 80)
    assert see(sim, "site_near") == pytest.approx(0.5)
    assert see(sim, "served") == 0.25


def test_where_a_rover_is_and_began() -> None:
    task = task_catalog.task("teachbox/RoverDeliver-v0")
    sim = Simulation(task, 1)
    state = sim.states.copy()
    state[:, [ground.X, ground.Y, ground.HEADING]] = 5.0, 15.0, 0.0
    state[:, [ground.START_X, ground.START_Y]] = 5.0, 11.0
    state[:, ground.HEADER :] = 0.0
    state[:, ground.HEADER + 3 : ground.HEADER + 4 * int(task.world.params[ground.HILLS]) : 4] = 1.0
    first = ground.HEADER + 4 * int(task.world.params[ground.HILLS])
    state[0, first : first + 3] = 5.0, 17.0, 0.5  # a rock to the right
    sim.set_states(np.ones(1, bool), state, sim.rng)
    names, first = task.world.obs_names, len(rover_feature_obs.OBS_NAMES)
    seen = dict(zip(names[first:], (sim.obs[0, first:] / SHARE).tolist(), strict=True))
    assert (seen["north"], seen["east"]) == (0.0, 1.0)
    assert (seen["from_left"], seen["from_top"]) == (0.25, 0.75)
    assert (seen["start_ahead"], seen["start_right"]) == (0.0, -1.0), "up in the picture is to its left"
    assert (seen["start_far"], seen["start_near"]) == (0.25, 0.5)
    assert seen["rock_near"] == pytest.approx(1 - (2.0 - 0.5 - ground.BODY) / 6.0)
    assert (seen["rock_ahead"], seen["rock_right"]) == (0.0, 1.0)
    assert seen["water_near"] == seen["steep"] == seen["high"] == 0.0
