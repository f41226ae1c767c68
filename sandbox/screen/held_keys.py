"""How soon and how fast a held key is pressed again, and what the person does with the keys now."""

from __future__ import annotations

from dataclasses import replace

from sandbox.play.intents import Press, Release


class Repeater:
    """A held key is pressed again and again, after a moment. Times in seconds."""

    FIRST, NEXT = 0.4, 0.05
    KEYS = frozenset({"left", "right", "up", "down", "backspace", ",", ".", "page up", "page down"})

    def __init__(self) -> None:
        self._press: Press | None = None
        self._at = 0.0

    def feed(self, intent: Press | Release, now: float) -> None:
        if isinstance(intent, Press):
            self._press = replace(intent, repeat=True) if intent.key in self.KEYS else None
            self._at = now + self.FIRST
        elif self._press is not None and self._press.key == intent.key:
            self._press = None

    def clear(self) -> None:
        self._press = None

    def due(self, now: float) -> Press | None:
        """The press to repeat now."""
        if self._press is None or now < self._at:
            return None
        self._at = now + self.NEXT
        return self._press


class KeyActivity:
    """What the person does with the keys right now, and how long they have been at it."""

    IDLE = 10.0  # [s] without a key after which nobody is taken to be there

    def __init__(self) -> None:
        self.lit: dict[str, float] = {}
        """Keys that the footer shows as pressed, and until when."""
        self.shift = False
        self.teaching_seconds = 0.0  # [s] in which the person was at it
        self.repeater = Repeater()
        self._active_until = 0.0

    def active(self, now: float) -> None:
        self._active_until = now + self.IDLE

    def light(self, press: Press, now: float) -> None:
        self.lit[press.key] = now + 0.18
        self.shift = press.shift

    def pass_time(self, dt: float, now: float, *, teaching: bool) -> Press | None:
        """The press that a held key repeats now, if any."""
        self.lit = {key: until for key, until in self.lit.items() if until > now}
        if teaching and now < self._active_until:
            self.teaching_seconds += dt
        return self.repeater.due(now)
