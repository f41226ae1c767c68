"""The window itself, and the small file that says what is on it."""

from __future__ import annotations

import io
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pygame

import assets

if TYPE_CHECKING:
    from agents.snapshot import Snapshot
    from sandbox.app import App
    from sandbox.session import Session


class NoDisplay(RuntimeError):
    """There is no screen to open a window on; the text is a sentence for the person."""


def open_window(size: tuple[int, int]) -> pygame.Surface:
    """A resizable window; NoDisplay if there is nothing to show it on."""
    mend = "start it on a desktop, or set DISPLAY; `teachbox tour` works without a screen."
    try:
        pygame.display.init()
        pygame.font.init()
        if not os.environ.get("SDL_VIDEODRIVER") and pygame.display.get_driver() in ("dummy", "offscreen"):
            raise NoDisplay(f"No display was found to open the window on: {mend}")
        pygame.display.set_caption("teachbox")
        pygame.display.set_icon(_icon())
        surface = pygame.display.set_mode(_fitting(size), pygame.RESIZABLE)
    except pygame.error as error:
        raise NoDisplay(f"The window could not be opened ({error}): {mend}") from error
    pygame.key.set_repeat()
    return surface


def toggle_fullscreen(windowed: tuple[int, int] | None) -> tuple[int, int] | None:
    """To full screen, or back to the size `windowed`; returns the size to go back to, if any."""
    if windowed is not None:
        pygame.display.set_mode(windowed, pygame.RESIZABLE)
        return None
    surface = pygame.display.get_surface()
    size = surface.get_size() if surface else pygame.display.get_desktop_sizes()[0]
    pygame.display.set_mode(pygame.display.get_desktop_sizes()[0], pygame.FULLSCREEN)
    return size


def _icon() -> pygame.Surface:
    """The window's picture in the task bar; empty where assets are missing."""
    try:
        return pygame.image.load_sized_svg(io.BytesIO(assets.icon("graduation-cap", "#67b7f7")), (64, 64))
    except FileNotFoundError:
        return pygame.Surface((64, 64))


def _fitting(size: tuple[int, int]) -> tuple[int, int]:
    """The size, no larger than the desktop leaves room for (the films' drivers have no desktop)."""
    if pygame.display.get_driver() in ("dummy", "offscreen"):
        return size
    width, height = pygame.display.get_desktop_sizes()[0]
    return min(size[0], width), min(size[1], round(height * 0.94))


def window_state(app: App) -> dict[str, Any]:
    """What the state file says, but for the frame's number."""
    facts = dict(app.scene.facts())
    shown = {"mode": str(facts.pop("mode", "")), "step": int(facts.pop("step", 0))}
    return {
        "scene": app.scene.mode,
        **shown,
        "focus": app.scene.focus.name,
        **session_facts(app.session),
        "message": app.news.message,
        "extra": {**facts, "help": app.help_open, "trouble": app.news.trouble},
    }


def session_facts(session: Session | None) -> dict[str, Any]:
    """The state file's part about the session and its learner."""
    snapshot = session.latest if session else None
    return {
        "open": session is not None and session.folder is not None,
        "counts": dict(session.counts) if session else {},
        "saved": session.last_saved if session else 0,
        "learner": {
            "name": session.learner if session else "",
            "state": session.status.state if session else "",
            "step": snapshot.step if snapshot else 0,
            "feedback_seq": snapshot.feedback_seq if snapshot else 0,
            "env_steps": snapshot.env_steps if snapshot else 0,
            "suggests": _suggested(snapshot),
        },
    }


def _suggested(snapshot: Snapshot | None) -> str:
    """Which kind of feedback the learner would like most: "compare 2", "demo", ..."""
    wanted = snapshot.suggestion if snapshot else None
    return "" if wanted is None else f"{wanted.kind} {wanted.clips or ''}".strip()


class StateFile:
    """JSON at a path, replaced whole at each change; None: nowhere."""

    def __init__(self, path: Path | None) -> None:
        self._path, self._written = path, ""

    def write(self, state: dict[str, Any], frame: int) -> None:
        """Write `state`, with the frame's number, if anything but that has changed."""
        if self._path is None:
            return
        text = json.dumps(state)
        if text == self._written:
            return
        self._written = text
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".state")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({**state, "frame": frame}, file)
        Path(name).replace(self._path)
