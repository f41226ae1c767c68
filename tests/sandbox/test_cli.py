"""What a person can get wrong on the command line is told in one sentence, with exit status 2."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.session.session import Session

ROOT = Path(__file__).resolve().parents[2]
ROOMS = "teachbox/RoomsTidy-v0"


def teachbox(
    *arguments: str, home: Path, root: Path = ROOT, **env: str | None
) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own, with a home of its own and no real screen."""
    told = {"SDL_VIDEODRIVER": "dummy", "XDG_DATA_HOME": str(home), "OMP_NUM_THREADS": "1", **env}
    whole = {k: v for k, v in {**os.environ, **told, "PYTHONPATH": str(root)}.items() if v is not None}
    return subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=home,
        env=whole,
        capture_output=True,
        text=True,
        timeout=300,
    )


def one_sentence(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit status 2, and a single line on stderr that names all of `words`."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr


def test_the_listing_of_commands_loads_nothing_heavy() -> None:
    heavy = "torch pygame numba numpy gymnasium sqlalchemy"
    code = f"import sandbox.cli, sys; sys.exit(str(sorted(set('{heavy}'.split()) & set(sys.modules))))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--world", "teachbox/RoomTidy-v0"], ["teachbox/RoomTidy-v0", ROOMS]),
        (["--world", ROOMS, "--learner", "jiont"], ["jiont", "joint"]),
        (["--wrold", ROOMS], ["--wrold"]),
        (["tuor"], ["tuor"]),
    ],
)
def test_a_wrong_name_is_named(arguments: list[str], words: list[str], tmp_path: Path) -> None:
    one_sentence(teachbox(*arguments, home=tmp_path), *words)


def test_without_a_display(tmp_path: Path) -> None:
    none = {"SDL_VIDEODRIVER": None, "DISPLAY": None, "WAYLAND_DISPLAY": None}
    one_sentence(teachbox("--world", ROOMS, home=tmp_path, **none), "DISPLAY", "teachbox tour")


def test_a_display_that_does_not_answer(tmp_path: Path) -> None:
    dead = {"SDL_VIDEODRIVER": None, "DISPLAY": ":9999", "WAYLAND_DISPLAY": None}
    desktop = {"XDG_RUNTIME_DIR": str(tmp_path)}  # without it the system's Wayland library grumbles too
    one_sentence(teachbox(home=tmp_path, **dead, **desktop), "display")


def test_a_folder_of_another_program(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.txt").write_text("mine")
    one_sentence(teachbox("--world", ROOMS, "--session", "work", home=tmp_path), "work")
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["thesis.txt"]


def test_a_database_of_another_program(tmp_path: Path) -> None:
    Session.open(tmp_path / "mine", world=ROOMS, start_learner=False).close()
    (tmp_path / "mine" / "feedback.db").write_bytes(b"not a database at all" * 100)
    one_sentence(teachbox("--session", "mine", home=tmp_path), "feedback.db")


def test_a_session_of_a_newer_version(tmp_path: Path) -> None:
    Session.open(tmp_path / "mine", world=ROOMS, start_learner=False).close()
    with sqlite3.connect(tmp_path / "mine" / "feedback.db") as connection:
        connection.execute("PRAGMA user_version=99")
    one_sentence(teachbox("--session", "mine", home=tmp_path), "feedback.db", "99", "newer")


def is_open(state: Path) -> bool:
    return state.exists() and json.loads(state.read_text())["open"]


def test_a_second_window_on_the_same_session(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    told = {"SDL_VIDEODRIVER": "dummy", "XDG_DATA_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    first = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--session", "mine", "--state-file", str(state)],
        cwd=tmp_path,
        env={**os.environ, **told},
    )
    try:
        deadline = time.monotonic() + 120
        while not is_open(state):  # the first picture comes before the session, which is locked when open
            assert first.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        one_sentence(teachbox("--session", "mine", home=tmp_path), "mine", str(first.pid))
    finally:
        first.terminate()
        first.wait(120)


MUTE = """
import gymnasium
import numpy as np

class Mute(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (2,))
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        return np.zeros(2, np.float32), {}

    def step(self, action):
        return np.zeros(2, np.float32), 0.0, False, False, {}

gymnasium.register("Mute-v0", Mute)
"""


def test_a_world_that_cannot_be_shown(tmp_path: Path) -> None:
    (tmp_path / "mute.py").write_text(MUTE)
    one_sentence(teachbox("--world", "mute:Mute-v0", home=tmp_path), "mute:Mute-v0", "rgb_array")


def test_a_session_opens_with_its_own_world(tmp_path: Path) -> None:
    first = teachbox("--world", "teachbox/LanesCruise-v0", "--session", "road", "--quick", home=tmp_path)
    assert first.returncode == 0, first.stderr
    state = tmp_path / "state.json"
    again = teachbox("--session", "road", "--quick", "--state-file", str(state), home=tmp_path)
    assert again.returncode == 0, again.stderr
    assert json.loads((tmp_path / "road" / "session.json").read_text())["world"] == "teachbox/LanesCruise-v0"
    one_sentence(teachbox("--session", "road", "--world", ROOMS, home=tmp_path), "road", "LanesCruise")


def test_another_package_of_our_name_is_told(tmp_path: Path) -> None:
    """Somebody else's `agents` stands before ours on the path."""
    theirs = tmp_path / "theirs"
    (theirs / "agents").mkdir(parents=True)
    (theirs / "agents" / "__init__.py").write_text("raise SystemExit('it was run')")
    ours = tmp_path / "ours"
    ours.mkdir()
    for name in ("envs", "agents", "sandbox"):
        shutil.copytree(ROOT / name, ours / name, ignore=shutil.ignore_patterns("__pycache__"))
    code = (
        f"import sys; sys.path[:0] = [{str(theirs)!r}, {str(ours)!r}]; from sandbox.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    one_sentence(done, "agents", str(theirs / "agents"))


def test_info_as_json(tmp_path: Path) -> None:
    done = teachbox("info", "--json", home=tmp_path)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert ROOMS in facts["worlds"]
    assert "joint" in facts["learners"]
    assert facts["versions"]["torch"] != "missing"
