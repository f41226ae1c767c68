"""Draws the learner's progress: counters, curves, mean counts per episode, and the weights of its reward."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pygame

from agents.rewards.reward_arrays import RewardArrays
from agents.snapshot import CurvePoint, Snapshot
from envs.world import Task
from sandbox.screen import badges
from sandbox.screen import theme as look
from sandbox.screen.charts import Bar, BarChart, LineChart, Series
from sandbox.screen.plot_lines import short
from sandbox.screen.theme import Theme, rounded
from sandbox.views.stage import plain

if TYPE_CHECKING:
    from sandbox.session.session import Session

PAGES = ("Progress", "Reward", "Episode")
"""Shares from 0 to 1; rewards; mean counts of each term in an episode."""
_SHARES = ("done on unseen layouts", "agreement")
_TERM = "term "
_SHORT = {
    "done on unseen layouts": "task done",
    "agreement": "explained",
    "wish (for watching only)": "true reward",
}
_COLORS = (look.ACCENT, look.WARN, look.GOOD, look.PINK)


def series_of(curve: Sequence[CurvePoint], names: Sequence[str]) -> list[Series]:
    """The named curves over environment steps, without those that were never noted."""
    found = []
    for name, color in zip(names, _COLORS, strict=False):
        points = [(p.env_steps, p.values[name]) for p in curve if name in p.values]
        if points:
            steps, values = np.array(points, float).T
            found.append(Series(_SHORT.get(name, name), steps, values, color))
    return found


def page_names(curve: Sequence[CurvePoint]) -> tuple[list[str], list[str]]:
    """(names of the shares, names of the rewards and all else) among the newest curves."""
    names = list(curve[-1].values) if curve else []
    shares = [name for name in _SHARES if name in names]
    hidden = (*_SHARES, "agreement before learning")
    return shares, [name for name in names if name not in hidden and not name.startswith(_TERM)][:4]


def episode_term_bars(task: Task, curve: Sequence[CurvePoint]) -> list[Bar]:
    """Each term's mean sum in an episode now, and at the first point as the reference. Own scales."""
    noted = [p.values for p in curve if any(name.startswith(_TERM) for name in p.values)]
    bars = []
    for name in task.world.term_names if noted else ():
        then, now = noted[0].get(_TERM + name, 0.0), noted[-1].get(_TERM + name, 0.0)
        size = max(abs(then), abs(now)) or 1.0
        bars.append(Bar(plain(name), now / size, (), then / size, f"{short(now)}  was {short(then)}"))
    return bars


def term_weight_bars(task: Task, reward: RewardArrays | None) -> list[Bar]:
    """The learned weight of each term with its spread; the written one, to the same scale, beside it."""
    if reward is None or not reward.weights.size:
        return []
    members = np.asarray(reward.weights, float)
    mean, written = members.mean(axis=0), task.proxy_weights.astype(float)
    size = float(np.abs(mean).max()) or 1.0
    mean, members = mean / size, members / size
    written = written / (float(np.abs(written).max()) or 1.0)
    spread = members if len(members) <= 8 else np.quantile(members, (0.1, 0.9), axis=0)
    return [
        Bar(plain(name), float(mean[k]), tuple(spread[:, k].tolist()), float(written[k]))
        for k, name in enumerate(task.world.term_names)
    ]


MOST_INPUTS = 6


def reward_bars(task: Task, latest: Snapshot | None) -> tuple[str, str, list[Bar]]:
    """(title, note, bars): the terms' weights; for a reward that goes by no terms, what moves it most."""
    reward = latest.reward if latest else None
    if latest is None or reward is None or not reward.nets or reward.weights.any():
        note = "line: how sure it is; diamond: the written reward"
        return "What it believes you want, by term", note, term_weight_bars(task, reward)
    found = list(latest.saliency.items())[:MOST_INPUTS]
    size = max((abs(value) for _, value in found), default=1.0)
    bars = [Bar(plain(name), value / size) for name, value in found]
    return "What moves its reward, by what it sees", "right: liked where there is more of it", bars


NEWS_SECONDS = 0.4
"""The column is painted anew at most this often, however fast snapshots come [s]."""


