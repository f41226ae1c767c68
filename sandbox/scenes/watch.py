"""Watch: the agent as it is now, many of it at once, what it believes, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pygame

from agents.learner_catalog import listed_entries
from envs.show.viewer import View
from sandbox.play.intents import Intent, Pointer, Press
from sandbox.scenes.host import Host
from sandbox.scenes.scene import Action, Scene
from sandbox.screen import badges
from sandbox.screen import theme as look
from sandbox.screen.keys import BINDINGS, Binding
from sandbox.screen.lists import List, ListItem
from sandbox.session.events import NewSnapshot
from sandbox.views.arena import Arena, draw_xray_legend
from sandbox.views.learner_notes import draw_warnings, next_followed_group
from sandbox.views.progress_panel import PAGES, ProgressPanel

MORE_KEYS = (
    Binding(("b",), ("B",), "then and now", "then", "The first policy beside the newest one."),
    Binding(("p",), ("P",), "curves", "curves", "Progress, rewards, or what happens in an episode.", False),
)
WHOSE_KEY = Binding(("h",), ("H",), "whose wish", "whose", "Raters part: learn what the others want.")
ASKED = 4.0
"""How long the question whether the learner shall forget waits for its answer [s]."""
PULSE = 0.6
"""A new policy lights up for so long [s]."""


class WatchScene(Scene):
    """Everything here follows the newest snapshot while one looks."""

    mode = "watch"
    title = "Watch"
    hint = "The agent practises all the time. See what it does now, and what it believes you want."

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.view = View(self.session.task)
        self.arena = Arena(self.session, self.view, seed=int(host.random.integers(1 << 30)))
        self.progress_panel = ProgressPanel(self.session)
        self.learners = List("learners", [])
        self.choosing = False
        self._tabs: list[tuple[pygame.Rect, str]] = []
        self._since_news = PULSE
        self._asked_to_forget = -ASKED

    def choices(self) -> Mapping[str, float]:
        return {"speed": self.arena.speed}

    def take_up(self, choices: Mapping[str, float]) -> None:
        self.arena.choose_speed(choices.get("speed", self.arena.speed))

    def actions(self) -> Mapping[str, Action]:
        return {
            "pause": self.on_pause,
            "speed": self.on_speed,
            "xray": self.on_xray,
            "swarm": self.on_swarm,
            "then": self.on_then,
            "curves": self.on_curves,
            "learner": self.on_learner,
            "afresh": self.on_afresh,
            "whose": self.on_whose,
            "undo": self.on_undo,
        }

    def bindings(self) -> Sequence[Binding]:
        painted = self.arena.xray is not None  # pressed all the same, it says why nothing is painted
        shown = [b if painted or b.action != "xray" else replace(b, footer=False) for b in BINDINGS["watch"]]
        return [*shown, *MORE_KEYS, *([WHOSE_KEY] if self.session.rater_groups else [])]

    def on_session_event(self, event: Any) -> None:
        if isinstance(event, NewSnapshot):
            self._since_news = 0.0

    def update(self, dt: float) -> None:
        self._since_news += dt
        self.arena.update(dt)
        self.progress_panel.update(dt)

    # Keys.

    def on_pause(self, press: Press) -> None:
        """The learner is paused, or goes on."""
        if self.session.status.state == "paused":
            self.session.resume()
            self.host.toast("The learner goes on.")
        else:
            self.session.pause()
            self.host.toast("The learner is paused. It still takes in your feedback.")

    def on_speed(self, press: Press) -> None:
        self.arena.change_speed(press.key == "]")

    def on_xray(self, press: Press) -> None:
        """Paint the learned reward on the world, or stop that."""
        if self.arena.xray is None:
            self.host.toast("This world shows only its own pictures: the reward can't be painted on it.")
            return
        self.arena.shows_xray = not self.arena.shows_xray
        latest = self.session.latest_snapshot
        if self.arena.shows_xray and (latest is None or latest.reward is None):
            self.host.toast("There is no learned reward to paint yet.")

    def on_swarm(self, press: Press) -> None:
        self.arena.next_mode()

    def on_then(self, press: Press) -> None:
        self.arena.select("agent" if self.arena.mode.key == "then" else "then")

    def on_curves(self, press: Press) -> None:
        self.progress_panel.page = (self.progress_panel.page + 1) % len(PAGES)

    def on_learner(self, press: Press) -> None:
        """Open the list of learners."""
        self.choosing = not self.choosing
        entries = list(listed_entries(self.host.show_error, self.session.learner))
        self.learners = List(
            "learners", [ListItem(e.name, e.title, e.about, e.name, "brain") for e in entries]
        )
        names = [entry.name for entry in entries]
        self.learners.index = names.index(self.session.learner) if self.session.learner in names else 0
        self.learners.focused = True
        self.focus.widgets = [self.learners] if self.choosing else []
        self.focus.set(self.learners if self.choosing else None)

    def on_afresh(self, press: Press) -> None:
        """Ask, and do it at the second press."""
        if self.host.seconds - self._asked_to_forget > ASKED:
            self._asked_to_forget = self.host.seconds
            self.host.toast("Forget all practice? F once more: it learns again from what you said.")
            return
        self._asked_to_forget = -ASKED
        self.session.restart_learner()
        self.host.toast("The learner starts again from nothing, with the same feedback.")

    def on_whose(self, press: Press) -> None:
        """Where raters want different things: learn what the next of them want."""
        other = next_followed_group(self.session.rater_groups)
        if other is None:
            return
        try:
            self.session.follow(other.rater_ids[0])
        except ValueError as error:  # the session's folder can't be written
            self.host.show_error(str(error))
            return
        self.host.toast(f"From now on the agent learns what {other.name} wants.")

    def on_undo(self, press: Press) -> None:
        if self.session.undo() is None:
            self.host.toast("There is nothing to take back.")
        else:
            self.host.toast("Taken back", "undo", "undo")

    def back(self) -> bool:
        """Esc closes the list of learners."""
        if self.choosing:
            self._close_list()
            return True
        return False

    def leave(self) -> None:
        self._close_list()

    def _close_list(self) -> None:
        self.choosing = False
        self.focus.widgets = []
        self.focus.set(None)

    def handle(self, event: Intent) -> Scene | None:
        if self.choosing and isinstance(event, Press) and event.key == "enter":
            self._choose()
            return None
        if isinstance(event, Pointer) and event.kind == "down" and self._clicked(event.pos):
            return None
        return super().handle(event)

    def _choose(self) -> None:
        """Set the learner that the list stands on."""
        chosen = self.learners.chosen
        self._close_list()
        if chosen is None or chosen.key == self.session.learner:
            return
        self.session.set_learner(chosen.key)
        self.host.toast(f"{chosen.title} learns from now on, from all your feedback.")

    def _clicked(self, at: tuple[int, int]) -> bool:
        if self.choosing:
            if not self.learners.rect.collidepoint(at):
                self._close_list()
                return True
            return False
        for spot, key in self._tabs:
            if spot.collidepoint(at):
                self.arena.select(key)
                return True
        return self.progress_panel.click(at)

    # Picture.

    def draw(self, surface: pygame.Surface, rect: pygame.Rect) -> None:
        theme = self.host.theme
        wide = min(theme.px(460), round(rect.width * 0.38))
        side = pygame.Rect(rect.right - wide, rect.top, wide, rect.height)
        left = pygame.Rect(rect.left, rect.top, rect.width - wide - theme.px(16), rect.height)
        head = theme.px(34)
        self._head(surface, pygame.Rect(left.left, left.top, left.width, head))
        foot = theme.px(36)
        stage = pygame.Rect(
            left.left, left.top + head + theme.px(6), left.width, left.height - head - foot - theme.px(6)
        )
        stage.height = self._draw_warnings(surface, stage) - stage.top
        self.arena.draw(surface, theme, stage)
        self.host.toast_area = pygame.Rect(left.left, left.bottom - foot, left.width, foot)
        self._foot(surface, self.host.toast_area)
        self.progress_panel.draw(surface, theme, side, self.host.teaching_seconds)
        if self.choosing:
            self._list(surface, rect)

    def _head(self, surface: pygame.Surface, rect: pygame.Rect) -> None:
        """The ways of looking, and what the colours mean."""
        theme, x = self.host.theme, rect.left
        self._tabs = []
        for mode in self.arena.modes:
            chosen = mode is self.arena.mode
            width = theme.width(mode.title, "body", bold=chosen) + theme.px(22)
            tab = pygame.Rect(x, rect.top, width, rect.height)
            if chosen:
                look.rounded(surface, tab, look.RAISED, theme.px(8), look.ACCENT)
            ink = look.TEXT if chosen else look.MUTED
            theme.text(surface, mode.title, tab.center, "body", ink, bold=chosen, anchor="center")
            self._tabs.append((tab, mode.key))
            x = tab.right + theme.px(4)
        if self.arena.can_show_xray:
            draw_xray_legend(surface, theme, (rect.right, rect.centery))

    def _draw_warnings(self, surface: pygame.Surface, stage: pygame.Rect) -> int:
        """What the learner has to tell, at the foot of the stage; returns what is left of it."""
        notes, theme = self.session.learner_warnings, self.host.theme
        top = (
            draw_warnings(surface, theme, stage, notes, self.session.rater_groups) if notes else stage.bottom
        )
        return top if top == stage.bottom else top - theme.px(10)

    def _foot(self, surface: pygame.Surface, rect: pygame.Rect) -> None:
        """What the learner is about, lit for a moment when a new policy has come."""
        theme, latest = self.host.theme, self.session.latest_snapshot
        fresh = max(0.0, 1.0 - self._since_news / PULSE)
        spot = (rect.left + theme.px(8), rect.centery)
        pygame.draw.aacircle(surface, look.mix(look.LINE, look.GOOD, fresh), spot, theme.px(5))
        speed = "" if self.arena.speed == 1.0 else f"{self.arena.speed:g}x"
        right = theme.text(
            surface, speed, rect.midright, "body", look.WARN, bold=True, anchor="midright"
        ).left
        text = self.arena.mode.about
        crowd = self.arena.crowd
        if self.arena.mode.key == "swarm" and crowd.done and self.arena.xray is not None:
            text = f"Whole task done in {sum(crowd.done)} of the last {len(crowd.done)} episodes"
        if latest is None:
            text = "No policy yet: this one acts at random"
        theme.text(
            surface,
            text,
            (rect.left + theme.px(22), rect.centery),
            "body",
            look.SOFT,
            anchor="midleft",
            width=right - rect.left - theme.px(30),
        )

    def _list(self, surface: pygame.Surface, rect: pygame.Rect) -> None:
        theme = self.host.theme
        badges.curtain(surface, rect.inflate(theme.px(32), theme.px(24)), 170)
        height = theme.px(64) + len(self.learners.items) * theme.px(62)
        box = pygame.Rect(0, 0, min(rect.width, theme.px(560)), min(rect.height, height))
        box.center = rect.center
        inside = badges.panel(surface, theme, box, "Who learns? Enter chooses, Esc leaves it as it is")
        self.learners.draw(surface, theme, inside)

    def state_entries(self) -> dict[str, Any]:
        crowd = self.arena.crowd
        return {
            "mode": "learners" if self.choosing else self.arena.mode.key,
            "step": len(crowd.trails[0]),
            "painted": self.arena.shows_xray,
            "overlay": self.arena.xray is not None and self.arena.xray.overlay is not None,
            "speed": self.arena.speed,
            "page": PAGES[self.progress_panel.page],
            "curve_points": len(self.session.curve),
            "lives": len(crowd.episodes),
            "notes": list(self.session.learner_warnings),
            "followed": self.session.rater_groups[0].name if self.session.rater_groups else "",
        }
