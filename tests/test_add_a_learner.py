"""docs/add-a-learner.md is followed word for word, from an empty folder outside the project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from agents import learner_catalog
from agents.feedback.records import Demonstration, new_id
from agents.learner_catalog import UnknownLearner
from agents.policies.from_torch import critic_layers
from envs.task_catalog import task
from sandbox.bench.learning.experiment_sets import conditions
from sandbox.scenes.menu import MenuScene
from sandbox.session.folder import SessionInfo
from sandbox.session.session import Session
from sandbox.session.session_list import SessionList
from sandbox.studies.session_replay import replay
from sandbox.window.app import App
from tests.sandbox.teaching import recorded
from tests.test_docs import ROOT, blocks

PAGE = ROOT / "docs" / "add-a-learner.md"
HABIT, USE, ENTRY = blocks(PAGE, "python")
SECONDS = 240.0


def write_package(folder: Path) -> None:
    """The two files that the page asks for."""
    (folder / "habit.py").write_text(HABIT)
    (project,) = blocks(PAGE, "toml")
    (folder / "pyproject.toml").write_text(project)


def install(folder: Path, site: Path, more: str = "") -> None:
    """What `pip install -e .` does: metadata in a folder of sys.path, which leads to this folder as well."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = "\n".join(
        f"{k} = {v}" for k, v in project["entry-points"][learner_catalog.ENTRY_POINT_GROUP].items()
    )
    (info / "entry_points.txt").write_text(f"[{learner_catalog.ENTRY_POINT_GROUP}]\n{points}\n{more}")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the package, which is the working folder too; nothing is installed yet."""
    folder = tmp_path / "mine"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(sys, "path", list(sys.path))
    write_package(folder)
    yield folder
    for module in ("habit", "habit_entry", "torn"):
        sys.modules.pop(module, None)


@pytest.fixture
def installed(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the package, installed."""
    install(folder, tmp_path / "site")
    put_on_path(monkeypatch, tmp_path / "site", folder)
    return folder


def put_on_path(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    for path in folders:
        monkeypatch.syspath_prepend(path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (ROOT, *folders))))


def run(*arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
    return done.stdout


def console_lines(name: str) -> list[list[str]]:
    """The arguments of the page's commands that take this name."""
    lines = [
        line.removeprefix("$ ").split() for text in blocks(PAGE, "console") for line in text.splitlines()
    ]
    assert all(words[0] == "teachbox" for words in lines)
    return [words[1:] for words in lines if name in words]


def wait_until_learned(session: Session, said: int) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        session.poll()
        if session.latest_snapshot is not None and session.latest_snapshot.feedback_seq == said:
            return
        time.sleep(0.02)
    raise AssertionError(f"the learner did not learn from {said} records: {session.status}")


def test_the_commands_and_the_python_of_the_page_run(installed: Path) -> None:
    told = json.loads(run("-m", "sandbox", "info", "--json"))
    assert told["learners"]["habit"] == "Repeats the most frequent action of your last drive."
    assert told["broken"] == []
    train, bench, window = console_lines("habit")
    assert window == ["--learner", "habit"]  # followed below: the session that the window opens
    trained = json.loads(run("-m", "sandbox", *train, "--quick", "--json").splitlines()[-1])
    assert (trained["learner"], trained["mix"]["demonstration"]) == ("habit", 2)
    assert "--quick" in bench
    measured = json.loads(run("-m", "sandbox", *bench, "--json").splitlines()[-1])
    assert {line["learner"] for line in measured["lines"]} == {"habit"}
    assert not measured["faults"]
    (installed / "use.py").write_text(USE)
    run("use.py")


def test_without_installing_it_is_found_by_module_and_name(folder: Path) -> None:
    (train,) = console_lines("habit:Habit")
    trained = json.loads(run("-m", "sandbox", *train, "--quick", "--json").splitlines()[-1])
    assert trained["learner"] == "habit:Habit"
    assert "habit" not in json.loads(run("-m", "sandbox", "info", "--json"))["learners"]


@pytest.mark.parametrize("name", ["habit", "habit:Habit"])
def test_the_windows_session_learns_with_it_and_goes_on(name: str, installed: Path) -> None:
    folder = installed / "lesson"
    session = Session.open(folder, learner=name)
    session.add_demonstration(recorded(session.task, 15, seed=1))
    wait_until_learned(session, 1)
    assert session.latest_snapshot is not None
    assert session.latest_snapshot.policy is not None
    assert session.latest_snapshot.learner == name
    assert session.latest_snapshot.feedback_counts == {"demonstration": 1}
    biases = session.latest_snapshot.policy.layers[0][1]
    assert session.close() is None
    again = Session.open(folder)
    assert again.learner == name
    wait_until_learned(again, 1)
    assert again.latest_snapshot is not None
    assert again.latest_snapshot.policy is not None
    np.testing.assert_array_equal(again.latest_snapshot.policy.layers[0][1], biases)
    again.set_learner("bc")
    again.set_learner(name)
    again.close()
    replayed = replay(folder, most_steps=5)
    assert (replayed.learner, replayed.uses) == (name, {"demonstration": 1})


def test_what_it_can_not_do_is_answered_by_defaults(installed: Path) -> None:
    world = task("teachbox/RoomsTidy-v0")
    learner = learner_catalog.make("habit", world, settings={"pseudo_count": 0.5})
    learner.follow("somebody")
    learner.raters["1"] = "somebody"
    assert learner.query() is None
    assert learner.suggest() is None
    assert critic_layers(learner.algorithm) == ()
    learner.observe(1, [Demonstration(recorded(world, 5), new_id())])
    assert learner.step()
    assert not learner.step()
    with pytest.raises(ValueError, match="has no setting 'pseudo_counts': did you mean 'pseudo_count'"):
        learner_catalog.make("habit", world, settings={"pseudo_counts": 1.0})
    with pytest.raises(ValueError, match="has no setting 'control': it has pseudo_count"):
        learner_catalog.check_settings("habit", {"control": "random"})


def test_any_learner_can_be_measured_as_the_table_does(installed: Path) -> None:
    found = conditions("table", learner="habit:Habit")
    assert {one.config.learner for one in found} == {"habit:Habit"}
    assert len({one.config.world for one in found}) == 5
    with pytest.raises(UnknownLearner, match="there is no learner 'habits': did you mean 'habit'"):
        conditions("table", learner="habits")


def test_an_entry_without_the_class_imports_it_only_to_make_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "habit_entry.py").write_text(ENTRY)
    text = (folder / "pyproject.toml").read_text().replace("habit:Habit", "habit_entry:HABIT")
    (folder / "pyproject.toml").write_text(text)
    install(folder, tmp_path / "site")
    put_on_path(monkeypatch, tmp_path / "site", folder)
    found = learner_catalog.find_entry("habit")
    assert (found.title, found.kinds) == ("Habit", {"demonstration"})
    assert "habit" not in sys.modules
    assert learner_catalog.known_settings("habit") == ("pseudo_count",)
    assert "habit" in sys.modules


