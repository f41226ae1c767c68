"""Why an episode on screen is over, in words."""

from __future__ import annotations

import numpy as np

from sandbox.play.live_row import LiveRow


def why_over(live: LiveRow) -> str:
    """A sentence: what ended the episode, or that time is up, or that nothing is left to do."""
    events = live.events
    crash = next((k for k, term in enumerate(events.terms) if term.name == "crash" and events.sums[k]), None)
    if crash is not None:
        return _ended(events.terms[crash].about)
    if live.step_number >= live.task.horizon:
        return "Time is up."
    first = (np.abs(events.newest_terms) > 0.5) & np.isclose(events.sums, events.newest_terms)
    happened = [term.about for term, on in zip(events.terms, first, strict=True) if on]
    if happened and live.task.ends_early and live.is_done_early:
        return _ended(happened[0])
    return "Nothing is left to do here." if live.is_done_early else "It is over."


def _ended(about: str) -> str:
    told = about.partition(":")[0]
    return f"{told[:1].upper()}{told[1:]}: that ended it."
