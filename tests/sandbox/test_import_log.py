"""`teachbox import-log`: from a CSV file to demonstrations that a learner reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.feedback.records import Demonstration
from sandbox.session.session import Session
from sandbox.store import Store
from tests.sandbox.test_cli import one_sentence, teachbox

LANES = "teachbox/LanesCruise-v0"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Ten seconds at 15 m/s, then three that are too fast."""
    rows = ["t,id,x,lane,speed"]
    for k in range(131):
        t = k / 10
        rows.append(f"{t},anna,{15 * t},2,{15 if k <= 100 else 40}")
    path = tmp_path / "drive.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_a_log_becomes_demonstrations_in_the_store(log: Path, tmp_path: Path) -> None:
    done = teachbox("import-log", "drive.csv", "--session", "s", "--ego", "anna", home=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "1 demonstrations saved in s: 50 of 65 steps matched (77%)."
    assert lines[1] == "Not matched: lines 102 to 132 (car anna): faster than 25 m/s"
    store = Store.open(tmp_path / "s" / "feedback.db")
    records = [record for _, record in store.records()]
    store.close()
    assert len(records) == 1
    assert isinstance(records[0], Demonstration)
    assert len(records[0].trajectory) == 50
    assert records[0].trajectory.driver == "log:drive.csv:anna"
    again = teachbox("import-log", "drive.csv", "--session", "s", "--ego", "anna", home=tmp_path)
    assert again.returncode == 0
    with Session.open(tmp_path / "s", start_learner=False) as session:
        assert session.world == LANES
        assert session.counts == {"demonstration": 2}


def test_what_is_wrong_is_one_sentence(log: Path, tmp_path: Path) -> None:
    one_sentence(teachbox("import-log", "drive.csv", "--session", "s", home=tmp_path), "anna", "ego")
    assert not (tmp_path / "s").exists()
    one_sentence(teachbox("import-log", "no.csv", "--session", "s", home=tmp_path), "no.csv")
    log.write_text("t,id,x,lane,speed\n0,anna,zero,2,15\n")
    one_sentence(
        teachbox("import-log", "drive.csv", "--session", "t", "--ego", "anna", home=tmp_path),
        "ine 2",
        "'zero'",
    )
    assert not (tmp_path / "t").exists(), "a log that can't be read makes no session"
    Session.open(tmp_path / "rooms", world="teachbox/RoomsTidy-v0", start_learner=False).close()
    log.write_text("t,id,x,lane,speed\n0,anna,0,2,15\n")
    one_sentence(
        teachbox("import-log", "drive.csv", "--session", "rooms", home=tmp_path), "RoomsTidy", "rooms"
    )
