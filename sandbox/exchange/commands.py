"""`teachbox export` and `teachbox import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

FormatOption = Annotated[
    str | None, typer.Option("--format", metavar="F", help="bundle, ...; see docs/exchange.md.")
]


def export(
    session: Annotated[Path, typer.Argument(metavar="SESSION", help="The session's folder.")],
    out: Annotated[Path, typer.Option(metavar="PATH", help="What is written; it must not exist yet.")],
    format: Annotated[
        str, typer.Option("--format", metavar="F", help="The format; docs/exchange.md tells of them.")
    ] = "bundle",
) -> None:
    """Write what a session holds in a format that others read."""
    from sandbox.bench.progress import telling
    from sandbox.exchange.formats import writer

    write = writer(format)
    with telling() as tell:
        told = write(session, out, tell)
    typer.echo(told)


def import_(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The file or folder to read.")],
    session: Annotated[
        Path, typer.Option(metavar="DIR", help="The session's folder: made if new, carried on if not.")
    ],
    format: FormatOption = None,
    world: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The world of a new session, if the file does not say it."),
    ] = None,
    rater: Annotated[str, typer.Option(metavar="NAME", help="Whose session it is, if it is new.")] = "me",
) -> None:
    """Read feedback or an agent of others into a session, after looking at every part of it."""
    from sandbox.bench.progress import telling
    from sandbox.exchange.formats import Target, reader

    read = reader(format, path)
    with telling() as tell:
        told = read(path, Target(session, rater, world), tell)
    typer.echo(told)


def register(cli: typer.Typer) -> None:
    """Add both to the program's commands."""
    cli.command("export")(export)
    cli.command("import")(import_)
