"""The contract of test_contract.py, held by Lanes with other actions and other senses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common import env_checker as sb3

from envs import task_catalog
from envs.lanes.lanes_expert import CarefulDriver
from envs.lanes.lanes_state_layout import CRASHED
from envs.simulation import Simulation
from envs.world import Task
from tests.envs.test_contract import (  # noqa: F401  (collected here, with the fixture of this file)
    test_a_fork_goes_on_bit_identically,
    test_a_saved_state_goes_on_bit_identically,
    test_absorbing_states_pay_nothing_and_stay,
    test_horizon_and_auto_reset,
    test_places_and_placements,
    test_rows_seeded_one_by_one_or_as_a_run_are_the_same,
    test_shapes_types_and_bounds,
    test_single_and_batched_are_bit_identical,
    test_wish_and_done_have_one_number_a_step,
    test_without_auto_reset_rows_stay_at_their_end,
    test_words_and_spaces,
)

LANES = tuple(id for id in task_catalog.task_ids() if id.startswith("teachbox/Lanes"))
CONTINUOUS = {"actions": "continuous"}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    **{f"{id.split('/')[1]}-continuous": (id, CONTINUOUS) for id in LANES},
    "lidar": ("teachbox/LanesCrossing-v0", {"observation": "lidar"}),
    "lidar-continuous": ("teachbox/LanesMerge-v0", {"observation": "lidar", **CONTINUOUS}),
    "pixels": ("teachbox/LanesMerge-v0", {"observation": "pixels"}),
}


@pytest.fixture(params=KINDS, scope="module")
def task(request: pytest.FixtureRequest) -> Task:
    id, options = KINDS[request.param]
    made = task_catalog.task(id, **options)
    return replace(made, horizon=60) if "pixels" in request.param else made  # they take much memory


@pytest.mark.filterwarnings("error")
def test_both_checkers_pass_without_a_warning(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    check_env(gymnasium.make(task.id, **task.options).unwrapped)
    sb3.check_env(gymnasium.make(task.id, **task.options))
    many = gymnasium.make_vec(task.id, num_envs=2, **task.options)
    assert many.single_action_space == task.world.action_space
    assert many.reset(seed=0)[0].shape == (2, *task.world.obs_shape)


@pytest.mark.parametrize("id", LANES)
def test_careful_driving_is_as_good_with_pedals_and_wheel(id: str) -> None:
    done = {}
    for actions in ("discrete", "continuous"):
        task = task_catalog.task(id, split="test", actions=actions)
        sim, driver = Simulation(task, 100, auto_reset=False), CarefulDriver(task.world)
        for _ in range(task.horizon):
            sim.step(driver.act(sim.obs))
        done[actions] = task.done(sim.states).mean()
        assert sim.states[:, CRASHED].mean() < 0.03
    assert done["continuous"] > max(0.65, done["discrete"] - 0.1)


def test_unknown_keywords_are_named() -> None:
    with pytest.raises(ValueError, match="'hovering' are unknown: choose one of discrete, continuous"):
        task_catalog.task(LANES[0], actions="hovering")
    with pytest.raises(ValueError, match="LanesCruise has no keyword 'colour': it takes difficulty, split"):
        task_catalog.task(LANES[0], colour="red")
    with pytest.raises(ValueError, match="'radar' is unknown: choose one of wide, features, lidar, pixels"):
        task_catalog.task(LANES[0], observation="radar")
    with pytest.raises(ValueError, match="sees features only"):
        CarefulDriver(task_catalog.task(LANES[0], observation="lidar").world)
