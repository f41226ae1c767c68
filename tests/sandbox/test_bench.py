"""The figures about speed: that they are made, and made of what was seen. No figure is judged here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from envs import task_catalog
from sandbox.bench.durability.slow_disk import stalls
from sandbox.bench.speed.frame_rate import _Seen, _slot
from sandbox.bench.speed.world_speed import Speed, of_gymnasium, of_simulation, pooled, ratios
from sandbox.commands.bench import app


def report(*arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, [*arguments, "--quick", "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    facts: dict[str, Any] = json.loads(done.output.splitlines()[-1])
    assert facts["machine"]["cores"] == os.cpu_count()
    return facts


def test_worlds_are_all_measured_in_whole_episodes() -> None:
    facts = report("worlds")
    speeds = facts["speeds"]
    for id in task_catalog.task_ids():
        ours = [one for one in speeds if one["world"] == id]
        assert [(one["way"], one["rows"]) for one in ours] == [
            ("gymnasium.make", 1),
            ("simulation", 1),
            ("simulation", 8),
        ]
        horizon = task_catalog.task(id).horizon
        assert all(one["steps"] % (one["rows"] * horizon) == 0 for one in ours[1:])
    assert any(one["world"] == "CartPole-v1" for one in speeds)
    assert all(one["steps_per_cpu_second"] > 0 for one in speeds)
    assert ("RoverDeliver-v0", "CartPole-v1") in [(one["world"], one["peer"]) for one in facts["ratios"]]


def test_worlds_are_held_to_their_peers_round_by_round() -> None:
    tidy, peer = "teachbox/RoomsTidy-v0", "MiniGrid-FourRooms-v0"
    speeds = [
        *[Speed(tidy, "simulation", 1024, 1, pace, i) for i, pace in enumerate((500.0, 30.0, 900.0))],
        *[Speed(tidy, "gymnasium.make", 1, 1, pace, i) for i, pace in enumerate((19.0, 1.9, 19.0))],
        *[Speed(peer, "gymnasium.make", 1, 1, pace, i) for i, pace in enumerate((1.0, 0.1, 3.0))],
    ]
    many, made = ratios(speeds)
    assert (many.times, many.low, many.high, many.wanted, many.within_target) == (300, 300, 500, 400, False)
    assert (made.times, made.wanted, made.within_target) == (pytest.approx(19.0), 20, False)
    assert pooled(speeds)[0].steps_per_cpu_second == 500.0


def test_steps_are_counted_by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(np.arange(0.0, 100.0, 0.5))
    monkeypatch.setattr("time.process_time", lambda: float(next(ticks)))
    task = task_catalog.task("teachbox/RoomsTidy-v0")
    speed = of_simulation(task, 3, 0.9)  # two episodes of half a second each
    assert speed.steps == 2 * 3 * task.horizon
    assert speed.steps_per_cpu_second == speed.steps
    assert of_gymnasium("CartPole-v1", 0.4).steps == 64


def test_a_slot_pools_its_rounds() -> None:
    seen = _Seen([0.016, 0.016, 0.018], [0.02, 0.04], 2.0, 1.0, 5000, 0.5)
    slot = _slot("drive", "on", seen)
    assert slot.fps == pytest.approx(60)
    assert (slot.frame_p50, slot.key_p50) == (pytest.approx(16), pytest.approx(30))
    assert (slot.window_cpu, slot.steps_per_second, slot.steps_per_cpu_second) == (0.5, 2500, 10000)
    assert _slot("drive", "off", seen).steps_per_second is None
    assert _slot("none", "on", _Seen(seconds=1.0)).fps is None


def test_without_a_display_or_xvfb_it_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr("shutil.which", lambda name: None)
    done = CliRunner().invoke(app, ["start", "--quick"])
    assert "install Xvfb" in str(done.exception)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="needs Xvfb")
def test_the_window_is_measured_as_it_starts_and_as_it_runs() -> None:
    root = Path(__file__).parents[2]
    for name, lines in (("start", "starts"), ("screen", "slots")):
        command = f"from sandbox.commands.bench import app; app(['{name}', '--quick', '--json'])"
        done = subprocess.run([sys.executable, "-c", command], cwd=root, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        facts = json.loads(done.stdout.splitlines()[-1])[lines]
        if name == "start":
            assert len(facts) == 6
            assert not any(one["torch"] for one in facts)
        else:
            assert all(one["keys"] > 0 for one in facts if one["window"] != "none")
            assert all(one["steps_per_second"] for one in facts if one["learner"] == "on")


def test_a_slow_disk_does_not_hold_up_the_window_and_the_control_does() -> None:
    """That the figures are made of what was done: the disk is slow, and the control waits for it."""
    quiet, quick, slow, control = stalls(24, lambda share, text: None)
    assert (quiet.said, quick.said, slow.said, control.said) == (0, 4, 4, 4)
    assert control.call_worst > 40.0  # two writes of 20 ms at least
    assert slow.call_p50 < control.call_worst / 4
