"""The trial's parts go on where they were, and add up; what kills show is tested beside the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.bench.durability import run, window_kills
from sandbox.bench.durability.count import Count
from sandbox.bench.durability.learner_kills import line
from sandbox.bench.speed.xvfb import display
from tests.sandbox.exchanged import refused
from tests.sandbox.xwindow import need_tools


def silent(share: float, text: str) -> None:
    """A Tell that tells nobody."""


def test_a_stopped_part_goes_on_and_a_run_cut_off_while_it_was_written_does_not_count(tmp_path, monkeypatch):
    seen: list[tuple[int, int]] = []

    def trial(folder: Path, times: int, seed: int) -> dict[str, int]:
        seen.append((times, seed))
        if len(seen) == 3:
            raise KeyboardInterrupt
        return Count(times, told=10 * times, lost=seed, control_times=1, control_lost=2).line()

    monkeypatch.setitem(run.PARTS, "kill", run.Part("kills", 100, 4, trial))
    with pytest.raises(KeyboardInterrupt):
        run.go_on("kill", 10, tmp_path, silent)
    with (tmp_path / "kill.jsonl").open("a") as file:
        file.write('{"seed": 2, "times"')
    run.go_on("kill", 10, tmp_path, silent)
    run.go_on("kill", 10, tmp_path, silent)  # nothing left to do
    assert seen == [(4, 0), (4, 1), (2, 2), (2, 2)]
    (told,) = run.report(tmp_path)["counts"]
    assert told.pop("cpu_seconds") >= 0
    assert told == {"way": "kills", **Count(10, 100, 3, 0, 3, 6).line()}


def test_files_and_learners_of_several_runs_add_up(tmp_path):
    one = {"tried": {"csv": 5, "zip": 2}, "accepted": {"csv": 1}, "failures": ["csv, seed 1, number 2: no"]}
    two = {"tried": {"csv": 5}, "accepted": {}, "failures": []}
    assert run._files([one, two]) == [
        {"file": "csv", "tried": 10, "accepted": 1, "failures": 1},
        {"file": "zip", "tried": 2, "accepted": 0, "failures": 0},
        {"file": "all", "tried": 12, "accepted": 1, "failures": 1},
    ]
    backs = [
        {"back": [1.0, 9.0], "frames": [3.0], "alone": [2.0], "heard": 2, "said": 2},
        {"back": [2.0], "frames": [30.0], "alone": [1.0], "busy": [4.0, 3.0], "heard": 0, "said": 1},
    ]
    told = line(backs)
    assert (told["kills"], told["seconds"], told["slowest"]) == (3, 2.0, 9.0)
    assert (told["frame_worst"], told["heard"], told["said"]) == (30.0, 2, 3)
    assert told["frame_cpu_worst"] == 4.0
    assert "frame_cpu_worst" not in line(backs[:1])


def test_an_unknown_part_is_a_sentence():
    told = refused("bench", "trust", "--part", "flood")
    assert told.startswith("Invalid value for '--part': 'flood' is not one of 'kill', 'window', ")


@pytest.mark.slow
def test_a_window_that_says_saved_too_early_is_seen_to_lose(tmp_path, monkeypatch):
    need_tools()
    monkeypatch.delenv("DISPLAY", raising=False)
    with display() as name:
        early = window_kills.kills(name, tmp_path / "early", 2, 1, window_kills.EARLY)
        honest = window_kills.kills(name, tmp_path / "honest", 2, 1, window_kills.HONEST)
    assert early.lost > 0
    assert honest.told > 0
    assert (honest.lost, honest.wrong) == (0, 0)
