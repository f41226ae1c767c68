"""The strip below replays: play, time line, speed, number of clips; each with its key, all clickable."""

from __future__ import annotations

import pygame

from sandbox.play.intents import Pointer, Press
from sandbox.play.playback import Playback
from sandbox.screen import badges
from sandbox.screen import theme as look
from sandbox.screen.theme import Theme
from sandbox.screen.timeline import fraction_at, timeline


class Transport:
    """Draws itself for a playback and knows what the mouse means on it."""

    def __init__(self) -> None:
        self.line = pygame.Rect(0, 0, 0, 0)
        self.dragging = False
        self._caps: list[tuple[pygame.Rect, Press]] = []

    def hide(self) -> None:
        """There is nothing to play."""
        self._caps, self.line, self.dragging = [], pygame.Rect(0, 0, 0, 0), False

    def pointer(self, event: Pointer, playback: Playback) -> tuple[Press, pygame.Rect] | bool:
        """A key and its place if its cap was clicked; else whether the time line used the event."""
        if event.kind == "down":
            self.dragging = self.line.collidepoint(event.pos)
            for cap, key in self._caps:
                if cap.collidepoint(event.pos):
                    return key, cap
        used = self.dragging
        if self.dragging and event.kind != "wheel":
            playback.seek_fraction(fraction_at(self.line, event.pos[0]))
        if event.kind == "up":
            self.dragging = False
        return used

    def draw(
        self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect, playback: Playback, clips: int
    ) -> None:
        """`clips` is how many the next questions will have."""
        self._caps = []
        y = rect.centery
        left = self._key(surface, theme, "space", "Space", rect.left, y)
        icon = theme.icon("pause" if playback.playing else "play", theme.px(18), look.TEXT)
        if icon:
            surface.blit(icon, icon.get_rect(midleft=(left, y)))
        left = self._text(surface, theme, f"{playback.seconds:4.1f} s", left + theme.px(24), y)
        left = self._key(surface, theme, ",", ",", left + theme.px(12), y)
        widths = [badges.key_cap_width(theme, name) for name in (".", "[", "]", "N")]
        texts = [theme.width(text, "small", mono=True) for text in ("0.25x", "2 clips")]
        right = rect.right - sum(widths) - sum(texts) - theme.px(70)
        self.line = pygame.Rect(left, rect.top, right - left - theme.px(6), rect.height)
        timeline(surface, self.line, playback.fraction)
        right = self._key(surface, theme, ".", ".", right, y) + theme.px(16)
        right = self._key(surface, theme, "[", "[", right, y)
        speed = f"{playback.speed:g}x"
        middle = right + (texts[0] - theme.width(speed, "small", mono=True)) // 2
        self._text(surface, theme, speed, middle, y)
        right = self._key(surface, theme, "]", "]", right + texts[0] + theme.px(6), y) + theme.px(16)
        right = self._key(surface, theme, "n", "N", right, y)
        self._text(surface, theme, f"{clips} clips", right, y)

    def _key(self, surface: pygame.Surface, theme: Theme, key: str, cap: str, x: int, y: int) -> int:
        """A key cap that can also be clicked; the x right of it."""
        right = badges.key_cap(surface, theme, cap, (x, y))
        self._caps.append((pygame.Rect(x, y - theme.px(14), right - x, theme.px(28)), Press(key)))
        return right + theme.px(6)

    def _text(self, surface: pygame.Surface, theme: Theme, text: str, x: int, y: int) -> int:
        return theme.text(surface, text, (x, y), "small", look.SOFT, mono=True, anchor="midleft").right
