"""The package of somebody else's (tests/data/outside_package), installed by pip into a folder of its own.

It brings a world, its renderer, a learner and a teacher. All four are used by name, in commands and in the
real window, and nothing inside teachbox names them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from agents.evaluation import reference_returns, scores
from agents.io import agent_bundle
from envs.simulate import simulate
from envs.task_catalog import task
from tests.outside import PACKAGE
from tests.sandbox.xwindow import Screen, Window, need_tools
from tests.test_add_a_learner import HABIT
from tests.test_docs import PAGES, write_files

ROOT = Path(__file__).resolve().parents[1]
WORLD, LEARNER, TEACHER = "puddles/Walk-v0", "puddles-copier", "puddles-guide"
WATER, WALKER = (60, 120, 220), (220, 60, 60)
"""Colours of the package's own renderer."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which pip has installed the package; no network is used."""
    folder = tmp_path_factory.mktemp("environment")
    source = shutil.copytree(PACKAGE, folder / "source")  # building leaves files there
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"),
            *("--no-index", "--target", str(folder / "site"), str(source)),
        ],
        check=True,
        capture_output=True,
    )
    return folder / "site"


@pytest.fixture(autouse=True)
def environment(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package on the path of this process and of those that it starts; forgotten afterwards."""
    monkeypatch.syspath_prepend(installed)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(installed)]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(reference_returns, "user_cache_path", lambda name: tmp_path / "cache")
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "puddles"]:
        del sys.modules[name]


def teachbox(*arguments: str) -> str:
    """What a command prints, run in a folder that holds nothing of teachbox or the package."""
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=os.environ["XDG_CACHE_HOME"],
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
    return done.stdout


def test_nothing_inside_teachbox_names_it() -> None:
    files = [path for floor in ("envs", "agents", "sandbox") for path in (ROOT / floor).rglob("*.py")]
    names = (WORLD, "puddles.", LEARNER, TEACHER)
    assert not [path for path in files for name in names if f'"{name}' in path.read_text("utf-8")]


def test_it_is_listed_and_trained_by_name(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    listed = json.loads(teachbox("info", "--json"))
    assert LEARNER in listed["learners"]
    assert TEACHER in listed["teachers"]
    assert WORLD in json.dumps(listed)
    names = ("--world", WORLD, "--learner", LEARNER, "--teacher", TEACHER)
    told = teachbox("train", *names, "--mix", "demonstration=3", "--json", "--out", str(tmp_path / "out"))
    result = json.loads(told.splitlines()[-1])
    assert (result["world"], result["learner"], result["teacher"]) == (WORLD, LEARNER, TEACHER)
    assert result["mix"]["demonstration"] == 3
    assert result["normalised_return"] == pytest.approx(1.0, abs=0.05)  # the guide's drives are the best


def test_it_is_driven_taught_and_scored_through_the_real_window(tmp_path: Path) -> None:
    """A person hops over the puddle by real keys, keeps the drive, and the copier then does as well."""
    need_tools()
    (tmp_path / "cache").mkdir()
    session = tmp_path / "taught"
    screen = Screen(tmp_path / "screen")
    window = Window(
        screen, tmp_path / "home", "--world", WORLD, "--learner", LEARNER, "--session", str(session)
    )
    try:
        window.wait(
            "its terms and its learner",
            lambda s: (
                set(s["extra"].get("terms", ())) == {"at the door", "splash"}
                and s["learner"]["name"] == LEARNER
            ),
        )
        picture = window.screenshot("outside-package")
        for colour in (WATER, WALKER):
            assert (np.abs(picture.astype(int) - colour).max(axis=2) < 4).sum() > 100
        drive_to_the_end(window)
        window.tap_until("Return", "a kept drive", lambda s: s["counts"].get("demonstration", 0) == 1)
        window.wait("a learner that has learned from it", lambda s: s["learner"]["feedback_seq"] >= 1)
        assert window.state()["extra"]["trouble"] == ""  # type: ignore[index]
    finally:
        window.close()
        screen.close()
    teachbox("export", str(session), "--out", str(tmp_path / "agent"), "--format", "agent")
    walk = task(WORLD)
    policy = agent_bundle.load(tmp_path / "agent").policy
    found = scores.evaluate_policy(walk, policy)
    assert scores.reference_means(walk).score(found.mean) > 0.9


def test_the_pages_lead_from_an_empty_folder_to_the_real_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files of "add a world" and "add a learner", word for word; the window is started beside them."""
    need_tools()
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    folder = tmp_path / "mine"
    folder.mkdir()
    write_files(next(page for page in PAGES if page.stem == "add-a-world"), folder)
    (folder / "habit.py").write_text(HABIT)
    screen = Screen(tmp_path / "screen")
    window = Window(
        screen,
        tmp_path / "home",
        *("--world", "corridor:walk", "--learner", "habit:Habit", "--session", str(tmp_path / "taught")),
        cwd=folder,
    )
    try:
        window.wait("the controls", lambda s: s["mode"] == "ready")
        for step in range(1, 4):
            window.tap_until("Right", f"step {step}", lambda s, n=step: s["extra"]["driven"] >= n)
        picture = window.screenshot("pages")
        for colour in (WATER, WALKER):  # of the page's renderer
            assert (np.abs(picture.astype(int) - colour).max(axis=2) < 4).sum() > 100
        window.tap_until("Return", "a kept drive", lambda s: s["counts"].get("demonstration", 0) == 1)
        learned = window.wait("what it learned", lambda s: s["learner"]["feedback_seq"] >= 1)
        assert learned["learner"]["name"] == "habit:Habit"
    finally:
        window.close()
        screen.close()


def drive_to_the_end(window: Window) -> None:
    """Tap on, hop once before the puddle, and on, for a whole episode. The seed says where it begins."""
    state = window.wait("the controls", lambda s: s["mode"] == "ready")
    start = int(simulate(task(WORLD), 1, seed=state["extra"]["seed"]).states[0, 0])
    for step, key in enumerate([*["Right"] * (3 - start), "space", *["Right"] * 20]):
        done = window.tap_until(
            key, f"step {step + 1}", lambda s, n=step: s["extra"]["driven"] > n or over(s)
        )
        if over(done):
            return


def over(state: dict) -> bool:  # type: ignore[type-arg]
    return state["mode"] in ("ended", "stopped")
