"""Driver logs: what is read, how driving is matched, and what is reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs import task_catalog
from envs.lanes.ego_car import FASTER, KEEP, LEFT, RIGHT, SLOWER
from envs.lanes.lanes_expert import CarefulDriver
from envs.lanes.lanes_state_layout import (
    CRASHED,
    HEADER,
    LANE_WIDTH,
    LENGTH,
    T_PROGRESS,
    V,
    X,
    Y,
    cars_of,
    offsets,
)
from envs.lanes.log_file import MOST_COLUMNS, LogError, read_log
from envs.lanes.logs import PLACE_OFF, LogDemonstrations, demonstrations
from envs.lanes.step import STEP
from envs.simulation import Simulation

LANES = "teachbox/LanesCruise-v0"


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    names = list(rows[0])
    lines = [",".join(names), *(",".join(str(row[name]) for name in names) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def alone(path: Path, speed: Any, y: Any = lambda t: 2.0, seconds: float = 8.0, dt: float = 0.1) -> Path:
    """One car with a speed [m/s] and a place across the road [lanes] that depend on the time."""
    rows, x = [], 100.0
    for t in np.arange(0.0, seconds + 1e-9, dt):
        rows.append({"t": round(t, 3), "id": "me", "x": x, "y": y(t) * LANE_WIDTH, "speed": speed(t)})
        x += dt * (speed(t) + speed(t + dt)) / 2
    return written(path, rows)


def imported(path: Path, ego: str | None = "me", **options: Any) -> LogDemonstrations:
    return demonstrations(task_catalog.task(LANES, **options), read_log(path), ego, path.name)


def test_a_drive_of_this_world_comes_back_as_it_was(tmp_path: Path) -> None:
    """A careful driver's own drive, written as a log, is matched wholly and closely."""
    task = task_catalog.task(LANES)
    sim, driver, ring = Simulation(task, 1, seed=3), CarefulDriver(task.world), float(task.world.params[2])
    rows, acted, seen = [], [], []
    for k in range(120):
        me = sim.states[0, HEADER:]
        for i, (car, away) in enumerate(
            zip(cars_of(sim.states[0]), offsets(sim.states, ring)[0], strict=True)
        ):
            if abs(away) < 120:
                rows.append(
                    {"t": round(k * STEP, 2), "id": i, "x": float(me[X]) + away, "y": car[Y] * LANE_WIDTH,
                     "speed": car[V], "length": car[LENGTH], "ego": int(i == 0)}
                )  # fmt: skip
        seen.append(sim.obs[0].copy())
        action = driver.act(sim.obs)
        acted.append(int(action[0]))
        sim.step(action)
    result = imported(written(tmp_path / "own.csv", rows), ego=None)
    assert result.matched == result.steps == 119
    assert not result.unmatched
    (trajectory,) = result.trajectories
    assert len(trajectory) == 119
    assert trajectory.driver == "log:own.csv:0"
    assert trajectory.options == task.options
    assert (trajectory.actions == LEFT).sum() == acted[:119].count(LEFT)
    assert (trajectory.actions == RIGHT).sum() == acted[:119].count(RIGHT)
    assert np.mean(trajectory.actions == np.array(acted[:119])) > 0.7
    names = list(task.world.obs_names)
    away = np.abs(trajectory.observations - np.stack(seen))
    for name in ("speed", "gap_ahead_own", "gap_behind_own", "closing_ahead_own"):
        assert np.median(away[:, names.index(name)]) < 0.03, name
    assert away[:, names.index("speed")].max() < 0.08


def test_a_demonstration_is_one_of_the_world(tmp_path: Path) -> None:
    """The same action from the same moment leads the car to the same place, with the same terms."""
    log = alone(tmp_path / "a.csv", lambda t: 12 + 1.5 * t, lambda t: 2.0 if t < 4 else 1.0)
    (trajectory,) = imported(log).trajectories
    task = task_catalog.task(LANES)
    sim = Simulation(task, len(trajectory), auto_reset=False)
    every = np.ones(len(trajectory), bool)
    obs = sim.set_states(every, trajectory.states[:-1], trajectory.rng[:-1]).copy()
    assert np.array_equal(obs, trajectory.observations[:-1])
    step = sim.step(trajectory.actions)
    assert np.array_equal(step.terms, trajectory.terms)
    assert np.array_equal(cars_of(sim.states)[:, 0], cars_of(trajectory.states)[1:, 0])
    assert not trajectory.states[:, CRASHED].any()
    assert trajectory.states[0, task.world.clock] == 0
    assert trajectory.terms[:, T_PROGRESS].min() > 0


