"""The window itself, and the small file that says what is on it."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pygame

import assets

if TYPE_CHECKING:
    pass


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
