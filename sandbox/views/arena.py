"""Where agents of the newest policy act: one of them, ghosts in one world, a swarm, then beside now."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pygame

from envs.show.viewer import View
from envs.world import Array
from sandbox.play.playback import SPEEDS
from sandbox.screen import theme as look
from sandbox.screen.theme import Theme, rounded
from sandbox.views.crowd import Crowd, grid
from sandbox.views.replays import arrange, draw_round_border
from sandbox.views.xray import XRay

if TYPE_CHECKING:
    from sandbox.session.session import Session

DRAW_SECONDS = 0.004
"""How long one frame may spend on drawing worlds of the swarm; the others keep their last picture [s]."""


@dataclass(frozen=True)
class ArenaMode:
    """One way to look at the agents. together: all in one layout, from the same moment."""

    key: str
    title: str
    about: str
    rows: int
    together: bool = False
    has_xray: int = 0
    """The row whose world the x-ray is for; -1 where there is none."""


MODES = (
    ArenaMode("agent", "Agent", "One agent of the newest policy", 1),
    ArenaMode(
        "ghosts",
        "Ghosts",
        "Agents from one start: see where they act alike and where they differ",
        12,
        True,
    ),
    ArenaMode("swarm", "Swarm", "Many agents at once, each in a layout of its own", 24, has_xray=-1),
    ArenaMode(
        "then", "Then and now", "The learner's first policy and the newest, from the same start", 2, True, 1
    ),
)
FOREIGN_ROWS = {"swarm": 6}
"""Worlds of other people are slower: fewer rows, and no ghosts, for they can't share a picture."""


