"""The messages between the learner process and its parent: plain data, and snapshots as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agents.snapshot import CurvePoint

Activity = Literal["starting", "learning", "waiting", "paused"]


@dataclass(frozen=True)
class Heartbeat:
    """A sign of life, twice a second and at each change. iteration_seconds: since the loop last came
    round."""

    activity: Activity
    text: str
    iteration_seconds: float = 0.0


@dataclass(frozen=True)
class CurveUpdate:
    """New points of the curves: keep the first `kept_count` that you have, and append these."""

    kept_count: int
    points: tuple[CurvePoint, ...]

    def followed_by(self, later: CurveUpdate) -> CurveUpdate:
        """Both changes as one."""
        if later.kept_count < self.kept_count:
            return later
        return CurveUpdate(self.kept_count, self.points[: later.kept_count - self.kept_count] + later.points)


@dataclass(frozen=True)
class Failure:
    """The loop ended with an error; `text` is for the screen, the log has the rest."""

    text: str


@dataclass(frozen=True)
class LearnerWarning:
    """Something that the person should know, although learning goes on."""

    text: str


@dataclass(frozen=True)
class Command:
    """What the parent wants. `value`: the learner's name, the number of clips, or the id of a question or
    rater."""

    verb: Literal["nudge", "pause", "resume", "afresh", "learner", "clips", "asked", "follow", "stop"]
    value: str | int = ""


def continue_curve(old: list[CurvePoint], new: tuple[CurvePoint, ...]) -> CurveUpdate:
    """How `old` becomes the curve that the learner shows now.

    The learner may give all of its points or only the newest. After a restart from a checkpoint it
    repeats a stretch: the repeated stretch replaces the old one.
    """
    if not new:
        return CurveUpdate(len(old), ())
    start = next((i for i, point in enumerate(old) if point.env_steps >= new[0].env_steps), len(old))
    same = 0
    for mine, its in zip(old[start:], new, strict=False):
        if mine is not its and mine != its:
            break
        same += 1
    return CurveUpdate(start + same, new[same:])
