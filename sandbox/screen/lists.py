"""A list of rows to choose from, with pictures, icons and a scroll bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pygame

from sandbox.play.intents import Pointer, Press
from sandbox.screen import theme as look
from sandbox.screen.theme import Theme, rounded
from sandbox.screen.widgets import Widget


class ListItem:
    """A row of a List: a title, a few lines about it, something small at the right, icons."""

    def __init__(
        self,
        key: Any,
        title: str,
        about: str = "",
        right: str = "",
        icon: str = "",
        icons: Sequence[str] = (),
        picture: pygame.Surface | None = None,
    ) -> None:
        self.key, self.title, self.about, self.right, self.icon = key, title, about, right, icon
        self.icons, self.picture = tuple(icons), picture


class List(Widget):
    """Rows to choose from: Up and Down, Home and End, a click; the wheel scrolls. `act` gets the chosen key.

    lines: how many lines of `about` there is room for; tall: the least height of a row (design pixels).
    """

    def __init__(
        self,
        name: str,
        items: Sequence[ListItem],
        act: Callable[[Any], None] | None = None,
        *,
        lines: int = 1,
        tall: int = 0,
    ) -> None:
        super().__init__(name, act)
        self.items, self.index, self.top = list(items), 0, 0
        self.lines, self.tall = lines, tall
        self._rows: list[tuple[pygame.Rect, int]] = []
        self._follows = True  # the chosen row stays in sight, until the wheel scrolls away from it

    @property
    def chosen(self) -> ListItem | None:
        return self.items[self.index] if 0 <= self.index < len(self.items) else None

    def choose(self, index: int) -> None:
        if self.items:
            index, self._follows = min(max(index, 0), len(self.items) - 1), True
            changed, self.index = index != self.index, index
            if changed:
                self.fire(self.items[index].key)

    def press(self, event: Press) -> bool:
        most = len(self.items)
        steps = {"up": -1, "down": 1, "page up": -5, "page down": 5, "home": -most, "end": most}
        if event.key not in steps:
            return False
        self.choose(self.index + steps[event.key])
        return True

    def pointer(self, event: Pointer) -> bool:
        super().pointer(event)
        if not self.hovered:
            return False
        if event.kind == "wheel":
            self.top, self._follows = self.top - event.wheel, False
            return True
        if event.kind == "down":
            for rect, index in self._rows:
                if rect.collidepoint(event.pos):
                    self.choose(index)
            return True
        return False

    def _height(self, theme: Theme, width: int) -> int:
        """Of every row: as high as the longest `about` needs, up to `lines`."""
        inner = width - theme.px(70)
        lines = max(
            (len(theme.wrap(i.about, inner, "small")) if i.about else 0 for i in self.items), default=0
        )
        text = theme.line("body") + min(lines, self.lines) * theme.line("small") + theme.px(20)
        return max(text, theme.px(self.tall) if self.tall else 0)

    def draw(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect) -> None:
        super().draw(surface, theme, rect)
        height, gap = self._height(theme, rect.width), theme.px(6)
        shown = max(1, (rect.height + gap) // (height + gap))
        lowest = max(0, len(self.items) - shown)
        if self._follows:
            self.top = min(max(self.top, self.index - shown + 1), self.index)
        self.top = min(max(self.top, 0), lowest)
        more = len(self.items) > shown
        self._rows = []
        for k, item in enumerate(self.items[self.top : self.top + shown]):
            row = pygame.Rect(rect.left, rect.top + k * (height + gap), rect.width, height)
            row.width -= theme.px(10) if more else 0
            self._rows.append((row, self.top + k))
            self._row(surface, theme, row, item, self.top + k == self.index)
        if more:
            bar = pygame.Rect(rect.right - theme.px(5), rect.top, theme.px(5), shown * (height + gap) - gap)
            rounded(surface, bar, look.RAISED, theme.px(2))
            bar.top += bar.height * self.top // len(self.items)
            bar.height = max(theme.px(12), bar.height * shown // len(self.items))
            rounded(surface, bar, look.MUTED, theme.px(2))

    def _row(
        self, surface: pygame.Surface, theme: Theme, row: pygame.Rect, item: ListItem, chosen: bool
    ) -> None:
        radius, pad = theme.px(8), theme.px(10)
        edge = (look.ACCENT if self.focused else look.MUTED) if chosen else None
        rounded(surface, row, look.HOVER if chosen else look.RAISED, radius, edge)
        if chosen:  # shape beside colour: the chosen row carries a bar
            bar = pygame.Rect(row.left + theme.px(4), row.top + pad, theme.px(3), row.height - 2 * pad)
            pygame.draw.rect(surface, look.ACCENT, bar)
        left, right, top = row.left + theme.px(16), row.right - pad, row.top + pad
        if item.picture is not None:
            room = pygame.Rect(
                left - theme.px(2), row.top + theme.px(6), row.width * 2 // 5, row.height - theme.px(12)
            )
            left = _fit_picture(surface, item.picture, room) + theme.px(14)
        icon = (
            theme.icon(item.icon, theme.px(18), look.ACCENT if chosen else look.SOFT) if item.icon else None
        )
        if icon:
            surface.blit(icon, icon.get_rect(midleft=(left, top + theme.line("body") // 2)))
            left += theme.px(28)
        if item.right:
            spot = theme.text(surface, item.right, (right, top + 1), "small", look.MUTED, anchor="topright")
            right = spot.left - theme.px(8)
        for name in reversed(item.icons):
            small = theme.icon(name, theme.px(15), look.SOFT)
            if small:
                right = surface.blit(
                    small, small.get_rect(topright=(right, top + theme.px(2)))
                ).left - theme.px(6)
        theme.text(surface, item.title, (left, top), "body", look.TEXT, bold=True, width=right - left)
        about = pygame.Rect(left, top + theme.line("body"), row.right - pad - left, row.bottom - pad - top)
        about.height = row.bottom - theme.px(8) - about.top
        if item.about:
            theme.paragraph(surface, item.about, about, "small", look.SOFT if chosen else look.MUTED)


def _fit_picture(surface: pygame.Surface, picture: pygame.Surface, room: pygame.Rect) -> int:
    """Draw a picture as large as fits at the left of `room`; returns its right edge."""
    scale = min(room.width / picture.get_width(), room.height / picture.get_height())
    size = (max(1, round(picture.get_width() * scale)), max(1, round(picture.get_height() * scale)))
    image = pygame.transform.smoothscale(picture, size)
    return surface.blit(image, image.get_rect(midleft=room.midleft)).right
