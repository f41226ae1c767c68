"""The menu: which world, which learner, a new session or an old one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pygame

from agents.learner_catalog import UnknownLearner, listed_entries
from envs import task_catalog
from sandbox.play.intents import Press
from sandbox.scenes.host import Host
from sandbox.scenes.menu_columns import NEW, Column, LearnerColumn, SessionColumn, WorldColumn
from sandbox.scenes.scene import Action, Scene
from sandbox.screen import badges
from sandbox.screen import theme as look
from sandbox.screen.keys import BINDINGS, Binding
from sandbox.session.file_exchange import IMPORTS, FileExchange
from sandbox.session.session_list import same_folder
from sandbox.session.session_options import SessionOptions


class MenuScene(Scene):
    """Three columns, Left and Right between them; Enter opens."""

    mode = "menu"
    title = "Menu"
    hint = "Choose a world, who learns in it, and a new session or one to carry on. Enter starts."

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.worlds = WorldColumn(self._world_chosen, self._add_world)
        self.learners = LearnerColumn()
        self.sessions = SessionColumn(self._session_chosen, self._open)
        self.columns: tuple[Column, ...] = (self.worlds, self.learners, self.sessions)
        self.focus.widgets = [widget for column in self.columns for widget in column.widgets]
        self.opening = 0  # frames until a chosen session is opened: "Opening ..." is drawn first
        self._leaving = -10.0
        self.file_exchange = FileExchange()
        self._drawn = 0
        self._broken: list[str] = []  # installed worlds and learners that can't be loaded, told on entering
        for task in task_catalog.listed_tasks(self._broken.append):
            self.worlds.add(task)
        for learner in listed_entries(self._broken.append):
            self.learners.add(learner)

    def enter(self) -> None:
        self.opening = 0
        while self._broken:
            self.host.show_error(self._broken.pop())
        if self.host.session is not None:
            self.worlds.mark(self.host.session.world)
            self._stand_on(self.host.session.learner)
        self._read_sessions()
        if self.focus.current is None:
            self.focus.set(self.worlds.list)

    # What is chosen.

    @property
    def world(self) -> str:
        return self.worlds.chosen

    @property
    def learner(self) -> str:
        return self.learners.chosen

    def _read_sessions(self) -> None:
        """List the sessions that are on the disk now."""
        self.sessions.kept = self.host.session_list.list()
        self.sessions.fill(self.world, self.host.session)

    def _world_chosen(self, key: Any) -> None:
        self.sessions.list.index = 0
        self.sessions.fill(self.world, self.host.session)

    def _session_chosen(self, key: Any) -> None:
        """An old session goes on with its own learner unless another is chosen after it."""
        info = self.sessions.info(key)
        if info is not None:
            self._stand_on(info.learner)

    def _stand_on(self, learner: str) -> None:
        """Choose a learner by name; told if there is no such one."""
        try:
            self.learners.choose(learner)
        except UnknownLearner as error:
            self.host.show_error(str(error))

    def _add_world(self, text: str) -> None:
        """A world was typed in."""
        if not text.strip():
            return
        try:
            self.worlds.add_by_id(text.strip())
        except ValueError as error:
            self.host.show_error(str(error))
            return
        self.focus.set(self.worlds.list)

    # What the keys do.

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
        is_kept = self.sessions.folder is not None
        return [
            replace(b, footer=True) if is_kept and b.action == "write_out" else b for b in BINDINGS["menu"]
        ]

    def on_choose(self, press: Press) -> None:
        if not (self.focus.current or self.worlds.list).press(press):
            self.focus.set(self.worlds.list)

    def on_column(self, press: Press) -> None:
        current = self.focus.current
        at = next((k for k, column in enumerate(self.columns) if column.list is current), 0)
        step = 1 if press.key == "right" else -1
        self.focus.set(self.columns[min(max(at + step, 0), len(self.columns) - 1)].list)

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
        if self.sessions.folder is None:
            self.host.toast("Choose a session first: a new one holds nothing.")
        return None if self.file_exchange.is_busy else self.sessions.folder

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

    # Opening a session.

    def _open(self) -> None:
        chosen, here = self.sessions.list.chosen, self.host.session
        if chosen is not None and here is not None and same_folder(chosen.key, here.folder):
            self.host.resume_session(self.learner)
        elif not self.opening:
            self.opening = 3

    def update(self, dt: float) -> None:
        done = self.file_exchange.poll()
        if done is not None:
            (self.host.toast if done.succeeded else self.host.show_error)(done.text)
            self._read_sessions()
        if not self._drawn:
            return
        if self.opening:
            self.opening -= 1
            if not self.opening:
                self._enter_session()
        else:
            self.worlds.make_next_picture()  # one a frame, so that the menu itself is there at once

    def _enter_session(self) -> None:
        folder, options = self.sessions.folder, SessionOptions(self.world, self.learner)
        if folder is None:
            prior = "written" if self.sessions.prior.on else "none"
            options = replace(options, options=self.worlds.options, prior=prior)
        self.host.enter_session(folder, options)

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
        for k, column in enumerate(self.columns):
            area = pygame.Rect(rect.left + k * (wide + gap), top, wide, rect.bottom - top)
            column.draw(surface, theme, badges.panel(surface, theme, area, f"{k + 1}  {column.title}"))
        if self.opening:
            badges.curtain(surface, rect, 170)
            theme.text(surface, "Opening ...", rect.center, "hero", bold=True, anchor="center")

    def state_entries(self) -> dict[str, Any]:
        chosen = self.sessions.list.chosen
        return {
            "mode": "opening" if self.opening else "choosing",
            "world": self.world,
            "learner": self.learner,
            "prior": self.sessions.prior.on,
            "level": self.worlds.level_name,
            "session": str(chosen.key) if chosen else NEW,
            "sessions": len(self.sessions.list.items) - 1,
            "exchanging": self.file_exchange.is_busy,
            "pictures": len(self.worlds.pictures),
        }
