"""Worlds that people really bring, where their packages are installed: driven, replayed, learned in."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from agents.training.trainer import PolicyTrainer
from agents.training.trainer_config import TrainerConfig
from envs import task_catalog
from envs.external.determinism import is_filmed
from envs.external.external_simulation import ExternalSimulation, trajectory_frames
from envs.external.external_task import ExternalTask
from envs.simulate import random_actions

os.environ["SDL_VIDEODRIVER"] = "dummy"
PEERS: list[tuple[str, str, dict[str, Any], int]] = [  # package, id, options, numbers of observation
    ("gymnasium", "CartPole-v1", {}, 5),
    ("Box2D", "LunarLander-v3", {}, 9),
    ("Box2D", "LunarLander-v3", {"continuous": True}, 9),
    ("minigrid", "minigrid:MiniGrid-FourRooms-v0", {}, 152),  # Dict: picture, direction, mission
    ("highway_env", "highway_env:highway-fast-v0", {}, 26),
    ("highway_env", "highway_env:parking-v0", {}, 19),  # Dict: observation, achieved and desired goal
]


def opened(package: str, id: str, options: dict[str, Any]) -> ExternalTask:
    pytest.importorskip(package)
    task = task_catalog.task(id, **options)
    assert isinstance(task, ExternalTask)
    return task


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("package", "id", "options", "numbers"), PEERS)
def test_driven_and_replayed(package: str, id: str, options: dict[str, Any], numbers: int) -> None:
    task = opened(package, id, options)
    assert len(task.world.obs_names) == numbers
    assert not is_filmed(task)
    sim, random = ExternalSimulation(task, 2, seed=3), np.random.default_rng(0)
    recorder = sim.recorder(1)
    for _ in range(12):
        actions = random_actions(task, 2, random)
        step = sim.step(actions)
        recorder.add(actions[1], step.terms[1], step.last_states[1], int(sim.rng[1]), step.last_obs[1])
    live, trajectory = sim.frame(1), recorder.trajectory()
    frames = list(trajectory_frames(task, trajectory))
    assert len(frames) == 13
    apart = np.abs(frames[-1].astype(int) - live)
    assert apart.mean() < 1.0, "LunarLander's sparks fade by how often they are drawn, all else is the same"
    assert live.std() > 5
    assert (frames[0] != frames[-1]).any()
    again = ExternalSimulation(task, 1, seed=50)
    again.fork(0, trajectory, 12)
    assert np.allclose(again.obs[0], trajectory.observations[12])


def test_highway_env_leaves_the_open_window_alone() -> None:
    import pygame

    task = opened("highway_env", "highway_env:highway-fast-v0", {})
    pygame.display.init()
    window = pygame.display.set_mode((320, 200))
    try:
        ExternalSimulation(task, 1).frame()
        assert pygame.display.get_surface() is window
        assert window.get_size() == (320, 200)
    finally:
        pygame.display.quit()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("package", "id", "options", "numbers"), PEERS)
def test_learned_in(package: str, id: str, options: dict[str, Any], numbers: int) -> None:
    practice = PolicyTrainer(opened(package, id, options), 0, TrainerConfig())
    before = practice.policy.layers[0][0].copy()
    practice.train_iteration()
    assert practice.env_steps == 2048
    assert np.isfinite(practice.policy.layers[0][0]).all()
    assert (practice.policy.layers[0][0] != before).any()
