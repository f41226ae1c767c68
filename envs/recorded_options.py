"""The options of a task as files tell them, with what older versions left unsaid. Imports no world."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

USUAL_OBSERVATION = "wide"
"""What our own worlds are seen by unless something else is asked for."""
_BEFORE = "features"
_CHANGED = ("teachbox/Rooms", "teachbox/Lanes", "teachbox/Rover")
"""How the names of the tasks begin whose usual observation was another before."""


def recorded_options(id: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a file gives for the task `id`; where it names no observation, that of version 0.1.0.

    What was recorded or learned then goes on in the world as it was seen then. Files of now name it.
    """
    if "observation" in options or not id.startswith(_CHANGED):
        return dict(options)
    return {**options, "observation": _BEFORE}


def named_in_full(id: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The same of options that may have been given by somebody: a whole set of them names the split."""
    return recorded_options(id, options) if "split" in options else dict(options)


def recorded_prior(id: str, prior: str) -> str:
    """What learning began at in a session that was made before worlds of others had a written reward.

    What such a session says of a Gymnasium id had no effect then, so it means "none".
    """
    is_gymnasium = re.search(r"-v\d+$", id) is not None and not id.startswith("teachbox/")
    return "none" if is_gymnasium else prior
