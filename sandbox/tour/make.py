"""Makes the tour: the app on a screen that nobody sees, the guide, the film and the page."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.session.session import Session
    from sandbox.session.session_options import SessionOptions


def make_tour(
    out: Path, *, world: str, seed: int = 0, quick: bool = False, say: Callable[[str], None] = print
) -> Path:
    """Write tour.mp4, pictures and index.html into `out`; returns the page's path.

    Raises ValueError for a world that no synthetic teacher can drive, RuntimeError if the tour is stuck.
    """
    from envs.task_catalog import task_ids

    if world not in task_ids():
        raise ValueError(
            f"The tour's teacher can't drive in {world!r}: choose one of {', '.join(task_ids())}."
        )
    os.environ["SDL_VIDEODRIVER"] = os.environ["SDL_AUDIODRIVER"] = "dummy"
    from sandbox.session.session import Session
    from sandbox.tour.camera import Camera
    from sandbox.tour.guide import QUICK, Guide, TourPlan
    from sandbox.window.app import App

    out.mkdir(parents=True, exist_ok=True)
    folder = out / "sessions" / time.strftime("%Y%m%d-%H%M%S")

    def fresh(_: Path | None, options: SessionOptions) -> Session:
        return Session.open_with(folder, replace(options, rater="guide"))

    size = (800, 560) if quick else (1280, 720)
    app = App(None, size=size, fixed_dt=True, open_session=fresh, sessions_root=out / "sessions", seed=seed)
    camera = Camera(app, out)
    guide = Guide(app, camera, QUICK if quick else TourPlan(), world, seed)
    started = time.monotonic()
    try:
        for chapter in guide.chapters():
            say(f"{time.monotonic() - started:5.0f} s  {chapter}")
        return camera.finish()
    finally:
        camera.film.close()
        app.close()
