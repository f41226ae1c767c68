"""The menu's three columns: each holds a list and the widgets below it, and draws them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import pygame

from agents.feedback.feedback_kind import FEEDBACK_KINDS
from agents.learner_catalog import DEFAULT_LEARNER, LearnerEntry, find_entry
from envs import task_catalog
from envs.world import Task, TaskOption
from sandbox.screen import theme as look
from sandbox.screen.lists import List, ListItem
from sandbox.screen.theme import Theme
from sandbox.screen.widgets import Button, Tabs, TextField, Toggle, Widget
from sandbox.screen.words import ago, counted, spoken
from sandbox.session.folder import SessionInfo
from sandbox.session.session import Session
from sandbox.session.session_list import same_folder
from sandbox.views.world_picture import picture_of

DIFFICULTIES = (("easy", "Easy"), ("normal", "Normal"), ("hard", "Hard"))
NEW = "new"
"""The key of the row that stands for a new session."""


class Column(Protocol):
    """What the menu asks of each of its columns."""

    title: str
    list: List

    @property
    def widgets(self) -> Sequence[Widget]:
        """What can have the focus, from top to bottom."""
        ...

    def draw(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect) -> None: ...


class WorldColumn:
    """The worlds, a level for those that have one, and a field to add a Gymnasium world by its id."""

    title = "World"

    def __init__(self, on_chosen: Callable[[Any], None], on_typed: Callable[[str], None]) -> None:
        self.tasks: dict[str, Task] = {}
        self.pictures: dict[str, pygame.Surface] = {}
        self.list = List("worlds", [], on_chosen, lines=3, tall=88)
        self.other = TextField("other", "Another Gymnasium world: CartPole-v1 ...", on_typed)
        self.level = Tabs("level", DIFFICULTIES)
        self.level.index = 1

    @property
    def widgets(self) -> Sequence[Widget]:
        return self.list, self.other, self.level

    @property
    def chosen(self) -> str:
        """The id of the chosen world."""
        return str(self.list.chosen.key) if self.list.chosen else ""

    @property
    def level_name(self) -> str:
        return self.level.items[self.level.index][0]

    @property
    def has_levels(self) -> bool:
        """Whether the chosen world comes in three levels, as ours do."""
        return self.chosen in self.tasks and "difficulty" in self.tasks[self.chosen].options

    @property
    def options(self) -> dict[str, TaskOption]:
        """The options of the chosen world that a person can choose here."""
        return {"difficulty": self.level_name} if self.has_levels else {}

    def add(self, task: Task) -> None:
        self.tasks[task.id] = task
        self.list.items.append(ListItem(task.id, task.title, task.about))

    def add_by_id(self, id: str) -> None:
        """List a world and choose it. ValueError, a sentence, if there is no such world."""
        if id not in self.tasks:
            self.add(task_catalog.task(id))
        self.other.text = ""
        self.list.choose(list(self.tasks).index(id))

    def mark(self, id: str) -> None:
        """Choose a listed world, as if it had been chosen before."""
        if id in self.tasks:
            self.list.index = list(self.tasks).index(id)

    def make_next_picture(self) -> None:
        """Draw one world's picture that is still missing."""
        for item in self.list.items:
            if item.picture is None and item.key not in self.pictures:
                self.pictures[item.key] = item.picture = picture_of(self.tasks[item.key])
                return

    def draw(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect) -> None:
        field = pygame.Rect(rect.left, rect.bottom - theme.px(36), rect.width, theme.px(36))
        level = pygame.Rect(rect.left, field.top - theme.px(44), rect.width, theme.px(32))
        self.level.enabled = self.has_levels
        if self.has_levels:
            self.level.draw(surface, theme, level)
        self.other.draw(surface, theme, field)
        room = pygame.Rect(rect.left, rect.top, rect.width, level.top - rect.top - theme.px(8))
        self.list.draw(surface, theme, room)


