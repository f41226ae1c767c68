"""`teachbox references`: measures the reference returns that scores are relative to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def references(
    world: Annotated[str | None, typer.Option("--world", metavar="ID", help="This world alone.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where they go, if not among the assets.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also those that are up to date.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As one line of JSON.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="A short run that only tries the machinery; never the assets.")
    ] = False,
) -> None:
    """Measure what scores are measured by: random, standing still and the best known, for each task."""
    from dataclasses import asdict

    from agents.evaluation.reference_returns import SHIPPED
    from sandbox.bench.learning.reference_measurement import measure
    from sandbox.bench.machine import machine
    from sandbox.bench.report.show import show
    from sandbox.progress import progress_bar

    folder = out or (Path("runs/references") if quick else SHIPPED)
    with progress_bar() as tell:
        lines = [asdict(one) for one in measure(world, folder, quick=quick, again=again, tell=tell)]
    show(as_json, f"references in {folder}", {"machine": machine(), "references": lines})
