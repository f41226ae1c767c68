"""A world of somebody else's in the window: driven, and left with a sentence when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from envs import catalog
from sandbox.app import App
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
    task = catalog.task("tests/Fragile-v0")
    app = App(Teaching(task), fixed_dt=True, seed=3)  # type: ignore[arg-type]
    app.tick()
    yield app
    app.close()


def test_a_world_that_breaks_down_is_left_with_a_sentence(app: App) -> None:
    app.go("drive")
    frames(app, 10)
    for _ in range(30):
        press(app, "right")
        frames(app, 8)
    assert app.scene.mode == "menu"
    assert app.news.trouble == "tests/Fragile-v0 raised ZeroDivisionError in step 20: the axle broke"
    frames(app, 5)
    assert app.running
