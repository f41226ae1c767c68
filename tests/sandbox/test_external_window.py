"""A world of somebody else's in the window: driven, and left with a sentence when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from envs import task_catalog
from sandbox.play.live_row import LiveRow
from sandbox.play.takeover import Takeover
from sandbox.views.crowd import REST, Crowd
from sandbox.window.app import App
from tests.sandbox.teaching import Teaching, frames, press


class Fragile(gymnasium.Env[Any, Any]):
    """A grey picture that breaks down in its twentieth step, later than it is tried for."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012
    observation_space = spaces.Box(0, 99, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode, self.age = render_mode, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.age = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> Any:
        self.age += 1
        if self.age >= 20:
            raise ZeroDivisionError("the axle broke")
        return np.full(1, self.age, np.float32), 1.0, False, False, {}

    def render(self) -> Any:
        return np.full((20, 30, 3), 40 + 9 * self.age, np.uint8)


gymnasium.register("tests/Fragile-v0", Fragile, max_episode_steps=50)


@pytest.fixture
def app() -> Iterator[App]:
    task = task_catalog.task("tests/Fragile-v0")
    app = App(Teaching(task), fixed_dt=True, seed=3)  # type: ignore[arg-type]
    app.tick()
    yield app
    app.close()


def test_a_world_that_breaks_down_is_left_with_a_sentence(app: App) -> None:
    app.show_mode("drive")
    frames(app, 10)
    for _ in range(30):
        press(app, "right")
        frames(app, 8)
    assert app.scene.mode == "menu"
    assert app.news.error == "tests/Fragile-v0 raised ZeroDivisionError in step 20: the axle broke"
    frames(app, 5)
    assert app.running


def _push_right(obs: Any, random: Any) -> Any:
    return np.ones(len(obs), np.int64)


def test_keys_that_do_nothing_here_are_not_shown_but_say_why(app: App) -> None:
    app.show_mode("watch")
    frames(app, 2)
    shown = list(app.scene.bindings())
    assert "xray" not in [b.action for b in shown if b.footer]
    press(app, "x")
    assert "can't be painted" in app.news.message


def test_agents_whose_episode_is_over_begin_another_each_for_itself() -> None:
    task = task_catalog.task("CartPole-v1")  # the pole is down after nine or ten pushes to one side
    crowd = Crowd(task, 3, _push_right, seed=4)
    fallen = 0
    for _ in range(15 + int(REST * task.world.steps_per_second)):
        crowd.step()
        fallen = max(fallen, int((crowd.sim.obs[:, -1] == 1.0).sum()))
    assert fallen == 3
    assert len(crowd.episodes) == 3
    assert all(8 <= reward <= 12 and ended == 1 for reward, ended in crowd.episodes)
    assert (crowd.sim.obs[:, -1] == 0.0).all()


def test_two_agents_together_wait_for_the_one_that_still_stands() -> None:
    def act(obs: Any, random: Any) -> Any:  # row 0 falls at once, row 1 balances
        return np.array([1, int(obs[1, 2] + obs[1, 3] > 0)])

    crowd = Crowd(task_catalog.task("CartPole-v1"), 2, act, together=True)
    for _ in range(120):
        crowd.step()
    assert (crowd.born, len(crowd.episodes)) == (1, 0)
    assert crowd.sim.obs[:, -1].tolist() == [1.0, 0.0]


def test_after_the_end_of_an_episode_nothing_is_taken_over() -> None:
    over = Takeover(task_catalog.task("CartPole-v1"), lambda obs: 1, step_rate=20.0)
    over.start(3, "random")
    for _ in range(60):
        over.update(0.05)
    assert over.phase == "end"
    assert not over.take_over()
    over.scrub_to(len(over.agent) - 1)
    assert over.take_over()
    assert over.phase == "taken"


def test_the_time_line_is_as_long_as_the_recording_not_as_the_longest_episode() -> None:
    pole = Takeover(task_catalog.task("CartPole-v1"), lambda obs: np.zeros(1, np.int64)[0], 50.0)
    pole.start(3, "random")
    assert pole.span == 50  # of 500 steps, more when they are needed
    while pole.phase == "running":
        pole.update(0.02)
    assert 5 < len(pole.agent) < 20
    assert pole.span == len(pole.agent)
    pole.scrub_to(4)
    pole.take_over()
    pole.update(0.02)
    assert pole.span == len(pole.agent)
    still = Takeover(task_catalog.task("teachbox/RoomsTidy-v0"), lambda obs: np.zeros(1, np.int64)[0], 10.0)
    still.start(3, "random")
    assert still.span == still.task.horizon


def test_what_a_world_pays_in_every_step_is_no_event() -> None:
    world = LiveRow(task_catalog.task("CartPole-v1"), "person")
    world.start(3)
    happened = [term.name for _ in range(12) if not world.is_done_early for term in world.step(1)]
    assert happened == ["ended"]
