"""Draws the corridor."""

from __future__ import annotations

import pygame

from puddles.rules import LENGTH, PUDDLE
from puddles.walk import PLACE

FLOOR, WATER, DOOR, WALKER = (200, 190, 170), (60, 120, 220), (120, 70, 30), (220, 60, 60)


class PuddlesRenderer:
    aspect = 4.0

    def __init__(self, task):
        self.task = task

    def draw(self, surface, rect, before, after, blend, *, overlay=None, ghosts=(), trail=()):
        box = pygame.Rect(rect)
        wide = box.width // LENGTH
        for cell in range(LENGTH):
            colour = WATER if cell == PUDDLE else DOOR if cell == LENGTH - 1 else FLOOR
            surface.fill(colour, (box.x + cell * wide, box.y, wide - 1, box.height))
        at = before[PLACE] + blend * (after[PLACE] - before[PLACE])
        middle = (round(box.x + (at + 0.5) * wide), box.centery)
        pygame.draw.circle(surface, WALKER, middle, max(2, wide // 4))
