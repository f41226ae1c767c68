"""What a part of the trial came to, and how counts of several runs add up."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Count:
    """times: how often it was done. told: records that were shown as saved, of which `lost` are not there.

    wrong: records there by halves, or twice, or a store that can't be opened. The control says "saved" too
    early, or syncs too little: it has to lose, or the trial shows nothing.
    """

    times: int = 0
    told: int = 0
    lost: int = 0
    wrong: int = 0
    control_times: int = 0
    control_lost: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Count)))

    def line(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)