@pytest.mark.parametrize(
    ("speed", "mostly"),
    [(lambda t: 15.0, KEEP), (lambda t: 8 + 1.9 * t, FASTER), (lambda t: 24 - 2.5 * t, SLOWER)],
)
def test_pedals_are_matched(speed: Any, mostly: int, tmp_path: Path) -> None:
    result = imported(alone(tmp_path / "a.csv", speed))
    (trajectory,) = result.trajectories
    counts = np.bincount(trajectory.actions, minlength=5)
    assert not counts[[LEFT, RIGHT]].any()
    other = FASTER + SLOWER - mostly if mostly != KEEP else None
    assert counts[mostly] > (0 if mostly == SLOWER else len(trajectory) / 2)
    if other is not None:
        assert counts[mostly] > counts[other]
    log = [speed(STEP * k) for k in range(len(trajectory) + 1)]
    assert np.abs(cars_of(trajectory.states)[:, 0, V] - log).max() < 1.2


@pytest.mark.parametrize("column", ["y", "lane"])
def test_a_lane_change_is_one_action_a_second_before_the_line(column: str, tmp_path: Path) -> None:
    log = alone(tmp_path / "a.csv", lambda t: 15.0, lambda t: float(np.clip(2 - (t - 3) / 2.4, 1, 2)))
    if column == "lane":
        text = log.read_text().splitlines()
        rows = [line.split(",") for line in text[1:]]
        lanes = [str(round(float(row[3]) / LANE_WIDTH)) for row in rows]
        changed = [",".join([*row[:3], lane, row[4]]) for row, lane in zip(rows, lanes, strict=True)]
        log.write_text("\n".join(["t,id,x,lane,speed", *changed]) + "\n")
    result = imported(log)
    assert result.matched == result.steps == 40
    (at,) = np.flatnonzero(result.trajectories[0].actions == LEFT)
    assert 2.4 <= at * STEP <= 3.6
    assert cars_of(result.trajectories[0].states)[-1, 0, Y] == 1.0


