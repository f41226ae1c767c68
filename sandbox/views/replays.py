"""Replays side by side: cards in a row, each with its number, its place in the order, and its marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pygame

from agents.feedback.records import Question
from envs.show.viewer import RecordingView, View
from sandbox.play.playback import Playback, term_events
from sandbox.screen import badges
from sandbox.screen import theme as look
from sandbox.screen.theme import Theme, mix, rounded
from sandbox.screen.timeline import Mark, timeline
from sandbox.views.crowd import grid

TAG, ABOVE = 28, 14
"""How high a clip's number and its place are, and how much of them stands above its card."""


@dataclass(frozen=True)
class Replays:
    """A question on screen: its clips as films on one clock."""

    question: Question
    films: tuple[RecordingView, ...]
    playback: Playback
    events: tuple[tuple[tuple[int, str], ...], ...]
    """Each clip's named events, as (step, term)."""

    @classmethod
    def of(cls, question: Question, view: View, speed: float) -> Replays:
        world = view.task.world
        return cls(
            question,
            tuple(view.film(clip) for clip in question.clips),
            Playback.of(question.clips, world.steps_per_second, speed=speed),
            tuple(tuple(term_events(clip.terms, world.term_names)) for clip in question.clips),
        )


def arrange(rect: pygame.Rect, count: int, aspect: float, gap: int, extra: int) -> list[pygame.Rect]:
    """Cards for `count` pictures of that aspect, as large as fits, centred; `extra` is height below each."""
    columns, lines = grid(count, rect.width, max(1, rect.height - extra), aspect)
    width = (rect.width - gap * (columns - 1)) / columns
    height = (rect.height - gap * (lines - 1)) / lines - extra
    width = min(width, height * aspect)
    card = pygame.Rect(0, 0, int(width), int(width / aspect) + extra)
    top = rect.centery - (card.height * lines + gap * (lines - 1)) // 2
    cards = []
    for index in range(count):
        line, column = divmod(index, columns)
        here = min(columns, count - line * columns)
        left = rect.centerx - (card.width * here + gap * (here - 1)) // 2
        cards.append(card.move(left + column * (card.width + gap), top + line * (card.height + gap)))
    return cards


def draw_replay_card(
    surface: pygame.Surface,
    theme: Theme,
    card: pygame.Rect,
    replays: Replays,
    index: int,
    place: str,
    *,
    best: bool = False,
    hovered: bool = False,
    show_events: bool = False,
) -> None:
    """One replay: the picture, its number, its place if it has one, and its named events if wanted."""
    color = look.CLIPS[index]
    strip = pygame.Rect(card.left, 0, card.width, theme.px(22) if show_events else 0)
    strip.bottom = card.bottom
    picture = pygame.Rect(card.left, card.top, card.width, card.height - strip.height)
    picture.inflate_ip(-2 * theme.px(4), -2 * theme.px(4))
    replays.films[index].draw(surface, picture, replays.playback.position)
    border = color if place else mix(look.LINE, color, 0.6 if hovered else 0.0)
    draw_round_border(surface, card, border, theme.px(9), theme.px(3))
    _number(surface, theme, card, index)
    if place:
        _place(surface, theme, card, place, color, best)
    if show_events:
        _events(surface, theme, strip, replays, index)


def draw_round_border(
    surface: pygame.Surface, rect: pygame.Rect, color: look.Color, radius: int, width: int
) -> None:
    """A border with smooth round corners, without filling what it encloses."""
    left, right = rect.left + radius, rect.right - radius - 1
    top, bottom = rect.top + radius, rect.bottom - radius - 1
    for x, y, quarter in (
        (left, top, "draw_top_left"),
        (right, top, "draw_top_right"),
        (left, bottom, "draw_bottom_left"),
        (right, bottom, "draw_bottom_right"),
    ):
        pygame.draw.aacircle(surface, color, (x, y), radius, width, **{quarter: True})
    surface.fill(color, (left, rect.top, right - left + 1, width))
    surface.fill(color, (left, rect.bottom - width, right - left + 1, width))
    surface.fill(color, (rect.left, top, width, bottom - top + 1))
    surface.fill(color, (rect.right - width, top, width, bottom - top + 1))


