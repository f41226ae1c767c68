"""What the learner has to tell the person: contradictions, a reward that is gamed, raters who part."""

from __future__ import annotations

from collections.abc import Sequence

import pygame

from sandbox.screen import badges
from sandbox.screen import theme as look
from sandbox.screen.theme import Theme, rounded
from sandbox.session.raters import RaterGroup

PAD = 10
MOST = 5  # lines that are shown at once
WHOSE = "W"


def next_followed_group(groups: Sequence[RaterGroup]) -> RaterGroup | None:
    """Whose reward comes next: round in the same order, whoever is followed."""
    order = sorted(groups, key=lambda camp: camp.rater_ids)
    return order[(order.index(groups[0]) + 1) % len(order)] if len(order) > 1 else None


def draw_warnings(
    surface: pygame.Surface,
    theme: Theme,
    room: pygame.Rect,
    warnings: Sequence[str],
    groups: Sequence[RaterGroup],
) -> int:
    """A panel at the foot of `room` with the sentences and the key that changes sides; its top."""
    pad, row = theme.px(PAD), theme.line("small")
    wide = room.width - 2 * pad - theme.px(26)
    lines = [line for note in warnings for line in theme.wrap(note, wide, "small")][:MOST]
    other = next_followed_group(groups)
    height = row * len(lines) + 2 * pad + (theme.px(30) if other else 0)
    if not lines or height > room.height // 2:
        return room.bottom
    area = pygame.Rect(room.left, room.bottom - height, room.width, height)
    ground, edge = (look.mix(look.PANEL, look.WARN, share) for share in (0.1, 0.5))
    rounded(surface, area, ground, theme.px(9), edge)
    if theme.trace is not None:
        theme.panels.append(area)
    image = theme.icon("users" if other else "triangle-alert", theme.px(17), look.WARN)
    if image:
        surface.blit(image, (area.left + pad, area.top + pad))
    x, y = area.left + pad + theme.px(26), area.top + pad
    for line in lines:
        theme.text(surface, line, (x, y), "small", look.SOFT)
        y += row
    if other:
        y += theme.px(17)
        right = badges.key_cap(surface, theme, WHOSE, (x, y)) + theme.px(8)
        text = f"learn what {other.name} wants"
        theme.text(surface, text, (right, y), "small", anchor="midleft", width=area.right - pad - right)
    return area.top
