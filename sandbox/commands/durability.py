"""`teachbox bench trust`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sandbox.bench.measured_names import TrialPart


def trust(
    part: Annotated[
        list[TrialPart] | None, typer.Option("--part", help="This part alone (may be repeated).")
    ] = None,
    times: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="How often in all; else as often as is told of.")
    ] = None,
    work: Annotated[
        Path, typer.Option(metavar="DIR", help="Where finished runs are kept, to go on from.")
    ] = Path("runs/trust"),
    as_json: Annotated[bool, typer.Option("--json", help="As one line of JSON.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="A short run that only tries the machinery.")
    ] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Keep the figures there, as JSON.")] = None,
) -> None:
    """Kill, crash and starve the store, the learner, the window and the importers; goes on where it was."""
    import tempfile

    from sandbox.bench.durability.run import PARTS, go_on, report
    from sandbox.bench.machine import machine
    from sandbox.bench.report.show import show
    from sandbox.progress import progress_bar, sub_progress

    few = [TrialPart.KILL, TrialPart.POWER, TrialPart.RATERS]
    wanted = part or (few if quick else list(TrialPart))
    with progress_bar() as tell, tempfile.TemporaryDirectory() as passing:
        folder = Path(passing) if quick else work
        for number, name in enumerate(wanted):
            share = sub_progress(tell, number / len(wanted), (number + 1) / len(wanted), name)
            go_on(name, 1 if quick else times or PARTS[name].times, folder, share)
        tables = report(folder)
    show(as_json, "kills, cuts and crashes", {"machine": machine(), **tables}, out, "trust")


def register() -> None:
    """Add it to `teachbox bench`."""
    from sandbox.commands.bench import app as bench

    bench.command("trust")(trust)
