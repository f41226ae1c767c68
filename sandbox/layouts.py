"""`--layout FILE`: a drawn flat as the options that a session or a run is made with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROOMS = "teachbox/Rooms"


def layout_options(layout: Path | None, world: str | None, session: Path | None = None) -> dict[str, Any]:
    """The options {"layout": the drawing itself}, so that the file may change or go; {} for None.

    Raises ValueError with a sentence: another world's, a drawing that is no flat (with line and
    column), or a session that has another flat.
    """
    if layout is None:
        return {}
    from envs.catalog import task
    from sandbox.opening import DEFAULT_WORLD
    from sandbox.session_file import SessionFile

    facts = SessionFile.read(session) if session is not None else None
    world = world or (facts.world if facts else DEFAULT_WORLD)
    if not world.startswith(ROOMS):
        raise ValueError(f"{world} has no flat to draw: --layout goes with {ROOMS}Tidy-v0 and its like.")
    drawing = task(world, layout=str(layout)).options["layout"]
    if facts is not None and facts.options.get("layout") != drawing:
        raise ValueError(f"the session {session} has another flat: choose a new folder for {layout}.")
    return {"layout": drawing}
