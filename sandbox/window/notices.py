"""What stands over a scene: trouble above it, toasts at its foot, the page of keys before it."""

from __future__ import annotations

from collections.abc import Sequence

import pygame

from sandbox.scenes.scene import Scene
from sandbox.screen import badges
from sandbox.screen import theme as look
from sandbox.screen.keys import EVERYWHERE, MODES, Binding
from sandbox.screen.news import Toast
from sandbox.screen.theme import Color, Theme, rounded

_MODE_KEYS = frozenset(key for key, _, _ in MODES)
_KINDS: dict[str, tuple[Color, str]] = {
    "info": (look.ACCENT, "info"),
    "good": (look.GOOD, "thumbs-up"),
    "bad": (look.BAD, "thumbs-down"),
    "undo": (look.WARN, "undo-2"),
}


def draw_error_banner(
    surface: pygame.Surface, theme: Theme, room: pygame.Rect, text: str
) -> tuple[pygame.Rect, pygame.Rect]:
    """A banner at the top of `room`; returns its area, and where a click closes it."""
    lines = theme.wrap(text, room.width - theme.px(160), "body")[:3]
    bar = pygame.Rect(room.left, room.top, room.width, theme.line("body") * len(lines) + theme.px(16))
    pygame.draw.rect(surface, look.mix(look.GROUND, look.WARN, 0.22), bar)
    pygame.draw.rect(surface, look.WARN, (bar.left, bar.top, theme.px(4), bar.height))
    image = theme.icon("triangle-alert", theme.px(20), look.WARN)
    if image:
        surface.blit(image, image.get_rect(midleft=(theme.px(16), bar.centery)))
    for k, line in enumerate(lines):
        theme.text(surface, line, (theme.px(48), bar.top + theme.px(8) + k * theme.line("body")), "body")
    at = (bar.right - theme.px(12), bar.centery)
    close = theme.text(surface, "Esc closes", at, "small", look.WARN, anchor="midright")
    return bar, close.inflate(theme.px(20), theme.px(16))


def toasts(
    surface: pygame.Surface, theme: Theme, room: pygame.Rect, items: Sequence[Toast], now: float
) -> None:
    """At the foot of `room`, the newest lowest; an older one only where it fits, too."""
    bottom = room.bottom
    for item in reversed(items):
        color, icon = _KINDS.get(item.kind, _KINDS["info"])
        image = theme.icon(icon, theme.px(18), color)
        gap = image.get_width() + theme.px(8) if image else 0
        size, lines = _sized(theme, item.text, room.width - gap - theme.px(24), bottom - room.top)
        line = theme.line(size)
        width = max(theme.width(text, size, bold=True) for text in lines) + gap + theme.px(24)
        rect = pygame.Rect(0, 0, width, len(lines) * line + theme.px(10))
        rect.midbottom = (room.centerx, bottom)
        if rect.top < room.top and bottom < room.bottom:
            return
        card = pygame.Surface(rect.size, pygame.SRCALPHA)
        rounded(card, card.get_rect(), look.mix(look.PANEL, color, 0.14), theme.px(10), color)
        if image:
            card.blit(image, image.get_rect(midleft=(theme.px(12), rect.height // 2)))
        for k, text in enumerate(lines):
            label = theme.render(text, size, look.TEXT, bold=True)
            card.blit(label, (theme.px(12) + gap, theme.px(5) + k * line))
        card.set_alpha(round(255 * min(1.0, (item.until - now) / 0.4)))
        surface.blit(card, rect)
        bottom = rect.top - theme.px(6)


def _sized(theme: Theme, text: str, width: int, height: int) -> tuple[str, list[str]]:
    """The largest size in which the text fits into width and height, and its lines; else the smallest."""
    for size in ("body", "small", "tiny"):
        lines = theme.wrap(text, width, size, bold=True)
        if len(lines) * theme.line(size) + theme.px(10) <= height:
            break
    return size, lines


def help_page(surface: pygame.Surface, theme: Theme, scene: Scene, note: str = "") -> None:
    """All keys of the scene and those that work everywhere; `note` stands at the foot."""
    full = surface.get_rect()
    badges.curtain(surface, full, 200)
    theme.forget_trace()
    columns = (
        (scene.title, list(scene.bindings())),
        ("Everywhere", [b for b in EVERYWHERE if b.keys[0] not in _MODE_KEYS]),
    )
    step, pad = theme.px(34), theme.px(40)
    head = theme.line("title") + 2 * theme.line() + theme.px(20)
    height = 2 * theme.px(14) + head + theme.px(50) + step * max(len(b) for _, b in columns)
    area = pygame.Rect(0, 0, min(full.width - pad, theme.px(1120)), min(full.height - pad // 2, height))
    area.center = full.center
    inside = badges.panel(surface, theme, area)
    close = theme.text(
        surface, "F1 or Esc closes this page", inside.topright, "small", look.MUTED, anchor="topright"
    )
    theme.text(surface, "Keys", inside.topleft, "title", bold=True, width=close.left - inside.left)
    hint = pygame.Rect(inside.left, inside.top + theme.line("title"), inside.width, 2 * theme.line())
    theme.paragraph(surface, scene.hint, hint, "body")
    top, wide = inside.top + head, round(inside.width * 0.58)
    left = pygame.Rect(inside.left, top, wide, inside.bottom - top)
    right = pygame.Rect(left.right + theme.px(20), top, inside.right - left.right - theme.px(20), left.height)
    for rect, (title, bindings) in zip((left, right), columns, strict=True):
        _help_column(surface, theme, rect, title, bindings)
    if note:
        theme.text(
            surface, note, inside.bottomright, "small", look.MUTED, anchor="bottomright", width=right.width
        )


def _help_column(
    surface: pygame.Surface, theme: Theme, rect: pygame.Rect, title: str, bindings: Sequence[Binding]
) -> None:
    theme.text(surface, title, rect.topleft, "body", look.ACCENT, bold=True)
    first = rect.top + theme.line() + theme.px(6)
    step = min(theme.px(34), max(theme.px(24), (rect.bottom - first) // max(1, len(bindings))))
    wide = max((badges.caps_width(theme, b.caps) for b in bindings), default=0) + theme.px(10)
    y = first + step // 2
    for binding in bindings:
        x = rect.left
        for name in binding.caps:
            x = badges.key_cap(surface, theme, name, (x, y)) + theme.px(4)
        text, left = binding.about or binding.what, rect.left + wide
        _draw_message(surface, theme, text, pygame.Rect(left, y - step // 2, rect.right - left, step))
        y += step


def _draw_message(surface: pygame.Surface, theme: Theme, text: str, room: pygame.Rect) -> None:
    """The text in one line, or in two small ones where it is too long for that."""
    if theme.width(text, "small") <= room.width:
        theme.text(surface, text, room.midleft, "small", look.SOFT, anchor="midleft")
        return
    lines = theme.wrap(text, room.width, "tiny")[:2]
    top = room.centery - len(lines) * theme.line("tiny") // 2
    for k, line in enumerate(lines):
        theme.text(surface, line, (room.left, top + k * theme.line("tiny")), "tiny", look.SOFT)
