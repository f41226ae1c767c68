"""A headless run as a person at a terminal sees it: a progress bar, a table, a result in a folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from agents.learner_catalog import known_settings
from sandbox.studies.training_study import TrainConfig, TrainResult, train

RESULT = "result.json"


def run(config: TrainConfig, out: Path) -> TrainResult:
    """Train with a progress bar on stderr and write the result into `out`, which is made if need be."""
    out.mkdir(parents=True, exist_ok=True)
    (out / RESULT).unlink(missing_ok=True)  # a run that fails must not leave an older one's result
    columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("starting", total=1.0)
        result = train(config, lambda share, text: progress.update(bar, completed=share, description=text))
    (out / RESULT).write_text(json.dumps(result.as_json(), indent=2) + "\n", encoding="utf-8")
    return result


def small(config: TrainConfig) -> TrainConfig:
    """The same run cut short, to try the machinery: its figures say nothing."""
    known = known_settings(config.learner)
    settings: dict[str, Any] = {name: 4_000 for name in ("proxy_steps", "steps_per_fit") if name in known}
    settings |= config.config
    mix = {kind: min(number, 2) for kind, number in config.mix.items()}
    answers = min(config.answers, 4)
    return replace(config, answers=answers, mix=mix, rounds=1, steps_per_round=2_000, config=settings)


def show(result: TrainResult) -> None:
    """The result as a table."""
    said = ", ".join(f"{number} {kind}" for kind, number in result.mix.items() if number) or "nothing"
    rows: tuple[tuple[str, str, str], ...] = (
        (
            "score",
            f"{result.normalised_return:.2f}",
            "0: random or standing still, 1: the oracle",
        ),
        ("wish", f"{result.return_mean:.2f}", "mean return of what is meant, on unseen starts"),
        ("random, still, oracle", references(result), "the same for the three references"),
        ("whole task done", f"{result.done_share:.0%}", "of unseen starts"),
        ("said", said, f"would take a person {result.human_seconds:.0f} s"),
        ("practised", f"{result.env_steps:,} steps", f"{result.cpu_seconds:.0f} CPU-seconds"),
    )
    rows += tuple(("told", sentence, "") for sentence in result.warnings)
    table = Table(title=f"{result.learner}, taught by {result.teacher}, in {result.world}", box=None)
    for row in rows:
        table.add_row(*row)
    table.show_header = False
    Console(highlight=False).print(table)


def references(result: TrainResult) -> str:
    return f"{result.return_random:.2f}, {result.return_still:.2f}, {result.return_oracle:.2f}"
