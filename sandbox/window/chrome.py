"""The frame around every scene: the modes above, the keys and the learner below."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pygame

from agents.feedback.feedback_kind import FEEDBACK_KINDS
from sandbox.play.intents import Pointer, Press
from sandbox.screen import badges
from sandbox.screen import theme as look
from sandbox.screen.keys import EVERYWHERE, MODES, Binding, cap
from sandbox.screen.theme import Color, Theme, rounded
from sandbox.window import notices
from sandbox.window.frame_host import FrameHost
from sandbox.window.hints import hint

STATES: dict[str, tuple[str, Color]] = {
    "starting": ("refresh-cw", look.WARN),
    "learning": ("brain", look.GOOD),
    "waiting": ("hand", look.ACCENT),
    "paused": ("pause", look.WARN),
    "restarting": ("refresh-cw", look.WARN),
    "failed": ("triangle-alert", look.BAD),
}


class Chrome:
    """Draws the frame and knows what a click on it means."""

    def __init__(self, host: FrameHost) -> None:
        self.host = host
        self._spots: list[tuple[pygame.Rect, Callable[[], Any]]] = []
        self._mouse = (-1, -1)

    def click(self, event: Pointer) -> bool:
        """Take the mouse; True if something of the frame was clicked."""
        self._mouse = event.pos
        if event.kind != "down":
            return False
        for rect, act in reversed(self._spots):
            if rect.collidepoint(event.pos):
                act()
                return True
        return False

    def draw(self, surface: pygame.Surface) -> pygame.Rect:
        """Draw the bars; returns the room that is left for the scene."""
        self._spots = []
        theme, full = self.host.theme, surface.get_rect()
        top = pygame.Rect(0, 0, full.width, theme.px(48))
        self._top(surface, theme, top)
        status = pygame.Rect(0, 0, full.width, theme.px(32) if self.host.session else 0)
        status.bottom = full.bottom
        if self.host.session is not None:
            self._status(surface, theme, status)
        keys = self._keys(surface, theme, pygame.Rect(0, 0, full.width, status.top))
        room = pygame.Rect(0, top.bottom, full.width, keys.top - top.bottom)
        if self.host.news.error:
            bar, close = notices.draw_error_banner(surface, theme, room, self.host.news.error)
            self._spots.append((close, self.host.clear_error))
            room.top, room.height = bar.bottom, room.bottom - bar.bottom
        return room.inflate(-2 * theme.px(16), -2 * theme.px(12))

    def _top(self, surface: pygame.Surface, theme: Theme, bar: pygame.Rect) -> None:
        pygame.draw.rect(surface, look.BAR, bar)
        pygame.draw.line(surface, look.LINE, bar.bottomleft, bar.bottomright)
        x = theme.px(16)
        icon = theme.icon("graduation-cap", theme.px(22), look.ACCENT)
        if icon:
            surface.blit(icon, icon.get_rect(midleft=(x, bar.centery)))
            x += icon.get_width() + theme.px(8)
        name = theme.text(surface, "teachbox", (x, bar.centery), "large", bold=True, anchor="midleft")
        self._spots.append((pygame.Rect(0, 0, name.right, bar.height), self.host.show_menu))
        x = name.right + theme.px(24)
        if self.host.session is None:
            theme.text(
                surface, "Teach an agent what you want", (x, bar.centery), color=look.MUTED, anchor="midleft"
            )
            return
        room = bar.right - x
        short = sum(self._tab_width(theme, key, title, True) for key, _, title in MODES) > room
        for key, mode, title in MODES:  # in a narrow window only the chosen one is named
            told = "" if short and mode != self.host.scene.mode else title
            x = self._tab(surface, theme, bar, x, key, mode, told) + theme.px(4)
        title = self.host.session.task.title
        if theme.width(title) > bar.right - theme.px(32) - x:
            return  # a stump of it would only puzzle
        theme.text(
            surface,
            title,
            (bar.right - theme.px(16), bar.centery),
            color=look.SOFT,
            anchor="midright",
            width=bar.right - theme.px(32) - x,
        )

    def _tab_width(self, theme: Theme, key: str, title: str, chosen: bool) -> int:
        label = theme.width(title, "body", bold=chosen) + theme.px(8) if title else 0
        return badges.key_cap_width(theme, cap(key)) + label + theme.px(20)

    def _tab(
        self, surface: pygame.Surface, theme: Theme, bar: pygame.Rect, x: int, key: str, mode: str, title: str
    ) -> int:
        chosen = self.host.scene.mode == mode
        width = self._tab_width(theme, key, title, chosen)
        rect = pygame.Rect(x, bar.top + theme.px(7), width, bar.height - theme.px(14))
        if chosen or rect.collidepoint(self._mouse):
            rounded(surface, rect, look.RAISED if chosen else look.PANEL, theme.px(8))
        if chosen:
            pygame.draw.rect(
                surface, look.ACCENT, (rect.left + theme.px(8), bar.bottom - 3, width - theme.px(16), 3)
            )
        right = badges.key_cap(surface, theme, cap(key), (x + theme.px(8), bar.centery), lit=chosen)
        ink = look.TEXT if chosen else look.SOFT
        theme.text(
            surface, title, (right + theme.px(8), bar.centery), color=ink, bold=chosen, anchor="midleft"
        )
        self._spots.append((rect, partial(self.host.show_mode, mode)))
        return rect.right

    def _keys(self, surface: pygame.Surface, theme: Theme, above: pygame.Rect) -> pygame.Rect:
        """The keys that work now, in one or two rows that end at the bottom of `above`."""
        pad, gap, row = theme.px(16), theme.px(18), theme.px(34)
        shown = [b for b in (*self.host.scene.bindings(), *EVERYWHERE) if b.footer]
        lines: list[list[tuple[Binding, int]]] = [[]]
        x = pad
        for binding in shown:
            width = badges.binding_width(theme, binding)
            if x + width > above.right - pad and lines[-1]:
                lines.append([])
                x = pad
            lines[-1].append((binding, x))
            x += width + gap
        bar = pygame.Rect(0, 0, above.width, row * len(lines) + theme.px(6))
        bar.bottom = above.bottom
        pygame.draw.rect(surface, look.BAR, bar)
        pygame.draw.line(surface, look.LINE, bar.topleft, bar.topright)
        for k, line in enumerate(lines):
            y = bar.top + theme.px(3) + row * k + row // 2
            for binding, left in line:
                hands = self.host.key_activity
                lit = hands.lit if binding.shift in (None, hands.shift) else ()
                spot = badges.key_hint(surface, theme, binding, (left, y), lit=lit)
                self._spots.append((spot, partial(self._press, binding, spot)))
        return bar

    def _press(self, binding: Binding, spot: pygame.Rect) -> None:
        """The mouse went down on key caps: so does that key (the one of several under the mouse)."""
        theme, x = self.host.theme, spot.left
        key = binding.keys[0]
        for name, one in zip(binding.caps, binding.keys, strict=False):
            right = x + badges.key_cap_width(theme, name) + theme.px(4)
            if x <= self._mouse[0] < right:
                key, spot = one, pygame.Rect(x, spot.top, right - x, spot.height)
            x = right
        press = Press(key, text=key if len(key) == 1 else "", shift=bool(binding.shift))
        self.host.press_on_screen(press, spot)

    def _status(self, surface: pygame.Surface, theme: Theme, bar: pygame.Rect) -> None:
        session = self.host.session
        assert session is not None
        pygame.draw.rect(surface, look.GROUND, bar)
        pygame.draw.line(surface, look.LINE, bar.topleft, bar.topright)
        icon, color = STATES.get(session.status.state, ("circle", look.SOFT))
        x, y = theme.px(16), bar.centery
        image = theme.icon(icon, theme.px(16), color)
        if image:
            surface.blit(image, image.get_rect(midleft=(x, y)))
            x += image.get_width() + theme.px(8)
        right = self._counters(surface, theme, bar)
        state = pygame.Rect(x, bar.top, 0, bar.height)
        told = (f"{session.learner}: {session.status.state}", session.status.state)
        text = next((t for t in told if theme.width(t, "small", bold=True) <= right - x - theme.px(10)), "")
        if text:
            state = theme.text(surface, text, (x, y), "small", color, bold=True, anchor="midleft")
        right = self._hint(surface, theme, pygame.Rect(state.right, bar.top, right - state.right, bar.height))
        room = right - state.right - theme.px(30)
        if room > theme.px(60):
            text = session.status.text
            theme.text(
                surface,
                text,
                (state.right + theme.px(12), y),
                "small",
                look.MUTED,
                anchor="midleft",
                width=room,
            )

    def _hint(self, surface: pygame.Surface, theme: Theme, room: pygame.Rect) -> int:
        """What would be learned from most, at the right of `room` if it fits. Returns its left edge."""
        latest, scene = self.host.session and self.host.session.latest_snapshot, self.host.scene
        found = hint(latest.suggestion, scene.mode, scene.clips) if latest else None
        if found is None or scene.mode == "menu":
            return room.right
        key = theme.px(6) + badges.key_cap_width(theme, cap(found.key)) if found.key else 0
        space = room.width - key - theme.px(28 + 150)  # what the learner is doing stands before it
        text = next((one for one in found.texts if theme.width(one, "small") <= space), None)
        if text is None:
            return room.right
        at = (room.right - theme.px(22) - key, room.centery)
        area = theme.text(surface, text, at, "small", look.ACCENT, anchor="midright")
        image = theme.icon("sparkles", theme.px(15), look.ACCENT)
        if image:
            area.union_ip(
                surface.blit(image, image.get_rect(midright=(area.left - theme.px(5), room.centery)))
            )
        if found.key:
            badges.key_cap(surface, theme, cap(found.key), (at[0] + theme.px(6), room.centery))
            self._spots.append((area.inflate(2 * key, 0), partial(self.host.press, Press(found.key))))
        return area.left

    def _counters(self, surface: pygame.Surface, theme: Theme, bar: pygame.Rect) -> int:
        """From the right: saved, curve, time, counts. Returns their left edge."""
        session, y = self.host.session, bar.centery
        assert session is not None
        x = bar.right - theme.px(16)
        saved, ink = self.host.news.saved_text if session.last_saved else "", look.GOOD
        if session.unsaved:
            saved, ink = "saving ...", look.WARN
        x = theme.text(surface, saved, (x, y), "small", ink, bold=True, anchor="midright").left
        image = theme.icon("save" if session.unsaved else "check-check", theme.px(16), ink)
        if image and saved:
            x = surface.blit(image, image.get_rect(midright=(x - theme.px(6), y))).left
        values = self.host.curve()
        if len(values) > 1:
            spark = pygame.Rect(0, 0, theme.px(90), bar.height - theme.px(12))
            spark.midright = (x - theme.px(18), y)
            badges.sparkline(surface, spark, values)
            x = spark.left
        if self.host.sounds.why_silent:
            image = theme.icon("volume-x", theme.px(15), look.MUTED)
            if image:
                x = surface.blit(image, image.get_rect(midright=(x - theme.px(16), y))).left
        minutes, seconds = divmod(int(self.host.teaching_seconds), 60)
        x = self._counter(surface, theme, x - theme.px(18), y, "clock", f"{minutes}:{seconds:02d}")
        for kind in reversed(FEEDBACK_KINDS.values()):
            count = str(session.counts.get(kind.name, 0))
            x = self._counter(surface, theme, x - theme.px(14), y, kind.icon, count)
        return x

    def _counter(
        self, surface: pygame.Surface, theme: Theme, right: int, y: int, icon: str, text: str
    ) -> int:
        spot = theme.text(surface, text, (right, y), "small", look.SOFT, mono=True, anchor="midright")
        image = theme.icon(icon, theme.px(15), look.MUTED)
        if image is None:
            return spot.left
        return surface.blit(image, image.get_rect(midright=(spot.left - theme.px(5), y))).left
