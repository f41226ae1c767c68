"""`teachbox import-log`: somebody's driving on a real road, as demonstrations in a session."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from envs.lanes.logs import LogDemonstrations
    from sandbox.session.session import Session

MOST_LINES = 20  # of what could not be matched
PATIENCE = 60.0  # for the disk [s]


def import_log(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A CSV file: t, id, x, speed, and lane or y; maybe ego, length."),
    ],
    session: Annotated[
        Path, typer.Option(metavar="DIR", help="The session's folder: made if new, carried on if not.")
    ],
    ego: Annotated[
        str | None, typer.Option(metavar="ID", help="Who drives, if no column 'ego' says so.")
    ] = None,
    first_lane: Annotated[int, typer.Option(metavar="N", help="What the file calls the leftmost lane.")] = 0,
    rater: Annotated[str, typer.Option(metavar="NAME", help="Whose driving it is.")] = "me",
) -> None:
    """Make demonstrations in Lanes from a log of positions and speeds; say what could not be matched."""
    from envs.lanes.log_file import read_log
    from envs.lanes.logs import WORLD, demonstrations
    from envs.task_catalog import task
    from sandbox.session.folder import SessionFile
    from sandbox.session.session import Session

    tracks = read_log(file, first_lane)
    facts = SessionFile.read(session)
    if facts is not None and facts.world != WORLD:
        raise ValueError(f"the session {session} is in {facts.world}, not {WORLD}: choose another folder.")
    found = demonstrations(task(WORLD, **(facts.options if facts else {})), tracks, ego, file.name)
    with Session.open(session, world=WORLD, rater=rater, start_learner=False) as opened:
        saved = _keep(opened, found)
    tell(found, saved, session)


def _keep(session: Session, found: LogDemonstrations) -> int:
    """Keep the demonstrations; how many are on the disk."""
    from sandbox.session.events import Saved

    for trajectory in found.trajectories:
        session.add_demonstration(trajectory)
    until, saved = time.monotonic() + PATIENCE, 0
    while session.unsaved and time.monotonic() < until:
        saved += sum(isinstance(event, Saved) for event in session.poll())
        time.sleep(0.01)
    if session.unsaved:
        raise RuntimeError(
            f"{session.unsaved} demonstrations are not saved yet: free some space and try again."
        )
    return saved + sum(isinstance(event, Saved) for event in session.poll())


def tell(found: LogDemonstrations, saved: int, folder: Path) -> None:
    """What was matched and what was not, for the person."""
    share = found.matched / max(1, found.steps)
    matched = f"{found.matched} of {found.steps} steps matched ({share:.0%})"
    typer.echo(f"{saved} demonstrations saved in {folder}: {matched}.")
    for one in found.unmatched[:MOST_LINES]:
        typer.echo(f"Not matched: {one}")
    if len(found.unmatched) > MOST_LINES:
        typer.echo(f"... and {len(found.unmatched) - MOST_LINES} more.")
