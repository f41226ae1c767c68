"""Tables and plots of the sets of `teachbox bench learners`: a section for each world."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sandbox.bench.report.svg_plot import Line, plot
from sandbox.bench.report.tables import table

ABOUT = {
    "table": "Every learner from what it learns from. One run is scored at each budget, once it has learned "
    "all that the budget is good for. Where steps cost more (LanesMerge, RoverDeliver; `pebble` in "
    "CartPole-v1 too) practice is shorter than the learners' own; `SHORTER` and `OFF_POLICY` in "
    "`sandbox/bench/learning/experiment_sets.py` say how long.",
    "joint": "Sixty answers, everything mixed, and the controls.",
    "preferences": "How many comparisons a reward needs.",
    "minute": "One minute of a person's time, and what the single kinds make of it.",
    "imitation": "Learners from demonstrations.",
    "loophole": "The written reward pays for dropping things and picking them up again.",
    "care": "`mistaken:0.2` answers one question in five at random; half of the pool answers all so.",
    "questions": "By what the next question is chosen.",
    "cost": "A fresh learner hears sixty answers at once; CPU-seconds until it has learned all it can.",
}
LEFT_OUT = ("world", "low", "high", "env_steps")


def of_set(report: dict[str, Any], path: Path, beside: Path) -> list[str]:
    """The section's parts; plots are written beside `path`."""
    parts = [f"{ABOUT[report['set']]}\n"]
    for world in dict.fromkeys(line["world"] for line in report["lines"]):
        lines = [line for line in report["lines"] if line["world"] == world]
        parts.append(f"### {world}\n")
        parts += [f"{_between(one)}\n" for one in report["references"] if one["world"] == world][:1]
        for key, across in (("human_seconds", "human seconds"), ("said", "pieces of feedback")):
            curves = _curves(lines, key)
            if curves:
                picture = path.with_name(f"{path.stem}-{world}-{key.replace('_', '-')}.svg")
                picture.write_text(plot(curves, across, "score", log=True), "utf-8")
                parts.append(f"![Score by {across}]({picture.relative_to(beside).as_posix()})\n")
        parts.append(table([_row(line) for line in lines]))
    if report["faults"]:
        parts += ["Runs that ended in an error:\n", table(report["faults"])]
    return parts


def _between(reference: dict[str, Any]) -> str:
    low, high = max(reference["random"], reference["still"]), reference["oracle"]
    return (
        f"Score 0 is a return of {low:.2f} (acting at random gives {reference['random']:.2f}, standing still "
        f"{reference['still']:.2f}), 1 the oracle's {high:.2f}; the random policy scores "
        f"{reference['random_score']:.3f}."
    )


def _row(line: dict[str, Any]) -> dict[str, Any]:
    """A line as the page shows it: the interval beside its middle."""
    kept = {key: value for key, value in line.items() if key not in LEFT_OUT}
    kept["iqm"] = f"{line['iqm']:.3f} [{line['low']:.3f}, {line['high']:.3f}]"
    return kept


def feedback_count(teaching: str) -> int:
    """How many pieces of feedback "demonstration=2,comparison=10" is."""
    return sum(int(part.partition("=")[2]) for part in teaching.split(",") if "=" in part)


def _curves(lines: Sequence[dict[str, Any]], key: str) -> list[Line]:
    """Of each way of teaching its budgets, where it was given anything."""
    found = []
    for name, teacher in dict.fromkeys((line["learner"], line["teacher"]) for line in lines):
        mine = [line for line in lines if (line["learner"], line["teacher"]) == (name, teacher)]
        if key == "said":
            mine = [line for line in mine if "seconds=" not in line["teaching"]]
        across = [float(feedback_count(line["teaching"]) if key == "said" else line[key]) for line in mine]
        points = sorted(
            (x, line["iqm"], line["low"], line["high"]) for x, line in zip(across, mine, strict=True)
        )
        points = [point for point in points if point[0] > 0]
        if points:
            x, y, low, high = zip(*points, strict=True)
            label = name if teacher == "rational" else f"{name}, {teacher}"
            found.append(Line(label, x, y, low, high))
    return found
