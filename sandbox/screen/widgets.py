"""Ten small controls. Each works by keyboard (Tab, arrows, Enter) and by mouse, and draws itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pygame

from sandbox.play.intents import Pointer, Press
from sandbox.screen import theme as look
from sandbox.screen.badges import key_cap, key_cap_width
from sandbox.screen.theme import Color, Theme, rounded


class Widget:
    """A control in a rectangle that its scene sets at each draw."""

    takes_focus = True

    def __init__(self, name: str, act: Callable[[Any], None] | None = None) -> None:
        self.name, self.act = name, act
        self.rect = pygame.Rect(0, 0, 0, 0)
        self.enabled, self.focused, self.hovered = True, False, False

    def press(self, event: Press) -> bool:
        """A key, while it has the focus; True if it was used."""
        return False

    def pointer(self, event: Pointer) -> bool:
        """The mouse, anywhere; True if it was used."""
        self.hovered = self.rect.collidepoint(event.pos)
        return False

    def draw(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect) -> None:
        self.rect = rect

    def fire(self, value: Any = None) -> None:
        if self.act is not None:
            self.act(value)

    def ring(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect, radius: int) -> None:
        """The outline that shows where the keyboard is."""
        if self.focused:
            pygame.draw.rect(surface, look.ACCENT, rect.inflate(4, 4), 2, border_radius=radius + 2)


class Button(Widget):
    """Enter or a click does it. It shows an icon, or the cap of the key that does the same."""

    def __init__(
        self,
        name: str,
        text: str,
        act: Callable[[Any], None],
        *,
        icon: str = "",
        cap: str = "",
        main: bool = False,
    ):
        super().__init__(name, act)
        self.text, self.icon, self.cap, self.main = text, icon, cap, main

    def press(self, event: Press) -> bool:
        if event.key == "enter" and not event.repeat:
            self.fire()
            return True
        return False

    def pointer(self, event: Pointer) -> bool:
        super().pointer(event)
        if event.kind == "down" and self.hovered:
            self.fire()
            return True
        return False

    def draw(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect) -> None:
        super().draw(surface, theme, rect)
        fill = look.ACCENT if self.main else look.RAISED
        if not self.enabled:
            fill = look.PANEL
        elif self.hovered:
            fill = look.mix(fill, look.TEXT, 0.12)
        ink = look.GROUND if self.main and self.enabled else (look.TEXT if self.enabled else look.MUTED)
        rounded(surface, rect, fill, theme.px(8), None if self.main else look.LINE)
        self.ring(surface, theme, rect, theme.px(8))
        icon = theme.icon(self.icon, theme.px(18), ink) if self.icon else None
        wide = icon.get_width() if icon else (key_cap_width(theme, self.cap) if self.cap else 0)
        gap = wide + theme.px(8) if wide else 0
        text = theme.fit(self.text, rect.width - gap - theme.px(16), "body", bold=True)
        left = rect.centerx - (theme.width(text, "body", bold=True) + gap) // 2
        if icon:
            surface.blit(icon, icon.get_rect(midleft=(left, rect.centery)))
        elif self.cap:
            key_cap(surface, theme, self.cap, (left, rect.centery))
        theme.text(surface, text, (left + gap, rect.centery), "body", ink, bold=True, anchor="midleft")


class Toggle(Widget):
    """On or off, with its label; Enter, Space or a click changes it."""

    def __init__(self, name: str, text: str, act: Callable[[Any], None] | None = None, *, on: bool = False):
        super().__init__(name, act)
        self.text, self.on = text, on

    def press(self, event: Press) -> bool:
        if event.key in ("enter", "space") and not event.repeat:
            self._flip()
            return True
        return False

    def pointer(self, event: Pointer) -> bool:
        super().pointer(event)
        if event.kind == "down" and self.hovered:
            self._flip()
            return True
        return False

    def _flip(self) -> None:
        self.on = not self.on
        self.fire(self.on)

    def draw(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect) -> None:
        super().draw(surface, theme, rect)
        track = pygame.Rect(rect.left, 0, theme.px(36), theme.px(20))
        track.centery = rect.centery
        rounded(surface, track, look.ACCENT if self.on else look.RAISED, track.height // 2, look.LINE)
        knob = (track.right - track.height // 2 if self.on else track.left + track.height // 2, track.centery)
        pygame.draw.aacircle(surface, look.GROUND if self.on else look.SOFT, knob, track.height // 2 - 3)
        self.ring(surface, theme, track, track.height // 2)
        left = track.right + theme.px(10)
        theme.text(
            surface,
            self.text,
            (left, rect.centery),
            "body",
            look.SOFT,
            anchor="midleft",
            width=rect.right - left,
        )


class Slider(Widget):
    """A value between two ends; arrows step it, the mouse drags it."""

    def __init__(
        self,
        name: str,
        low: float,
        high: float,
        value: float,
        act: Callable[[Any], None] | None = None,
        *,
        step: float = 1.0,
        color: Color = look.ACCENT,
    ):
        super().__init__(name, act)
        self.low, self.high, self.value, self.step, self.color = low, high, value, step, color
        self._dragged = False

    def set(self, value: float) -> None:
        value = min(max(value, self.low), self.high)
        if value != self.value:
            self.value = value
            self.fire(value)

    def press(self, event: Press) -> bool:
        steps = {"left": -1.0, "right": 1.0, "page down": -10.0, "page up": 10.0}
        if event.key in steps:
            self.set(self.value + steps[event.key] * self.step)
        elif event.key in ("home", "end"):
            self.set(self.low if event.key == "home" else self.high)
        else:
            return False
        return True

    def pointer(self, event: Pointer) -> bool:
        super().pointer(event)
        if event.kind == "down":
            self._dragged = self.hovered
        if self._dragged and event.kind in ("down", "move", "up"):
            share = (event.pos[0] - self.rect.left) / max(1, self.rect.width)
            self.set(round((self.low + share * (self.high - self.low)) / self.step) * self.step)
        used = self._dragged
        if event.kind == "up":
            self._dragged = False
        return used

    def draw(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect) -> None:
        super().draw(surface, theme, rect)
        track = pygame.Rect(rect.left, 0, rect.width, theme.px(6))
        track.centery = rect.centery
        rounded(surface, track, look.LINE, track.height // 2)
        share = (self.value - self.low) / (self.high - self.low) if self.high > self.low else 0.0
        done = track.copy()
        done.width = max(track.height, round(track.width * share))
        rounded(surface, done, self.color, track.height // 2)
        knob = (round(track.left + track.width * share), track.centery)
        if self.focused:
            pygame.draw.aacircle(surface, look.ACCENT, knob, theme.px(11))
        pygame.draw.aacircle(surface, look.TEXT, knob, theme.px(8))


class Tabs(Widget):
    """A few names of which one is chosen; Left and Right, or a click. `act` gets the key."""

    def __init__(self, name: str, items: Sequence[tuple[Any, str]], act: Callable[[Any], None] | None = None):
        super().__init__(name, act)
        self.items, self.index = list(items), 0
        self._spots: list[pygame.Rect] = []

    def press(self, event: Press) -> bool:
        step = {"left": -1, "right": 1}.get(event.key, 0)
        if not step or not self.items:
            return False
        self.index = (self.index + step) % len(self.items)
        self.fire(self.items[self.index][0])
        return True

    def pointer(self, event: Pointer) -> bool:
        super().pointer(event)
        if event.kind == "down":
            for index, spot in enumerate(self._spots):
                if spot.collidepoint(event.pos):
                    self.index = index
                    self.fire(self.items[index][0])
                    return True
        return False

    def draw(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect) -> None:
        super().draw(surface, theme, rect)
        self._spots, left = [], rect.left
        for index, (_, text) in enumerate(self.items):
            chosen = index == self.index
            width = theme.width(text, "body", bold=chosen) + theme.px(24)
            spot = pygame.Rect(left, rect.top, width, rect.height)
            if chosen:
                rounded(surface, spot, look.RAISED, theme.px(8))
                pygame.draw.rect(
                    surface, look.ACCENT, (spot.left + theme.px(10), spot.bottom - 2, width - theme.px(20), 2)
                )
            theme.text(
                surface,
                text,
                spot.center,
                "body",
                look.TEXT if chosen else look.MUTED,
                bold=chosen,
                anchor="center",
            )
            self._spots.append(spot)
            left = spot.right + theme.px(4)
        self.ring(
            surface, theme, pygame.Rect(rect.left, rect.top, left - rect.left, rect.height), theme.px(8)
        )


class TextField(Widget):
    """A line to type into; Enter calls `act` with the text."""

    def __init__(
        self, name: str, hint: str, act: Callable[[Any], None] | None = None, *, text: str = ""
    ) -> None:
        super().__init__(name, act)
        self.text, self.hint = text, hint

    def press(self, event: Press) -> bool:
        if event.key == "backspace":
            self.text = self.text[:-1]
        elif event.key == "enter":
            self.fire(self.text)
        elif event.text and event.text.isprintable():
            self.text += event.text
        else:
            return False
        return True

    def draw(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect) -> None:
        super().draw(surface, theme, rect)
        rounded(surface, rect, look.GROUND, theme.px(8), look.ACCENT if self.focused else look.LINE)
        left, room = rect.left + theme.px(12), rect.width - theme.px(28)
        if not self.text and not self.focused:
            theme.text(
                surface, self.hint, (left, rect.centery), "body", look.MUTED, anchor="midleft", width=room
            )
            return
        shown = self.text
        while shown and theme.width(shown, "body", mono=True) > room:
            shown = shown[1:]
        spot = theme.text(
            surface, shown, (left, rect.centery), "body", look.TEXT, mono=True, anchor="midleft"
        )
        if self.focused:
            height = theme.line("body")
            pygame.draw.rect(surface, look.ACCENT, (spot.right + 2, rect.centery - height // 2, 2, height))
