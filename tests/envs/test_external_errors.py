"""Worlds of other people that misbehave, or that don't repeat themselves: sentences, and kept pictures."""

from __future__ import annotations

import os
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from agents.policies.policy_arrays import PolicyArrays
from agents.policies.rollouts import PolicyVariant, episode_starts, rollout_clips
from agents.training.trainer import PolicyTrainer
from agents.training.trainer_config import TrainerConfig
from envs import task_catalog
from envs.external.determinism import is_filmed
from envs.external.external_errors import ExternalWorldError
from envs.external.external_simulation import ExternalSimulation, trajectory_frames
from envs.external.external_task import ExternalTask
from envs.show.viewer import RecordingView
from envs.trajectory import Trajectory
from envs.world import Array

os.environ["SDL_VIDEODRIVER"] = "dummy"


class Rude(gymnasium.Env[Any, Any]):
    """Does one thing wrong, in its fourth step or when it is reset or drawn; its actions are -1 and 0."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 5}  # noqa: RUF012

    def __init__(self, wrong: str = "", render_mode: str | None = None) -> None:
        if wrong == "making" and render_mode:
            raise TypeError("can't draw after all")
        self.wrong, self.render_mode, self.age = wrong, render_mode, 0
        self.observation_space = spaces.Box(-np.inf, np.inf, (3,), np.float32)
        self.action_space = spaces.Discrete(2, start=-1)

    def _given(self, what: str, wrong: Any, right: Any) -> Any:
        return wrong if self.wrong == what and self.age >= 4 else right

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        if self.wrong == "reset" and seed != 5:
            raise RuntimeError("no\nmore worlds")
        self.age = 0
        return np.zeros(3, np.float32), {}

    def step(self, action: Any) -> Any:
        assert action in self.action_space
        self.age += 1
        if self._given("step", True, False):
            raise KeyError("wheel")
        obs = self._given("nan", np.array([0.0, np.nan, 1.0]), np.full(3, float(action), np.float32))
        obs = self._given("short", np.zeros(2), obs)
        obs = self._given("none", None, obs)
        reward = self._given("unpaid", None, self._given("endless", np.inf, 1.0))
        return self._given("old", (obs, reward, False, {}), (obs, reward, False, False, {}))

    def render(self) -> Any:
        if self.wrong == "drawing":
            raise OSError("no brush")
        return [] if self.wrong == "picture" else np.full((8, 8, 3), 90, np.uint8)


class Dice(gymnasium.Env[Any, Any]):
    """Its numbers come from outside, so no seed repeats it; drawn 300 pixels high."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 5}  # noqa: RUF012
    observation_space = spaces.Tuple((spaces.Box(0, 1, (2,), np.float32), spaces.Discrete(2)))
    action_space = spaces.Box(np.array([5.0, -np.inf]), np.array([np.inf, -4.0]), dtype=np.float64)

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self._random = np.random.default_rng()

    def _obs(self) -> Any:
        self.shade = int(self._random.integers(256))
        return np.full(2, self.shade / 255, np.float32), 1

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self._obs(), {}

    def step(self, action: Any) -> Any:
        assert action in self.action_space
        return self._obs(), float(action[0]), False, False, {}

    def render(self) -> Any:
        return np.full((300, 400, 3), self.shade, np.uint8)


gymnasium.register("tests/Rude-v0", Rude, max_episode_steps=30)
gymnasium.register("tests/Dice-v0", Dice, max_episode_steps=20)


def opened(id: str, **options: Any) -> ExternalTask:
    task = task_catalog.task(id, **options)
    assert isinstance(task, ExternalTask)
    return task


def drive(wrong: str) -> None:
    task = opened("tests/Rude-v0", wrong=wrong)
    sim = ExternalSimulation(task, 2)
    for _ in range(6):
        sim.step(np.array([1, 0]))
    sim.frame(1)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("step", "raised KeyError in step 4: 'wheel'"),
        ("nan", "showed nan as 'o1' in step 4"),
        ("short", "showed 2 numbers in step 4, not the 3"),
        ("none", "showed 1 numbers in step 4, not the 3"),
        ("unpaid", "paid None in step 4: a reward must be a finite number"),
        ("endless", "paid inf in step 4"),
        ("old", "raised ValueError in step 4: not enough values"),
        ("reset", "raised RuntimeError when it was reset with seed .*: no more worlds"),
        ("making", "raised TypeError when it was made: .*can't draw after all"),
        ("drawing", "raised OSError when it drew itself: no brush"),
        ("picture", "drew list instead of a picture"),
    ],
)
def test_what_it_does_wrong_is_a_sentence(wrong: str, told: str) -> None:
    with pytest.raises(ExternalWorldError, match=f"^tests/Rude-v0 {told}") as error:
        drive(wrong)
    assert "\n" not in str(error.value)


