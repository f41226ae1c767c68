"""`teachbox store ...`: check, repair, backup and merge. Heavy imports live inside the commands."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sandbox.exchange.state_validation import StateValidator
    from sandbox.store.verify import VerificationReport

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Look after what people said: check, repair, back up and merge stores.",
)
Where = Annotated[
    str, typer.Argument(metavar="DIR|URL", help="A session's folder, a store's file, or a server's URL.")
]


@app.command()
def check(where: Where) -> None:
    """Verify every record, hash and reference, also while the store is in use; status 1 if one is wrong."""
    from sandbox.session.folder import locate
    from sandbox.store.verify import verify_store as verify

    place = locate(where)
    _tell(place.name, verify(place, _looker(where)))


@app.command()
def repair(where: Where) -> None:
    """Make a damaged store usable: what is whole stays in its order, the old store is set aside."""
    from sandbox.session.folder import locate
    from sandbox.store.repair import repair as mend

    place = locate(where)
    done = mend(place, _looker(where))
    for finding in done.lost:
        typer.echo(f"not kept: {finding}")
    if done.old_store is None:
        typer.echo(f"Nothing is wrong with {place.name}: it is as it was ({_count(done.kept)}).")
    else:
        typer.echo(f"{place.name} now holds {_count(done.kept)}; the old one is in {done.old_store}.")


@app.command()
def backup(
    where: Where,
    folder: Annotated[Path, typer.Argument(metavar="NEW_DIR", help="A folder that is not there yet.")],
) -> None:
    """Copy a store, also while it is in use, as it is at one moment; the copy is checked."""
    from sandbox.session.folder import locate
    from sandbox.store.backup import backup as copy

    _tell(f"the backup in {folder}", copy(locate(where), folder))


@app.command()
def merge(
    into: Annotated[str, typer.Argument(metavar="DIR|URL", help="The store that gets the records.")],
    source: Annotated[str, typer.Argument(metavar="FROM", help="The store that they come from.")],
) -> None:
    """Add the records of another store of the same study, in their order; none comes twice."""
    from sandbox.session.folder import locate
    from sandbox.store.backup import merge as add

    place = locate(into)
    done = add(place, locate(source), _looker(into))
    typer.echo(f"{place.name}: {_count(done.added)} added, {done.known} were there already.")


def _looker(where: str) -> StateValidator:
    """What looks at recordings, those of the session's own task (`module:name`) too."""
    from envs.task_catalog import task
    from sandbox.exchange.state_validation import StateValidator
    from sandbox.session.folder import SessionFile

    folder = Path(where)
    with suppress(ValueError):  # no session, or its world can't be made now: its records are still verified
        facts = SessionFile.read(folder) if folder.is_dir() else None
        if facts is not None and ":" in facts.world:
            return StateValidator(task(facts.world, **facts.options))
    return StateValidator()


def _tell(name: str, report: VerificationReport) -> None:
    for finding in report.findings:
        typer.echo(str(finding))
    if report.unreferenced_files:
        typer.echo(f"{len(report.unreferenced_files)} files that no record needs, which is harmless.")
    held = f"{_count(report.records)} and {report.trajectories} trajectories"
    if report.findings:
        typer.echo(f"{name}: {len(report.findings)} things are wrong among {held}.")
        raise typer.Exit(1)
    typer.echo(f"{name}: {held}, all whole.")


def _count(records: int) -> str:
    return "1 record" if records == 1 else f"{records} records"
