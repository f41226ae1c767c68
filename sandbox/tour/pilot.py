"""The synthetic teacher's hands: key events in the app's queue, as a keyboard would put them there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pygame

from envs.world import Array
from sandbox.tour.camera import TICKS, Camera

if TYPE_CHECKING:
    from sandbox.window.app import App

_CODES = {
    "enter": pygame.K_RETURN,
    "escape": pygame.K_ESCAPE,
    "backspace": pygame.K_BACKSPACE,
    "space": pygame.K_SPACE,
    "plus": pygame.K_PLUS,
    "minus": pygame.K_MINUS,
}


class PilotTimeout(RuntimeError):
    """Something that the tour waited for did not come; the text is a sentence."""


class Pilot:
    """Presses keys and waits. All time is the app's, in frames."""

    def __init__(self, app: App, camera: Camera) -> None:
        self.app, self.camera = app, camera
        self._held: tuple[str, ...] = ()

    @property
    def state_entries(self) -> dict[str, Any]:
        """What the state file would say of the scene on screen."""
        return {"scene": self.app.scene.mode, **self.app.scene.state_entries()}

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(max(1, round(seconds * TICKS))):
            self.camera.tick()

    def wait_until(self, what: str, test: Callable[[], bool], seconds: float = 60.0) -> None:
        """Let time pass until `test` holds. Stuck after `seconds`."""
        self.wait_at_most(test, seconds)
        if not test():
            told = (
                f"The tour waited {seconds:.0f} s for {what} in vain; the screen says {self.state_entries}."
            )
            raise PilotTimeout(told)

    def wait_at_most(self, test: Callable[[], bool], seconds: float) -> None:
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


class KeyChooser:
    """Which keys to hold for each wanted action of a task; none for the idle one.

    Where actions are numbers, keys only push fully: what was pushed too much or too little is made
    good in the following steps, as people do by tapping.
    """

    def __init__(self, keys: Mapping[str, Any]) -> None:
        self._keys = keys
        self._missing_push: Array = np.zeros(0)

    def keys_for(self, action: Any) -> tuple[str, ...]:
        """The keys for the next step."""
        if np.ndim(action) == 0:
            name = next((name for name, meant in self._keys.items() if name and meant == action), "")
        else:
            wanted = np.asarray(action) + (self._missing_push if self._missing_push.size else 0.0)
            name = min(self._keys, key=lambda name: float(np.abs(wanted - self._keys[name]).sum()))
            self._missing_push = np.clip(wanted - self._keys[name], -1.0, 1.0)
        return tuple(name.split("+")) if name else ()
