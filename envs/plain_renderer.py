"""Draws any world that brings no renderer: the places that the agent can be at, and where it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pygame
from numpy.typing import NDArray

from envs.world import Array, Task

GROUND, PLACE, AGENT, GHOST = (38, 41, 50), (70, 75, 90), (255, 196, 87), (150, 130, 90)
GOOD, BAD = (90, 190, 120), (214, 90, 90)
MARGIN = 0.12  # of the shorter side


class PlainRenderer:
    """Dots at `World.placements`, coloured by the overlay, and the agent by `World.place`."""

    aspect = 1.5

    def __init__(self, task: Task) -> None:
        self._world = task.world
        self._low, self._high = np.zeros(2), np.zeros(2)

    def draw(
        self,
        surface: pygame.Surface,
        rect: Any,
        before: Array,
        after: Array,
        blend: float,
        *,
        overlay: tuple[Array, Array] | None = None,
        ghosts: Sequence[Array] = (),
        trail: Sequence[Array] = (),
    ) -> None:
        """See `envs.world.Renderer`."""
        box = pygame.Rect(rect)
        surface.fill(GROUND, box)
        _, where = self._world.placements(before)
        ends = self._world.agent_position(np.stack([before, after])).astype(float)
        at = ends[0] + blend * (ends[1] - ends[0])
        self._low, self._high = (find(np.concatenate([where, ends]), axis=0) for find in (np.min, np.max))
        size = max(2, round(0.03 * min(box.size)))
        for one in where:
            pygame.draw.circle(surface, PLACE, self._pixel(box, one), size)
        for one, value in zip(*overlay, strict=True) if overlay is not None else ():
            colour = pygame.Color(*PLACE).lerp(GOOD if value > 0 else BAD, min(1.0, abs(float(value))))
            pygame.draw.circle(surface, colour, self._pixel(box, one), size)
        for state in (*trail, *(np.atleast_2d(ghost)[-1] for ghost in ghosts)):
            pygame.draw.circle(
                surface, GHOST, self._pixel(box, self._world.agent_position(state[None])[0]), size
            )
        pygame.draw.circle(surface, AGENT, self._pixel(box, at), 2 * size)

    def _pixel(self, box: pygame.Rect, at: NDArray[Any]) -> tuple[int, int]:
        """A place on screen; y grows downwards as the place's second number does."""
        span = self._high - self._low
        share = np.where(span > 0, (at - self._low) / np.where(span > 0, span, 1.0), 0.5)
        share = MARGIN + (1.0 - 2.0 * MARGIN) * share
        return round(box.x + share[0] * box.width), round(box.y + share[1] * box.height)
