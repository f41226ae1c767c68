"""`teachbox` without a command: opens the window."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from sandbox.commands.options import CommandError, LayoutOption, WorldOption
from sandbox.commands.tour import tour


def no_display() -> str | None:
    """A sentence when there is surely no screen to open a window on, else None."""
    if sys.platform != "linux" or os.environ.get("SDL_VIDEODRIVER"):
        return None
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return None
    return "There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set)"


def window(
    context: typer.Context,
    world: WorldOption = None,
    session: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The session's folder: made if new, carried on if not.")
    ] = None,
    learner: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Who learns: the session's, or joint; see `teachbox info`; or MODULE:NAME."
        ),
    ] = None,
    rater: Annotated[str, typer.Option(metavar="NAME", help="Your name, kept with what you say.")] = "me",
    follow: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Whose reward is learned where raters part; '' for the most."),
    ] = None,
    store_url: Annotated[
        str | None,
        typer.Option("--store", metavar="URL", help="A study's PostgreSQL database, for several people."),
    ] = None,
    state_file: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Write the window's state there as JSON."),
    ] = None,
    layout: LayoutOption = None,
    or_tour: Annotated[Path | None, typer.Option(metavar="DIR", hidden=True)] = None,
    quick: Annotated[bool, typer.Option("--quick", hidden=True)] = False,
) -> None:
    """Open the window (the menu, or with --world or --session that world at once)."""
    if context.invoked_subcommand is not None:
        return
    reason = no_display()
    if reason and or_tour:
        typer.echo(f"{reason}: the guided tour is made in {or_tour} instead of opening the window.", err=True)
        tour(out=or_tour)
        return
    if reason:
        raise CommandError(
            f"{reason}: start it on a desktop, or make the film with `teachbox tour --out DIR`."
        )
    frames = 30 if quick else None
    open_window(world, session, learner, rater, state_file, layout, frames, store_url, follow)


def open_window(
    world: str | None,
    folder: Path | None,
    learner: str | None,
    rater: str,
    state_file: Path | None,
    layout: Path | None = None,
    frames: int | None = None,
    store_url: str | None = None,
    follow: str | None = None,
) -> None:
    """Run the app until its window is closed, or for some frames."""
    from envs import kernels

    kernels.use_plain()  # the first picture comes sooner so; the compiled ones are fetched behind it

    from sandbox.commands.layout_option import layout_options
    from sandbox.window.app import App

    app = session = None
    try:
        if world or folder or learner or layout or store_url or follow:
            from sandbox.session.placeholder import session_placeholder
            from sandbox.session.session_options import SessionOptions

            options = SessionOptions(
                world, learner, rater, options=layout_options(layout, world, folder), store=store_url
            )
            first = session_placeholder(folder, options)
            if first is not None:
                app = App(first, state_file=state_file)
                app.show()
            from sandbox.session.session import Session

            session = Session.open_with(folder, options)
        if app is None:
            app = App(session, state_file=state_file)
        app.session = session
        if follow is not None and session is not None:
            session.follow(follow)
        while app.tick() and (frames is None or app.frame < frames):
            pass
    finally:
        if app is not None:
            app.close()
        elif session is not None:
            session.close()
