"""Things that only show: panels, key caps, badges, progress, hints. No state, no focus."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pygame

from sandbox.screen import theme as look
from sandbox.screen.keys import Binding
from sandbox.screen.theme import Color, Theme, rounded


def panel(
    surface: pygame.Surface, theme: Theme, rect: pygame.Rect, title: str = "", *, color: Color = look.PANEL
) -> pygame.Rect:
    """A raised area with an optional title; returns the room inside."""
    rounded(surface, rect, color, theme.px(10), look.LINE)
    if theme.trace is not None:
        theme.panels.append(rect)
    pad = theme.px(14)
    inside = rect.inflate(-2 * pad, -2 * pad)
    if title:
        theme.text(surface, title, inside.topleft, "small", look.MUTED, bold=True, width=inside.width)
        step = theme.line("small") + theme.px(8)
        inside = pygame.Rect(inside.left, inside.top + step, inside.width, max(0, inside.height - step))
    return inside


_SMALL = frozenset(",.+-[]")  # signs that are hard to see at the size of letters


def key_cap_width(theme: Theme, name: str) -> int:
    height = theme.px(22)
    arrow = name in ("left", "right", "up", "down")
    return height if arrow else max(height, theme.width(name, "small", bold=True) + theme.px(12))


def key_cap(
    surface: pygame.Surface, theme: Theme, name: str, midleft: tuple[int, int], *, lit: bool = False
) -> int:
    """A key cap with its text (or a drawn arrow); returns its right edge."""
    rect = pygame.Rect(0, 0, key_cap_width(theme, name), theme.px(22))
    rect.midleft = midleft
    rounded(surface, rect.move(0, theme.px(2)), look.GROUND, theme.px(5))
    rounded(surface, rect, look.ACCENT if lit else look.HOVER, theme.px(5), look.MUTED)
    ink = look.GROUND if lit else look.TEXT
    if name in ("left", "right", "up", "down"):
        arrow(surface, name, rect.center, theme.px(9), ink)
    else:
        size = "large" if name in _SMALL else "small"
        theme.text(surface, name, rect.center, size, ink, bold=True, anchor="center")
    return rect.right


def arrow(surface: pygame.Surface, way: str, center: tuple[int, int], size: int, color: Color) -> None:
    """A triangle that points left, right, up or down."""
    x, y = center
    half = size / 2
    points = {
        "left": [(x - half, y), (x + half * 0.7, y - half), (x + half * 0.7, y + half)],
        "right": [(x + half, y), (x - half * 0.7, y - half), (x - half * 0.7, y + half)],
        "up": [(x, y - half), (x - half, y + half * 0.7), (x + half, y + half * 0.7)],
        "down": [(x, y + half), (x - half, y - half * 0.7), (x + half, y - half * 0.7)],
    }[way]
    pygame.draw.polygon(surface, color, points)
    pygame.draw.aalines(surface, color, True, points)


def caps_width(theme: Theme, caps: Sequence[str]) -> int:
    """Of key caps in a row, with the gap after each."""
    return sum(key_cap_width(theme, name) + theme.px(4) for name in caps)


def binding_width(theme: Theme, binding: Binding) -> int:
    return caps_width(theme, binding.caps) + theme.px(3) + theme.width(binding.what, "small")


def key_hint(
    surface: pygame.Surface,
    theme: Theme,
    binding: Binding,
    midleft: tuple[int, int],
    *,
    lit: Collection[str] = (),
) -> pygame.Rect:
    """Key caps (those named in `lit` are pressed) and what they do; returns where they stand."""
    x, y = midleft
    alone = len(binding.caps) != len(binding.keys)
    for k, name in enumerate(binding.caps):
        pressed = any(key in lit for key in (binding.keys if alone else binding.keys[k : k + 1]))
        x = key_cap(surface, theme, name, (x, y), lit=pressed) + theme.px(4)
    spot = theme.text(surface, binding.what, (x + theme.px(3), y), "small", look.SOFT, anchor="midleft")
    return pygame.Rect(midleft[0], y - theme.px(14), spot.right - midleft[0], theme.px(28))


def badge(
    surface: pygame.Surface,
    theme: Theme,
    text: str,
    midleft: tuple[int, int],
    color: Color = look.ACCENT,
    icon: str = "",
) -> int:
    """A small rounded label; returns its right edge."""
    image = theme.icon(icon, theme.px(14), color) if icon else None
    inset = theme.px(9) + (image.get_width() + theme.px(5) if image else 0)
    rect = pygame.Rect(0, 0, inset + theme.width(text, "small", bold=True) + theme.px(9), theme.px(24))
    rect.midleft = midleft
    rounded(
        surface, rect, look.mix(look.PANEL, color, 0.16), rect.height // 2, look.mix(look.PANEL, color, 0.5)
    )
    if image:
        surface.blit(image, image.get_rect(midleft=(rect.left + theme.px(9), rect.centery)))
    theme.text(surface, text, (rect.left + inset, rect.centery), "small", color, bold=True, anchor="midleft")
    return rect.right


def progress(surface: pygame.Surface, theme: Theme, rect: pygame.Rect, share: float, color: Color) -> None:
    """A bar filled to `share` of its width."""
    rounded(surface, rect, look.LINE, rect.height // 2)
    if share > 0:
        done = rect.copy()
        done.width = max(rect.height, round(rect.width * min(1.0, share)))
        rounded(surface, done, color, rect.height // 2)


def curtain(surface: pygame.Surface, rect: pygame.Rect, strength: int = 150) -> None:
    """Darken what lies behind, so that something can stand before it."""
    shade = pygame.Surface((max(rect.width, 0), max(rect.height, 0)), pygame.SRCALPHA)
    shade.fill((*look.GROUND, strength))
    surface.blit(shade, rect)


def sparkline(
    surface: pygame.Surface, rect: pygame.Rect, values: Sequence[float], color: Color = look.ACCENT
) -> None:
    """The newest values as a tiny curve over its own range."""
    if len(values) < 2:
        return
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = rect.width / (len(values) - 1)
    points = [
        (rect.left + k * step, rect.bottom - 1 - (v - low) / span * (rect.height - 2))
        for k, v in enumerate(values)
    ]
    pygame.draw.aalines(surface, color, False, points)
    pygame.draw.aacircle(surface, color, (round(points[-1][0]), round(points[-1][1])), 2)
