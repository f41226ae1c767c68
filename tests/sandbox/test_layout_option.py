"""A flat of one's own on the command line and in a session."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from agents.feedback.records import Demonstration
from envs import task_catalog
from envs.layout_text import LayoutError
from envs.simulation import Simulation
from sandbox.commands.layout_option import layout_options
from sandbox.session.events import Saved
from sandbox.session.session import Session
from sandbox.store import Store
from tests.sandbox.test_cli import one_sentence, teachbox

TIDY, LANES = "teachbox/RoomsTidy-v0", "teachbox/LanesCruise-v0"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    drawn = tmp_path / "home.txt"
    drawn.write_text("; my home\n#######\n#R.l.D#\n#..V..#\n#######\n")
    return drawn


def test_a_drawing_becomes_the_sessions_own(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "session"
    with Session.open(folder, options=layout_options(home, None), start_learner=False) as session:
        sim = Simulation(session.task, 1)
        assert (sim.states[0, 1], sim.states[0, 2]) == (2, 1)
        recorder = sim.recorder()
        for action in (2, 2, 2, 2):
            step = sim.step(np.array([action]))
            recorder.add(action, step.terms[0], step.last_states[0], int(sim.rng[0]), step.last_obs[0])
        session.add_demonstration(recorder.trajectory())
        deadline = time.monotonic() + 60
        while not any(isinstance(event, Saved) for event in session.poll()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    home.unlink()
    with Session.open(folder, start_learner=False) as again:
        assert again.task.options["layout"] == session.task.options["layout"]
    store = Store.open(folder / "feedback.db")
    ((_, record),) = store.records()
    store.close()
    assert isinstance(record, Demonstration)
    replayed = task_catalog.task(record.trajectory.task, **record.trajectory.options)
    assert np.array_equal(Simulation(replayed, 1).states[0], record.trajectory.states[0])


def test_the_options_of_no_drawing_are_none() -> None:
    assert layout_options(None, LANES) == {}


def test_what_does_not_go_together_is_told(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="RoverDeliver-v0 can't be drawn"):
        layout_options(home, "teachbox/RoverDeliver-v0")
    Session.open(tmp_path / "other", start_learner=False).close()
    with pytest.raises(ValueError, match="other has another layout"):
        layout_options(home, None, tmp_path / "other")
    home.write_text("#R.l#\n#..?D#\n")
    with pytest.raises(LayoutError, match=r"line 2, column 4 of home\.txt: '\?'"):
        layout_options(home, TIDY)


def test_a_road_is_drawn_for_lanes(tmp_path: Path) -> None:
    road = tmp_path / "road.txt"
    road.write_text(("E" + "-" * 47 + "\n") + "-" * 48 + "  ; my way to work\n")
    assert layout_options(road, LANES) == {"layout": "E" + "-" * 47 + "\n" + "-" * 48 + "\n"}
    road.write_text("E" + "-" * 46 + "?\n" + "-" * 48 + "\n")
    with pytest.raises(LayoutError, match=r"line 1, column 48 of road\.txt: '\?'"):
        layout_options(road, LANES)
    one_sentence(
        teachbox("train", "--world", LANES, "--layout", "road.txt", home=tmp_path),
        "ine 1, column 48",
        "road.txt",
    )


def test_the_commands_tell_where_a_drawing_is_wrong(home: Path, tmp_path: Path) -> None:
    home.write_text("#R.l#\n#..?D#\n")
    for command in ([], ["train"]):
        one_sentence(teachbox(*command, "--layout", "home.txt", home=tmp_path), "ine 2, column 4", "home.txt")
