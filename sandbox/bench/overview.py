"""The README's table of learners and worlds, made from the figures of `--set table`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- learners: made by `teachbox bench page` -->", "<!-- learners end -->"
KINDS = {
    "compare": ("comparison", "comparisons"),
    "demo": ("drive", "drives"),
    "mark": ("press", "presses"),
    "correct": ("takeover", "takeovers"),
}


def refresh(readme: Path, figures: Path) -> None:
    """Put the table into `readme`, where it has a place for it and there are figures."""
    path = figures / "learners-table.json"
    if not (path.exists() and readme.exists()):
        return
    text = readme.read_text("utf-8")
    if BEGIN in text and END in text:
        readme.write_text(placed(text, json.loads(path.read_text("utf-8"))), "utf-8")


def placed(text: str, report: dict[str, Any]) -> str:
    """The README's `text` with the table of `report` between its marks."""
    before, rest = text.split(BEGIN, 1)
    table = overview(report["lines"], report["references"])
    return f"{before}{BEGIN}\n\n{table}\n{END}{rest.split(END, 1)[1]}"


def overview(lines: Sequence[dict[str, Any]], references: Sequence[dict[str, Any]]) -> str:
    """A row for each learner, a column for each world: what the most that it was told came to.

    The interquartile mean with its interval; acting at random in the last row. Where a world was taught
    otherwise than the first, that is said there.
    """
    worlds = list(dict.fromkeys(line["world"] for line in lines))
    last: dict[tuple[str, str], dict[str, Any]] = {(line["learner"], line["world"]): line for line in lines}
    head = ["learner", "told", *worlds]
    rows = [f"| {' | '.join(head)} |", f"| {' | '.join(['---'] * 2 + ['---:'] * len(worlds))} |"]
    for name in dict.fromkeys(line["learner"] for line in lines):
        mine = {world: last[name, world] for world in worlds if (name, world) in last}
        told = next(iter(mine.values()))["teaching"]
        cells = [_cell(mine.get(world), told) for world in worlds]
        rows.append(f"| {' | '.join([name, in_words(told), *cells])} |")
    random = {one["world"]: f"{one['random_score']:.2f}" for one in references}
    rows.append(f"| {' | '.join(['control: acting at random', '', *(random.get(w, '') for w in worlds)])} |")
    return "\n".join([*rows, ""])


def _cell(line: dict[str, Any] | None, told: str) -> str:
    if line is None:
        return ""
    found = f"{line['iqm']:.2f} [{line['low']:.2f}, {line['high']:.2f}]"
    return found if line["teaching"] == told else f"{found} ({in_words(line['teaching'])})"


def in_words(teaching: str) -> str:
    """ "demo=2,compare=10" as people say it."""
    parts = [part.partition("=") for part in teaching.split(",") if "=" in part]
    said = [f"{number} {KINDS[kind][number != '1']}" for kind, _, number in parts]
    return ", ".join(said) or "nothing"
