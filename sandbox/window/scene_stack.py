"""The scenes of a window: made when first shown, kept, and made anew when one has broken down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.scenes.host import Host
from sandbox.window.session_view import SessionView

if TYPE_CHECKING:
    from sandbox.scenes.scene import Scene


def menu(host: Host) -> Scene:
    from sandbox.scenes.menu import MenuScene

    return MenuScene(host)


def drive(host: Host) -> Scene:
    from sandbox.scenes.drive import DriveScene

    return DriveScene(host)


def reward(host: Host) -> Scene:
    from sandbox.scenes.reward import RewardScene

    return RewardScene(host)


def rank(host: Host) -> Scene:
    from sandbox.scenes.rank import RankScene

    return RankScene(host)


def correct(host: Host) -> Scene:
    from sandbox.scenes.correct import CorrectScene

    return CorrectScene(host)


def watch(host: Host) -> Scene:
    from sandbox.scenes.watch import WatchScene

    return WatchScene(host)


SCENES: Mapping[str, Callable[[Host], Scene]] = {
    "menu": menu,
    "drive": drive,
    "reward": reward,
    "rank": rank,
    "correct": correct,
    "watch": watch,
}
"""How each mode's scene is made. A scene is imported only when it is shown: the window opens at once."""


class SceneStack:
    """The scene on screen, and those that were on screen before and keep their place."""

    EVERY = 300  # [frames] between two looks whether there is something to keep for the next time
    SOON = 60  # [frames] a scene that breaks down twice within these is left for the menu

    def __init__(self, host: Host, mode: str) -> None:
        self._host = host
        self._made: dict[str, Scene] = {}
        self._failed_at = -self.SOON
        self.last_mode = "drive"
        """The mode to go back to from the menu."""
        self._folder: Path | None = None  # whose view this is; None: of no session yet
        self._view = SessionView()
        self.current = self.scene_of(mode)

    def scene_of(self, mode: str) -> Scene:
        """The scene of a mode, made if it has not been."""
        if mode not in self._made:
            self._made[mode] = SCENES[mode](self._host)
            self._made[mode].take_up(self._view.scenes.get(mode, {}))
        return self._made[mode]

    def show(self, scene: Scene) -> bool:
        """Put a scene on screen; False if it was there already."""
        if scene is self.current:
            return False
        self.current.leave()
        self.current = scene
        scene.enter()
        return True

    def go(self, mode: str) -> bool:
        """Put a mode on screen; False if it was there already."""
        if mode != "menu":
            self.last_mode = mode
        return self.show(self.scene_of(mode))

    def begin_session(self) -> None:
        """Forget every scene but the menu: they belong to the session before."""
        self._made = {"menu": self.scene_of("menu")}
        self._folder, self._view, self.last_mode = None, SessionView(), "drive"

    def remember(self, frame: int = 0) -> None:
        """Keep now and then how the person works here; take up how they did when the session was left."""
        session = self._host.session
        if session is None or session.folder is None:
            return
        if session.folder != self._folder:
            self._folder, self._view = session.folder, SessionView.read(session.folder)
            self._take_up()
        elif frame % self.EVERY == 0:
            self._write(session.folder)

    def _take_up(self) -> None:
        self._host.key_activity.teaching_seconds += self._view.teaching_seconds
        for mode, scene in self._made.items():
            scene.take_up(self._view.scenes.get(mode, {}))
        if self._view.mode in SCENES and self.current.mode == "drive":
            self.go(self._view.mode)

    def _write(self, folder: Path) -> None:
        """Write the view where it has changed."""
        scenes = {mode: dict(scene.choices()) for mode, scene in self._made.items() if scene.choices()}
        seconds = round(self._host.key_activity.teaching_seconds, 1)
        view = SessionView(self.last_mode, seconds, {**self._view.scenes, **scenes})
        if view != self._view:
            self._view = view
            view.write(folder)

    def _enter(self, mode: str) -> bool:
        """Make a mode's scene and show it; False where it breaks down in that."""
        try:
            scene = self.scene_of(mode)
            scene.enter()
        except Exception:
            self._made.pop(mode, None)
            return False
        self.current = scene
        return True

    def begin_anew(self, error: Exception, frame: int, *, modes: bool) -> str:
        """Make the broken scene anew, or show the menu if it broke down a moment ago; says what was done.

        modes: whether there is a session for a mode to show. Raises `error` where the menu itself breaks
        down again: then nothing is left to show.
        """
        broken, again = self.current, frame - self._failed_at < self.SOON
        if again and broken.mode == "menu":
            raise error
        self._failed_at = frame
        self._made.pop(broken.mode, None)
        again = again or not modes or not self._enter(broken.mode)
        if again:
            self.current = self.scene_of("menu")
            self.current.enter()
        done = "the menu is shown instead" if again else "it starts again"
        return f"{broken.title or 'The menu'} broke down ({type(error).__name__}: {error}); {done}."
