"""A still picture of a world, for lists."""

from __future__ import annotations

import pygame

from envs.render_common import rounded
from envs.show.viewer import View
from envs.simulate import simulate
from envs.world import Task
from sandbox.screen import theme as look


def picture_of(task: Task) -> pygame.Surface:
    """A still of the world's start; an empty card if it can't be drawn."""
    view = View(task)
    height = 200
    try:
        simulation = simulate(task, 1, seed=7)
        picture = pygame.Surface((round(height * view.aspect), height), pygame.SRCALPHA)
        view.live(picture, picture.get_rect(), simulation)
    except ValueError:
        picture = pygame.Surface((height, height), pygame.SRCALPHA)
        picture.fill(look.RAISED)
    return rounded(picture, height // 16)
