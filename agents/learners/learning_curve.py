"""The curve of a learner's progress, as the window and studies show it."""

from __future__ import annotations

import time

from agents.snapshot import CurvePoint


class LearningCurve:
    """Points in the order in which they were recorded. Seconds count from when the learner was made."""

    def __init__(self) -> None:
        self._points: list[CurvePoint] = []
        self._start = time.monotonic()

    def record(self, env_steps: int, answers: int, values: dict[str, float]) -> None:
        """Add a point: named values after so many environment steps and answers."""
        self._points.append(CurvePoint(time.monotonic() - self._start, env_steps, answers, values))

    def points(self) -> tuple[CurvePoint, ...]:
        return tuple(self._points)
