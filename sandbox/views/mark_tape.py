"""A time line that runs under a live world: steps, events, marks, and the tail of what a mark is about."""

from __future__ import annotations

from dataclasses import dataclass

import pygame

from agents.feedback.choices import PRESS_DELAY_S, press_credit
from sandbox.screen import theme as look
from sandbox.screen.theme import Theme, rounded

SECONDS = 9.0  # [s] of the past on screen


def credit(age: float) -> float:
    """How much a moment `age` seconds before a press answers for it; 1 at the most."""
    return float(press_credit(age) / press_credit(PRESS_DELAY_S)) if age > 0 else 0.0


@dataclass
class TapeMark:
    """A + or - at a time [s]; `is_undone` ones stay, crossed out."""

    at: float
    value: float
    record_id: str
    is_undone: bool = False


class MarkTape:
    """Time runs to the left; now is near the right edge. Times are seconds of the scene's own clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.steps: list[tuple[float, bool]] = []
        """(time, whether an episode began there)"""
        self.marks: list[TapeMark] = []

    def advance(self, dt: float) -> None:
        self.now += dt
        old = self.now - SECONDS - 2.0
        if self.steps and self.steps[0][0] < old - 5.0:
            self.steps = [step for step in self.steps if step[0] >= old]

    def step(self, *, first: bool = False) -> None:
        self.steps.append((self.now, first))

    def mark(self, value: float, record_id: str) -> None:
        self.marks.append(TapeMark(self.now, value, record_id))

    def take_back(self, last: bool = True) -> TapeMark | None:
        """The newest standing mark, now crossed out."""
        for mark in reversed(self.marks):
            if not mark.is_undone:
                mark.is_undone = True
                return mark
        return None

    @property
    def standing(self) -> int:
        return sum(not mark.is_undone for mark in self.marks)

    def draw(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect) -> None:
        rounded(surface, rect, look.PANEL, theme.px(10), look.LINE)
        inside = rect.inflate(-theme.px(24), -theme.px(12))
        now = inside.right - theme.px(40)
        per_second = (now - inside.left) / SECONDS
        middle = inside.centery
        before = surface.get_clip()
        surface.set_clip(rect.inflate(-4, -4))
        pygame.draw.line(surface, look.LINE, (inside.left, middle), (now, middle), 2)
        for at, first in self.steps:
            x = now - (self.now - at) * per_second
            if x < inside.left:
                continue
            if first:
                pygame.draw.line(surface, look.MUTED, (x, inside.top), (x, inside.bottom), 1)
            else:
                pygame.draw.line(surface, look.MUTED, (x, middle - theme.px(3)), (x, middle + theme.px(3)), 1)
        for mark in self.marks:
            x = now - (self.now - mark.at) * per_second
            if x > inside.left - theme.px(30):
                self._mark(surface, theme, inside, x, per_second, mark)
        pygame.draw.line(surface, look.ACCENT, (now, inside.top - 2), (now, inside.bottom + 2), 2)
        surface.set_clip(before)
        theme.text(surface, "now", (now + theme.px(8), middle), "small", look.ACCENT, anchor="midleft")

    def _mark(
        self,
        surface: pygame.Surface,
        theme: Theme,
        inside: pygame.Rect,
        x: float,
        per_second: float,
        mark: TapeMark,
    ) -> None:
        good = mark.value > 0
        color = look.MUTED if mark.is_undone else (look.GOOD if good else look.BAD)
        middle, up = inside.centery, -1 if good else 1
        tall = (inside.height // 2 - theme.px(4)) * (1.0 if abs(mark.value) > 1 else 0.62)
        if not mark.is_undone:  # the tail: what was on screen when the person made up their mind
            points: list[tuple[float, float]] = [(x, middle)]
            for k in range(1, 25):
                age = k * 1.6 / 24
                points.append((x - age * per_second, middle + up * tall * credit(age)))
            points.append((points[-1][0], middle))
            pygame.draw.polygon(surface, look.mix(look.PANEL, color, 0.35), points)
            pygame.draw.aalines(surface, look.mix(look.PANEL, color, 0.8), False, points[1:-1])
        size = theme.px(9 if abs(mark.value) > 1 else 7)
        center = (round(x), round(middle + up * (inside.height // 2 - theme.px(8))))
        sign(surface, center, size, mark.value, color)
        if mark.is_undone:
            pygame.draw.aaline(
                surface, look.TEXT, (center[0] - size, center[1] + size), (center[0] + size, center[1] - size)
            )


def sign(
    surface: pygame.Surface, center: tuple[int, int], size: int, value: float, color: look.Color
) -> None:
    """Good is a disc with a plus, bad a square with a minus: told apart without colour."""
    x, y = center
    arm = max(2, round(size * 0.55))
    if value > 0:
        pygame.draw.aacircle(surface, color, center, size)
    else:
        pygame.draw.rect(
            surface, color, (x - size + 1, y - size + 1, 2 * size - 1, 2 * size - 1), border_radius=3
        )
    thick = max(2, size // 4)
    pygame.draw.rect(surface, look.GROUND, (x - arm, y - thick // 2, 2 * arm + 1, thick))
    if value > 0:
        pygame.draw.rect(surface, look.GROUND, (x - thick // 2, y - arm, thick, 2 * arm + 1))
