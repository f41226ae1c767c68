"""JSON of others, each value asked for by its kind and bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agents.io.safe_files import UnsafeFile, shorten

MAX_WIDTH, MAX_DEPTH = 2**20, 16
"""Numbers in a layer, and layers."""


class JsonFields:
    """A JSON object of others. Every method raises UnsafeFile, a sentence, for what it is not."""

    def __init__(self, facts: Mapping[str, Any], name: str) -> None:
        self.values, self.name = facts, name

    def nested(self, key: str) -> JsonFields:
        found = self.values.get(key)
        if not isinstance(found, dict):
            raise self.error(key)
        return JsonFields(found, f"{self.name} ({key})")

    def error(self, key: str) -> UnsafeFile:
        return UnsafeFile(f"{self.name} has {shorten(key)} {shorten(self.values.get(key))}, which can't be.")

    def count(self, key: str, maximum: int) -> int:
        found = self.values.get(key)
        if type(found) is not int or not 0 <= found <= maximum:
            raise self.error(key)
        return found

    def number(self, key: str) -> float:
        found = self.values.get(key)
        if type(found) not in (int, float) or not abs(found) < 1e12:  # type: ignore[arg-type]
            raise self.error(key)
        return float(found)  # type: ignore[arg-type]

    def flag(self, key: str) -> bool:
        found = self.values.get(key)
        if not isinstance(found, bool):
            raise self.error(key)
        return found

    def text(self, key: str, among: Sequence[str] = ()) -> Any:
        found = self.values.get(key)
        if not isinstance(found, str) or len(found) > 400 or (among and found not in among):
            raise self.error(key)
        return found

    def sizes(self, key: str) -> list[int]:
        found = self.values.get(key)
        fits = isinstance(found, list) and len(found) <= MAX_DEPTH and len(found) != 1
        if not fits or not all(type(n) is int and 0 < n <= MAX_WIDTH for n in found or []):
            raise self.error(key)
        return list(found or [])
