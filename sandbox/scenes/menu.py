"""The menu: which world, which learner, a new session or an old one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pygame

from agents.feedback.feedback_kind import FEEDBACK_KINDS
from agents.learner_catalog import DEFAULT_LEARNER, LearnerEntry, UnknownLearner, find_entry, listed_entries
from envs import task_catalog
from envs.world import Task
from sandbox.play.intents import Press
from sandbox.scenes.host import Host
from sandbox.scenes.scene import Action, Scene
from sandbox.screen import badges
from sandbox.screen import theme as look
from sandbox.screen.keys import BINDINGS, Binding
from sandbox.screen.lists import List, ListItem
from sandbox.screen.widgets import Button, Tabs, TextField, Toggle
from sandbox.screen.words import ago, counted, spoken
from sandbox.session.file_exchange import IMPORTS, FileExchange
from sandbox.session.session_list import same_folder
from sandbox.session.session_options import SessionOptions
from sandbox.views.world_picture import picture_of

DIFFICULTIES = (("easy", "Easy"), ("normal", "Normal"), ("hard", "Hard"))
NEW = "new"


class MenuScene(Scene):
    """Three columns, Left and Right between them; Enter opens."""

    mode = "menu"
    title = "Menu"
    hint = "Choose a world, who learns in it, and a new session or one to carry on. Enter starts."

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.tasks: dict[str, Task] = {}
        self.pictures: dict[str, pygame.Surface] = {}
        self.worlds = List("worlds", [], self._world_chosen, lines=3, tall=88)
        self.other = TextField("other", "Another Gymnasium world: CartPole-v1 ...", self._add_world)
        self.level = Tabs("level", DIFFICULTIES)
        self.level.index = 1
        self.learners = List("learners", [], lines=2)
        self.sessions = List("sessions", [], self._session_chosen, lines=1)
        self.prior = Toggle("prior", "Begin from the written reward", on=True)
        self.begin = Button("start", "Start", lambda _: self._open(), icon="play", main=True)
        self.columns = (self.worlds, self.learners, self.sessions)
        fields = (self.worlds, self.other, self.level, self.learners, self.sessions, self.prior, self.begin)
        self.focus.widgets = list(fields)
        self.opening = 0  # frames until a chosen session is opened: "Opening ..." is drawn first
        self._leaving = -10.0
        self.file_exchange = FileExchange()
        self._found: list[Any] = []
        self._drawn = 0
        self._broken: list[str] = []  # installed worlds and learners that can't be loaded, told on entering
        for task in task_catalog.listed_tasks(self._broken.append):
            self._list_world(task)
        self._list_learners()

    def enter(self) -> None:
        self.opening = 0
        while self._broken:
            self.host.show_error(self._broken.pop())
        self._found = self.host.session_list.list()
        if self.host.session is not None and self.host.session.world in self.tasks:
            self.worlds.index = list(self.tasks).index(self.host.session.world)
            self._stand_on(self.host.session.learner)
        self._list_sessions()
        if self.focus.current is None:
            self.focus.set(self.worlds)

    # What the lists hold.

    def _list_world(self, task: Task) -> None:
        self.tasks[task.id] = task
        self.worlds.items.append(ListItem(task.id, task.title, task.about))

    def _list_learners(self) -> None:
        for one in listed_entries(self._broken.append):
            self._list_learner(one)
            if one.name == DEFAULT_LEARNER:
                self.learners.index = len(self.learners.items) - 1

    def _list_learner(self, learner: LearnerEntry) -> None:
        icons = [kind.icon for name, kind in FEEDBACK_KINDS.items() if name in learner.kinds]
        self.learners.items.append(ListItem(learner.name, learner.title, learner.about, icons=icons))

    def _list_sessions(self) -> None:
        items = [ListItem(NEW, "New session", "Start from nothing.", icon="folder-plus")]
        here = self.host.session
        if (
            here is not None
            and here.world == self.world
            and not any(same_folder(here.folder, i.folder) for i in self._found)
        ):
            items.append(ListItem(here.folder, "Open now", counted(here.counts), icon="folder-open"))
        for info in self._found:
            if info.error:
                items.append(ListItem(info.folder, info.folder.name, info.error, icon="triangle-alert"))
            elif info.world == self.world:
                opened = here is not None and same_folder(here.folder, info.folder)
                counts = here.counts if opened and here is not None else info.counts
                title = "Open now" if opened else spoken(info.folder.name)
                items.append(
                    ListItem(info.folder, title, counted(counts), ago(info.last_used), icon="folder-open")
                )
        self.sessions.items = items
        self.sessions.index = min(self.sessions.index, len(items) - 1)
        if here is not None and self.world == here.world:
            self.sessions.index = next((k for k, i in enumerate(items) if same_folder(i.key, here.folder)), 0)

    @property
    def world(self) -> str:
        return str(self.worlds.chosen.key) if self.worlds.chosen else ""

    @property
    def is_builtin_world(self) -> bool:
        """Whether the chosen world comes in three levels, as ours do."""
        return self.world in self.tasks and "difficulty" in self.tasks[self.world].options

    def _world_chosen(self, key: Any) -> None:
        self.sessions.index = 0
        self._list_sessions()

    def _session_chosen(self, key: Any) -> None:
        """An old session goes on with its own learner unless another is chosen after it."""
        info = next((info for info in self._found if info.folder == key), None)
        if info is not None:
            self._stand_on(info.learner)

    def _stand_on(self, learner: str) -> None:
        if learner not in [item.key for item in self.learners.items]:  # a `module:name`
            try:
                self._list_learner(find_entry(learner))
            except UnknownLearner as error:
                self.host.show_error(str(error))
                return
        self.learners.index = [item.key for item in self.learners.items].index(learner)

    def _add_world(self, text: str) -> None:
        id = text.strip()
        if not id:
            return
        try:
            if id not in self.tasks:
                self._list_world(task_catalog.task(id))
        except ValueError as error:
            self.host.show_error(str(error))
            return
        self.other.text = ""
        self.worlds.choose(list(self.tasks).index(id))
        self.focus.set(self.worlds)

    def actions(self) -> Mapping[str, Action]:
        return {
            "choose": self.on_choose,
            "column": self.on_column,
            "next_field": self.on_next_field,
            "start": self.on_start,
            "write_out": self.on_write_out,
            "read_in": self.on_read_in,
        }

    def bindings(self) -> Sequence[Binding]:
        """Writing out is shown as soon as a session is chosen that can hold something."""
        chosen = self.sessions.chosen
        held = chosen is not None and chosen.key != NEW
        return [replace(b, footer=True) if held and b.action == "write_out" else b for b in BINDINGS["menu"]]

    # What the keys do.

    def on_choose(self, press: Press) -> None:
        if not (self.focus.current or self.worlds).press(press):
            self.focus.set(self.worlds)

    def on_column(self, press: Press) -> None:
        current = self.focus.current
        at = next((k for k, column in enumerate(self.columns) if column is current), 0)
        step = 1 if press.key == "right" else -1
        self.focus.set(self.columns[min(max(at + step, 0), len(self.columns) - 1)])

    def on_next_field(self, press: Press) -> None:
        self.focus.move(-1 if press.shift else 1)

    def on_start(self, press: Press) -> None:
        self._open()

    def on_write_out(self, press: Press) -> None:
        folder = self._session_for_files()
        if folder is not None:
            out = self.file_exchange.start_export(folder)
            self.host.toast(f"Writing {out.parent.name}/{out.name} in {folder.name} ...")

    def on_read_in(self, press: Press) -> None:
        folder = self._session_for_files()
        if folder is not None and not self.file_exchange.start_import(folder):
            self.host.toast(f"Put files into {folder / IMPORTS}, then press I again.")

    def _session_for_files(self) -> Path | None:
        """The session chosen, if there is one and nothing is being written or read."""
        key = self.sessions.chosen.key if self.sessions.chosen else NEW
        if not isinstance(key, Path):
            self.host.toast("Choose a session first: a new one holds nothing.")
        elif not self.file_exchange.is_busy:
            return key
        return None

    def _open(self) -> None:
        chosen = self.sessions.chosen
        here = self.host.session
        if chosen is not None and here is not None and same_folder(chosen.key, here.folder):
            self.host.resume_session(self.learner)
        elif not self.opening:
            self.opening = 3

    @property
    def learner(self) -> str:
        return str(self.learners.chosen.key) if self.learners.chosen else "joint"

    def back(self) -> bool:
        """Esc: back to the open session; without one, twice closes the window."""
        if self.host.session is not None:
            self.host.resume_session(self.host.session.learner)
            return True
        if self.host.seconds - self._leaving < 2.0:
            return False
        self._leaving = self.host.seconds
        self.host.toast("Esc once more closes the window.")
        return True

    def update(self, dt: float) -> None:
        done = self.file_exchange.poll()
        if done is not None:
            (self.host.toast if done.succeeded else self.host.show_error)(done.text)
            self._found = self.host.session_list.list()
            self._list_sessions()
        if self.opening and self._drawn:
            self.opening -= 1
            if not self.opening:
                key = self.sessions.chosen.key if self.sessions.chosen else NEW
                folder = key if isinstance(key, Path) else None
                options = SessionOptions(self.world, self.learner)
                self.host.enter_session(folder, options if folder else self._fresh(options))
        elif self._drawn:
            self._next_picture()

    def _fresh(self, options: SessionOptions) -> SessionOptions:
        """With what only a new session can choose."""
        level = self.level.items[self.level.index][0]
        prior = "written" if self.prior.on else "none"
        return replace(options, options={"difficulty": level} if self.is_builtin_world else {}, prior=prior)

    def _next_picture(self) -> None:
        """One world's picture a frame, so that the menu itself is there at once."""
        for item in self.worlds.items:
            if item.picture is None and item.key not in self.pictures:
                self.pictures[item.key] = item.picture = picture_of(self.tasks[item.key])
                return

    # The picture.

    def draw(self, surface: pygame.Surface, rect: pygame.Rect) -> None:
        theme = self.host.theme
        self._drawn += 1
        theme.text(surface, "What shall the agent learn?", (rect.left, rect.top), "title", bold=True)
        theme.text(
            surface,
            "Choose a world, who learns, and a session. Then you teach: drive, reward, rank, correct.",
            (rect.left, rect.top + theme.line("title") + theme.px(2)),
            color=look.SOFT,
            width=rect.width,
        )
        top = rect.top + theme.line("title") + theme.line() + theme.px(16)
        gap = theme.px(14)
        wide = (rect.width - 2 * gap) // 3
        areas = [pygame.Rect(rect.left + k * (wide + gap), top, wide, rect.bottom - top) for k in range(3)]
        titles = ("World", "Who learns", "Session")
        for k, (area, title) in enumerate(zip(areas, titles, strict=True)):
            inside = badges.panel(surface, theme, area, f"{k + 1}  {title}")
            (self._draw_worlds, self._draw_learners, self._draw_sessions)[k](surface, inside)
        if self.opening:
            badges.curtain(surface, rect, 170)
            theme.text(surface, "Opening ...", rect.center, "hero", bold=True, anchor="center")

    def _draw_worlds(self, surface: pygame.Surface, rect: pygame.Rect) -> None:
        theme = self.host.theme
        field = pygame.Rect(rect.left, rect.bottom - theme.px(36), rect.width, theme.px(36))
        level = pygame.Rect(rect.left, field.top - theme.px(44), rect.width, theme.px(32))
        self.level.enabled = self.is_builtin_world
        if self.is_builtin_world:
            self.level.draw(surface, theme, level)
        self.other.draw(surface, theme, field)
        room = pygame.Rect(rect.left, rect.top, rect.width, level.top - rect.top - theme.px(8))
        self.worlds.draw(surface, theme, room)

    def _draw_learners(self, surface: pygame.Surface, rect: pygame.Rect) -> None:
        theme = self.host.theme
        legend = theme.px(24) * 2
        self.learners.draw(
            surface, theme, pygame.Rect(rect.left, rect.top, rect.width, rect.height - legend - theme.px(8))
        )
        half = rect.width // 2
        for k, kind in enumerate(FEEDBACK_KINDS.values()):
            x = rect.left + (k % 2) * half
            y = rect.bottom - legend + (k // 2) * theme.px(24) + theme.px(12)
            image = theme.icon(kind.icon, theme.px(15), look.SOFT)
            if image:
                surface.blit(image, image.get_rect(midleft=(x, y)))
            room = half - theme.px(24)
            whole = f"learns from {kind.labels}"
            text = whole if theme.width(whole, "tiny") <= room else kind.labels
            at = (x + theme.px(22), y)
            theme.text(surface, text, at, "tiny", look.MUTED, anchor="midleft", width=room)

    def _draw_sessions(self, surface: pygame.Surface, rect: pygame.Rect) -> None:
        theme = self.host.theme
        button = pygame.Rect(rect.left, rect.bottom - theme.px(46), rect.width, theme.px(46))
        chosen = self.sessions.chosen
        fresh = chosen is None or chosen.key == NEW
        prior = pygame.Rect(rect.left, button.top - theme.px(38), rect.width, theme.px(28))
        room = pygame.Rect(rect.left, rect.top, rect.width, prior.top - rect.top - theme.px(8))
        self.sessions.draw(surface, theme, room)
        self.prior.enabled = fresh
        if fresh:
            self.prior.draw(surface, theme, prior)
        self.begin.text = "Start (Enter)" if fresh else "Carry on (Enter)"
        self.begin.draw(surface, theme, button)

    def state_entries(self) -> dict[str, Any]:
        chosen = self.sessions.chosen
        return {
            "mode": "opening" if self.opening else "choosing",
            "world": self.world,
            "learner": self.learner,
            "prior": self.prior.on,
            "level": self.level.items[self.level.index][0],
            "session": str(chosen.key) if chosen else NEW,
            "sessions": len(self.sessions.items) - 1,
            "exchanging": self.file_exchange.is_busy,
            "pictures": len(self.pictures),
        }
