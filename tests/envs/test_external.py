"""Worlds of other people: the same face, a fixed horizon, replays by running again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from envs import task_catalog
from envs.external.external_errors import ExternalWorldError
from envs.external.external_simulation import ExternalSimulation, trajectory_frames
from envs.external.external_task import HAS_ENDED, REWARD, ExternalTask
from envs.external.key_map import default_keys
from envs.external.make_task import _obs_parts
from envs.simulate import simulate
from envs.trajectory import Trajectory
from envs.world import Array

os.environ["SDL_VIDEODRIVER"] = "dummy"


class Boat(gymnasium.Env[Any, Any]):
    """A boat on a line: Dict observation, MultiDiscrete action (sail, whistle); sinks at 5."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 4}  # noqa: RUF012

    def __init__(self, render_mode: str | None = None, drift: bool = False) -> None:
        self.render_mode, self.drift = render_mode, drift
        self.observation_space = spaces.Dict(
            {
                "place": spaces.Box(-9, 9, (1,), np.float64),
                "weather": spaces.Tuple((spaces.Discrete(3), spaces.Box(0, 1, (2, 1), np.float32))),
            }
        )
        self.action_space = spaces.MultiDiscrete([3, 2])

    def _obs(self) -> dict[str, Any]:
        wind = np.full((2, 1), self.wind, np.float32)
        return {"place": np.array([float(self.place)]), "weather": (self.sky, wind)}

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.place, self.sky, self.wind = 0, int(self.np_random.integers(3)), float(self.np_random.random())
        if self.drift:
            self.wind = float(np.random.default_rng().random())
        return self._obs(), {}

    def step(self, action: Array) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert action in self.action_space
        self.place += int(action[0]) - 1
        return self._obs(), float(action[1]), abs(self.place) >= 5, False, {}

    def render(self) -> Any:
        frame = np.zeros((6, 22, 3), np.uint8)
        frame[:, 2 * (self.place + 5) : 2 * (self.place + 5) + 2] = 200
        return frame


class Blind(gymnasium.Env[Any, Any]):
    """Sees a shape that can't be laid flat, or takes actions that keys can't give; draws nothing."""

    def __init__(self, kind: str = "", render_mode: str | None = None) -> None:
        graph = spaces.Graph(spaces.Box(0, 1, (1,)), None)
        self.observation_space = graph if kind == "obs" else spaces.MultiBinary(3)
        self.action_space = {
            "actions": spaces.Dict({"a": spaces.Discrete(2)}),
            "many": spaces.MultiDiscrete([9, 9, 9]),
        }.get(kind, spaces.MultiBinary(2))

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return np.zeros(3, np.int8), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert action in self.action_space
        return np.zeros(3, np.int8), 0.0, False, False, {}


gymnasium.register("tests/Boat-v0", Boat, max_episode_steps=30)
gymnasium.register("tests/Blind-v0", Blind)


def record(sim: ExternalSimulation, actions: Array, row: int = 0) -> Trajectory:
    """Drive all rows and record one."""
    recorder = sim.recorder(row, driver="random")
    for now in actions:
        step = sim.step(now)
        recorder.add(now[row], step.terms[row], step.last_states[row], int(sim.rng[row]), step.last_obs[row])
    return recorder.trajectory()


def sampled(task: ExternalTask, steps: int, rows: int) -> Array:
    task.world.action_space.seed(5)
    return np.array([[task.world.action_space.sample() for _ in range(rows)] for _ in range(steps)])


def opened(id: str, **options: Any) -> ExternalTask:
    task = task_catalog.task(id, **options)
    assert isinstance(task, ExternalTask)
    return task


@pytest.mark.parametrize(
    "id", ["CartPole-v1", "MountainCar-v0", "Pendulum-v1", "Acrobot-v1", "tests/Boat-v0"]
)
def test_the_same_face_as_our_own(id: str) -> None:
    task = opened(id)
    world = task.world
    sim = simulate(task, 3, seed=4)
    assert isinstance(sim, ExternalSimulation)
    assert sim.obs.shape == (3, len(world.obs_names))
    assert len(set(world.obs_names)) == len(world.obs_names)
    assert world.obs_names[-1] == "ended"
    assert world.term_names == ("reward", "ended")
    assert task.proxy_weights.tolist() == [1.0, 0.0]
    assert all(action in world.action_space or isinstance(action, tuple) for action in task.keys.values())
    assert task.keys
    ends = 0
    for now in sampled(task, 2 * task.horizon, 3):
        step = sim.step(now)
        assert step.obs.dtype == step.terms.dtype == np.float32
        assert np.isfinite(step.last_obs).all()
        assert step.last_states.shape == (3, 0)
        ends += int(step.ended.all())
        assert step.ended.all() == step.ended.any(), "all rows share the horizon"
        over = step.last_obs[:, -1] == 1
        assert (step.last_obs[over, :-1] == 0).all()
    assert ends == 2
    assert sim.step(task.idle_actions(3)).terms.shape == (3, 2)


