"""The figures about taught learners: made of what was run, kept, and gone on from."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agents import learner_catalog
from sandbox.bench.learning.experiment_sets import SETS, TIDY, WORLDS, conditions, quickly, taught_condition
from sandbox.bench.learning.learner_scores import Line, Reference, RunFailure, ScoreTarget, lines_of, measure
from sandbox.bench.report.figures import feedback_count
from sandbox.bench.report.measured_page import text_of
from sandbox.commands.bench import app
from sandbox.studies.training_study import _check

learners = import_module("sandbox.bench.learning.learner_scores")  # the command has the same name


def of_run(*scores: float) -> dict[str, Any]:
    """A run's facts, a score for each budget."""
    usual = {"human_seconds": 8.0, "env_steps": 10, "cpu_seconds": 1.0, "done": 0.5}
    return {
        "budgets": [
            {"mix": {"comparison": i + 1}, "answers": i + 1, "score": s, **usual}
            for i, s in enumerate(scores)
        ]
    }


def test_a_line_for_each_budget_and_the_bar_at_the_last() -> None:
    condition = taught_condition("preferences", TIDY, "comparison=1/comparison=2", ScoreTarget(0.95, 0.9))
    first, last = lines_of(condition, [of_run(0.1, 0.97), of_run(0.2, 0.91), of_run(0.6, 0.96)])
    assert (first.teaching, last.teaching, last.answers) == ("comparison=1", "comparison=2", 2)
    assert (first.median, first.worst, first.met) == (0.2, 0.1, None)
    assert (last.median, last.worst, last.met) == (0.96, 0.91, True)
    assert first.low <= first.iqm <= first.high
    *_, missed = lines_of(condition, [of_run(0.1, 0.97), of_run(0.2, 0.89), of_run(0.6, 0.96)])
    assert missed.met is False
    *_, broken = lines_of(condition, [of_run(0.1, 0.97)], failed=1)
    assert (broken.met, broken.failed) == (False, 1)


@pytest.mark.parametrize("name", SETS)
def test_sets_ask_learners_for_what_they_take(name: str) -> None:
    found = conditions(name)
    for one in found:
        _check(one.config.learner, one.config.wanted())
        assert one.config.stages()
        learner_catalog.check_settings(one.config.learner, one.config.config)
        json.dumps(asdict(one.config))
    assert len({learners._file(Path(), one) for one in found}) == len(found), "two ways of teaching are one"


def test_the_table_has_every_learner_in_every_world_it_can_learn_in() -> None:
    found = conditions("table")
    assert {one.config.learner for one in found} == set(learner_catalog.LEARNERS)
    assert {one.config.world for one in found} == set(WORLDS)
    for world in WORLDS:
        here = {one.name for one in found if one.config.world == world}
        assert {"joint", "preferences", "control: constant reward", "control: random reward"} <= here


def test_a_part_of_a_set_is_chosen_by_the_learner_and_its_reward() -> None:
    both, terms, net = (conditions("care", learner=f"preferences{model}") for model in ("", ":terms", ":net"))
    assert [*terms, *net] == both
    assert {one.name for one in terms} == {"preferences"}
    assert {one.name for one in net} == {"preferences:net"}
    coach = conditions("table", TIDY, "evaluative:coach")
    assert [one.name for one in coach] == ["evaluative:coach"]
    for other in ("bc", "preferences:tamer"):
        with pytest.raises(ValueError, match=f"nothing in the set 'care' is about {other}"):
            conditions("care", learner=other)


WANTED = [
    quickly(taught_condition("preferences", TIDY, "comparison=2")),
    quickly(taught_condition("bc", TIDY, "demonstration=1")),
]
BAD = replace(WANTED[1], name="bad", config=replace(WANTED[1].config, teacher="nobody"))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def measured(kept: Path) -> tuple[list[Line], list[RunFailure], list[str]]:
    """Two conditions and one that fails: lines, faults and what was told."""
    told: list[str] = []
    lines, faults = measure([*WANTED, BAD], 1, kept, lambda share, text: told.append(text), processes=1)
    return lines, faults, told


