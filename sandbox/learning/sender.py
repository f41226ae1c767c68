"""A thread that sends only the newest of each kind, so that a stalled window never blocks training."""

from __future__ import annotations

import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from threading import Condition, Thread
from typing import Any

from sandbox.learning.messages import CurveUpdate, Heartbeat

BEAT_SECONDS = 0.5


class Sender(Thread):
    """`send` replaces what of the same type was not sent yet (points of curves add up)."""

    def __init__(self, connection: Connection, make_heartbeat: Callable[[], Heartbeat]) -> None:
        super().__init__(name="sender", daemon=True)
        self._connection, self._make_heartbeat = connection, make_heartbeat
        self._slots: dict[type, Any] = {}
        self._wake = Condition()
        self._sending = False
        self.start()

    def send(self, message: Any) -> None:
        with self._wake:
            waiting = self._slots.get(type(message))
            if isinstance(message, CurveUpdate) and waiting is not None:
                message = waiting.followed_by(message)
            self._slots[type(message)] = message
            self._wake.notify_all()

    def flush(self, timeout: float) -> bool:
        """Wait until all is sent, at most `timeout` seconds; whether it is."""
        with self._wake:
            return self._wake.wait_for(lambda: not self._slots and not self._sending, timeout)

    def run(self) -> None:
        while True:
            with self._wake:
                self._sending = False
                self._wake.notify_all()
                self._wake.wait_for(lambda: bool(self._slots), BEAT_SECONDS)
                messages = list(self._slots.values()) or [self._make_heartbeat()]
                self._slots.clear()
                self._sending = True
            try:
                for message in messages:
                    self._connection.send(message)
            except OSError:
                os._exit(0)  # the parent is gone
