"""`--layout FILE`: a drawn flat or road as the options that a session or a run is made with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

DRAWABLE = ("teachbox/Rooms", "teachbox/Lanes")


def layout_options(layout: Path | None, world: str | None, session: Path | None = None) -> dict[str, Any]:
    """The options {"layout": the drawing itself}, so that the file may change or go; {} for None.

    Raises ValueError with a sentence: another world's, a drawing that is no flat or road (with line and
    column), or a session that has another.
    """
    if layout is None:
        return {}
    from envs.task_catalog import task
    from sandbox.session.folder import SessionFile
    from sandbox.session.opening import DEFAULT_WORLD

    facts = SessionFile.read(session) if session is not None else None
    world = world or (facts.world if facts else DEFAULT_WORLD)
    if not world.startswith(DRAWABLE):
        goes = " and ".join(f"{name}..." for name in DRAWABLE)
        raise ValueError(f"{world} can't be drawn: --layout goes with {goes}")
    drawing = task(world, layout=str(layout)).options["layout"]
    if facts is not None and facts.options.get("layout") != drawing:
        raise ValueError(f"the session {session} has another layout: choose a new folder for {layout}.")
    return {"layout": drawing}
