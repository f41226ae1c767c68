"""`teachbox bench abroad`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def abroad(
    world: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="This world alone (may be repeated).")
    ] = None,
    learner: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="This learner alone (may be repeated).")
    ] = None,
    teacher: Annotated[str, typer.Option(metavar="NAME", help="Who teaches.")] = "rational",
    budgets: Annotated[
        str | None, typer.Option(metavar="MIX/MIX", help="How much is said, in place of the usual.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How often each way of teaching is tried.")] = 5,
    processes: Annotated[int, typer.Option(min=1, help="Runs at once, each on one core.")] = 2,
    work: Annotated[Path, typer.Option(metavar="DIR", help="Where finished runs are kept.")] = Path(
        "runs/abroad"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="As one line of JSON.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="A short run that only tries the machinery.")
    ] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Keep the figures there, as JSON.")] = None,
) -> None:
    """Scores of learners in worlds of somebody else's, where nothing is named."""
    from dataclasses import asdict

    from sandbox.bench.abroad.abroad_bench import LEARNERS, chosen, conditions, left_out, run
    from sandbox.bench.learning.experiment_sets import quickly
    from sandbox.bench.machine import machine
    from sandbox.bench.report.show import show
    from sandbox.progress import progress_bar

    worlds = chosen(world or (["FrozenLake-v1"] if quick else []))
    found = conditions(worlds, learner or list(LEARNERS), teacher, budgets)
    if quick:
        found = [quickly(one) for one in found[:1]]
    with progress_bar() as tell:
        told, lines, faults = run(
            worlds, found, seeds=1 if quick else seeds, folder=work, processes=processes, tell=tell
        )
    report = {
        "machine": machine(),
        "worlds": [asdict(one) for one in told],
        "lines": [asdict(one) for one in lines],
        "faults": [asdict(one) for one in faults],
        "left_out": left_out() if not world else [],
    }
    show(as_json, "worlds of somebody else's", report, out, "abroad")


def register() -> None:
    """Beside the other benches."""
    from sandbox.commands.bench import app

    app.command()(abroad)
