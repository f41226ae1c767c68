"""The synthetic teacher's hands: key events in the app's queue, as a keyboard would put them there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pygame

from sandbox.tour.camera import TICKS, Camera

if TYPE_CHECKING:
    from sandbox.app import App

_CODES = {
    "enter": pygame.K_RETURN,
    "escape": pygame.K_ESCAPE,
    "backspace": pygame.K_BACKSPACE,
    "space": pygame.K_SPACE,
    "plus": pygame.K_PLUS,
    "minus": pygame.K_MINUS,
}


class Stuck(RuntimeError):
    """Something that the tour waited for did not come; the text is a sentence."""


class Hands:
    """Presses keys and waits. All time is the app's, in frames."""

    def __init__(self, app: App, camera: Camera) -> None:
        self.app, self.camera = app, camera
        self._held: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, Any]:
        """What the state file would say of the scene on screen."""
        return {"scene": self.app.scene.mode, **self.app.scene.facts()}

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(max(1, round(seconds * TICKS))):
            self.camera.tick()

    def until(self, what: str, test: Callable[[], bool], seconds: float = 60.0) -> None:
        """Let time pass until `test` holds. Stuck after `seconds`."""
        self.linger(test, seconds)
        if not test():
            told = f"The tour waited {seconds:.0f} s for {what} in vain; the screen says {self.facts}."
            raise Stuck(told)

    def linger(self, test: Callable[[], bool], seconds: float) -> None:
        """Let time pass until `test` holds, or until the time is over."""
        for _ in range(round(seconds * TICKS)):
            if test():
                return
            self.camera.tick()

    def press(self, key: str, *, rest: float = 0.1) -> None:
        """Press and let go, and see what it does for `rest` seconds."""
        self._post(pygame.KEYDOWN, key)
        self.camera.show_key(key)
        self.camera.tick()
        self._post(pygame.KEYUP, key)
        self.wait(rest)

    def hold(self, keys: tuple[str, ...]) -> None:
        """Keep exactly these keys down from now on."""
        for key in self._held:
            if key not in keys:
                self._post(pygame.KEYUP, key)
        for key in keys:
            if key not in self._held:
                self._post(pygame.KEYDOWN, key)
                self.camera.show_key(key)
        self._held = keys

    def _post(self, kind: int, key: str) -> None:
        code = _CODES.get(key) or pygame.key.key_code(key)
        text = key if len(key) == 1 else {"plus": "+", "minus": "-", "space": " "}.get(key, "")
        event = {"key": code, "mod": 0, "unicode": text, "scancode": 0}
        pygame.event.post(pygame.event.Event(kind, event))


def key_for(keys: Mapping[str, Any], action: Any) -> tuple[str, ...]:
    """The keys that stand for an action in a task's key map; none for the idle one."""
    for name, meant in keys.items():
        if name and meant == action:
            return tuple(name.split("+"))
    return ()
