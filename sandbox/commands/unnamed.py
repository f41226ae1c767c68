"""`teachbox bench unnamed`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def unnamed(
    wish: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="This wish, or this kind of wish, alone (may be repeated)."),
    ] = None,
    learner: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="This learner alone (may be repeated).")
    ] = None,
    teacher: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="This teacher (may be repeated).")
    ] = None,
    budgets: Annotated[
        str | None, typer.Option(metavar="MIX/MIX", help="How much is said, in place of the usual.")
    ] = None,
    prior: Annotated[str, typer.Option(metavar="none|written", help="What learning begins at.")] = "none",
    seeds: Annotated[int, typer.Option(min=1, help="How often each way of teaching is tried.")] = 3,
    processes: Annotated[int, typer.Option(min=1, help="Runs at once, each on one core.")] = 2,
    work: Annotated[Path, typer.Option(metavar="DIR", help="Where finished runs are kept.")] = Path(
        "runs/unnamed"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="As one line of JSON.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="A short run that only tries the machinery.")
    ] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Keep the figures there, as JSON.")] = None,
) -> None:
    """Scores of learners taught wishes that no named term expresses: of place, pace, order and more."""
    from dataclasses import asdict

    from sandbox.bench.learning.experiment_sets import quickly
    from sandbox.bench.machine import machine
    from sandbox.bench.report.show import show
    from sandbox.bench.unnamed.unnamed_bench import TEACHERS, USUAL, chosen, conditions, overall, run
    from sandbox.progress import progress_bar

    if prior not in ("none", "written"):
        raise ValueError(f"prior {prior!r} is unknown: choose none or written")
    wishes = chosen(wish or (["middle lane"] if quick else []))
    effort = "rough" if quick else "full"
    begins_at: Literal["written", "none"] = "written" if prior == "written" else "none"
    ways = (learner or USUAL, teacher or TEACHERS)
    found = conditions(wishes, *ways, begins_at, budgets, effort)
    if quick:
        found = [quickly(one) for one in found[:1]]
    with progress_bar() as tell:
        told, lines, faults = run(
            wishes,
            found,
            seeds=1 if quick else seeds,
            folder=work,
            processes=processes,
            effort=effort,
            tell=tell,
        )
    report = {
        "machine": machine(),
        "prior": prior,
        "wishes": [asdict(one) for one in told],
        "lines": [asdict(one) for one in lines],
        "overall": [asdict(one) for one in overall(lines)],
        "faults": [asdict(one) for one in faults],
    }
    show(as_json, "wishes without a name", report, out, "unnamed")


def register() -> None:
    """Beside the other benches."""
    from sandbox.commands.bench import app

    app.command()(unnamed)