def test_a_stopped_measurement_goes_on(
    measured: tuple[list[Line], list[RunFailure], list[str]], kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _, told = measured
    assert [line.learner for line in first] == ["preferences"] * 2 + ["bc"] * 2
    assert [line.answers for line in first] == [0, 2, 0, 0]
    assert len(told) == 3
    monkeypatch.setattr(learners, "_made", lambda runs, *rest: pytest.fail(f"{runs} were made already"))
    assert measure(WANTED, 1, kept, lambda share, text: None) == (first, [])
    monkeypatch.setattr(learners, "source_digest", lambda: "another")
    assert measure(WANTED, 1, kept, lambda share, text: None, older=True) == (first, [])
    with pytest.raises(pytest.fail.Exception, match="already"):
        measure(WANTED, 1, kept, lambda share, text: None)


def test_a_run_that_fails_is_told_and_in_no_figure(
    measured: tuple[list[Line], list[RunFailure], list[str]],
) -> None:
    lines, faults, _ = measured
    assert {line.learner for line in lines} == {"preferences", "bc"}
    assert [(one.world, one.learner, one.seed) for one in faults] == [("RoomsTidy", "bad", 0)]
    assert "UnknownTeacher: there is no teacher 'nobody'" in faults[0].fault


def test_the_command_measures_a_set_and_names_it(tmp_path: Path) -> None:
    out = tmp_path / "kept.json"
    arguments = ["learners", "--set", "cost", "--quick", "--json", "--work", str(tmp_path), "--out", str(out)]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    facts = json.loads(done.output.splitlines()[-1])
    assert (facts["set"], facts["lines"][-1]["answers"]) == ("cost", 2)
    assert facts["lines"][-1]["cpu_seconds"] > 0
    assert facts["references"][0]["oracle"] > facts["references"][0]["random"]
    assert json.loads(out.read_text())["bench"] == "learners"
    wrong = CliRunner().invoke(app, ["learners", "--set", "nothing"])
    assert "'nothing' is not one of 'table'" in wrong.output
    assert wrong.exit_code == 2


def test_a_set_becomes_a_section_with_a_plot_for_each_world(tmp_path: Path) -> None:
    found = [
        *lines_of(
            taught_condition("preferences", TIDY, "comparison=1/comparison=2", ScoreTarget(0.95, 0.9)),
            [of_run(0.1, 0.97)],
        ),
        *lines_of(taught_condition("bc", WORLDS[2], "demonstration=1/demonstration=2"), [of_run(0.3, 0.4)]),
    ]
    refs = [Reference("RoomsTidy", -1.0, 0.0, 6.0, -0.167), Reference("LanesMerge", 1.0, 0.0, 6.0, 0.0)]
    report = {
        "bench": "learners",
        "title": "taught",
        "date": "2026-11-22",
        "machine": {"cores": 2},
        "set": "care",
        "references": [asdict(one) for one in refs],
        "lines": [asdict(one) for one in found],
        "faults": [asdict(RunFailure("LanesMerge", "bc", 3, "ValueError: no"))],
    }
    (tmp_path / "learners-care.json").write_text(json.dumps(report))
    text = text_of(tmp_path, tmp_path)
    assert "## Taught, set care" in text
    assert text.index("### RoomsTidy") < text.index("### LanesMerge")
    assert "| LanesMerge | bc | 3 | ValueError: no |" in text
    assert "the random policy scores -0.167" in text
    assert "| preferences | rational | comparison=2 | 1 | 0 | 2 | 8 | 0.970 [0.970, 0.970] |" in text
    assert "median 0.95, worst 0.9 | yes |" in text
    assert "`teachbox bench learners --set care` on 2026-11-22" in text
    drawn = (tmp_path / "learners-care-RoomsTidy-said.svg").read_text()
    assert ">preferences</text>" in drawn
    assert "pieces of feedback" in drawn
    assert "bc" not in drawn
    assert (tmp_path / "learners-care-LanesMerge-human-seconds.svg").exists()
    assert (feedback_count("demonstration=2,comparison=10"), feedback_count("nothing")) == (12, 0)
