"""The README's tables are made from the kept figures, and show of them what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agents.learner_catalog import LEARNERS
from sandbox.bench.report import readme_tables

ROOT = Path(__file__).parents[2]
ONE = {
    "world": "RoomsTidy",
    "learner": "joint",
    "teacher": "rational",
    "teaching": "comparison=3",
    "human_seconds": 12.4,
    "cpu_seconds": 2.04,
    "iqm": 0.5,
    "low": -0.0001,
    "high": 0.75,
    "median": 0.51,
    "worst": 0.25,
}


def report(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"bench": "learners", "lines": [{**ONE, **line} for line in lines], **more}


def test_the_tables_in_the_pages_are_made_from_the_figures() -> None:
    readme, results = (ROOT / "README.md").read_text(), (ROOT / "docs" / "results.md").read_text()
    for text in (readme, results):
        assert readme_tables.with_tables(text, ROOT / "docs" / "figures") == text, "run `teachbox bench page`"
    assert all(mark in results for name in readme_tables.TABLES for mark in readme_tables.marks(name))
    begin, end = readme_tables.marks(readme_tables.HEADLINE)
    table = readme.partition(begin)[2].partition(end)[0].strip().splitlines()
    assert len(table) == 2 + len(readme_tables.RESULTS), "each result is found in the figures"


def test_every_learner_is_in_the_readme() -> None:
    kept = json.loads((ROOT / "docs" / "figures" / "learners-table.json").read_text())
    names = {line["learner"].partition(":")[0] for line in kept["lines"]}
    assert names >= set(LEARNERS), "a learner is missing"


def test_a_table_is_put_between_its_marks_and_nothing_else_is_touched(tmp_path: Path) -> None:
    begin, end = readme_tables.marks("care")
    kept = report({}, set="care")
    (tmp_path / "learners-care.json").write_text(json.dumps(kept))
    (tmp_path / "learners-other.json").write_text(json.dumps(report({}, set="minute")))
    made = readme_tables.by_answers([kept])
    assert (
        readme_tables.with_tables(f"a\n{begin}\nold\n{end}\nb\n", tmp_path)
        == f"a\n{begin}\n\n{made}\n{end}\nb\n"
    )
    questions = "\nold\n".join(readme_tables.marks("questions"))
    assert readme_tables.with_tables(questions, tmp_path) == questions, "no figures: what is there stays"


def test_answers_are_told_by_median_and_worst_seed() -> None:
    errs = {"teacher": "mistaken:0.2", "median": -0.0001}
    made = readme_tables.by_answers([report({"teaching": "comparison=10"}, {}, errs)])
    assert made.splitlines() == [
        "| learner | told by | 3 | 10 |",
        "| --- | --- | ---: | ---: |",
        "| joint | never errs | 0.510 (0.250) | 0.510 (0.250) |",
        "| joint | errs one time in five | 0.000 (0.250) |  |",
    ]


def test_worlds_stand_in_the_order_of_the_table_whichever_file_they_are_from() -> None:
    order = ["RoomsTidy", "LanesMerge", "CartPole-v1"]
    made = readme_tables.by_answers(
        [report({"world": "LanesMerge"}), report({}), report({"world": "CartPole-v1"})]
    )
    assert [row.split(" | ")[1] for row in made.splitlines()[2:]] == order


def test_who_is_never_asked_to_drive_shares_a_row() -> None:
    lines = [{}, {"teacher": "slipping"}, {"teacher": "cautious", "iqm": 0.625}]
    assert readme_tables.by_seconds([report(*lines)]).splitlines() == [
        "RoomsTidy:",
        "",
        "| learner | told | by whom | human seconds | score | worst seed |",
        "| --- | --- | --- | ---: | ---: | ---: |",
        "| joint | 3 comparisons | never errs, acts at random one time in five | 12 "
        "| 0.500 [0.000, 0.750] | 0.250 |",
        "| joint | 3 comparisons | over-cautious | 12 | 0.625 [0.000, 0.750] | 0.250 |",
    ]


@pytest.mark.parametrize("turned", [False, True])
def test_sizes_stand_beside_each_other(turned: bool) -> None:
    both = [report({}, {"teaching": "nothing"}), report({"teaching": "nothing"}, {"iqm": 0.625}, size=13)]
    assert readme_tables.by_size(both[::-1] if turned else both).splitlines()[1:] == [
        "| --- | --- | ---: | ---: | ---: | ---: |",
        "| joint | 3 comparisons | 0.500 [0.000, 0.750] | 0.625 [0.000, 0.750] | 12 | 2.0 |",
        "| joint | nothing | 0.500 [0.000, 0.750] | 0.500 [0.000, 0.750] | 12 | 2.0 |",
    ]
