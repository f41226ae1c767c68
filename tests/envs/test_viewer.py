"""Film and View: any world, live or recorded, on any surface."""

from __future__ import annotations

import os

from envs.simulate import simulate

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import numpy as np
import pygame
import pytest

from envs import task_catalog
from envs.external.external_simulation import trajectory_frames
from envs.external.external_task import ExternalTask
from envs.show.viewer import BACKGROUND, RecordingView, View, pixels
from envs.simulation import AnySimulation, Simulation
from envs.trajectory import Trajectory
from envs.world import Task

WORLDS = ["teachbox/RoomsTidy-v0", "teachbox/LanesCruise-v0", "CartPole-v1", "Pendulum-v1"]


def recorded(task: Task, steps: int = 12) -> tuple[AnySimulation, Trajectory]:
    """A simulation after some random steps, and the recording of them."""
    sim = simulate(task, 2, seed=3)
    recorder = sim.recorder(1, driver="random")
    task.world.action_space.seed(1)
    for _ in range(steps):
        actions = np.array([task.world.action_space.sample() for _ in range(2)])
        step = sim.step(actions)
        recorder.add(actions[1], step.terms[1], step.last_states[1], int(sim.rng[1]), step.last_obs[1])
    return sim, recorder.trajectory()


@pytest.mark.parametrize("id", WORLDS)
def test_the_end_of_a_film_is_what_the_world_shows_now(id: str) -> None:
    task = task_catalog.task(id)
    sim, trajectory = recorded(task)
    view = View(task)
    film = view.film(trajectory)
    assert len(film) == 12
    live = pygame.Surface((360, 240))
    live.fill(BACKGROUND)
    view.live(live, live.get_rect(), sim, 1)
    last = pixels(film.still((360, 240), len(film)))
    assert last.std() > 5, "a plain surface is no picture"
    assert film.aspect > 0
    seen = pixels(live)
    assert np.abs(seen.astype(int) - last).mean() < 3, "frames are kept smaller, so edges may differ"
    first = pixels(film.still((360, 240), 0))
    assert not np.array_equal(first, last)


@pytest.mark.parametrize("id", WORLDS)
def test_drawing_stays_in_its_rect_at_any_size(id: str) -> None:
    task = task_catalog.task(id)
    film = RecordingView(task, recorded(task)[1])
    for rect in [(40, 30, 200, 100), (10, 10, 61, 190), (0, 0, 300, 220)]:
        surface = pygame.Surface((300, 220))
        surface.fill((1, 2, 3))
        for t in (-1.0, 0.0, 3.4, 12.0, 99.0):
            film.draw(surface, rect, t)
        inside = np.zeros((220, 300), bool)
        x, y, width, height = rect
        inside[y : y + height, x : x + width] = True
        assert (pixels(surface)[~inside] == (1, 2, 3)).all()


def test_frames_come_bit_by_bit_and_backwards_too() -> None:
    task = task_catalog.task("CartPole-v1")
    assert isinstance(task, ExternalTask)
    _, trajectory = recorded(task)
    film = RecordingView(task, trajectory)
    frames = list(trajectory_frames(task, trajectory))
    surface = pygame.Surface((600, 400))
    for t in (12.0, 3.0, 7.9, 0.0):
        for _ in range(14):  # each draw makes at least one frame
            film.draw(surface, surface.get_rect(), t)
        wanted = pygame.surfarray.make_surface(frames[int(t)].swapaxes(0, 1))
        assert np.array_equal(pixels(surface), pixels(wanted))


def test_an_early_end_is_dimmed() -> None:
    task = task_catalog.task("CartPole-v1")
    _, trajectory = recorded(task, 40)
    ended = int(trajectory.observations[:, -1].argmax())
    assert 0 < ended < 40
    film = RecordingView(task, trajectory)
    before, after = (pixels(film.still((300, 200), t)).mean() for t in (ended - 1, ended))
    assert after < 0.6 * before


def test_a_replay_that_cannot_be_is_a_sentence_on_screen() -> None:
    task = task_catalog.task("CartPole-v1")
    _, trajectory = recorded(task)
    trajectory.observations[6:] += 1.0
    film = RecordingView(task, trajectory)
    shown = pixels(film.still((300, 200), 9))
    assert (shown == BACKGROUND).all(axis=-1).mean() > 0.5
    assert (shown > 150).any(), "nothing was written"


@pytest.mark.parametrize(
    "id", ["teachbox/RoomsTidy-v0", "teachbox/LanesCruise-v0", "teachbox/RoverDeliver-v0"]
)
def test_the_light_tells_the_time_and_leaves_what_is_around_alone(id: str) -> None:
    task = task_catalog.task(id)
    view, states = View(task), Simulation(task, 1, seed=3).states
    clock, tall = task.world.clock, 150
    size = (round(tall * view.aspect) + 40, tall + 30)
    means = []
    for share in (0.0, 0.4, 1.0):
        state = states[0].copy()
        state[clock] = round(share * task.horizon)
        surface = pygame.Surface(size)
        surface.fill((200, 200, 200))
        view.moment(surface, pygame.Rect(20, 15, size[0] - 40, tall), state[None], 0.0)
        assert surface.get_at((3, 3))[:3] == (200, 200, 200)
        means.append(pygame.surfarray.array3d(surface)[20:-20, 15:-15].reshape(-1, 3).mean(axis=0))
    morning, noon, dusk = means
    assert morning[2] < noon[2], "morning light is warm"
    assert dusk[1] < 0.9 * noon[1] < noon[1]
    assert dusk.sum() > 0.8 * noon.sum(), "never dark"