def _events(surface: pygame.Surface, theme: Theme, strip: pygame.Rect, replays: Replays, index: int) -> None:
    """The clip's own time line with its named events; the last one so far is written out."""
    playback, happened = replays.playback, replays.events[index]
    found = [Mark(step / max(playback.length, 1), look.SOFT) for step, _ in happened]
    names = max((theme.width(name.replace("_", " "), "tiny") for _, name in happened), default=0)
    line = strip.inflate(-theme.px(8), 0)
    line.width -= names + (theme.px(12) if names else 0)
    timeline(surface, line, playback.fraction, color=look.CLIPS[index], marks=found)
    past = [name for step, name in happened if step <= playback.position]
    if past:
        at = (strip.right - theme.px(8), strip.centery - theme.px(1))
        theme.text(surface, past[-1].replace("_", " "), at, "tiny", look.SOFT, anchor="midright")


def _number(surface: pygame.Surface, theme: Theme, card: pygame.Rect, index: int) -> None:
    """The clip's number as a key to press, astride the upper left corner: it may not hide what happens."""
    side = theme.px(TAG)
    tag = pygame.Rect(card.left - theme.px(4), card.top - theme.px(ABOVE), side, side)
    rounded(surface, tag.move(0, theme.px(2)), look.GROUND, theme.px(7))
    rounded(surface, tag, look.PANEL, theme.px(7), look.CLIPS[index], theme.px(2))
    theme.text(surface, str(index + 1), tag.center, "large", look.CLIPS[index], bold=True, anchor="center")


def _place(
    surface: pygame.Surface,
    theme: Theme,
    card: pygame.Rect,
    text: str,
    color: look.Color,
    best: bool,
) -> None:
    """The clip's place as a filled ribbon astride the upper edge, with a medal for the best."""
    icon = theme.icon("medal", theme.px(20), look.GROUND) if best else None
    width = theme.width(text, "large", bold=True) + theme.px(24) + (theme.px(24) if icon else 0)
    tag = pygame.Rect(0, card.top - theme.px(ABOVE), width, theme.px(TAG))
    tag.right = card.right - theme.px(8)
    rounded(surface, tag.move(0, theme.px(2)), look.GROUND, tag.height // 2)
    rounded(surface, tag, color, tag.height // 2)
    left = tag.left + theme.px(12)
    if icon:
        surface.blit(icon, icon.get_rect(midleft=(left - theme.px(2), tag.centery)))
        left += theme.px(22)
    theme.text(surface, text, (left, tag.centery), "large", look.GROUND, bold=True, anchor="midleft")


def draw_order(
    surface: pygame.Surface, theme: Theme, middle: tuple[int, int], groups: Sequence[Sequence[int]], hole: str
) -> None:
    """The order so far as a line of chips, best first: 2 > 1 = 3 > ...; `hole` is the sign before a gap."""
    side, gap = theme.px(26), theme.px(22)
    signs = [("=" if at else ">", clip) for group in groups for at, clip in enumerate(group)]
    count = len(signs) + (1 if hole else 0)
    x, y = middle[0] - (count * side + (count - 1) * gap) // 2, middle[1]
    for index, (sign, clip) in enumerate([*signs, *([(hole, -1)] if hole else [])]):
        if index:
            theme.text(
                surface, sign, (x - gap // 2, y), "large", look.SOFT, bold=True, mono=True, anchor="center"
            )
        chip = pygame.Rect(x, y - side // 2, side, side)
        if clip < 0:
            rounded(surface, chip, look.GROUND, theme.px(7), look.MUTED)
        else:
            rounded(surface, chip, look.CLIPS[clip], theme.px(7))
            theme.text(surface, str(clip + 1), chip.center, "body", look.GROUND, bold=True, anchor="center")
        x += side + gap


def draw_waiting(
    surface: pygame.Surface, theme: Theme, rect: pygame.Rect, title: str, text: str, seconds: float
) -> None:
    """While there is no question: what the learner is doing, and three dots that breathe."""
    box = pygame.Rect(0, 0, min(rect.width, theme.px(560)), theme.px(150))
    box.center = rect.center
    inside = badges.panel(surface, theme, box)
    for k in range(3):
        phase = abs((seconds * 0.8 - k * 0.18) % 1.0 - 0.5) * 2
        color = mix(look.ACCENT, look.PANEL, phase)
        spot = (inside.centerx + (k - 1) * theme.px(20), inside.top + theme.px(14))
        pygame.draw.aacircle(surface, color, spot, theme.px(5))
    theme.text(
        surface,
        title,
        (inside.centerx, inside.centery),
        "large",
        bold=True,
        anchor="center",
        width=inside.width,
    )
    theme.text(
        surface,
        text,
        (inside.centerx, inside.bottom - theme.px(12)),
        "body",
        look.SOFT,
        anchor="center",
        width=inside.width,
    )
