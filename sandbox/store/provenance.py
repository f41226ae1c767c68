"""Where a record comes from: kept beside it, never changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime


def utc_now() -> str:
    """UTC as ISO 8601 with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True)
class Provenance:
    """rater: a random id; side_order: for each place on screen, the index of the clip as it was asked;
    policy: the snapshot that asked, "learner:step", or that acted, as a trajectory's driver names it."""

    rater: str
    program: str
    reaction_seconds: float | None = None  # monotonic, from shown to answered
    question: str | None = None
    side_order: tuple[int, ...] | None = None
    policy: str | None = None
    said_at: str = field(default_factory=utc_now)