def test_an_early_end_is_an_absorbing_moment_until_the_horizon() -> None:
    task = opened("CartPole-v1")
    sim = ExternalSimulation(task, 2, seed=0)
    terms, obs = [], []
    for _ in range(task.horizon):
        step = sim.step(np.array([1, 1]))  # always pushing right: the pole falls at once
        terms.append(step.terms.copy())
        obs.append(step.last_obs.copy())
    paid, ended = np.stack(terms)[..., REWARD], np.stack(terms)[..., HAS_ENDED]
    assert (ended.sum(axis=0) == 1).all()
    at = ended.argmax(axis=0)
    assert (at < 20).all()
    for row in range(2):
        assert (paid[: at[row] + 1, row] == 1).all()
        assert (paid[at[row] + 1 :, row] == 0).all()
        told = np.stack(obs)[:, row, -1]
        assert (told[: at[row]] == 0).all()
        assert (told[at[row] :] == 1).all()
    assert step.ended.all()
    assert (step.obs[:, -1] == 0).all(), "the next episode has begun"


def test_the_wish_is_its_own_reward() -> None:
    task = opened("MountainCar-v0")
    terms = np.array([[-1.0, 0.0], [0.0, 1.0]], np.float32)
    nowhere = np.zeros((2, 0), np.float32)
    assert task.true_reward(nowhere, terms, nowhere).tolist() == [-1.0, 0.0]
    assert not task.done(nowhere).any()
    assert task.horizon == 200


def test_the_worlds_own_time_limit_is_no_early_end() -> None:
    sim = ExternalSimulation(opened("Pendulum-v1"), 1)
    for _ in range(200):
        step = sim.step(np.zeros((1, 1)))
        assert step.terms[0, HAS_ENDED] == 0
    assert step.ended.all()
    assert step.last_obs[0, -1] == 0


def test_dict_observations_and_multidiscrete_actions_are_laid_flat() -> None:
    task = opened("tests/Boat-v0")
    assert task.world.obs_names == (
        *("place", "weather.0.0", "weather.0.1", "weather.0.2", "weather.1.0", "weather.1.1", "ended"),
    )
    assert task.world.action_space == spaces.Discrete(6)
    assert task.env_action(5).tolist() == [2, 1]
    sim = ExternalSimulation(task, 1)
    assert sim.obs[0, 1:4].sum() == 1, "Discrete is one of three"
    for _ in range(2):
        step = sim.step(np.array([5]))
    assert step.obs[0, 0] == 2
    assert step.terms[0].tolist() == [1.0, 0.0]


def test_texts_are_left_out_and_pictures_come_as_shares() -> None:
    parts = {
        "mission": spaces.Text(9),
        "camera": spaces.Box(0, 255, (40, 40, 3), np.uint8),
        "codes": spaces.Box(0, 255, (2, 2, 3), np.uint8),
    }
    leaves = {leaf.path: leaf for leaf in _obs_parts(spaces.Dict(parts))}
    assert set(leaves) == {("camera",), ("codes",)}
    seen = {
        "camera": np.full((40, 40, 3), 255, np.uint8),
        "codes": np.full((2, 2, 3), 7, np.uint8),
    }
    assert (leaves["camera",].flat(seen) == 1.0).all()
    assert (leaves["codes",].flat(seen) == 7.0).all()
    assert leaves["codes",].names()[:2] == ["codes.0", "codes.1"]


def test_box_actions_are_clipped_to_what_the_world_takes() -> None:
    task = opened("Pendulum-v1")
    assert task.env_action([9.0]).tolist() == [2.0]
    assert task.idle_actions(2).tolist() == [[0.0], [0.0]]
    assert task.keys["left"] == (2.0,)


@pytest.mark.parametrize("id", ["CartPole-v1", "Pendulum-v1", "tests/Boat-v0"])
def test_replays_by_running_again(id: str) -> None:
    task = opened(id)
    sim = ExternalSimulation(task, 2, seed=1)
    trajectory = record(sim, sampled(task, 25, 2), row=1)
    live = sim.frame(1)
    assert trajectory.seed is not None
    clip = trajectory.clip(10, 25)
    frames = list(trajectory_frames(task, clip))
    assert len(frames) == 16
    assert all(frame.dtype == np.uint8 and frame.shape[2] == 3 for frame in frames)
    assert np.array_equal(frames[-1], live)
    whole = list(trajectory_frames(task, trajectory))
    assert all(np.array_equal(a, b) for a, b in zip(whole[10:], frames, strict=True))


