"""What the live modes share on screen: the world in its frame, what just happened, what happened so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pygame

from envs.world import Array, Task, Term
from sandbox.play.latch import driving_keys
from sandbox.play.live_row import LiveRow, TermEvents
from sandbox.screen import badges
from sandbox.screen import theme as look
from sandbox.screen.keys import ARROWS, Binding, cap
from sandbox.screen.term_icons import ICONS
from sandbox.screen.theme import Color, Theme, rounded

CHIP_SECONDS = 1.6


def plain(name: str) -> str:
    """A term's name for reading: 'hard_brake' is "hard brake"."""
    return name.replace("_", " ")


def split(rect: pygame.Rect, theme: Theme, side: float = 300) -> tuple[pygame.Rect, pygame.Rect]:
    """The room for the picture, and a column at the right."""
    width = min(theme.px(side), round(rect.width * 0.36))
    gap = theme.px(14)
    left = pygame.Rect(rect.left, rect.top, rect.width - width - gap, rect.height)
    return left, pygame.Rect(left.right + gap, rect.top, width, rect.height)


def fitted(rect: pygame.Rect, aspect: float) -> pygame.Rect:
    """The largest rectangle of that aspect in the middle of `rect`."""
    width = min(rect.width, round(rect.height * aspect))
    height = min(rect.height, round(width / aspect))
    inner = pygame.Rect(0, 0, max(8, width), max(8, height))
    inner.center = rect.center
    return inner


def draw_border(
    surface: pygame.Surface, theme: Theme, rect: pygame.Rect, color: Color = look.LINE, width: int = 1
) -> None:
    """A border around the picture of a world."""
    pygame.draw.rect(surface, color, rect.inflate(2 * width, 2 * width), width, border_radius=theme.px(4))


@dataclass
class Chip:
    """Something that just happened, floating over the picture."""

    term: Term
    age: float = 0.0