class LearnerColumn:
    """The learners, and what the icons in their rows mean."""

    title = "Who learns"

    def __init__(self) -> None:
        self.list = List("learners", [], lines=2)

    @property
    def widgets(self) -> Sequence[Widget]:
        return (self.list,)

    @property
    def chosen(self) -> str:
        """The name of the chosen learner."""
        return str(self.list.chosen.key) if self.list.chosen else DEFAULT_LEARNER

    def add(self, learner: LearnerEntry) -> None:
        icons = [kind.icon for name, kind in FEEDBACK_KINDS.items() if name in learner.kinds]
        self.list.items.append(ListItem(learner.name, learner.title, learner.about, icons=icons))
        if learner.name == DEFAULT_LEARNER:
            self.list.index = len(self.list.items) - 1

    def choose(self, name: str) -> None:
        """Choose a learner by name, and list it if it is a `module:name`. Raises UnknownLearner."""
        if name not in [item.key for item in self.list.items]:
            self.add(find_entry(name))
        self.list.index = [item.key for item in self.list.items].index(name)

    def draw(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect) -> None:
        legend = theme.px(24) * 2
        room = pygame.Rect(rect.left, rect.top, rect.width, rect.height - legend - theme.px(8))
        self.list.draw(surface, theme, room)
        half = rect.width // 2
        for k, kind in enumerate(FEEDBACK_KINDS.values()):
            x = rect.left + (k % 2) * half
            y = rect.bottom - legend + (k // 2) * theme.px(24) + theme.px(12)
            image = theme.icon(kind.icon, theme.px(15), look.SOFT)
            if image:
                surface.blit(image, image.get_rect(midleft=(x, y)))
            width = half - theme.px(24)
            whole = f"learns from {kind.labels}"
            text = whole if theme.width(whole, "tiny") <= width else kind.labels
            at = (x + theme.px(22), y)
            theme.text(surface, text, at, "tiny", look.MUTED, anchor="midleft", width=width)


class SessionColumn:
    """A new session or one of the kept ones, what a new one begins with, and the button that starts."""

    title = "Session"

    def __init__(self, on_chosen: Callable[[Any], None], on_start: Callable[[], None]) -> None:
        self.list = List("sessions", [], on_chosen, lines=1)
        self.prior = Toggle("prior", "Begin from the written reward", on=True)
        self.begin = Button("start", "Start", lambda _: on_start(), icon="play", main=True)
        self.kept: Sequence[SessionInfo] = ()
        """The sessions on the disk, of all worlds."""

    @property
    def widgets(self) -> Sequence[Widget]:
        return self.list, self.prior, self.begin

    @property
    def folder(self) -> Path | None:
        """The folder of the chosen session; None for a new one."""
        key = self.list.chosen.key if self.list.chosen else NEW
        return key if isinstance(key, Path) else None

    def info(self, folder: Any) -> SessionInfo | None:
        """What is known of a kept session."""
        return next((info for info in self.kept if info.folder == folder), None)

    def fill(self, world: str, here: Session | None) -> None:
        """List what belongs to a world; `here` is the session that is open, and is chosen if it does."""
        items = [ListItem(NEW, "New session", "Start from nothing.", icon="folder-plus")]
        is_here = here is not None and here.world == world
        if here is not None and is_here and not any(same_folder(here.folder, i.folder) for i in self.kept):
            items.append(ListItem(here.folder, "Open now", counted(here.counts), icon="folder-open"))
        for info in self.kept:
            if info.error:
                items.append(ListItem(info.folder, info.folder.name, info.error, icon="triangle-alert"))
            elif info.world == world:
                is_open = here is not None and same_folder(here.folder, info.folder)
                counts = here.counts if is_open and here is not None else info.counts
                title = "Open now" if is_open else spoken(info.folder.name)
                items.append(
                    ListItem(info.folder, title, counted(counts), ago(info.last_used), icon="folder-open")
                )
        self.list.items = items
        self.list.index = min(self.list.index, len(items) - 1)
        if here is not None and is_here:
            self.list.index = next((k for k, i in enumerate(items) if same_folder(i.key, here.folder)), 0)

    def draw(self, surface: pygame.Surface, theme: Theme, rect: pygame.Rect) -> None:
        button = pygame.Rect(rect.left, rect.bottom - theme.px(46), rect.width, theme.px(46))
        is_new = self.folder is None
        prior = pygame.Rect(rect.left, button.top - theme.px(38), rect.width, theme.px(28))
        room = pygame.Rect(rect.left, rect.top, rect.width, prior.top - rect.top - theme.px(8))
        self.list.draw(surface, theme, room)
        self.prior.enabled = is_new
        if is_new:
            self.prior.draw(surface, theme, prior)
        self.begin.text = "Start (Enter)" if is_new else "Carry on (Enter)"
        self.begin.draw(surface, theme, button)
