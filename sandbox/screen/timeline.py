"""A time line with marks and a knob, drawn each frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pygame

from sandbox.screen.theme import ACCENT, LINE, SOFT, TEXT, Color, mix, rounded


@dataclass(frozen=True)
class Mark:
    """Something on a time line: where (0..1), and how it looks."""

    at: float
    color: Color = SOFT
    up: bool = True


def timeline(
    surface: pygame.Surface,
    rect: pygame.Rect,
    fraction: float,
    *,
    color: Color = ACCENT,
    track: Color = LINE,
    marks: Sequence[Mark] = (),
    focused: bool = False,
) -> None:
    """A thin track filled up to `fraction`, marks above or below it, and a knob. Drawn each frame."""
    thick, knob = _track(rect)
    left, right = rect.left + knob, rect.right - knob
    line = pygame.Rect(left, rect.centery - thick // 2, right - left, thick)
    rounded(surface, line, track, thick // 2)
    x = left + round((right - left) * min(max(fraction, 0.0), 1.0))
    if x - left >= thick:
        rounded(surface, pygame.Rect(left, line.top, x - left, thick), color, thick // 2)
    for mark in marks:
        at, tall = left + round((right - left) * mark.at), max(3, thick)
        top = line.top - tall - 1 if mark.up else line.bottom + 1
        pygame.draw.rect(surface, mark.color, (at - 1, top, 3, tall), border_radius=1)
    if focused:
        pygame.draw.aacircle(surface, mix(color, TEXT, 0.3), (x, line.centery), knob + 2)
    pygame.draw.aacircle(surface, TEXT, (x, line.centery), knob)


def _track(rect: pygame.Rect) -> tuple[int, int]:
    """(thickness of the track, radius of the knob); odd thickness fits its round ends."""
    thick = max(3, min(rect.height // 4, 8)) | 1
    return thick, max(4, min(rect.height // 2 - 1, thick + 3))


def fraction_at(rect: pygame.Rect, x: float) -> float:
    """The fraction of a `timeline` in `rect` that lies under the pixel column `x`."""
    _, knob = _track(rect)
    return min(max((x - rect.left - knob) / max(rect.width - 2 * knob, 1), 0.0), 1.0)
