"""`teachbox replay`: a session's feedback once more, without a window."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer


def command(
    session: Annotated[Path, typer.Argument(metavar="DIR", help="The session's folder.")],
    learner: Annotated[
        str | None, typer.Option(metavar="NAME", help="What would another learner have become?")
    ] = None,
    reverse: Annotated[
        list[int] | None,
        typer.Option(metavar="N", help="Take comparison number N the other way round: a control."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one line of JSON.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Few steps, to try the machinery.")] = False,
) -> None:
    """Learn again, without a window, from what was said in a session: the same learner, bit for bit."""
    from sandbox.progress import progress_bar
    from sandbox.studies.session_replay import QUICK_STEPS, replay

    with progress_bar() as tell:
        done = replay(
            session,
            learner=learner,
            reverse=reverse or (),
            most_steps=QUICK_STEPS if quick else None,
            tell=tell,
        )
    if as_json:
        typer.echo(json.dumps(asdict(done)))
        return
    typer.echo(
        f"{done.learner} after {done.records} records, {done.steps} steps and {done.env_steps:,} in the world"
    )
    typer.echo(f"digest {done.digest}")
