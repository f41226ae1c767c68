"""JSON of others, each value asked for by its kind and bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agents.io.safe_files import UnsafeFile, short

MOST_WIDE, MOST_DEEP = 2**20, 16
"""Numbers in a layer, and layers."""


class JsonFields:
    """A JSON object of others. Every method raises UnsafeFile, a sentence, for what it is not."""

    def __init__(self, facts: Mapping[str, Any], name: str) -> None:
        self.facts, self.name = facts, name

    def part(self, key: str) -> JsonFields:
        found = self.facts.get(key)
        if not isinstance(found, dict):
            raise self.wrong(key)
        return JsonFields(found, f"{self.name} ({key})")

    def wrong(self, key: str) -> UnsafeFile:
        return UnsafeFile(f"{self.name} has {short(key)} {short(self.facts.get(key))}, which can't be.")

    def count(self, key: str, most: int) -> int:
        found = self.facts.get(key)
        if type(found) is not int or not 0 <= found <= most:
            raise self.wrong(key)
        return found

    def number(self, key: str) -> float:
        found = self.facts.get(key)
        if type(found) not in (int, float) or not abs(found) < 1e12:  # type: ignore[arg-type]
            raise self.wrong(key)
        return float(found)  # type: ignore[arg-type]

    def flag(self, key: str) -> bool:
        found = self.facts.get(key)
        if not isinstance(found, bool):
            raise self.wrong(key)
        return found

    def text(self, key: str, among: Sequence[str] = ()) -> Any:
        found = self.facts.get(key)
        if not isinstance(found, str) or len(found) > 400 or (among and found not in among):
            raise self.wrong(key)
        return found

    def sizes(self, key: str) -> list[int]:
        found = self.facts.get(key)
        fits = isinstance(found, list) and len(found) <= MOST_DEEP and len(found) != 1
        if not fits or not all(type(n) is int and 0 < n <= MOST_WIDE for n in found or []):
            raise self.wrong(key)
        return list(found or [])
