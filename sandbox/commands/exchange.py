"""`teachbox export` and `teachbox import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sandbox.exchange.format_names import ReadFormat, WrittenFormat

FormatOption = Annotated[
    ReadFormat | None, typer.Option("--format", help="Else what it looks like; see docs/exchange.md.")
]

Quick = Annotated[bool, typer.Option("--quick", help="Make what is missing first, to try the command.")]


def export(
    session: Annotated[Path, typer.Argument(metavar="SESSION", help="The session's folder.")],
    out: Annotated[Path, typer.Option(metavar="PATH", help="What is written; it must not exist yet.")],
    format: Annotated[
        WrittenFormat, typer.Option("--format", help="The format; docs/exchange.md tells of them.")
    ] = "bundle",
    quick: Quick = False,
) -> None:
    """Write what a session holds in a format that others read."""
    from sandbox.exchange.formats import writer
    from sandbox.progress import progress_bar

    write = writer(format)
    if quick and not session.exists():
        from sandbox.exchange.sample import make_session

        make_session(session)
    with progress_bar() as tell:
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
    quick: Quick = False,
) -> None:
    """Read feedback or an agent of others into a session, after looking at every part of it."""
    from sandbox.exchange.formats import ImportTarget, reader
    from sandbox.progress import progress_bar

    if quick and not path.exists():
        from sandbox.exchange.sample import make_file

        make_file(path, session, format)
    read = reader(format, path)
    with progress_bar() as tell:
        told = read(path, ImportTarget(session, rater, world), tell)
    typer.echo(told)


def fuzz(
    count: Annotated[int, typer.Option(metavar="N", min=1, help="How many damaged files.")] = 20_000,
    seed: Annotated[int, typer.Option(metavar="S", help="Which ones.")] = 0,
    only: Annotated[str, typer.Option(metavar="NAME", help="The importers whose name begins so.")] = "",
    apart: Annotated[
        float,
        typer.Option(metavar="SHARE", min=0.0, max=1.0, help="How many of them HDF5, Arrow or Parquet."),
    ] = 0.04,
    as_json: Annotated[bool, typer.Option("--json", help="As one line of JSON.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="A short run that only tries the machinery.")
    ] = False,
) -> None:
    """Damage files at random and import them: each has to be refused in a sentence, or be right."""
    from sandbox.bench.durability.fuzz import fuzz as run
    from sandbox.bench.machine import machine
    from sandbox.bench.report.show import show
    from sandbox.progress import progress_bar

    with progress_bar() as tell:
        report = run(200 if quick else count, seed, only, apart, tell)
    lines = [
        {"importer": name, "files": tried, "accepted": report.accepted[name]}
        for name, tried in report.tried.items()
    ]
    show(as_json, "damaged files", {"machine": machine(), "importers": lines})
    for failure in report.failures[:20]:
        typer.echo(failure, err=True)
    if report.failures:
        raise ValueError(f"{len(report.failures)} of {sum(report.tried.values())} files were not handled.")


def register(cli: typer.Typer) -> None:
    """Add both to the program's commands, and the fuzzer to `bench`."""
    from sandbox.commands.bench import app as bench

    cli.command("export")(export)
    cli.command("import")(import_)
    bench.command("fuzz")(fuzz)
