"""The raters of a session by name, and the groups of raters who want different things."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from agents.snapshot import Snapshot


@dataclass(frozen=True)
class RaterGroup:
    """Raters (ids) who want the same, and the name of the group."""

    rater_ids: tuple[str, ...]
    name: str


class Raters:
    """names: each rater's random id by name, of those who taught on this machine."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = {id: name for name, id in names.items()}

    def name(self, id: str) -> str:
        """A rater's name, or the first characters of the id if only another machine knows the name."""
        return self._names.get(id) or f"rater {id[:4]}"

    def find(self, who: str, known: Collection[str]) -> str:
        """The id of a rater given by name, or by the beginning of an id among `known`; ValueError."""
        by_name = [id for id, name in self._names.items() if name == who]
        fitting = by_name or [id for id in known if id.startswith(who.removeprefix("rater "))]
        if who and len(fitting) == 1:
            return fitting[0]
        told = ", ".join(self.name(id) for id in sorted({*self._names, *known}, key=self.name))
        raise ValueError(f"there is no rater {who!r} in this session: choose one of {told}.")

    def groups(self, snapshot: Snapshot | None) -> Sequence[RaterGroup]:
        """The groups, the one that is followed first; empty while all raters want the same."""
        if snapshot is None or not snapshot.rater_differences:
            return ()
        groups: dict[tuple[tuple[str, float], ...], list[str]] = {}
        for rater, terms in snapshot.rater_differences.items():
            groups.setdefault(tuple(terms.items()), []).append(rater)
        camps = [snapshot.followed_raters, *(tuple(group) for group in groups.values())]
        return tuple(RaterGroup(camp, " and ".join(map(self.name, camp))) for camp in camps)

    def warnings(self, snapshot: Snapshot | None) -> Sequence[str]:
        """The learner's warnings, with names for ids."""
        if snapshot is None:
            return ()
        found = list(snapshot.warnings)
        for id in {*snapshot.raters, *snapshot.followed_raters, *snapshot.rater_differences} - {"", "you"}:
            found = [sentence.replace(id, self.name(id)) for sentence in found]
        return found