def test_a_broken_one_is_told_in_a_sentence_and_breaks_no_other(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "torn.py").write_text(
        "from agents.learners.base_learner import BaseLearner\n"
        "class Half(BaseLearner):\n    name = 'half'\n    kinds = frozenset()\n"
        "class Other:\n    name = 'other'\nNUMBER = 3\n"
    )
    install(folder, tmp_path / "site", "gone = not_there:Gone\nhalf = torn:Half\njoint = torn:Other\n")
    put_on_path(monkeypatch, tmp_path / "site", folder)
    told: list[str] = []
    listed = [one.name for one in learner_catalog.listed_entries(told.append)]
    assert listed == [*learner_catalog.LEARNERS, "habit"]
    assert len(told) == 2
    assert told[0].startswith("'gone' of the package teachbox-habit (not_there:Gone) can't be loaded: ")
    assert told[1] == "half is no learner: Half has no step, snapshot, save, load"
    assert learner_catalog.find_entry("joint").title == "Everything together"
    for name, sentence in {
        "gone": "No module named 'not_there'",
        "torn:Other": "Other has no kinds, Config",
        "torn:NUMBER": "torn:NUMBER is a int, not a learner's class",
        "torn:Nobody": "the module 'torn' has no 'Nobody'",
    }.items():
        with pytest.raises(UnknownLearner, match=sentence):
            learner_catalog.find_entry(name)


def test_the_menu_lists_it_and_keeps_the_learner_of_a_session(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(folder, tmp_path / "site", "gone = not_there:Gone\n")
    put_on_path(monkeypatch, tmp_path / "site", folder)
    lesson = Path("/sessions/lesson")
    kept = SessionInfo(lesson, "teachbox/RoomsTidy-v0", "habit:Habit", {}, datetime.now(UTC))
    monkeypatch.setattr(SessionList, "list", lambda self: [kept])
    app = App(None, fixed_dt=True, seed=1)
    try:
        menu = app.scene
        assert isinstance(menu, MenuScene)
        assert [item.key for item in menu.learners.list.items] == [*learner_catalog.LEARNERS, "habit"]
        assert "not_there" in app.state()["extra"]["trouble"]
        menu._session_chosen(lesson)
        assert menu.learner == "habit:Habit"
    finally:
        app.close()