def test_actions_that_start_below_zero() -> None:
    task = opened("tests/Rude-v0")
    assert task.world.action_space == spaces.Discrete(2)
    assert [task.env_action(one) for one in (0, 1)] == [-1, 0]
    sim = ExternalSimulation(task, 1)
    assert sim.step(np.array([0])).obs[0].tolist() == [-1.0, -1.0, -1.0, 0.0]
    assert not is_filmed(task)


def test_open_ended_boxes_are_driven_where_they_are_open() -> None:
    task = opened("tests/Dice-v0")
    space = task.world.action_space
    assert isinstance(space, spaces.Box)
    assert (space.low.tolist(), space.high.tolist()) == ([5.0, -6.0], [7.0, -4.0])
    assert task.idle_actions(1).tolist() == [[5.0, -4.0]]
    assert task.keys["right"] == (7.0, -4.0)


def test_known_keys_that_do_not_fit_give_way() -> None:
    made = opened("MountainCarContinuous-v0")
    assert made.keys["left"] == (-1.0,)
    pytest.importorskip("Box2D")
    lander = opened("LunarLander-v3", continuous=True)
    assert lander.keys["up"] == (1.0, 0.0)
    assert opened("LunarLander-v3").keys["up"] == 2


def recorded(task: ExternalTask, steps: int) -> tuple[Trajectory, list[Array]]:
    """A recording of row 1, and what was on screen at each moment."""
    sim = ExternalSimulation(task, 2, seed=3)
    recorder, shown = sim.recorder(1), [sim.frame(1)]
    for _ in range(steps):
        step = sim.step(task.idle_actions(2))
        recorder.add(
            task.idle_actions(1)[0], step.terms[1], step.last_states[1], int(sim.rng[1]), step.last_obs[1]
        )
        if not step.ended.any():
            shown.append(sim.frame(1))
    return recorder.trajectory(), shown


def test_what_does_not_repeat_itself_is_filmed() -> None:
    task = opened("tests/Dice-v0")
    assert is_filmed(task)
    trajectory, shown = recorded(task, task.horizon)
    assert trajectory.states.shape == (task.horizon + 1, 100 * 133 * 3)
    frames = list(trajectory_frames(task, trajectory.clip(2, 9)))
    assert len(frames) == 8
    for frame, live in zip(frames, shown[2:], strict=False):
        assert frame.shape == (100, 133, 3)
        assert (frame == live[0, 0, 0]).all()
    assert len({int(frame[0, 0, 0]) for frame in frames}) > 1
    end = list(trajectory_frames(task, trajectory))[-1]
    assert np.isclose(end[0, 0, 0] / 255, trajectory.observations[-1, 0], atol=1e-3), "not the next start"
    still = RecordingView(task, trajectory).still((133, 100), 4)
    assert still.get_at((60, 50))[0] == frames[2][0, 0, 0]


def test_a_filmed_recording_is_not_taken_over_and_an_unfilmed_one_is_told() -> None:
    task = opened("tests/Dice-v0")
    trajectory, _ = recorded(task, 5)
    with pytest.raises(ExternalWorldError, match="watched but not taken over"):
        ExternalSimulation(task, 1).fork(0, trajectory, 2)
    layer = np.zeros((4, 2), np.float32), np.zeros(2, np.float32)
    cart, random = opened("CartPole-v1"), np.random.default_rng(0)
    still = PolicyVariant(PolicyArrays(((np.zeros((5, 2), np.float32), layer[1]),), "discrete"))
    (bare,) = rollout_clips(cart, episode_starts(cart, 1, 0), [still], [4], random)
    assert bare.states.shape == (5, 0)
    with pytest.raises(ExternalWorldError, match="holds no pictures"):
        list(trajectory_frames(task, bare))


def test_learning_goes_on_in_a_world_that_does_not_repeat_itself() -> None:
    task, random = opened("tests/Dice-v0"), np.random.default_rng(0)
    practice = PolicyTrainer(task, 0, TrainerConfig())
    practice.train_iteration()
    moments = practice.moments(random)
    clips = rollout_clips(task, moments, [practice.variants()[0]] * len(moments), [6] * len(moments), random)
    for clip in clips:
        assert clip.actions.dtype == np.float32
        seen = np.rint(clip.observations[:, 0] * 255)
        assert np.array_equal(clip.states[:, 0], seen.astype(np.uint8)), "each moment has its own picture"