class ProgressPanel:
    """The column at the right of Watch: one picture, painted anew when there is something new."""

    def __init__(self, session: Session) -> None:
        self.session, self.page = session, 0
        self._lines, self._life, self._bars = LineChart(), BarChart(), BarChart()
        self._tabs: list[pygame.Rect] = []
        self._column: pygame.Surface | None = None
        self._shape: Hashable = None
        self._content: Hashable = None
        self._age = 0.0
        self._origin = (0, 0)

    def update(self, dt: float) -> None:
        self._age += dt

    def click(self, at: tuple[int, int]) -> bool:
        """A click on a page's name shows it."""
        for index, tab in enumerate(self._tabs):
            if tab.move(self._origin).collidepoint(at):
                self.page = index
                return True
        return False

    def draw(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect, seconds: float) -> None:
        """Draw into `rect`; `seconds` is how long the person has been at it."""
        session, latest = self.session, self.session.latest_snapshot
        shape = (rect.size, theme.scale, self.page, theme.trace is None)
        news = (latest and latest.step, session.learner, len(session.curve), sum(session.counts.values()))
        content = (*news, int(seconds))
        late = content != self._content and self._age >= NEWS_SECONDS
        if self._column is None or shape != self._shape or late:
            self._shape, self._content, self._age = shape, content, 0.0
            self._column = pygame.Surface(rect.size).convert()
            self._column.fill(look.GROUND)
            noted = len(theme.trace or ())
            self._paint(self._column, theme, self._column.get_rect(), seconds)
            if theme.trace is not None:  # where it stands in the window
                theme.trace[noted:] = [(text, spot.move(rect.topleft)) for text, spot in theme.trace[noted:]]
        surface.blit(self._column, rect)
        self._origin = rect.topleft

    def _paint(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect, seconds: float) -> None:
        gap = theme.px(12)
        y = rect.top + self._counters(surface, theme, rect, seconds) + gap
        title, note, bars = reward_bars(self.session.task, self.session.latest_snapshot)
        rows = max(len(bars), len(self.session.task.world.terms))
        low = theme.px(52) + theme.line("small") + rows * theme.px(22)
        left = rect.bottom - y
        high = left - gap - low
        if high < theme.px(130):  # no room for both
            self._curves(surface, theme, pygame.Rect(rect.left, y, rect.width, left))
            return
        self._curves(surface, theme, pygame.Rect(rect.left, y, rect.width, high))
        below = pygame.Rect(rect.left, y + high + gap, rect.width, low)
        inside = badges.panel(surface, theme, below, title)
        at = (inside.left, inside.top - theme.px(5))
        theme.text(surface, note, at, "tiny", look.MUTED, width=inside.width)
        step = theme.line("tiny") + theme.px(2)
        body = pygame.Rect(inside.left, inside.top + step, inside.width, inside.height - step + theme.px(6))
        latest = self.session.latest_snapshot
        version = (latest.step, latest.learner, latest.feedback_seq) if latest else None
        empty = "this learner has learned no reward yet"
        self._bars.draw(surface, body, theme, bars, version=version, empty=empty)

    def _counters(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect, seconds: float) -> int:
        """Four numbers with what they count."""
        session, latest = self.session, self.session.latest_snapshot
        given = sum(session.counts.values())
        used = sum(latest.feedback_counts.values()) if latest else 0
        minutes, rest = divmod(int(seconds), 60)
        items = (
            (str(given), "your feedback"),
            (str(used), "learned from"),
            (short(latest.env_steps) if latest else "0", "steps"),
            (f"{minutes}:{rest:02d}", "your time"),
        )
        gap = theme.px(8)
        width = (rect.width - gap * (len(items) - 1)) // len(items)
        height = theme.line("title") + theme.line("tiny") + theme.px(14)
        for index, (number, label) in enumerate(items):
            box = pygame.Rect(rect.left + index * (width + gap), rect.top, width, height)
            rounded(surface, box, look.PANEL, theme.px(9), look.LINE)
            at = (box.centerx, box.top + theme.px(6))
            room = width - theme.px(8)
            size = next((s for s in ("title", "large") if theme.width(number, s, bold=True) <= room), "small")
            theme.text(surface, number, at, size, bold=True, anchor="midtop", width=room)
            below = (box.centerx, box.bottom - theme.px(7))
            told = label if theme.width(label, "tiny") <= room else label.split()[0]
            theme.text(surface, told, below, "tiny", look.MUTED, anchor="midbottom", width=room)
        return height

    def _curves(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect) -> None:
        inside = badges.panel(surface, theme, rect)
        x, height = inside.left, theme.line("small") + theme.px(6)
        self._tabs = []
        for index, title in enumerate(PAGES):
            chosen = index == self.page
            spot = theme.text(
                surface, title, (x, inside.top), "small", look.TEXT if chosen else look.MUTED, bold=True
            )
            self._tabs.append(spot.inflate(theme.px(10), theme.px(12)))
            if chosen:
                surface.fill(look.ACCENT, (spot.left, spot.bottom + theme.px(2), spot.width, theme.px(2)))
            x = spot.right + theme.px(18)
        badges.key_cap(surface, theme, "P", (inside.right - badges.key_cap_width(theme, "P"), spot.centery))
        body = pygame.Rect(inside.left, inside.top + height, inside.width, inside.height - height)
        curve = self.session.curve
        version = (len(curve), curve[-1].env_steps if curve else 0, self.page, self.session.learner)
        waiting = self.session.status.state == "waiting"
        empty = "no curve yet: teach it something" if waiting else "no curve yet: training begins soon"
        if PAGES[self.page] == "Episode":
            note = theme.text(
                surface,
                "mean counts per episode: at the beginning (diamond) and now",
                body.topleft,
                "tiny",
                look.MUTED,
                width=body.width,
            )
            body.height -= note.height
            body.top += note.height
            bars = episode_term_bars(self.session.task, curve)
            self._life.draw(surface, body, theme, bars, version=version, signed=False, empty=empty)
            return
        names = page_names(curve)[self.page]
        shown = (0.0, 1.0) if self.page == 0 else ()
        self._lines.draw(
            surface,
            body,
            theme,
            series_of(curve, names),
            version=version,
            shown=shown,
            x_name="steps",
            empty=empty,
        )
