"""`teachbox bench people`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def people(
    data: Annotated[
        Path, typer.Option("--data", metavar="FOLDER", help="Where the answers are; see the page on results.")
    ],
    draws: Annotated[int, typer.Option(min=1, help="How often answers are drawn anew.")] = 20,
    condition: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="This condition alone (may be repeated).")
    ] = None,
    work: Annotated[
        Path, typer.Option(metavar="DIR", help="Where finished parts are kept, to go on from.")
    ] = Path("runs/people"),
    as_json: Annotated[bool, typer.Option("--json", help="As one line of JSON.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="A short run that only tries the machinery.")
    ] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Keep the figures there, as JSON.")] = None,
) -> None:
    """What is learned from answers of real people: share of policies near the best, and answers foreseen."""
    from dataclasses import replace

    from sandbox.bench.machine import machine
    from sandbox.bench.people.people_answers import read, wrong_stats
    from sandbox.bench.people.people_bench import NUMBERS, agreements, measure, told
    from sandbox.bench.report.show import show
    from sandbox.progress import progress_bar

    found = read(data)
    if condition:
        chosen = tuple(one for one in found.conditions if one.name in condition)
        if len(chosen) < len(condition):
            known = ", ".join(one.name for one in found.conditions)
            raise ValueError(f"{', '.join(condition)} is not all in {data}: its conditions are {known}")
        found = replace(found, conditions=chosen)
    numbers = (0, 10) if quick else NUMBERS
    with progress_bar() as tell:
        folder = None if quick else work
        lines = list(measure(found, draws=1 if quick else draws, numbers=numbers, folder=folder, tell=tell))
    report = {
        "machine": machine(),
        "wrong_stats": wrong_stats(found),
        "lines": told(lines),
        "agreement": told(list(agreements(found))),
    }
    show(as_json, "answers of real people", report, out, "people")


def register() -> None:
    """Beside the other benches."""
    from sandbox.commands.bench import app

    app.command()(people)
