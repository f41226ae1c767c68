"""Tiny worlds of somebody else's: a lamp is on the left or on the right, and it pays to point at it.

What is seen is a Dict of numbers or a picture, which also show how well one pointed last (else nobody
could tell good clips from bad ones). One points by one of two buttons, or by a lever in -1..1.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from envs.external.external_simulation import ExternalSimulation
from envs.external.external_task import ExternalTask
from envs.trajectory import Trajectory

HORIZON, SIDE = 16, 36


class Lamp(gymnasium.Env[Any, Any]):
    """sees: "dict" or "picture" [1, 36, 36]. acts: "buttons" or "lever". Pays from -1 to 1 a step."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 4}  # noqa: RUF012

    def __init__(self, sees: str = "dict", acts: str = "buttons", render_mode: str | None = None) -> None:
        self.render_mode, self.sees = render_mode, sees
        self.observation_space: spaces.Space[Any] = spaces.Dict(
            {"lamp": spaces.Box(-1, 1, (2,)), "weather": spaces.Discrete(3), "bell": spaces.Box(-1, 1)}
        )
        if sees == "picture":
            self.observation_space = spaces.Box(0, 255, (1, SIDE, SIDE), np.uint8)
        lever = spaces.Box(-1, 1, (1,), np.float32)
        self.action_space: spaces.Space[Any] = spaces.Discrete(2) if acts == "buttons" else lever

    def _light(self) -> Any:
        self.right = bool(self.np_random.integers(2))
        if self.sees == "dict":
            place = np.array([1.0 if self.right else -1.0, self.np_random.uniform(-1, 1)], np.float32)
            bell = np.array([self.paid], np.float32)
            return {"lamp": place, "weather": int(self.np_random.integers(3)), "bell": bell}
        row, column = int(self.np_random.integers(SIDE - 14)), int(self.np_random.integers(6))
        column += SIDE // 2 if self.right else 0
        picture = self.np_random.integers(60, size=(1, SIDE, SIDE)).astype(np.uint8)
        picture[0, row : row + 12, column : column + 12] = 255
        picture[0, -2:] = 127.5 * (self.paid + 1.0)
        return picture

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.paid = 0.0
        return self._light(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action), action
        pointed = float(np.asarray(action).ravel()[0])
        pointed = 2.0 * pointed - 1.0 if isinstance(self.action_space, spaces.Discrete) else pointed
        self.paid = pointed if self.right else -pointed
        return self._light(), self.paid, False, False, {}

    def render(self) -> Any:
        frame = np.zeros((8, 16, 3), np.uint8)
        frame[:, 8 * self.right : 8 * self.right + 8] = 255
        return frame


for _sees in ("dict", "picture"):
    for _acts in ("buttons", "lever"):
        gymnasium.register(
            f"tests/Lamp-{_sees}-{_acts}-v0",
            Lamp,
            max_episode_steps=HORIZON,
            kwargs={"sees": _sees, "acts": _acts},
        )


def driven(task: ExternalTask, act: Any, seed: int) -> Trajectory:
    """One episode by `act`, a function from observations [N, D] to actions."""
    sim = ExternalSimulation(task, 1, seed=seed, auto_reset=False)
    record = sim.recorder(0)
    for _ in range(task.horizon):
        actions = act(sim.obs)
        step = sim.step(actions)
        record.add(actions[0], step.terms[0], step.last_states[0], int(sim.rng[0]), step.last_obs[0])
        if step.last_obs[0, -1]:
            break
    return record.trajectory()
