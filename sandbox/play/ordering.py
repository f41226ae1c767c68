"""An order under construction: clips put down best first, some of them as good as the one before."""

from __future__ import annotations


class Ordering:
    """Which of `count` clips stand in which place so far. Places are groups: ties share one."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.groups: list[list[int]] = []
        self.tying = False
        """Whether the next clip ties with the one before."""

    @property
    def placed_clips(self) -> list[int]:
        """Clips put down so far, in order."""
        return [clip for group in self.groups for clip in group]

    @property
    def unplaced_clips(self) -> list[int]:
        """Clips not put down yet."""
        placed = self.placed_clips
        return [clip for clip in range(self.count) if clip not in placed]

    @property
    def complete(self) -> bool:
        """Whether it says all: a single clip left is in the last place."""
        return bool(self.groups) and len(self.unplaced_clips) <= 1

    def place_next(self, clip: int) -> None:
        """Put a clip in the next place (or beside the one before it, after `tie`); again: take it up."""
        if clip in self.placed_clips:
            self.groups = [kept for group in self.groups if (kept := [c for c in group if c != clip])]
            self.tying = False
        elif self.tying and self.groups:
            self.groups[-1].append(clip)
            self.tying = False
        else:
            self.groups.append([clip])

    def tie(self) -> bool:
        """The next clip is as good as the one before; with none left, the last two places become one.

        False where there is nothing to tie with yet.
        """
        if not self.groups:
            return False
        if self.unplaced_clips:
            self.tying = not self.tying
        elif len(self.groups) > 1:
            self.groups[-2:] = [self.groups[-2] + self.groups[-1]]
        return True

    def clear(self) -> None:
        self.groups, self.tying = [], False

    def place(self, clip: int) -> int | None:
        """A clip's place so far, 0 the best; None while it has none."""
        return next((rank for rank, group in enumerate(self.groups) if clip in group), None)

    def ranks(self) -> tuple[int, ...]:
        """Each clip's place, ties equal. ValueError while it is not complete."""
        if not self.complete:
            raise ValueError(f"clips {[c + 1 for c in self.unplaced_clips]} have no place yet")
        rest = len(self.groups) - 1 if self.tying else len(self.groups)
        places = [self.place(clip) for clip in range(self.count)]
        return tuple(rest if place is None else place for place in places)


def ordinal(place: int) -> str:
    """0 -> 1st, 1 -> 2nd."""
    return ("1st", "2nd", "3rd", "4th")[place]
