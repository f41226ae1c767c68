"""Where a live world, what just happened in it and the window's toasts stand, so that none covers another."""

from __future__ import annotations

from typing import NamedTuple

import pygame

from sandbox.screen.theme import Theme
from sandbox.views.stage import fitted

BESIDE = 190
"""A gap at the side of the world is used from this width on (design pixels)."""
ROW = 40
"""The least height of a row above or below the world (design pixels)."""


class Places(NamedTuple):
    """The world's picture, what just happened in it, and toasts: three areas apart from each other."""

    world: pygame.Rect
    chips: pygame.Rect
    toasts: pygame.Rect


def places(room: pygame.Rect, aspect: float, theme: Theme) -> Places:
    """Beside the world where that is free, else above and below it, else in a row that it gives up."""
    world, gap, row = fitted(room, aspect), theme.px(10), theme.px(ROW)
    side = world.left - room.left - gap
    if side >= theme.px(BESIDE):
        left = pygame.Rect(room.left, room.top, side, room.height)
        return Places(world, pygame.Rect(world.right + gap, room.top, side, room.height), left)
    if world.top - room.top >= row + gap:
        above = pygame.Rect(room.left, room.top, room.width, world.top - room.top - gap)
        below = pygame.Rect(room.left, world.bottom + gap, room.width, room.bottom - world.bottom - gap)
        return Places(world, above, below)
    strip = pygame.Rect(room.left, room.top, room.width, row)
    world = fitted(
        pygame.Rect(room.left, strip.bottom + theme.px(4), room.width, room.height - row - theme.px(4)),
        aspect,
    )
    return Places(world, strip, strip)
