"""The window: events in, fixed time steps, one scene drawn, a small file that says what is on screen."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pygame

from envs.external.external_errors import ExternalWorldError
from sandbox.play.intents import Intent, Pointer, Press, Release
from sandbox.scenes.scene import Scene
from sandbox.screen import theme as look
from sandbox.screen.audio import Sounds
from sandbox.screen.held_keys import KeyActivity
from sandbox.screen.keys import EVERYWHERE, intent
from sandbox.screen.news import News
from sandbox.screen.settings import SettingsFile
from sandbox.screen.theme import Theme
from sandbox.session.session_list import SessionList, SessionOpener
from sandbox.window import notices
from sandbox.window.background import Background
from sandbox.window.chrome import Chrome
from sandbox.window.display import NoDisplay, open_window, toggle_fullscreen
from sandbox.window.failure_log import log_failure
from sandbox.window.scene_stack import SceneStack
from sandbox.window.session_news import dispatch_session_events
from sandbox.window.state_file import StateFile, window_state

if TYPE_CHECKING:
    from sandbox.session.session import Session
    from sandbox.session.session_options import SessionOptions

__all__ = ["STEP", "App", "NoDisplay"]

STEP = 1 / 60  # [s] the one length of an update


class App:
    """One window on at most one session. `tick` is one frame; False once it is closed.

    fixed_dt: each tick is one update of 1/60 s whatever the clock says (tests, films).
    open_session, sessions_root: how and where the menu opens sessions; default: the person's own.
    settings_file: what the person chose for the window; default: the person's own.
    """

    def __init__(
        self,
        session: Session | None,
        *,
        size: tuple[int, int] = (1280, 720),
        state_file: Path | None = None,
        fixed_dt: bool = False,
        open_session: SessionOpener | None = None,
        sessions_root: Path | None = None,
        settings_file: Path | None = None,
        seed: int | None = None,
    ) -> None:
        self.session, self.fixed_dt = session, fixed_dt
        self.session_list = SessionList(sessions_root, open_session)
        self.settings = SettingsFile(settings_file)
        self.random = np.random.default_rng(seed)
        self.surface = open_window(size)
        self._windowed: tuple[int, int] | None = None  # the size to go back to from full screen
        self.zoom = 1.0
        self.theme = Theme(self._scale())
        self.sounds = Sounds()
        self.chrome = Chrome(self)
        self.running, self.help_open = True, False
        self.news = News(self.settings.error)
        self.key_activity = KeyActivity()
        self.frame, self.seconds, self._warned = 0, 0.0, False
        self.toast_area: pygame.Rect | None = None
        """Where a scene wants toasts; it says so at each draw."""
        self._background_loader = Background(self.sounds, wait=self.fixed_dt)
        self._unsimulated_seconds = 0.0
        self._clock = pygame.time.Clock()
        self._state_file = StateFile(state_file)
        self._touched: tuple[str, pygame.Rect] | None = None  # the key on screen that is down, and its place
        self._stack = SceneStack(self, "drive" if session else "menu")
        self.scene.enter()

    @property
    def scene(self) -> Scene:
        """The scene on screen."""
        return self._stack.current

    # What scenes call.

    def show_mode(self, mode: str) -> None:
        """Change to a mode (or "menu")."""
        if mode != "menu" and self.session is None:
            self.toast("Choose a world first, then Enter.", "info")
            return
        if self._stack.go(mode):
            self.key_activity.repeater.clear()

    def show_menu(self) -> None:
        self.show_mode("menu")

    def toast(self, text: str, kind: str = "info", sound: str = "") -> None:
        """Say something briefly. kind: info, good, bad, undo."""
        self.news.toast(text, kind)
        if sound:
            self.sounds.play(sound)

    def show_error(self, text: str) -> None:
        """Say what went wrong; it stays until the person closes it."""
        self.news.set_error(text)

    def clear_error(self) -> None:
        self.news.error = ""

    def curve(self) -> list[float]:
        """The newest points of the learner's first curve, for the status bar."""
        points = self.session.curve[-60:] if self.session else []
        name = next(iter(points[-1].values), "") if points else ""
        return [point.values[name] for point in points if name in point.values]

    def enter_session(self, folder: Path | None, options: SessionOptions) -> bool:
        """Open a session from the menu; a refusal is told in a sentence and leaves all as it was."""
        try:
            session = self.session_list.open(folder, options)
        except (ValueError, OSError, RuntimeError) as error:
            self.show_error(str(error))
            return False
        self._stack.remember()
        left = self.session.close() if self.session is not None else None
        if left:
            self.show_error(left)
        self.session, self.key_activity = session, KeyActivity()
        self._stack.begin_session()
        self.show_mode("drive")
        return True

    def resume_session(self, learner: str) -> None:
        """Back from the menu to the open session, with this learner."""
        if self.session is not None and learner != self.session.learner:
            self.session.set_learner(learner)
            self.toast(f"Now {learner} learns from the same feedback.")
        self.show_mode(self._stack.last_mode)

    def press(self, press: Press) -> None:
        """A key, from the keyboard or from a click on its cap."""
        self.key_activity.active(self.seconds)
        if press.ctrl and press.key in ("plus", "minus", "0"):
            self._zoom({"plus": 1.1, "minus": 1 / 1.1}.get(press.key, 0.0))
            return
        if press.ctrl and press.key == "q":
            self._leave()
            return
        if self.help_open and press.key in ("escape", "f1", "enter", "space"):
            self.help_open = False
            return
        everywhere = next((b for b in EVERYWHERE if b.matches(press) and not press.repeat), None)
        if (everywhere and everywhere.action in ("help", "back", "fullscreen")) or press.key in _MODE_KEYS:
            self._everywhere(everywhere.action if everywhere else "")
            return
        if self.help_open:
            return
        self.key_activity.light(press, self.seconds)
        self._to_scene(press)

    def press_on_screen(self, press: Press, spot: pygame.Rect) -> None:
        """A key on screen goes down. It comes up with the mouse button, or when the mouse leaves `spot`."""
        self.release_on_screen()
        self._touched = (press.key, spot)
        self._intent(press)

    def release_on_screen(self) -> None:
        """The key on screen that is down, if any, comes up."""
        if self._touched is not None:
            key, self._touched = self._touched[0], None
            self._intent(Release(key))

    @property
    def teaching_seconds(self) -> float:
        """How long the person has been at it [s]."""
        return self.key_activity.teaching_seconds

    # One frame.

    def tick(self) -> bool:
        """One frame: wait for it, take events, go on in fixed steps, show."""
        dt = STEP if self.fixed_dt else min(self._clock.tick(60) / 1000, 0.25)
        self._unsimulated_seconds += dt
        try:
            for event in pygame.event.get():
                self._event(event)
            dispatch_session_events(self)
            while self._unsimulated_seconds >= STEP - 1e-9:
                self._unsimulated_seconds -= STEP
                self._update()
            self.draw()
        except ExternalWorldError as error:  # a world of somebody else's broke down: choose another
            self.show_mode("menu")
            self.show_error(str(error))
        except Exception as error:
            self._begin_anew(error)
        self._shown()
        return self.running

    def show(self) -> None:
        """Draw a frame and show it, and tell the state file; what was pressed waits for the next tick."""
        self.draw()
        self._shown()

    def _shown(self) -> None:
        pygame.display.flip()
        self.frame += 1
        self._stack.remember(self.frame)
        self._state_file.write(self.state(), self.frame)
        self._background_loader.update(self.session, self.frame)

    def close(self) -> None:
        """Close the session (all kept feedback is saved first) and the window."""
        self.running = False
        self._stack.remember()
        self._background_loader.close()
        left = self.session.close() if self.session is not None else None
        if left:
            sys.stderr.write(f"{left}\n")
        pygame.display.quit()

    def draw(self) -> None:
        """Draw the frame without showing it (it stands in `surface`)."""
        self.surface.fill(look.GROUND)
        self.toast_area = None
        room = self.chrome.draw(self.surface)
        self.scene.draw(self.surface, room)
        notices.toasts(self.surface, self.theme, self.toast_area or room, self.news.toasts, self.news.now)
        if self.help_open:
            notices.help_page(self.surface, self.theme, self.scene, self.sounds.why_silent)

    def _begin_anew(self, error: Exception) -> None:
        """A scene broke down: say so, log it, and show it anew."""
        path = log_failure(error, self.session.folder if self.session else None)
        self.key_activity.repeater.clear()
        self._touched, self._unsimulated_seconds, self.help_open = None, 0.0, False
        told = self._stack.begin_anew(error, self.frame, modes=self.session is not None)
        unsaved = self.session.unsaved if self.session else 0
        kept = f"{unsaved} kept records are still being saved." if unsaved else "All that was kept is saved."
        details = f"Details are in {path}." if path else "The log can't be written."
        self.show_error(f"{told} {kept} {details}")

    def _event(self, event: Any) -> None:
        if event.type == pygame.QUIT:
            self._leave()
        elif event.type in (pygame.VIDEORESIZE, pygame.WINDOWSIZECHANGED):
            self._resized()
        elif event.type == pygame.WINDOWFOCUSLOST:
            self.release_on_screen()
            self.key_activity.repeater.clear()
            self.scene.blur()
        else:
            meant = intent(event)
            if meant is not None:
                self._intent(meant)

    def _intent(self, meant: Intent) -> None:
        if isinstance(meant, Pointer):
            self._pointer(meant)
            return
        self.key_activity.repeater.feed(meant, self.seconds)
        if isinstance(meant, Press):
            self.press(replace(meant, catch_up_seconds=self._unsimulated_seconds))
        else:
            self._to_scene(meant)

    def _pointer(self, meant: Pointer) -> None:
        if meant.kind == "up" or (
            meant.kind == "move" and self._touched and not self._touched[1].collidepoint(meant.pos)
        ):
            self.release_on_screen()
        if meant.kind == "down":
            self.key_activity.active(self.seconds)
            if self.help_open:
                self.help_open = False
                return
        if not self.chrome.click(meant):
            self._to_scene(meant)

    def _to_scene(self, meant: Intent) -> None:
        following = self.scene.handle(meant)
        if following is not None and self._stack.show(following):
            self.key_activity.repeater.clear()

    def _everywhere(self, action: str) -> None:
        if action == "help":
            self.help_open = not self.help_open
        elif action == "fullscreen":
            self._windowed = toggle_fullscreen(self._windowed)
            self._resized()
        elif action.startswith("mode_"):
            self.help_open = False
            self.show_mode(action.removeprefix("mode_"))
        elif self.news.error:
            self.clear_error()
        elif not self.scene.back():
            if self.scene.mode == "menu":
                self._leave()
            else:
                self.show_menu()

    def _leave(self) -> None:
        """End, but not at the first asking while something that was said can't be saved."""
        risk = self.session.unsaved_warning if self.session else None
        if risk and not self._warned:
            self._warned = True
            self.show_error(f"{risk} To leave without it, close the window once more.")
        else:
            self.running = False

    def _update(self) -> None:
        self.seconds += STEP
        self.news.pass_time(STEP)
        teaching = self.session is not None and self.scene.mode != "menu"
        again = self.key_activity.pass_time(STEP, self.seconds, teaching=teaching)
        if again is not None:
            self._to_scene(again)
        if not self.help_open:
            self.scene.update(STEP)

    # The window and the state file.

    def _scale(self) -> float:
        width, height = self.surface.get_size()
        return float(min(max(min(width / 1280, height / 720), 0.85), 4.0)) * self.zoom

    def _zoom(self, factor: float) -> None:
        self.zoom = min(max(self.zoom * factor, 0.7), 2.0) if factor else 1.0
        self._resized()

    def _resized(self) -> None:
        self.surface = pygame.display.get_surface() or self.surface
        scale = self._scale()
        if scale != self.theme.scale:
            trace = self.theme.trace
            self.theme = Theme(scale)
            self.theme.trace = trace

    def state(self) -> dict[str, Any]:
        """What the state file says, but for the frame's number."""
        return window_state(self)


_MODE_KEYS = frozenset(f"f{n}" for n in range(2, 7))
