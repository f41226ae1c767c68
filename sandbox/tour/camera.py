"""Films the window: each frame with a band below it that tells the chapter and the keys pressed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pygame

from envs.show.viewer import pixels
from sandbox.screen import badges
from sandbox.screen import theme as look
from sandbox.screen.keys import cap
from sandbox.screen.theme import Theme
from sandbox.tour.film import Film
from sandbox.tour.tour_page import Chapter, write_page

if TYPE_CHECKING:
    from sandbox.window.app import App

FPS = 30
TICKS = 60  # the app's own frames a second
BAND = 84  # [px] below the window, of the 1280x720 design
LIT = 0.45  # how long a pressed key stays in the band [s]


class Camera:
    """Runs the app frame by frame at the pace of the clock, never faster, and films every second one."""

    def __init__(self, app: App, folder: Path) -> None:
        self.app, self.folder = app, folder
        self.film = Film(folder / "tour.mp4", FPS)
        self.chapters: list[Chapter] = []
        width, height = app.surface.get_size()
        self._theme = Theme(width / 1280)
        self._frame = pygame.Surface((width, height + self._theme.px(BAND)))
        self._title, self._text = "", ""
        self._pressed: list[tuple[str, int]] = []
        self._began = self._due = time.monotonic()
        self.ticks = 0

    def chapter(self, title: str, text: str) -> None:
        """A new part begins: said in the band from now on, and one more picture on the page."""
        self._title, self._text = f"{len(self.chapters) + 1}. {title}", text
        picture = f"{len(self.chapters) + 1}-{title.lower().split()[0]}.png"
        self.chapters.append(Chapter(title, text, self.film.seconds, picture))

    def say(self, text: str) -> None:
        """Another line in the band, in the same chapter."""
        self._text = text

    def show_key(self, key: str) -> None:
        """A key of the teacher's lights up in the band."""
        self._pressed = [*self._pressed[-5:], (key, self.ticks)]

    def tick(self) -> None:
        """One frame of the app. RuntimeError if the window was closed."""
        self._due = max(self._due + 1 / TICKS, time.monotonic() - 0.25)
        time.sleep(max(0.0, self._due - time.monotonic()))
        if not self.app.tick():
            raise RuntimeError("the window was closed before the tour was over")
        self.ticks += 1
        if self.ticks % (TICKS // FPS) == 0:
            self.film.add(pixels(self._compose()))

    def picture(self) -> None:
        """Keep what the window shows now as the chapter's picture."""
        pygame.image.save(self.app.surface, str(self.folder / self.chapters[-1].picture))

    def still(self, picture: pygame.Surface, seconds: float) -> None:
        """Show a picture of its own for some seconds, and keep it as the chapter's."""
        pygame.image.save(picture, str(self.folder / self.chapters[-1].picture))
        stage = self.app.surface.get_rect()
        self._frame.fill(look.GROUND, stage)
        self._frame.blit(picture, picture.get_rect(center=stage.center))
        self._band()
        for _ in range(round(seconds * FPS)):
            self.film.add(pixels(self._frame))

    def finish(self) -> Path:
        """Close the film and write the page; the page's path."""
        self.film.close()
        about = (
            "A synthetic teacher works the window by its keys, and the agent learns in the background. "
            f"Nothing is cut: the film lasts {self.film.seconds:.0f} s and was made in "
            f"{time.monotonic() - self._began:.0f} s."
        )
        return write_page(self.folder, about, self.film.path.name, self.chapters)

    def _compose(self) -> pygame.Surface:
        self._frame.blit(self.app.surface, (0, 0))
        self._band()
        return self._frame

    def _band(self) -> None:
        theme, surface = self._theme, self._frame
        rect = pygame.Rect(0, self.app.surface.get_height(), surface.get_width(), theme.px(BAND))
        surface.fill(look.ACCENT, rect)
        surface.fill(look.BAR, rect.move(0, theme.px(2)))
        edge = theme.px(24)
        x = rect.right - edge
        for key, since in reversed(self._pressed):
            if self.ticks - since < LIT * TICKS:
                x -= badges.key_cap_width(theme, cap(key)) + theme.px(6)
                badges.key_cap(surface, theme, cap(key), (x, rect.centery), lit=True)
        room = x - 2 * edge
        theme.text(surface, self._title, (edge, rect.top + theme.px(14)), "large", bold=True, width=room)
        theme.text(surface, self._text, (edge, rect.top + theme.px(44)), "body", look.SOFT, width=room)
