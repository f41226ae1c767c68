"""What a scene may ask of the window that shows it. The window's `App` implements it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pygame

from sandbox.play.intents import Press
from sandbox.screen.audio import Sounds
from sandbox.screen.held_keys import KeyActivity
from sandbox.screen.news import News
from sandbox.screen.settings import SettingsFile
from sandbox.screen.theme import Theme
from sandbox.session.session_list import SessionList

if TYPE_CHECKING:
    from sandbox.session.session import Session
    from sandbox.session.session_options import SessionOptions


class Host(Protocol):
    """The window as a scene sees it."""

    session: Session | None
    """The open session; None in the menu before one is opened."""
    session_list: SessionList
    theme: Theme
    sounds: Sounds
    key_activity: KeyActivity
    """What the person does with the keys right now."""
    news: News
    settings: SettingsFile
    random: np.random.Generator
    seconds: float
    """How long the window has been open [s], in fixed steps."""
    surface: pygame.Surface
    toast_area: pygame.Rect | None
    """Where a scene wants toasts; it says so at each draw."""

    @property
    def teaching_seconds(self) -> float:
        """How long the person has been teaching [s]."""

    def show_mode(self, mode: str) -> None:
        """Show another mode, or "menu"."""

    def show_menu(self) -> None:
        """Show the menu."""

    def toast(self, text: str, kind: str = "info", sound: str = "") -> None:
        """Say something briefly. kind: info, good, bad, undo. sound: a name of assets/sounds."""

    def show_error(self, text: str) -> None:
        """Say what went wrong; it stays until the person closes it."""

    def press(self, press: Press) -> None:
        """Do what a key does."""

    def press_on_screen(self, press: Press, spot: pygame.Rect) -> None:
        """A key that is drawn at `spot` goes down under the mouse."""

    def enter_session(self, folder: Path | None, options: SessionOptions) -> bool:
        """Open a session; False, and the reason is told, where that is refused."""

    def resume_session(self, learner: str) -> None:
        """Go back to the open session, with this learner."""
