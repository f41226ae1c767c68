"""What the window has to say: news that passes, trouble that stays, and what was saved."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple


class Toast(NamedTuple):
    """A short piece of news; `until` is when it goes [s]."""

    text: str
    kind: str
    until: float


class News:
    """What the window has to say: toasts that pass, trouble that stays, and what was saved."""

    SECONDS = 3.0

    def __init__(self, error: str = "") -> None:
        self.now = 0.0
        self.message, self.error = "", error
        """The newest of all, and what went wrong ('' when closed)."""
        self.toasts: list[Toast] = []
        self._saved, self._storing = ("", 0.0), ""
        self._shown_warnings: set[str] = set()

    def toast(self, text: str, kind: str) -> None:
        """At most two at once, the same one not twice."""
        self.message = text
        others = [toast for toast in self.toasts if toast.text != text]
        self.toasts = [*others[-1:], Toast(text, kind, self.now + self.SECONDS)]

    def set_error(self, text: str) -> None:
        self.error = self.message = text

    def storing(self, text: str, is_new: bool) -> None:
        """What is not saved, as it stands now; '' takes the banner down. A closed one stays closed until
        the reason is another."""
        if is_new or (self._storing and self.error == self._storing):
            self.error = text
            self.message = text or self.message
        self._storing = text

    def saved(self, text: str) -> None:
        self.message, self._saved = text, (text, self.now + self.SECONDS)

    @property
    def saved_text(self) -> str:
        """For the status bar: what was saved just now, or that all is."""
        text, until = self._saved
        return text if self.now < until else "saved"

    def note(self, sentences: Sequence[str]) -> bool:
        """Whether the learner has something to tell that it has not told before, whatever its numbers."""
        now = {re.sub(r"\d+", "", sentence) for sentence in sentences}
        fresh = bool(now - self._shown_warnings)
        self._shown_warnings |= now
        return fresh

    def pass_time(self, dt: float) -> None:
        self.now += dt
        self.toasts = [toast for toast in self.toasts if toast.until > self.now]
