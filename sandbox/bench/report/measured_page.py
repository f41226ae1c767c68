"""The page of measured figures: made from the files that `--out` has kept, so that none is typed by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sandbox.bench.report.figures import of_set
from sandbox.bench.report.svg_plot import Line, plot
from sandbox.bench.report.tables import table

ORDER = (
    "learners",
    "transfer",
    "live",
    "worlds",
    "ppo",
    "learnable",
    "gap",
    "curves",
    "start",
    "screen",
    "store",
    "trust",
)
ABOUT = {
    "learners": "A rational synthetic teacher; score 0 is the better of random and standing still, 1 the "
    "oracle, on 200 unseen starts. Interquartile mean with a 95% bootstrap interval over the seeds.",
    "transfer": "The reward is learned in `train` layouts; a fresh policy learns from nothing by it in "
    "`test` layouts. *taught* is the policy that was taught, *fresh* the new one; steps and CPU-seconds "
    "are the new one's.",
    "live": "A real session with its learner process. *before* and *after* are shares of 200 unseen "
    "starts where the whole task is done, *after* 30 s after the last word; seconds are wall time.",
    "worlds": "Random actions; starting anew at the horizon is included.",
    "ppo": "Learning included. *nothing* is a world of the same shapes in which nothing happens.",
    "learnable": "PPO with our defaults and the wish as its reward; sampled actions on unseen layouts. "
    "The bar is what the task is held to; the slowest seed counts.",
    "gap": "Each policy on 200 unseen layouts. *score* is 0 for the better of random and standing still, "
    "1 for the best as meant; *most* is what the best as written and a clone of one demonstration may score.",
    "curves": "The wish as reward. Interquartile mean over seeds, 95% interval by stratified bootstrap.",
    "start": "From the start of the process to the first frame.",
    "screen": "Frames and keys with the learner off and on.",
    "store": "Every sixth frame says something, each looks whether earlier words are saved; the disk is slow "
    "by a delay at each write. *call* is what the window spends in the store in one frame, *late* how much "
    "later than planned its frames begin.",
    "trust": "*told*: records that were shown as saved; *lost*: those of them that were not there afterwards "
    "(of power cuts: cuts that lost any); *wrong*: there by halves, twice, or no store that opens. The "
    "control says `saved` before the commit, or syncs too little, and has to lose. Learner: seconds of wall "
    "time from each kill to the next first snapshot; what the window spends on a frame [ms], beside its "
    "frames before the first kill; what was heard in the end of what was said. Files: each has to be refused "
    "in a sentence, or be right.",
}


def write(folder: Path, out: Path) -> None:
    """Make `out` (Markdown) from the JSON files of `folder`, and the plots beside them."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text_of(folder, out.parent), "utf-8")


def text_of(folder: Path, beside: Path) -> str:
    """The page; writes plots into `folder`. Raises ValueError when there is nothing to make it from."""
    found = [(path, json.loads(path.read_text("utf-8"))) for path in sorted(folder.glob("*.json"))]
    reports = [one for name in ORDER for one in found if one[1].get("bench") == name]
    if not reports:
        raise ValueError(f"there are no figures in {folder}: make some with `teachbox bench NAME --out FILE`")
    parts = [
        "# Measured\n",
        "Made by `teachbox bench page` from the files in `figures/`, each of which was kept by "
        "`teachbox bench NAME --out docs/figures/NAME.json`.\n",
    ]
    for path, report in reports:
        parts += _section(report, path, beside)
    return "\n".join(parts)


def _section(report: dict[str, Any], path: Path, beside: Path) -> list[str]:
    name, facts = report["bench"], report["machine"]
    chosen = f" --set {report['set']}" if report.get("set") else ""
    made = f"`teachbox bench {name}{chosen}` on {report['date']}, " + ", ".join(
        f"{key} {value}" for key, value in facts.items() if value is not None
    )
    where = "".join(
        f", {key} {report[key]}" for key in ("set", "world", "size") if report.get(key) is not None
    )
    parts = [f"## {report['title'][0].upper()}{report['title'][1:]}{where}\n", f"{ABOUT[name]}\n"]
    if name == "curves":
        picture = path.with_suffix(".svg")
        picture.write_text(_curves(report["points"]), "utf-8")
        parts.append(f"![Learning curves]({picture.relative_to(beside).as_posix()})\n")
    if name == "learners" and report.get("set"):
        parts += of_set(report, path, beside)
        return [*parts, f"Made by {made}.\n"]
    tables = [table(lines) for lines in report.values() if isinstance(lines, list) and lines]
    return [*parts, *tables, f"Made by {made}.\n"]


def _curves(points: Sequence[dict[str, Any]]) -> str:
    lines = []
    for way in dict.fromkeys(point["way"] for point in points):
        mine = [point for point in points if point["way"] == way]
        lines.append(
            Line(
                way,
                [point["env_steps"] for point in mine],
                [point["iqm"] for point in mine],
                [point["low"] for point in mine],
                [point["high"] for point in mine],
            )
        )
    return plot(lines, "environment steps", "score")
