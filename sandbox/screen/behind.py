"""Behind the first pictures, which plain kernels make, the window fetches the compiled ones."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

from envs import kernels
from envs.foreign.task import ForeignTask
from envs.simulation import fetch_kernels

if TYPE_CHECKING:
    from sandbox.session import Session

PATIENCE = 30  # [frames] between two looks whether the learner has compiled them


class Behind:
    """Fetches the kernels of each world that is played, once they are in the cache."""

    def __init__(self) -> None:
        self._done: set[str] = set()
        self._thread: Thread | None = None

    def update(self, session: Session | None, frame: int) -> None:
        """After a frame was shown. Never waits."""
        if session is None or session.folder is None or kernels.mode() == "compiled":
            return
        if isinstance(session.task, ForeignTask):
            return
        world = session.task.world.name
        busy = self._thread is not None and self._thread.is_alive()
        if world in self._done or busy or frame % PATIENCE != 1 or not kernels.is_warm(world):
            return
        self._done.add(world)
        self._thread = Thread(target=fetch_kernels, args=(session.task,), name="kernels", daemon=True)
        self._thread.start()
