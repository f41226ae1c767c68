"""What can wait for the first picture: the sound device, and compiled kernels (plain ones draw the first)."""

from __future__ import annotations

import gc
from threading import Thread
from typing import TYPE_CHECKING

from envs import kernels
from envs.simulation import fetch_kernels

if TYPE_CHECKING:
    from sandbox.screen.audio import Sounds
    from sandbox.session.session import Session

PATIENCE = 30  # [frames] between two looks whether the learner has compiled them
SETTLED = (2, 300, 3000)
"""Frames after which what is there is taken for lasting: looking for garbage in all that was imported would
take longer than a frame."""


class Background:
    """Opens the sound, then fetches the kernels of each world that is played, once they are in the cache.

    wait: open the sound at once, not in a thread (tests, films).
    """

    def __init__(self, sounds: Sounds, *, wait: bool) -> None:
        self._sound = Thread(target=sounds.open, name="sound", daemon=True)
        if wait:
            self._sound.run()
        self._wait = wait
        self._done: set[str] = set()
        self._thread: Thread | None = None

    def update(self, session: Session | None, frame: int) -> None:
        """After a frame was shown. Never waits."""
        if frame == 1 and not self._wait:
            self._sound.start()
        if frame in SETTLED and not self._wait:
            gc.freeze()
        if session is None or session.folder is None or kernels.mode() == "compiled":
            return
        if session.task.is_costly:
            return
        world, step = session.task.world.name, session.task.world.kernel.step
        busy = self._thread is not None and self._thread.is_alive()
        if world in self._done or busy or frame % PATIENCE != 1 or not kernels.is_warm(world, step):
            return
        self._done.add(world)
        self._thread = Thread(target=fetch_kernels, args=(session.task,), name="kernels", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let the sound device come before it goes."""
        if self._sound.is_alive():
            self._sound.join(1.0)
