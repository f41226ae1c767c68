"""What a scene is: one mode of the window. Events come in as data; a scene may name the next scene."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pygame

from sandbox.play.intents import Intent, Pointer, Press, Release
from sandbox.scenes.host import Host
from sandbox.screen.keys import BINDINGS, Binding
from sandbox.screen.widgets import Widget

if TYPE_CHECKING:
    from sandbox.session.session import Session


Action = Callable[[Press], "Scene | None"]
"""Does what a key is bound to; the scene to go to, or None to stay."""


class Scene:
    """One mode. The app gives it the events, the time and the middle of the window.

    A scene is made once and kept: `enter` and `leave` are called each time it comes and goes.
    Keys are listed in keys.BINDINGS[mode]; the footer, the help page and the dispatch all come from
    there: pressing one calls what `actions` has under the binding's action, which may return the scene to
    go to.
    """

    mode = ""
    clips = 0
    """How many clips each question has here; 0 where none are ranked."""
    title = ""
    hint = ""
    """One sentence: what to do here. It stands above the picture."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.focus = Focus()

    @property
    def session(self) -> Session:
        """The open session (the menu is the only scene without one)."""
        if self.host.session is None:
            raise RuntimeError(f"{self.mode} needs an open session")
        return self.host.session

    def enter(self) -> None:
        """It comes on screen."""

    def leave(self) -> None:
        """It goes off screen (held keys are to be forgotten)."""

    def choices(self) -> Mapping[str, float]:
        """Choices that come back when the session is opened again: speed, how many clips."""
        return {}

    def take_up(self, choices: Mapping[str, float]) -> None:
        """Choose as they were; a name or number that is not known here is left out."""

    def blur(self) -> None:
        """The window lost the keyboard: forget held keys."""

    def bindings(self) -> Sequence[Binding]:
        """The keys that work now, in the order of the footer."""
        return BINDINGS.get(self.mode, ())

    def actions(self) -> Mapping[str, Action]:
        """What each binding's action does."""
        return {}

    def handle(self, event: Intent) -> Scene | None:
        """Take one event: first the focused widget, then this mode's keys."""
        if self.focus.handle(event):
            return None
        if isinstance(event, Press):
            for binding in self.bindings():
                if binding.matches(event) and (not event.repeat or binding.action in self.repeating):
                    return self.actions()[binding.action](event)
        elif isinstance(event, Release):
            self.on_key_release(event)
        return None

    repeating: frozenset[str] = frozenset({"scrub", "choose"})
    """Actions that a held key repeats."""

    def back(self) -> bool:
        """Esc; True if there was something to go back from within the scene."""
        return False

    def on_session_event(self, event: Any) -> None:
        """An event of the session (Saved, NewSnapshot, LearnerRestarted, Trouble)."""

    def on_key_release(self, event: Release) -> None:
        """A key came up."""

    def update(self, dt: float) -> None:
        """Go on by `dt` seconds (always the same amount)."""

    def draw(self, surface: pygame.Surface, rect: pygame.Rect) -> None:
        """Draw into `rect`, the middle of the window."""

    def state_entries(self) -> dict[str, Any]:
        """Small plain facts for the state file: `step` is the world's step on screen, if any."""
        return {}


class Focus:
    """Which of a scene's widgets has the keyboard, and which is under the mouse."""

    def __init__(self, widgets: Sequence[Widget] = ()) -> None:
        self.widgets = list(widgets)
        self.index = -1

    @property
    def current(self) -> Widget | None:
        usable = self.widgets[self.index] if 0 <= self.index < len(self.widgets) else None
        return usable if usable is not None and usable.enabled else None

    @property
    def name(self) -> str:
        return self.current.name if self.current else ""

    def set(self, widget: Widget | None) -> None:
        self.index = self.widgets.index(widget) if widget in self.widgets else -1
        for other in self.widgets:
            other.focused = other is widget

    def move(self, step: int) -> None:
        """To the next (or the one before) that can take the keyboard."""
        count = len(self.widgets)
        start = self.index if self.index >= 0 else (-1 if step > 0 else 0)
        for k in range(1, count + 1):
            widget = self.widgets[(start + step * k) % count]
            if widget.enabled and widget.takes_focus:
                self.set(widget)
                return

    def handle(self, event: Intent) -> bool:
        """Give the event to the widget it belongs to; True if it was used."""
        if isinstance(event, Pointer):
            used = False
            for widget in self.widgets:
                if not widget.enabled:
                    continue
                if event.kind == "down" and widget.rect.collidepoint(event.pos) and widget.takes_focus:
                    self.set(widget)
                used = widget.pointer(event) or used
            return used
        if isinstance(event, Press) and event.key == "tab" and self.widgets:
            self.move(-1 if event.shift else 1)
            return True
        return isinstance(event, Press) and self.current is not None and self.current.press(event)