def test_the_others_are_where_the_log_has_them_and_nobody_else_is_in_sight(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = []
    for k in range(40):
        t = round(0.2 * k, 2)
        rows.append({"t": t, "id": "me", "x": 500 + 15 * t, "lane": 1, "speed": 15, "ego": 1})
        rows.append({"t": t, "id": "van", "x": 540 + 14 * t, "lane": 1, "speed": 14, "ego": 0})
        rows.append({"t": t, "id": "far", "x": 900 + 14 * t, "lane": 1, "speed": 14, "ego": 0})
    result = imported(written(tmp_path / "a.csv", rows), ego=None)
    (trajectory,) = result.trajectories
    ring = float(task_catalog.task(LANES).world.params[2])
    away = offsets(trajectory.states, ring)
    near = np.abs(away) < 80
    assert (near.sum(axis=1) == 2).all(), "the driver and the van"
    van = np.where(near, away, 0).sum(axis=1)
    assert van == pytest.approx(40 - STEP * np.arange(40), abs=1.0)
    names = list(task_catalog.task(LANES).world.obs_names)
    assert (trajectory.observations[:, names.index("gap_ahead_own")] > 0.4).all()
    assert not trajectory.observations[:, names.index("gap_ahead_left")].any()


@pytest.mark.parametrize(
    ("speed", "y", "reason"),
    [
        (lambda t: 31.0, lambda t: 1.0, "faster than 25 m/s"),
        (lambda t: 15.0, lambda t: 6.0, "in lane 6, but the lanes here are 0 to 2"),
        (lambda t: 5.0 if t < 3 else 5 + 6 * (t - 3), lambda t: 1.0, "speeds up harder than 2 m/s^2"),
        (
            lambda t: 24.0 if t < 3 else max(0.0, 24 - 20 * (t - 3)),
            lambda t: 1.0,
            "brakes harder than 7 m/s^2",
        ),
        (lambda t: 15.0, lambda t: 0.0 if t < 4 else 2.0, "changes lanes faster than a car here can"),
    ],
)
def test_what_no_action_does_is_reported_with_its_lines(
    speed: Any, y: Any, reason: str, tmp_path: Path
) -> None:
    result = imported(alone(tmp_path / "a.csv", speed, y))
    assert reason in {one.reason for one in result.unmatched}
    lost = sum(one.steps for one in result.unmatched)
    assert result.matched + lost == result.steps
    assert result.matched == sum(len(one) for one in result.trajectories)
    told = next(str(one) for one in result.unmatched if one.reason == reason)
    assert told.startswith("lines ")
    assert "(car me)" in told


def test_places_that_contradict_the_speeds_are_reported(tmp_path: Path) -> None:
    rows = [{"t": 0.2 * k, "id": "me", "x": 6.0 * k, "lane": 1, "speed": 10} for k in range(60)]
    result = imported(written(tmp_path / "a.csv", rows))
    assert "its places don't agree with its speeds" in {one.reason for one in result.unmatched}
    for trajectory in result.trajectories:
        log = 6.0 * np.arange(len(trajectory) + 1)
        assert np.abs(cars_of(trajectory.states)[:, 0, X] - log).max() <= PLACE_OFF


def test_a_gap_cuts_and_a_long_drive_is_cut_at_the_horizon(tmp_path: Path) -> None:
    log = alone(tmp_path / "a.csv", lambda t: 15.0, seconds=60.0)
    lines = log.read_text().splitlines()
    log.write_text("\n".join(lines[:101] + lines[131:]) + "\n")
    result = imported(log)
    assert [one.reason for one in result.unmatched] == ["3.1 s without a row, over 1 s"]
    assert (result.unmatched[0].first_line, result.unmatched[0].last_line) == (101, 102)
    horizon = task_catalog.task(LANES).horizon
    assert [len(one) for one in result.trajectories] == [49, horizon, 235 - horizon]


ROW = "0,me,0,1,10"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: .* has no column 't'"),
        ("time,id,x,lane,speed\n", r"no column 't' \(is it 'time'\?\)"),
        ("t,id,x,speed\n", "neither a column 'lane' nor 'y'"),
        ("t,id,x,speed,lane,y\n", "both columns 'lane' and 'y'"),
        ("t,t,id,x,speed,lane\n", "the column 't' is there twice"),
        ("t,id,x,lane,speed\n", "has no rows"),
        (f"t,id,x,lane,speed\n{ROW}\n0.1,me,fast,1,10\n", "line 3: x 'fast' is no number"),
        (f"t,id,x,lane,speed\n{ROW}\n0.1,me,nan,1,10\n", "line 3: x nan can't be"),
        (f"t,id,x,lane,speed\n{ROW}\n0.1,me,1,1,1e9\n", "line 3: speed 1e9 can't be: at most 100"),
        (f"t,id,x,lane,speed\n{ROW}\n0.1,me,1,1.5,9\n", "line 3: lane '1.5' is no whole number"),
        (f"t,id,x,lane,speed\n{ROW}\n{ROW}\n", "line 3: car 'me' is told twice at t 0"),
        (f"t,id,x,lane,speed\n{ROW}\n0.1,me,1\n", "line 3: 3 values, but the header has 5 columns"),
        (f"t,id,x,lane,speed,ego\n{ROW},maybe\n", "line 2: ego 'maybe' is neither 1 nor 0"),
        (f"t,id,x,lane,speed,length\n{ROW},400\n", "line 2: a length of 400 m"),
        (",".join(f"c{i}" for i in range(MOST_COLUMNS + 1)), f"line 1: {MOST_COLUMNS + 1} columns"),
        (f't,id,x,lane,speed\n{ROW}\n0.1,"me"x,1,1,9\n', "line 3 of a.csv is no CSV"),
    ],
)
def test_a_wrong_file_is_told_by_line_and_value(text: str, told: str, tmp_path: Path) -> None:
    log = tmp_path / "a.csv"
    log.write_text(text)
    with pytest.raises(LogError, match=told):
        read_log(log)


def test_files_that_are_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LogError, match="can't be read"):
        read_log(tmp_path / "nowhere.csv")
    log = tmp_path / "a.csv"
    log.write_bytes(b"t,id,x,lane,speed\n\xff\xfe")
    with pytest.raises(LogError, match=r"line 2 of a\.csv is no text"):
        read_log(log)
    monkeypatch.setattr("envs.lanes.log_file.MOST_ROWS", 3)
    log.write_text("t,id,x,lane,speed\n" + "".join(f"{k},me,{k},1,1\n" for k in range(5)))
    with pytest.raises(LogError, match="line 5: over 3 rows"):
        read_log(log)
    monkeypatch.setattr("envs.lanes.log_file.MOST_BYTES", 2**20)
    log.write_bytes(b"x" * (2**20 + 1))
    with pytest.raises(LogError, match="over 1 MiB"):
        read_log(log)


def test_who_drives_has_to_be_known(tmp_path: Path) -> None:
    log = alone(tmp_path / "a.csv", lambda t: 10.0)
    with pytest.raises(LogError, match=r"doesn't say who drives: name one of its cars \(me\)"):
        imported(log, ego=None)
    with pytest.raises(LogError, match="no car 'you' is in the log"):
        imported(log, ego="you")
    with pytest.raises(LogError, match="not in teachbox/RoomsTidy-v0"):
        demonstrations(task_catalog.task("teachbox/RoomsTidy-v0"), read_log(log), "me")


def test_lanes_may_be_counted_from_one(tmp_path: Path) -> None:
    log = tmp_path / "a.csv"
    log.write_text("t,id,x,lane,speed\n0,me,0,1,10\n")
    assert read_log(log, first_lane=1)[0].y.tolist() == [0.0]