class Chips:
    """The newest events, each shown for a moment."""

    def __init__(self) -> None:
        self.items: list[Chip] = []

    def add(self, terms: Sequence[Term]) -> None:
        self.items = [*self.items, *(Chip(term) for term in terms)][-3:]

    def clear(self) -> None:
        self.items.clear()

    def update(self, dt: float) -> None:
        for chip in self.items:
            chip.age += dt
        self.items = [chip for chip in self.items if chip.age < CHIP_SECONDS]

    def draw(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect) -> None:
        """In `rect`, which is beside the world or a row above it: the newest first, as many as fit whole."""
        y, pad, line = rect.top, theme.px(10), theme.line("small")
        for chip in reversed(self.items):
            icon = theme.icon(ICONS.get(chip.term.name, "circle"), theme.px(18), look.TEXT)
            gap = icon.get_width() + theme.px(8) if icon else 0
            told = chip.term.about.partition(":")[0]
            lines = theme.wrap(told, rect.width - gap - 2 * pad, "small", bold=True)
            wide = max(theme.width(text, "small", bold=True) for text in lines) + gap + 2 * pad
            card = pygame.Rect(rect.left, y, wide, line * len(lines) + theme.px(10))
            if card.bottom > rect.bottom:
                return
            image = pygame.Surface(card.size, pygame.SRCALPHA)
            rounded(image, image.get_rect(), look.RAISED, theme.px(8))
            if icon:
                image.blit(icon, icon.get_rect(midleft=(pad, card.height // 2)))
            for k, text in enumerate(lines):
                label = theme.render(text, "small", look.TEXT, bold=True)
                image.blit(label, (pad + gap, theme.px(5) + k * line))
            image.set_alpha(round(255 * min(1.0, (CHIP_SECONDS - chip.age) / 0.4)))
            surface.blit(image, card)
            y = card.bottom + theme.px(6)


def tally(surface: pygame.Surface, theme: Theme, rect: pygame.Rect, events: TermEvents, sums: Array) -> int:
    """Each named term with its sum [M]; one that just happened is lit. Returns the y below."""
    count = max(1, len(events.terms))
    row = min(theme.px(26), max(theme.line("small"), rect.height // count))
    crowded = row * count > rect.height
    y = rect.top
    for k, term in enumerate(events.terms):
        if crowded and not sums[k]:
            continue
        if y + row > rect.bottom + 2:
            break
        heat = max(0.0, 1.0 - float(events.active[k]) / 1.2)
        line = pygame.Rect(rect.left, y, rect.width, row - 2)
        if heat > 0:
            rounded(surface, line, look.mix(look.PANEL, look.ACCENT, 0.35 * heat), theme.px(5))
        value = float(sums[k])
        ink = look.TEXT if value else look.MUTED
        icon = theme.icon(ICONS.get(term.name, "circle"), theme.px(15), ink)
        if icon:
            surface.blit(icon, icon.get_rect(midleft=(line.left + theme.px(4), line.centery)))
        shown = f"{value:.0f}" if abs(value - round(value)) < 1e-6 else f"{value:.1f}"
        number = theme.text(
            surface,
            shown,
            (line.right - theme.px(6), line.centery),
            "small",
            ink,
            mono=True,
            anchor="midright",
        )
        left = line.left + theme.px(28)
        theme.text(
            surface,
            plain(term.name),
            (left, line.centery),
            "small",
            ink,
            anchor="midleft",
            width=number.left - left - theme.px(6),
        )
        y += row
    return y


def clock(surface: pygame.Surface, theme: Theme, rect: pygame.Rect, step: int, horizon: int) -> None:
    """How far the episode is: a bar, and the step of how many."""
    text = f"step {step} of {horizon}"
    spot = theme.text(surface, text, rect.midright, "small", look.SOFT, mono=True, anchor="midright")
    bar = pygame.Rect(rect.left, 0, spot.left - rect.left - theme.px(12), theme.px(6))
    bar.centery = rect.centery
    if bar.width > theme.px(20):
        badges.progress(surface, theme, bar, step / max(1, horizon), look.ACCENT)


FOOT = 56


def stacked(
    column: pygame.Rect, theme: Theme, events: TermEvents, above: int
) -> tuple[pygame.Rect, pygame.Rect]:
    """The column's upper part, at least `above` high, and its lower part, for the account."""
    gap = theme.px(12)
    least = column.height // 3
    height = min(tally_height(theme, events), max(least, column.height - above - gap))
    low = pygame.Rect(column.left, column.bottom - height, column.width, height)
    return pygame.Rect(column.left, column.top, column.width, low.top - column.top - gap), low


def tally_height(theme: Theme, events: TermEvents) -> int:
    """How high `account` would like to be."""
    rows = theme.px(26) * len(events.terms) + theme.px(30 + FOOT + 28)
    return rows + theme.line("small") + theme.px(8)


def draw_episode_summary(
    surface: pygame.Surface,
    theme: Theme,
    rect: pygame.Rect,
    live: LiveRow,
    title: str = "What happened so far",
    upto: int | None = None,
    of: int | None = None,
) -> None:
    """The clock, the terms, and what the written reward makes of them.

    upto: of the first steps only. of: how many steps the episode has; None: its horizon.
    """
    steps = len(live) if upto is None else upto
    sums = live.events.sums if upto is None else live.trajectory().terms[:upto].sum(axis=0)
    low = rect.height < 2 * theme.px(14) + theme.line("small") + theme.px(8 + 30 + FOOT)
    inside = badges.panel(surface, theme, rect, "" if low else title)
    foot, head = theme.px(FOOT), theme.px(30)
    line = pygame.Rect(inside.left, inside.top, inside.width, theme.px(20))
    clock(surface, theme, line, live.start_step + steps, live.task.horizon if of is None else of)
    room = pygame.Rect(inside.left, inside.top + head, inside.width, inside.height - head - foot)
    tally(surface, theme, room, live.events, sums)
    total = float(sums @ live.task.proxy_weights)
    counted = ", ".join(plain(name) for name, weight in live.task.proxy_reward.items() if weight) or "nothing"
    y = inside.bottom - foot + theme.px(6)
    pygame.draw.line(surface, look.LINE, (inside.left, y), (inside.right, y))
    y += theme.px(8)
    number = theme.text(surface, f"{total:+.1f}", (inside.right, y), mono=True, bold=True, anchor="topright")
    theme.text(surface, "Written reward", (inside.left, y), width=number.left - inside.left)
    y += theme.line()
    theme.text(surface, f"counts only: {counted}", (inside.left, y), "small", look.MUTED, width=inside.width)


@dataclass(frozen=True)
class Card:
    """Where the person stands and what to press now: a heading, a sentence, key caps with what they do."""

    title: str
    text: str
    color: Color = look.ACCENT
    icon: str = ""
    keys: Sequence[tuple[tuple[str, ...], str]] = ()


CARD_PAD, CARD_ROW = 14, 30


def card_height(theme: Theme, width: int, card: Card) -> int:
    """How high a card of that width is."""
    lines = theme.wrap(card.text, width - 2 * theme.px(CARD_PAD), "body")
    text = theme.line("large") + theme.px(4) + theme.line() * len(lines)
    keys = theme.px(CARD_ROW) * len(card.keys) + (theme.px(6) if card.keys else 0)
    return 2 * theme.px(CARD_PAD) + text + keys


def draw_info_card(surface: pygame.Surface, theme: Theme, rect: pygame.Rect, card: Card) -> pygame.Rect:
    """Draw a card at the top of `rect`; returns its area."""
    color, pad, step = card.color, theme.px(CARD_PAD), theme.px(CARD_ROW)
    area = pygame.Rect(rect.left, rect.top, rect.width, card_height(theme, rect.width, card))
    rounded(surface, area, look.mix(look.PANEL, color, 0.1), theme.px(10), look.mix(look.PANEL, color, 0.55))
    if theme.trace is not None:
        theme.panels.append(area)
    x, y = area.left + pad, area.top + pad
    image = theme.icon(card.icon, theme.px(20), color) if card.icon else None
    if image:
        surface.blit(image, image.get_rect(midleft=(x, y + theme.line("large") // 2)))
        x += image.get_width() + theme.px(8)
    theme.text(surface, card.title, (x, y), "large", color, bold=True, width=area.right - pad - x)
    y += theme.line("large") + theme.px(4)
    for line in theme.wrap(card.text, rect.width - 2 * pad, "body"):
        theme.text(surface, line, (area.left + pad, y), "body", look.SOFT)
        y += theme.line()
    y += theme.px(6) + step // 2
    for caps, what in card.keys:
        x = area.left + pad
        for name in caps:
            x = badges.key_cap(surface, theme, name, (x, y)) + theme.px(4)
        room = area.right - pad - x - theme.px(6)
        theme.text(surface, what, (x + theme.px(6), y), "body", anchor="midleft", width=room)
        y += step
    return area


def driving_hints(task: Task) -> list[tuple[tuple[str, ...], str]]:
    """Key caps for the card: the arrows that steer together, other keys with what they do here."""
    names = driving_keys(task.keys)
    steer: list[str] = []
    across: list[str] = []  # on a road, up is to the driver's left
    hints: list[tuple[tuple[str, ...], str]] = []
    for key in [k for k in ARROWS if k in names] + sorted(names - set(ARROWS))[:3]:
        action = task.keys.get(key)
        known = isinstance(action, int) and action < len(task.world.action_names)
        what = plain(task.world.action_names[int(str(action))]) if known else ""
        if key in ARROWS and (not what or what == key):
            steer.append(key)
        elif what in ARROWS:
            across.append(key)
        else:
            hints.append(((cap(key),), what or "drive"))
    told = ((steer, "drive"), (across, "move over"))
    return [*((tuple(keys), what) for keys, what in told if keys), *hints]


def with_world_keys(bindings: Sequence[Binding], keys: Mapping[str, Any]) -> list[Binding]:
    """The bindings, with the arrows replaced by the keys that this world listens to (which come first)."""
    names = driving_keys(keys)
    order = [k for k in ARROWS if k in names] + sorted(names - set(ARROWS))
    caps = tuple(cap(name) for name in order[:8])
    result = []
    for binding in bindings:
        if binding.action == "drive":
            result.append(Binding(tuple(order), caps, binding.what, "drive", binding.about))
        elif not set(binding.keys) & names:
            result.append(binding)
    return result
