"""Figures about speed: `teachbox bench worlds|start|screen`. Each says what it ran on.

Heavy imports live inside the commands.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Measure the worlds' speed, the window's start, and the window beside its learner.",
)
Json = Annotated[bool, typer.Option("--json", help="As one line of JSON.")]
Quick = Annotated[bool, typer.Option("--quick", help="A short run that only tries the machinery.")]


@app.command()
def worlds(as_json: Json = False, quick: Quick = False) -> None:
    """Steps per CPU-second on one core: our worlds by number of rows, and other people's."""
    from sandbox.bench.machine import machine
    from sandbox.bench.worlds import measure

    rows = (1, 8) if quick else (1, 8, 64, 256, 1024, 4096)
    speeds = list(measure(rows, seconds=0.05 if quick else 1.0))
    show(as_json, "steps per CPU-second", {"machine": machine(), "speeds": [asdict(one) for one in speeds]})


@app.command()
def start(as_json: Json = False, quick: Quick = False) -> None:
    """From the start of the process to the first frame, with and without compiled worlds in the cache."""
    from sandbox.bench.machine import machine
    from sandbox.bench.start import measure

    starts = measure(repeats=1 if quick else 5)
    told = [asdict(one) for one in starts]
    show(as_json, "seconds to the first frame", {"machine": machine(), "starts": told})


@app.command()
def screen(as_json: Json = False, quick: Quick = False) -> None:
    """Frames and keys with the learner off and on, and learning with the window on and off."""
    from sandbox.bench.machine import machine
    from sandbox.bench.screen import measure

    slots = measure(seconds=2.0 if quick else 12.0, rounds=1 if quick else 3)
    told = [asdict(one) for one in slots]
    show(as_json, "the window beside its learner", {"machine": machine(), "slots": told})


def show(as_json: bool, title: str, report: dict[str, Any]) -> None:
    """The report as a line of JSON, or as tables."""
    if as_json:
        typer.echo(json.dumps(report))
        return
    typer.echo(", ".join(f"{key} {value}" for key, value in report["machine"].items()))
    for name, lines in report.items():
        if name != "machine":
            _table(title, lines)


def _table(title: str, lines: Sequence[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, box=None)
    for column in lines[0]:
        heading = HEADINGS.get(column, column.replace("_", " "))
        table.add_column(heading, justify="left" if column in TEXT else "right", overflow="fold")
    for line in lines:
        table.add_row(*(_cell(value) for value in line.values()))
    console = Console()
    console.width = max(console.width, 110)  # narrower ones would cut words
    console.print(table)


HEADINGS = {
    "steps_per_cpu_second": "steps/CPU s",
    "steps_per_second": "steps/s",
    "frame_p50": "frame p50 ms",
    "frame_p99": "frame p99 ms",
    "key_p50": "key p50 ms",
    "key_p99": "key p99 ms",
    "window_cpu": "window's core",
    "cpu_seconds": "CPU s",
}
TEXT = ("world", "way", "into", "cache", "window", "learner")


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return "" if value is None else str(value)
