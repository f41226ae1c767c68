"""What other people's tools meet: gymnasium.make, make_vec and their checkers."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import envs
from envs import task_catalog
from envs.gym_env import TaskEnv, TaskVectorEnv, compute_proxy_reward
from envs.simulation import Simulation

IDS = envs.registration.IDS
TWO = ("teachbox/RoomsTidy-v0", "teachbox/LanesCruise-v0")


@pytest.fixture(autouse=True)
def _no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


def test_registration_names_what_the_catalogue_has() -> None:
    assert set(IDS) == set(task_catalog.task_ids())
    assert set(IDS) <= set(gymnasium.registry)


@pytest.mark.parametrize("id", TWO)
def test_one_row_and_many_are_bit_identical(id: str) -> None:
    many: Any = gymnasium.make_vec(id, num_envs=4)
    assert isinstance(many, TaskVectorEnv)
    assert many.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    one = gymnasium.make(id)
    start, _ = many.reset(seed=30)
    assert np.array_equal(one.reset(seed=32)[0], start[2])
    many.action_space.seed(1)
    horizon = many.task.horizon
    for t in range(horizon + 5):
        actions = many.action_space.sample()
        obs, rewards, terminated, truncated, infos = many.step(actions)
        seen, reward, over, cut, info = one.step(actions[2])
        assert not over
        assert not terminated.any()
        assert reward == rewards[2]
        assert cut == truncated[2] == (t == horizon - 1)
        assert info["terms"] == {n: infos["terms"][n][2] for n in many.task.world.term_names}
        assert infos["_terms"].all()
        if cut:
            assert np.array_equal(infos["final_obs"][2], seen)
            assert infos["final_info"]["terms"].keys() == infos["terms"].keys()
            seen, _ = one.reset()
        assert np.array_equal(obs[2], seen)


def test_reward_is_the_written_one_and_the_wish_is_not_told() -> None:
    env = gymnasium.make("teachbox/RoomsTidy-v0")
    env.reset(seed=0)
    env.action_space.seed(0)
    paid = 0.0
    for t in range(600):
        _, reward, _, cut, info = env.step(env.action_space.sample())
        assert reward == info["terms"]["litter"]
        assert set(info) == {"terms"}
        paid += reward
        if cut:
            env.reset(seed=t)
    assert paid > 0
    task = task_catalog.task("teachbox/LanesCruise-v0")
    terms = np.random.default_rng(0).random((6, len(task.world.terms)), np.float32)
    assert np.allclose(compute_proxy_reward(task, terms), terms @ task.proxy_weights, atol=1e-5)


def test_keywords_go_to_the_task_and_bad_ones_are_told() -> None:
    made: Any = gymnasium.make("teachbox/RoomsTidy-v0", size=13, difficulty="hard", split="test").unwrapped
    given = {"size": 13, "difficulty": "hard", "split": "test"}
    assert made.task.options == {**given, "observation": "wide"}
    with pytest.raises(ValueError, match="'gigantic'"):
        gymnasium.make("teachbox/RoomsTidy-v0", difficulty="gigantic")
    with pytest.raises(ValueError, match="'ansi'"):
        TaskEnv("teachbox/RoomsTidy-v0", render_mode="ansi")


def test_seeds_repeat_and_unseeded_starts_differ() -> None:
    env = gymnasium.make("teachbox/RoomsTidy-v0")
    first = env.reset(seed=7)[0]
    second = env.reset()[0]
    assert not np.array_equal(first, second)
    assert np.array_equal(env.reset(seed=7)[0], first)
    assert np.array_equal(env.reset()[0], second)
    fresh = [gymnasium.make("teachbox/RoomsTidy-v0").reset()[0] for _ in range(4)]
    assert len({obs.tobytes() for obs in fresh}) > 1


def test_vector_seeds_as_a_list_and_masked_resets() -> None:
    many = TaskVectorEnv("teachbox/LanesCruise-v0", num_envs=3)
    start, _ = many.reset(seed=[4, 9, 4])
    assert np.array_equal(start[0], start[2])
    assert not np.array_equal(start[0], start[1])
    many.step(many.action_space.sample())
    before = many.step(many.action_space.sample())[0]
    after, _ = many.reset(options={"reset_mask": np.array([False, True, False])})
    assert np.array_equal(after[[0, 2]], before[[0, 2]])
    assert not np.array_equal(after[1], before[1])
    with pytest.raises(ValueError, match="2 seeds were given for 3 rows"):
        many.reset(seed=[1, 2])


@pytest.mark.parametrize("id", TWO)
def test_pictures(id: str) -> None:
    env = gymnasium.make(id, render_mode="rgb_array")
    env.reset(seed=0)
    first: Any = env.render()
    assert first.dtype == np.uint8
    assert first.ndim == 3
    assert first.std() > 5, "a plain surface is no picture"
    for _ in range(6):
        env.step(env.unwrapped.task.idle_actions(1)[0] + 1)  # type: ignore[attr-defined]
    assert not np.array_equal(first, env.render())
    env.close()
    many = gymnasium.make_vec(id, num_envs=2, render_mode="rgb_array")
    many.reset(seed=0)
    frames: Any = many.render()
    assert len(frames) == 2
    assert frames[0].shape[2] == 3
    assert not np.array_equal(frames[0], frames[1])


def test_an_env_is_a_row_of_a_simulation() -> None:
    task = task_catalog.task("teachbox/LanesCruise-v0")
    sim, env = Simulation(task, 2, seed=8), TaskEnv(task)
    assert np.array_equal(env.reset(seed=9)[0], sim.obs[1])
