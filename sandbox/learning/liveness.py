"""Whether a silent process still runs, or is stopped or in a deadlock, also on a busy machine."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

LOOK_SECONDS = 0.25


class LivenessProbe:
    """Looks at a process's threads: has one of them run, or waited for a processor, since last time?

    Only Linux says so (/proc, scheduler statistics); elsewhere the answer is always that it may run.
    """

    def __init__(self, pid: int) -> None:
        self._threads = Path(f"/proc/{pid}/task")
        self._last: dict[str, str] = {}
        self._looked = self._ran_at = float("-inf")

    def stalled_seconds(self) -> float:
        """For how long none of its threads has run, as far as is known [s]. Call it often while in doubt."""
        now = monotonic()
        if now - self._looked > 4 * LOOK_SECONDS:  # not looked for a while: begin to watch
            self._last, self._ran_at = {}, now
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            seen = self._read_threads()
            if not seen or seen != self._last or any(state.startswith("R") for state in seen.values()):
                self._last, self._ran_at = seen, now
        return now - self._ran_at

    def _read_threads(self) -> dict[str, str]:
        """For each thread its state (R: it runs, or waits for a processor) and how long it ran so far."""
        try:
            return {path.name: _state(path) for path in self._threads.iterdir()}
        except OSError:
            return {}


def _state(thread: Path) -> str:
    letter = (thread / "stat").read_text().rpartition(")")[2].split()[0]
    return f"{letter} {(thread / 'schedstat').read_text()}"