class Arena:
    """Steps and draws the agents of the chosen mode; the others stand still until they are chosen."""

    def __init__(self, session: Session, view: View, seed: int = 0) -> None:
        self.session, self.view, self.task = session, view, session.task
        self.mode = MODES[0]
        self.shows_xray = False
        self.speed = 1.0
        self._seed = seed
        self._crowds: dict[str, Crowd] = {}
        states = self.task.world.state_size > 0
        self.xray = XRay(self.task) if states else None
        self.modes = tuple(mode for mode in MODES if states or mode.key != "ghosts")
        self._tiles: pygame.Surface | None = None
        self._next_tile = 0

    @property
    def crowd(self) -> Crowd:
        """The agents on screen."""
        if self.mode.key not in self._crowds:
            foreign = not self.task.world.state_size
            rows = FOREIGN_ROWS.get(self.mode.key, self.mode.rows) if foreign else self.mode.rows
            act = self._then_and_now if self.mode.key == "then" else self.session.act
            made = Crowd(self.task, rows, act, seed=self._seed, together=self.mode.together)
            self._crowds[self.mode.key] = made
        crowd = self._crowds[self.mode.key]
        crowd.clock.speed = self.speed
        return crowd

    def select(self, key: str) -> None:
        """Show the mode of that key."""
        self.mode = next(mode for mode in self.modes if mode.key == key)
        self._tiles = None

    def next_mode(self) -> None:
        """Agent, ghosts, swarm, and again."""
        keys = [mode.key for mode in self.modes if mode.key != "then"]
        at = keys.index(self.mode.key) if self.mode.key in keys else -1
        self.select(keys[(at + 1) % len(keys)])

    def choose_speed(self, speed: float) -> None:
        """Run at a speed out of SPEEDS; another is left out."""
        if speed in SPEEDS:
            self.speed = self.crowd.clock.speed = speed

    def change_speed(self, on: bool) -> float:
        """The next higher or lower speed."""
        self.speed = self.crowd.clock.faster() if on else self.crowd.clock.slower()
        return self.speed

    def update(self, dt: float) -> None:
        """Let the agents act, and go on with the x-ray."""
        crowd, latest = self.crowd, self.session.latest_snapshot
        crowd.advance(dt)
        if self.shows_xray and self.xray is not None and self.mode.has_xray >= 0:
            self.xray.update(crowd.states[self.mode.has_xray], latest.reward if latest else None)

    @property
    def can_show_xray(self) -> bool:
        """Whether there is something to paint in this mode."""
        reward = self.xray is not None and self.xray.overlay is not None
        return self.shows_xray and reward and self.mode.has_xray >= 0

    def _then_and_now(self, obs: Array, random: np.random.Generator) -> Array:
        """Row 0 acts by the first policy, row 1 by the newest."""
        actions = self.session.act(obs, random)
        first = self.session.first_snapshot
        if first is not None and first.policy is not None:
            actions[:1] = first.policy.act(obs[:1], random)
        return actions

    # Picture.

    def draw(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect) -> None:
        """Draw the chosen mode into `rect`."""
        if self.mode.key == "swarm":
            self._swarm(surface, theme, rect)
        elif self.mode.key == "then":
            self._pair(surface, theme, rect)
        else:
            (card,) = arrange(rect, 1, self.view.aspect, 0, 0)
            ghosts = [self.crowd.pair(row) for row in range(1, self.crowd.rows)]
            self._world(surface, theme, card, 0, ghosts)

    def _world(
        self,
        surface: pygame.Surface,
        theme: Theme,
        card: pygame.Rect,
        row: int,
        ghosts: list[Array] | None = None,
        color: look.Color = look.LINE,
    ) -> None:
        crowd = self.crowd
        inner = card.inflate(-2 * theme.px(4), -2 * theme.px(4))
        overlay = None
        if self.shows_xray and self.xray is not None and row == self.mode.has_xray:
            overlay = self.xray.at(crowd.before[row], crowd.states[row], crowd.clock.blend)
        trail = [] if ghosts else list(crowd.trails[row])
        self.view.live(
            surface,
            inner,
            crowd.sim,
            row,
            before=crowd.before[row],
            blend=crowd.clock.blend,
            overlay=overlay,
            ghosts=ghosts or (),
            trail=trail,
        )
        draw_round_border(surface, card, color, theme.px(9), theme.px(3))

    def _pair(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect) -> None:
        """The first policy at the left (or above), the newest beside it."""
        first, latest = self.session.first_snapshot, self.session.latest_snapshot
        labels = (
            ("Then", f"after {first.env_steps:,} steps" if first else "at random"),
            ("Now", f"after {latest.env_steps:,} steps" if latest else "at random"),
        )
        cards = arrange(rect, 2, self.view.aspect, theme.px(16), theme.px(30))
        for row, (card, (title, note)) in enumerate(zip(cards, labels, strict=True)):
            color = look.ACCENT if row else look.MUTED
            head = theme.text(surface, title, (card.left + theme.px(4), card.top), "large", color, bold=True)
            at = (head.right + theme.px(10), head.centery)
            room = card.right - head.right - theme.px(10)
            theme.text(surface, note, at, "small", look.MUTED, anchor="midleft", width=room)
            world = pygame.Rect(card.left, card.top + theme.px(30), card.width, card.height - theme.px(30))
            self._world(surface, theme, world, row, color=color)

    def _swarm(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect) -> None:
        """Small worlds, some of them drawn anew in each frame."""
        crowd, gap = self.crowd, theme.px(6)
        columns, lines = grid(crowd.rows, rect.width, rect.height, self.view.aspect)
        width = min(rect.width // columns, int(rect.height / lines * self.view.aspect)) - gap
        height = int(width / self.view.aspect)
        size = (columns * (width + gap), lines * (height + gap))
        if self._tiles is None or self._tiles.get_size() != size:
            self._tiles = pygame.Surface(size).convert()
            self._tiles.fill(look.GROUND)
        until = time.perf_counter() + DRAW_SECONDS
        for _ in range(crowd.rows):
            row = self._next_tile = (self._next_tile + 1) % crowd.rows
            line, column = divmod(row, columns)
            tile = pygame.Rect(column * (width + gap), line * (height + gap), width, height)
            self.view.live(
                self._tiles, tile, crowd.sim, row, before=crowd.before[row], blend=crowd.clock.blend
            )
            if time.perf_counter() > until:
                break
        surface.blit(self._tiles, self._tiles.get_rect(center=rect.center))


def draw_xray_legend(surface: pygame.Surface, theme: Theme, midright: tuple[int, int]) -> int:
    """What the colours of the x-ray mean; returns its left edge."""
    from envs.render_common import DISLIKED, LIKED

    x, y = midright
    for text, color in (("liked", LIKED), ("disliked", DISLIKED)):
        x = theme.text(surface, text, (x, y), "small", look.SOFT, anchor="midright").left - theme.px(7)
        side = theme.px(13)
        rounded(surface, pygame.Rect(x - side, y - side // 2, side, side), color, theme.px(3), look.LINE)
        x -= side + theme.px(14)
    return x
