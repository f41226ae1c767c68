"""docs/add-a-world.md, followed word for word from an empty folder: its files, its commands, the window."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from envs.simulate import simulate
from envs.task_catalog import task
from sandbox.session.session import Session
from tests.outside import unpacked
from tests.test_docs import PAGES, ROOT, blocks, write_files

PAGE = next(page for page in PAGES if page.stem == "add-a-world")
INSTALLED = "example/Corridor-v0"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The folder with the page's files in it, and nothing else."""
    folder = tmp_path / "mine"
    folder.mkdir()
    write_files(PAGE, folder)
    yield folder
    for name in ("corridor", "corridor_renderer", "carpet"):
        sys.modules.pop(name, None)


def teachbox(line: str, folder: Path, *paths: Path) -> str:
    """A line of the page as it stands, in the folder; `--json` and a small budget are added."""
    name, *arguments = line.split()
    assert name == "teachbox"
    env = {**os.environ, "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(folder.parent / "cache")}
    env["PYTHONPATH"] = os.pathsep.join(str(path) for path in (ROOT, *paths))
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments, "--quick", "--json"],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()[-1]


def lines(start: str) -> list[str]:
    found = [line for text in blocks(PAGE, "sh") for line in text.splitlines()]
    return [line for line in found if line.startswith(start)]


def test_it_is_taught_from_the_folder_and_once_it_is_installed(folder: Path) -> None:
    by_module, by_entry_point = lines("teachbox train")
    site = unpacked(folder.parent, folder)  # what `pip install -e .` leaves behind
    for line, paths in ((by_module, ()), (by_entry_point, (site,))):
        result = json.loads(teachbox(line, folder, *paths))
        assert result["world"] == line.split()[3]
        assert result["return_oracle"] == pytest.approx(12.0, abs=0.5)  # 11, 12 or 13 by where it begins
        assert result["return_still"] == 0.0


def test_it_is_taught_in_the_window(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(unpacked(folder.parent, folder))
    assert [line.split()[-1] for line in lines("teachbox --world")] == ["corridor:walk", INSTALLED]
    with Session.open(folder / "taught", world=INSTALLED, start_learner=False) as session:
        sim = simulate(session.task, 1, seed=0)
        recorder = sim.recorder(0, "person")
        for _ in range(8):
            out = sim.step(np.array([2]))
            recorder.add(2, out.terms[0], sim.states[0], int(sim.rng[0]), out.obs[0])
        session.add_demonstration(recorder.trajectory())
    with Session.open(folder / "taught", start_learner=False) as session:
        assert session.world == INSTALLED
        assert sum(session.counts.values()) == 1


def test_a_true_reward_of_ones_own_takes_fifteen_lines(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(folder)
    source = next(text for text in blocks(PAGE, "python") if text.startswith("# carpet.py"))
    assert len([line for line in source.splitlines() if line and not line.startswith("#")]) <= 15
    carpet = task("carpet:carpet", size=11)
    assert carpet.id == "carpet:carpet"
    terms = np.array([[1, 0, 2, 0, 0, 0, 0]], np.float32)
    assert carpet.true_reward(terms, terms, terms).tolist() == [-9.0]  # 1 - 5 * 2
