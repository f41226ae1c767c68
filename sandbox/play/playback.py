"""Time on screen, without a screen: recorded steps played in step, and the clock of a live world.

Positions are counted in steps of the world, as floats: 3.25 is a quarter of the way from moment 3 to
moment 4. Nothing here knows pygame, so it is tested and driven by plain numbers of seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from envs.trajectory import Trajectory
from envs.world import Array

SPEEDS: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0)
"""The speeds that the keys step through; 1 is as fast as a person drives the world."""


class Moment(NamedTuple):
    """Between two recorded moments: `blend` 0 is `before`, 1 is `after` (indices into the states)."""

    before: int
    after: int
    blend: float


class SpeedControl:
    """How fast time runs: a speed out of SPEEDS, and whether it runs at all."""

    def __init__(self, rate: float, speed: float = 1.0) -> None:
        """`rate` [steps/s] is the world's own."""
        if rate <= 0:
            raise ValueError(f"a rate of {rate} steps/s can't be played; it must be over 0")
        self.rate, self.speed, self.playing = float(rate), speed, True

    def toggle(self) -> None:
        self.playing = not self.playing

    def faster(self) -> float:
        """The next higher speed, or the highest."""
        self.speed = min((s for s in SPEEDS if s > self.speed), default=SPEEDS[-1])
        return self.speed

    def slower(self) -> float:
        """The next lower speed, or the lowest."""
        self.speed = max((s for s in SPEEDS if s < self.speed), default=SPEEDS[0])
        return self.speed

    def steps_in(self, dt: float) -> float:
        """How many steps `dt` seconds of wall time are worth now."""
        return dt * self.rate * self.speed if self.playing else 0.0


class Playback(SpeedControl):
    """Several recordings on one clock. A shorter one waits on its last moment for the longest."""

    def __init__(
        self,
        lengths: Sequence[int],
        rate: float,
        *,
        speed: float = 1.0,
        loop: bool = True,
        end_pause: float = 0.7,
    ) -> None:
        """lengths: each recording's steps. end_pause: how long the end is shown before it starts over [s]."""
        if not lengths:
            raise ValueError("a playback needs at least one recording; got none")
        super().__init__(rate, speed)
        self.lengths = tuple(int(n) for n in lengths)
        self.loop, self.end_pause = loop, end_pause
        self.position = 0.0
        self.laps = 0
        self._rested = 0.0

    @classmethod
    def of(cls, clips: Sequence[Trajectory], rate: float, *, speed: float = 1.0) -> Playback:
        return cls([len(clip) for clip in clips], rate, speed=speed)

    @property
    def length(self) -> int:
        """Steps of the longest recording."""
        return max(self.lengths)

    @property
    def at_end(self) -> bool:
        return self.position >= self.length

    @property
    def seconds(self) -> float:
        """Where it is, in the world's own seconds."""
        return self.position / self.rate

    @property
    def fraction(self) -> float:
        """Where it is, 0 at the start and 1 at the end of the longest."""
        return self.position / self.length if self.length else 1.0

    def advance(self, dt: float) -> None:
        """Let `dt` seconds pass: play, rest at the end, start over."""
        steps = self.steps_in(dt)
        if not steps:
            return
        if not self.at_end:
            self.position = min(self.position + steps, float(self.length))
            return
        self._rested += dt
        if self.loop and self._rested >= self.end_pause:
            self.position, self._rested = 0.0, 0.0
            self.laps += 1

    def toggle(self) -> None:
        """Play or pause; playing from the end without a loop starts over."""
        super().toggle()
        if self.playing and self.at_end and not self.loop:
            self.seek(0.0)

    def seek(self, position: float) -> None:
        """Go to a position [steps]; outside it stops at the nearest end."""
        self.position = min(max(float(position), 0.0), float(self.length))
        self._rested = 0.0

    def seek_fraction(self, fraction: float) -> None:
        self.seek(fraction * self.length)

    def scrub(self, steps: float) -> None:
        """Pause and move by whole steps, landing on recorded moments."""
        self.playing = False
        base = round(self.position) if abs(self.position - round(self.position)) < 1e-9 else None
        if base is None:  # between two moments: the first push lands on the one it points to
            base = int(self.position) if steps < 0 else int(self.position) + 1
            steps += 1 if steps < 0 else -1
        self.seek(base + steps)

    def moment(self, index: int) -> Moment:
        """What recording `index` shows now."""
        return moment_at(self.position, self.lengths[index])


def moment_at(position: float, length: int) -> Moment:
    """The two moments around a position in a recording of `length` steps."""
    position = min(max(position, 0.0), float(length))
    before = min(int(position), max(length - 1, 0))
    return Moment(before, min(before + 1, length), position - before)


class LiveClock(SpeedControl):
    """Turns frames into steps of a world that is being played now, at a rate of its own.

    `advance` says how many steps are due; `blend` is how far the picture is between the last two.
    At most `most` steps are made up for after a stall, so that a slow frame is no fast-forward.
    """

    def __init__(self, rate: float, *, speed: float = 1.0, most: int = 4) -> None:
        super().__init__(rate, speed)
        self._debt, self._most = 0.0, most

    @property
    def blend(self) -> float:
        return min(self._debt, 1.0)

    def advance(self, dt: float) -> int:
        """Let `dt` seconds pass; the number of whole steps now due."""
        self._debt = min(self._debt + self.steps_in(dt), self._most + 0.999)
        due = int(self._debt + 1e-9)
        self._debt = max(self._debt - due, 0.0)
        return due

    def restart(self) -> None:
        self._debt = 0.0


def term_events(terms: Array, names: Sequence[str], threshold: float = 0.5) -> list[tuple[int, str]]:
    """The named events of a recording, as (step, term name), in the order in which they happened.

    A term counts as an event at the steps where its size passes `threshold` after not having done
    so at the step before; terms that are on at more than half of the steps are no events.
    """
    found: list[tuple[int, str]] = []
    for column, name in enumerate(names):
        on = abs(terms[:, column]) > threshold
        if len(on) and on.mean() <= 0.5:
            found += [(step, name) for step in range(len(on)) if on[step] and not (step and on[step - 1])]
    return sorted(found)
