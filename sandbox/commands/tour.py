"""`teachbox tour`: the guided tour as a film and a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sandbox.commands.options import WORLD


def tour(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the film and the pictures go.")] = Path(
        "artifacts/tour"
    ),
    world: Annotated[
        str, typer.Option("--world", metavar="ID", help="A world of ours, which the teacher can drive.")
    ] = WORLD,
    seed: Annotated[int, typer.Option(help="Which flats, and which teacher's choices.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="A short one, to try the machinery.")] = False,
) -> None:
    """Play the guided tour with a synthetic teacher; write a film and a page of pictures."""
    from sandbox.tour.make import make_tour

    page = make_tour(out, world=world, seed=seed, quick=quick, say=typer.echo)
    typer.echo(f"The tour is in {page}.")
