"""Driving keys that are down: a latch that loses no tap."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.play.intents import Intent, Pointer, Press


class Latch:
    """Held keys and taps. A tap waits for the next environment step, however short it was.

    stepwise: where each press is one step. A key then repeats only after it has been down for HOLD
    seconds. Otherwise a key acts from the moment it goes down for as long as it is held.
    """

    HOLD = 0.28  # [s] an ordinary tap lasts 60 to 120 ms, a slow one 250, and two frames may pass

    def __init__(self, names: Iterable[str], *, stepwise: bool) -> None:
        self._names = frozenset(names)
        self._stepwise = stepwise
        self._held: dict[str, float] = {}  # the newest last, with the seconds it has been down
        self._taps: deque[str] = deque(maxlen=256)

    def feed(self, intent: Intent) -> bool:
        """Take a key in; True if it is one of ours."""
        if isinstance(intent, Pointer) or intent.key not in self._names:
            return False
        if isinstance(intent, Press):
            if not intent.repeat:
                self._taps.append(intent.key)
                self._held.pop(intent.key, None)
                self._held[intent.key] = -intent.catch_up_seconds
        else:
            self._held.pop(intent.key, None)
        return True

    def advance(self, dt: float) -> None:
        """Let `dt` seconds pass for the keys that are down."""
        self._held = {key: seconds + dt for key, seconds in self._held.items()}

    def clear(self) -> None:
        self._held.clear()
        self._taps.clear()

    @property
    def held(self) -> tuple[str, ...]:
        """Keys that are down, the newest last."""
        return tuple(self._held)

    @property
    def waiting_taps(self) -> int:
        """How many taps wait for a step."""
        return len(self._taps)

    @property
    def has_action(self) -> bool:
        """Whether the next `next_action` would name a key."""
        return bool(self._taps or self._acting())

    def _acting(self) -> list[str]:
        """The held keys that drive now. Stepwise, an older key rests while a newer one is down."""
        if not self._stepwise:
            return list(self._held)
        newest = next(reversed(self._held), "")
        return [newest] if newest and self._held[newest] >= self.HOLD else []

    def next_action(self, actions: Mapping[str, Any]) -> str:
        """The entry of `actions` for the next step: a waiting tap first, then what is held.

        'up+left' in `actions` stands for both at once; without it the newer key wins. '' is no key.
        """
        tap = self._taps.popleft() if self._taps else None
        order = [key for key in self._acting() if key != tap] + ([tap] if tap else [])
        down = set(order)
        both = [
            k for k in actions if "+" in k and set(k.split("+")) <= down and (not tap or tap in k.split("+"))
        ]
        if both:
            return max(both, key=lambda k: k.count("+"))
        return next((key for key in reversed(order) if key in actions), "")


def driving_keys(actions: Mapping[str, Any]) -> frozenset[str]:
    """The single keys that a task's key map listens to."""
    return frozenset(part for name in actions for part in name.split("+") if part)