def test_a_fork_goes_on_as_the_recording_did() -> None:
    task = opened("CartPole-v1")
    actions = np.tile(np.array([0, 1, 1, 0])[:, None], (12, 2))
    trajectory = record(ExternalSimulation(task, 2, seed=3), actions, row=1)
    sim = ExternalSimulation(task, 2, seed=77)
    other = sim.obs[0].copy()
    sim.fork(1, trajectory.clip(4, 40), 6)
    assert np.array_equal(sim.obs[0], other), "a fork disturbs no other row"
    assert np.array_equal(sim.obs[1], trajectory.observations[10])
    again = sim.recorder(1)
    for t in range(10, 20):
        step = sim.step(actions[t])
        assert np.array_equal(step.last_obs[1], trajectory.observations[t + 1])
        again.add(actions[t, 1], step.terms[1], step.last_states[1], int(sim.rng[1]), step.last_obs[1])
    taken = again.trajectory()
    assert taken.prefix is not None
    assert len(taken.prefix) == 10
    list(trajectory_frames(task, taken))


def test_a_recording_that_runs_over_an_episodes_end_is_refused() -> None:
    task = opened("tests/Boat-v0")
    trajectory = record(ExternalSimulation(task, 1), np.full((task.horizon + 3, 1), 3))
    with pytest.raises(ExternalWorldError, match="didn't repeat itself"):
        list(trajectory_frames(task, trajectory))


def test_a_world_that_does_not_repeat_itself_is_told() -> None:
    task = opened("tests/Boat-v0", drift=True)
    trajectory = record(ExternalSimulation(task, 1), sampled(task, 5, 1))
    with pytest.raises(ExternalWorldError, match="tests/Boat-v0 doesn't repeat itself"):
        ExternalSimulation(task, 1).fork(0, trajectory, 2)


def test_same_seeds_same_episodes_in_any_number_of_rows() -> None:
    task = opened("CartPole-v1")
    many, one = ExternalSimulation(task, 3, seed=5), ExternalSimulation(task, 1, seed=7)
    assert np.array_equal(many.obs[2], one.obs[0])
    for now in sampled(task, task.horizon + 5, 3):
        assert np.array_equal(many.step(now).obs[2], one.step(now[2:]).obs[0])
    assert len(set(many.seeds)) == 3


@pytest.mark.parametrize(
    ("id", "options", "words"),
    [
        ("CartPol-v1", {}, "'CartPol-v1': did you mean 'CartPole-v1'?"),
        ("no_such_module:X-v0", {}, "no_such_module"),
        ("teachbox/RoomsTiddy-v0", {}, "did you mean 'teachbox/RoomsTidy-v0'?"),
        ("tests/Blind-v0", {"kind": "obs"}, "Graph"),
        ("tests/Blind-v0", {"kind": "actions"}, "Dict"),
        ("tests/Blind-v0", {"kind": "many"}, "729"),
        ("tests/Boat-v0", {"sails": 3}, "sails"),
    ],
)
def test_worlds_that_cannot_be_had_are_sentences(id: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(task_catalog.UnknownTask) as told:
        task_catalog.task(id, **options)
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_a_world_without_pictures_names_itself() -> None:
    sim = ExternalSimulation(opened("tests/Blind-v0"), 1)
    sim.step(np.array([3]))
    with pytest.raises(ExternalWorldError, match=r"tests/Blind-v0 has no render mode 'rgb_array'"):
        sim.frame()


def test_states_can_be_neither_put_nor_stepped_by_a_kernel() -> None:
    task = opened("CartPole-v1")
    sim = ExternalSimulation(task, 1)
    with pytest.raises(TypeError, match="fork"):
        sim.set_states(np.ones(1, bool), sim.states, sim.rng)
    with pytest.raises(TypeError, match="ExternalSimulation"):
        task.world.kernel.step()


def test_a_persons_own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "keys.json"
    monkeypatch.setenv("TEACHBOX_KEYS", str(file))
    file.write_text(json.dumps({"CartPole-v1": {"keys": {"a": 0, "d": 1}, "horizon": 40}}))
    task = opened("CartPole-v1")
    assert dict(task.keys) == {"a": 0, "d": 1}
    assert task.horizon == 40
    assert task.world.action_names == ("push left", "push right"), "what is not set stays"
    for text, words in [
        ('{"CartPole-v1": {"keys": {"a": 2}}}', "from 0 to 1"),
        ('{"CartPole-v1": {"kees": {}}}', "kees"),
        ("[", "can't be read"),
        ("[]", "object of world ids"),
    ]:
        file.write_text(text)
        with pytest.raises(ValueError, match=words):
            opened("CartPole-v1")


def test_default_keys_for_spaces_that_nobody_has_set() -> None:
    assert default_keys(spaces.Discrete(3)) == {"": 0, "left": 0, "right": 1, "up": 2}
    box = default_keys(spaces.Box(np.array([-2.0, 0.0]), np.array([2.0, np.inf])))
    assert box["right"] == [2.0, 0.0]
    assert box["up"] == [0.0, 1.0]
    assert box["down"] == [0.0, 0.0]
    assert box[""] == [0.0, 0.0]
