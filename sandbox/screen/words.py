"""Counts, times and folders as people say them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from agents.feedback.feedback_kind import FEEDBACK_KINDS


def spoken(name: str) -> str:
    """A folder's name; one that is made of the time, as people write it."""
    try:
        return datetime.strptime(name[:17], "%Y-%m-%d-%H%M%S").strftime("%d %b %Y, %H:%M")
    except ValueError:
        return name


def counted(counts: Mapping[str, int]) -> str:
    """'2 drives, 14 rankings'."""
    parts = [
        kind.counted_on_screen(counts[name]) for name, kind in FEEDBACK_KINDS.items() if counts.get(name)
    ]
    return ", ".join(parts) or "nothing taught yet"


def ago(moment: datetime) -> str:
    """When, as people say it."""
    minutes = int((datetime.now(UTC) - moment).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    if minutes < 24 * 60:
        return f"{minutes // 60} h ago"
    return moment.astimezone().strftime("%d %b %Y")
