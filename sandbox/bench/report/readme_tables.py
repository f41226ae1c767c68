"""The tables of results in README and docs/results.md: made from the kept figures, so that none is typed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sandbox.bench.learning.experiment_sets import WORLDS
from sandbox.bench.report.figures import feedback_count
from sandbox.bench.report.overview import overview
from sandbox.bench.report.tables import markdown
from sandbox.studies.feedback_mix import mix_in_words

Report = dict[str, Any]
Lines = Sequence[dict[str, Any]]
USUAL_SIZE = 9
TEACHERS = {
    "rational": "never errs",
    "mistaken:0.2": "errs one time in five",
    "pool:rational,rational,useless,useless": "four raters, two of them useless",
    "slipping": "acts at random one time in five",
    "cautious": "over-cautious",
    "noisy": "acts and answers at random one time in five",
}


HEADLINE = "results"
RESULTS: tuple[dict[str, str], ...] = (
    {"set": "loophole", "learner": "the written reward alone (at most 0.3)"},
    {"set": "loophole", "learner": "joint", "teaching": "comparison=30"},
    {
        "set": "minute",
        "world": "RoomsTidy",
        "learner": "joint",
        "teacher": "rational",
        "teaching": "demonstration=2,comparison=10",
    },
    {
        "set": "preferences",
        "world": "RoomsTidy",
        "learner": "preferences",
        "teaching": "comparison=10",
    },
    {
        "set": "preferences",
        "world": "RoomsTidy",
        "learner": "preferences:net",
        "teaching": "comparison=50",
    },
    {"set": "minute", "world": "LanesMerge", "learner": "joint", "teaching": "demonstration=4,comparison=20"},
    {"set": "table", "world": "RoverDeliver", "learner": "preferences", "teaching": "comparison=50"},
    {"set": "table", "world": "CartPole-v1", "learner": "bc", "teaching": "demonstration=10"},
)
"""What the README's table shows, each found in the kept figures by what it says here."""


def refresh(page: Path, figures: Path) -> None:
    """Put every table into `page` that it has a place for."""
    if page.exists():
        page.write_text(with_tables(page.read_text("utf-8"), figures), "utf-8")


def with_tables(text: str, figures: Path) -> str:
    """A page's `text`, between the marks of each table what `figures` (a folder) has of its set."""
    reports = [json.loads(path.read_text("utf-8")) for path in sorted(figures.glob("learners*.json"))]
    for name, make in TABLES.items():
        mine = [report for report in reports if report.get("set") == name]
        begin, end = marks(name)
        if mine and begin in text and end in text:
            before, rest = text.split(begin, 1)
            text = f"{before}{begin}\n\n{make(mine)}\n{end}{rest.split(end, 1)[1]}"
    begin, end = marks(HEADLINE)
    if begin in text and end in text:
        before, rest = text.split(begin, 1)
        text = f"{before}{begin}\n\n{headline(reports)}\n{end}{rest.split(end, 1)[1]}"
    return text


def marks(name: str) -> tuple[str, str]:
    """Between what the table of the set `name` stands."""
    return f"<!-- {name}: made by `teachbox bench page` -->", f"<!-- {name} end -->"


def headline(reports: Sequence[Report]) -> str:
    """The README's one table: eight results, each with its worst seed."""
    lines = [{**line, "set": report.get("set")} for report in reports for line in report["lines"]]
    rows = [["world", "learner", "feedback", "a person's time [s]", "score (median)", "worst seed"]]
    for wanted in RESULTS:
        line = next((one for one in lines if all(one[key] == value for key, value in wanted.items())), None)
        if line is not None:
            told = mix_in_words(line["teaching"])
            numbers = [f"{line['human_seconds']:.0f}", f"{line['median']:z.2f}", f"{line['worst']:z.2f}"]
            rows.append([line["world"], line["learner"].partition(" (")[0], told, *numbers])
    return markdown(rows, 3)


def _overview(reports: Sequence[Report]) -> str:
    return overview(reports[0]["lines"], reports[0]["references"])


def by_size(reports: Sequence[Report]) -> str:
    """A row for each way of teaching, a column for each size of its world; what it took at the smallest."""
    found = sorted(reports, key=_size)
    rows = [["", "told", *(f"{_size(report)}x{_size(report)}" for report in found), "human seconds", "CPU s"]]
    for line in found[0]["lines"]:
        same = [one for report in found for one in report["lines"] if _way(one) == _way(line)]
        took = [f"{line['human_seconds']:.0f}", f"{line['cpu_seconds']:.1f}"]
        rows.append([line["learner"], mix_in_words(line["teaching"]), *map(_interval, same), *took])
    return markdown(rows, 2)


def by_seconds(reports: Sequence[Report]) -> str:
    """For each world a row for each way of spending a person's time."""
    lines = [line for report in reports for line in report["lines"]]
    parts = []
    for world in dict.fromkeys(line["world"] for line in lines):
        rows = [["learner", "told", "by whom", "human seconds", "score", "worst seed"]]
        for same in _alike([line for line in lines if line["world"] == world]):
            who = ", ".join(TEACHERS.get(line["teacher"], line["teacher"]) for line in same)
            line = same[0]
            told = [line["learner"], mix_in_words(line["teaching"]), who]
            rows.append([*told, f"{line['human_seconds']:.0f}", _interval(line), f"{line['worst']:z.3f}"])
        parts.append(f"{world}:\n\n{markdown(rows, 3)}")
    return "\n".join(parts)


def by_answers(reports: Sequence[Report]) -> str:
    """A row for each way, a column for each number of answers: the median and (the worst seed)."""
    lines = sorted((one for report in reports for one in report["lines"]), key=_worlds_in_order)
    numbers = sorted({feedback_count(line["teaching"]) for line in lines})
    about = [key for key in ("world", "teacher") if len({line[key] for line in lines}) > 1]
    rows = [["learner", *("told by" if key == "teacher" else key for key in about), *map(str, numbers)]]
    keys = ("learner", *about)
    for way in dict.fromkeys(tuple(line[key] for key in keys) for line in lines):
        mine = {
            feedback_count(line["teaching"]): line
            for line in lines
            if tuple(line[key] for key in keys) == way
        }
        cells = [f"{mine[n]['median']:z.3f} ({mine[n]['worst']:z.3f})" if n in mine else "" for n in numbers]
        rows.append([*(TEACHERS.get(word, word) for word in way), *cells])
    return markdown(rows, len(keys))


TABLES: dict[str, Callable[[Sequence[Report]], str]] = {
    "table": _overview,
    "joint": by_size,
    "minute": by_seconds,
    "preferences": by_answers,
    "questions": by_answers,
    "care": by_answers,
    "loophole": by_answers,
}


def _alike(lines: Lines) -> list[list[dict[str, Any]]]:
    """Lines that came to the same from whoever taught: a teacher who is never asked to drive cannot slip."""
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for line in lines:
        found.setdefault((*_way(line), line["iqm"], line["worst"], line["human_seconds"]), []).append(line)
    return list(found.values())


def _worlds_in_order(line: dict[str, Any]) -> int:
    names = [world.removeprefix("teachbox/").removesuffix("-v0") for world in WORLDS]
    return names.index(line["world"]) if line["world"] in names else len(names)


def _size(report: Report) -> int:
    return int(report.get("size") or USUAL_SIZE)


def _way(line: dict[str, Any]) -> tuple[str, str]:
    return line["learner"], line["teaching"]


def _interval(line: dict[str, Any]) -> str:
    return f"{line['iqm']:z.3f} [{line['low']:z.3f}, {line['high']:z.3f}]"
