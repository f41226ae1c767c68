"""Reports of figures: a line of JSON, or tables for people; kept as JSON where told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADINGS = {
    "steps_per_cpu_second": "steps/CPU s",
    "steps_per_second": "steps/s",
    "frame_p50": "frame p50 ms",
    "frame_p99": "frame p99 ms",
    "key_p50": "key p50 ms",
    "key_p99": "key p99 ms",
    "window_cpu": "window's core",
    "disk": "disk ms",
    "call_p50": "call p50 ms",
    "call_p99": "call p99 ms",
    "call_worst": "call worst ms",
    "late_p99": "late p99 ms",
    "late_worst": "late worst ms",
    "cpu_seconds": "CPU s",
    "round": "rounds",
}
TEXT = (
    "teaching",
    "world",
    "way",
    "into",
    "cache",
    "window",
    "learner",
    "teacher",
    "wanted",
    "task",
    "policy",
    "by",
    "setting",
    "figure",
    "peer",
    "file",
)


def show(as_json: bool, title: str, report: dict[str, Any], out: Path | None = None, bench: str = "") -> None:
    """The report as a line of JSON, or as tables; kept in `out` as well if that is given."""
    if out is not None:
        from datetime import date

        out.parent.mkdir(parents=True, exist_ok=True)
        kept = {"bench": bench, "title": title, "date": date.today().isoformat(), **report}
        out.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
    if as_json:
        typer.echo(json.dumps(report))
        return
    typer.echo(", ".join(f"{key} {value}" for key, value in report["machine"].items()))
    for lines in report.values():
        if isinstance(lines, list) and lines:
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
    console.width = max(console.width, 110 if len(lines[0]) < 15 else 180)  # narrower ones would cut words
    console.print(table)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return "" if value is None else str(value)
