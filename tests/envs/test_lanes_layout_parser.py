"""Roads drawn as text: what they become, and how a wrong one is told."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from envs import task_catalog
from envs.lanes.ego_car import KEEP, SLOWER
from envs.lanes.lanes_expert import CarefulDriver
from envs.lanes.lanes_layout_parser import DRIVERS
from envs.lanes.lanes_state_layout import (
    CRASHED,
    CRUISE,
    FIELDS,
    GUEST,
    HEADING,
    LANE,
    LENGTH,
    SERVED,
    SITE,
    TEMPER,
    V,
    X,
    Y,
    cars_of,
    extras_of,
)
from envs.layout_text import MOST_BYTES, LayoutError
from envs.simulation import Simulation
from envs.world import Array, Task

CRUISE_ROAD = """\
; three lanes, 240 m
v = temper 0.9, speed 21, wants 23     ; somebody in a hurry

-----h----------o------------v------------------
--o------E----------c-----------------------c---
----t------------------o------------------------
"""
MERGE_ROAD = """\
-----h----------------o-------------------------
--o------E----------c---------------c-----------
             __g_____________/__
"""
AMBULANCE_ROAD = """\
-----h----------------o-------------------------
A--------E----------c---------------c-----------
"""
CROSSING_ROAD = """\
people 2
-----c----------------------Z-------------------
--o------E------------------Z-------c-----------
"""
ROADS = {"Cruise": CRUISE_ROAD, "Merge": MERGE_ROAD, "Ambulance": AMBULANCE_ROAD, "Crossing": CROSSING_ROAD}


def made(text: str, name: str = "Cruise", **options: object) -> Task:
    return task_catalog.task(f"teachbox/Lanes{name}-v0", layout=text, **options)


def start(text: str, name: str = "Cruise", seed: int = 0) -> Array:
    return Simulation(made(text, name), 1, seed=seed).states[0]


def test_everybody_is_where_they_were_drawn() -> None:
    state = start(CRUISE_ROAD)
    cars = cars_of(state)
    assert cars.shape == (9, FIELDS)
    assert cars[0, [X, Y, LANE, V]].tolist() == [0.0, 1.0, 1.0, 13.0]
    hurried = cars[np.isclose(cars[:, V], 21.0)][0]
    # 29 marks in, the own car 9: 20 marks of 5 m ahead, in the leftmost lane.
    assert hurried[[X, LANE]].tolist() == [100.0, 0.0]
    assert hurried[[TEMPER, CRUISE]].tolist() == pytest.approx([0.9, 23.0])
    truck = cars[np.isclose(cars[:, LENGTH], 11.0)][0]
    assert truck[[X, LANE]].tolist() == [-25.0, 2.0]


def test_what_a_task_has_besides_is_where_it_was_drawn() -> None:
    merge = start(MERGE_ROAD, "Merge")
    guest = cars_of(merge)[int(extras_of(merge)[GUEST])]
    assert extras_of(merge)[SITE] == 100.0
    assert guest[[X, LANE]].tolist() == [100.0 - 70.0, 2.0]
    assert guest[Y] > 2.0, "still on the bend"
    ambulance = start(AMBULANCE_ROAD, "Ambulance")
    assert cars_of(ambulance)[1, [X, LANE]].tolist() == [-45.0, 1.0]
    assert extras_of(ambulance)[GUEST] == 1
    crossing = start(CROSSING_ROAD, "Crossing")
    assert extras_of(crossing)[[SITE, GUEST, HEADING]].tolist() == [95.0, 2.0, 1.0]


@pytest.mark.parametrize("name", ROADS)
def test_a_careful_driver_gets_on_there(name: str) -> None:
    task = made(ROADS[name], name)
    sim, driver = Simulation(task, 8, auto_reset=False), CarefulDriver(task.world)
    for _ in range(task.horizon):
        sim.step(driver.act(sim.obs))
    assert (sim.states[:, CRASHED] == 0).all()
    assert (cars_of(sim.states)[:, 0, X] > (250.0 if name == "Crossing" else 350.0)).all()
    if name != "Cruise":
        assert (extras_of(sim.states)[:, SERVED] > 0).all(), "somebody was let in, past or across"


@pytest.mark.parametrize("name", ROADS)
def test_the_text_kept_is_the_same_road(name: str) -> None:
    task = made(ROADS[name], name)
    again = made(task.options["layout"], name)
    assert again.options == task.options
    assert np.array_equal(again.world.params, task.world.params)
    assert ";" not in task.options["layout"]


def test_loose_roads_begin_a_little_different_each_time() -> None:
    fixed, loose = Simulation(made(CRUISE_ROAD), 20), Simulation(made("loose 2\n" + CRUISE_ROAD), 20)
    assert (fixed.states == fixed.states[0]).all()
    x, drawn = cars_of(loose.states)[:, 1:, X], cars_of(fixed.states)[:, 1:, X]
    assert len(np.unique(x[:, 0])) == 20
    assert np.abs(x - drawn).max() <= 4.0, "two metres off, seen from a car that is two metres off"
    assert (cars_of(loose.states)[:, 0, X] == 0).all()


def test_other_actions_and_senses_go_with_it() -> None:
    for options in ({"actions": "continuous"}, {"observation": "lidar"}, {"observation": "pixels"}):
        task = made(MERGE_ROAD, "Merge", **options)
        assert task.options == {"split": "train", "layout": MERGE_ROAD, "observation": "wide", **options}
        sim = Simulation(task, 2)
        assert np.isfinite(sim.step(task.idle_actions(2)).obs).all()


def test_who_stands_stays_where_it_is() -> None:
    text = CRUISE_ROAD.replace("c---\n", "x---\n")
    task = made(text)
    sim = Simulation(task, 1, auto_reset=False)
    before = cars_of(sim.states)[0].copy()
    (standing,) = np.flatnonzero(before[:, V] == 0.0)
    for _ in range(100):
        sim.step(np.array([SLOWER]))
    after = cars_of(sim.states)[0, standing]
    assert abs(after[X] - before[standing, X]) < 1.0
    assert after[LANE] == before[standing, LANE] == 1


def test_a_file_is_read_and_is_the_same_as_its_text(tmp_path: Path) -> None:
    path = tmp_path / "road.txt"
    path.write_text(CRUISE_ROAD, "utf-8")
    assert made(str(path)).options == made(CRUISE_ROAD).options


FREE = "-" * 48
WRONG = {
    # name: (text, task, what is said)
    "no mark": (
        CRUISE_ROAD.replace("--o---", "--?---", 1),
        "Cruise",
        r"line 4, column 17 of the layout: '\?' is no mark here: use - E c o h t x v$",
    ),
    "no own car": (CRUISE_ROAD.replace("E", "-"), "Cruise", "no own car: put an 'E'"),
    "two own cars": (
        CRUISE_ROAD.replace("h", "E"),
        "Cruise",
        "line 5, column 10 .* second own car, .* line 4",
    ),
    "overlap": (
        CRUISE_ROAD.replace("----t---", "----tt--"),
        "Cruise",
        "line 6, column 5 .* overlaps .* column 6",
    ),
    "too near": (
        CRUISE_ROAD.replace("v------------------", "v---x--------------"),
        "Cruise",
        "line 4, column 30 .* at 21 m/s this car can't help hitting the one in column 34: .* m are missing",
    ),
    "no way": (
        "\n".join(["E" + FREE[1:30] + "x" + FREE[31:], FREE[:30] + "x" + FREE[31:]]) + "\n",
        "Cruise",
        "line 1, column 31 .* leave no way past here",
    ),
    "one lane": ("E" + FREE[1:] + "\n", "Cruise", "has 1 lanes: draw 2 to 5"),
    "too short": ("E---\n----\n", "Cruise", "4 marks long: draw 40 to 160"),
    "nothing": ("; nothing\n", "Cruise", "draws no lane"),
    "a gap": (f"E{FREE[1:]}\n\n{FREE}\n", "Cruise", "line 2, column 1 .* empty line in the middle"),
    "no number": (
        "v = speed fast\n" + CRUISE_ROAD,
        "Cruise",
        "line 1, column 11 .* speed 'fast' is no number",
    ),
    "no fact": ("v = colour red\n" + CRUISE_ROAD, "Cruise", "line 1, column 5 .* 'colour red' says nothing"),
    "no letter": ("3 = speed 9\n" + CRUISE_ROAD, "Cruise", "line 1, column 1 .* '3' can't be a driver"),
    "no setting": (
        "limit 30\n" + CRUISE_ROAD,
        "Cruise",
        "line 1, column 1 .* 'limit' is unknown: use loose or",
    ),
    "slip road elsewhere": (MERGE_ROAD, "Cruise", "line 3, column 1 .* LanesCruise knows no slip road"),
    "no slip road": (CRUISE_ROAD, "Merge", "no slip road for LanesMerge"),
    "mouth behind": (
        MERGE_ROAD.replace("__g_____________/__", "/_g______________"),
        "Merge",
        "line 3, column 14 .* mouth is not ahead",
    ),
    "two guests": (
        MERGE_ROAD.replace("__g__", "g_g__"),
        "Merge",
        "line 3, column 16 .* second car on the slip",
    ),
    "ambulance elsewhere": (AMBULANCE_ROAD, "Cruise", "line 2, column 1 .* knows no ambulance"),
    "no ambulance": (CRUISE_ROAD, "Ambulance", "no ambulance: put an 'A'"),
    "no zebra": (CRUISE_ROAD, "Crossing", "no zebra"),
    "half a zebra": (
        CROSSING_ROAD.replace("E------------------Z", "E-------------------"),
        "Crossing",
        "line 3, column 29 .* needs a 'Z' here too",
    ),
    "two zebras": (CROSSING_ROAD.replace("-c-----------\n", "-c------Z----\n"), "Crossing", "a second zebra"),
    "zebra too near": (
        "E = speed 25\n" + CROSSING_ROAD.replace("E------------------Z", "----------------E--Z"),
        "Crossing",
        "line 4, column 26 .* at 25 m/s it can't stop at the zebra",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_with_its_place(name: str) -> None:
    text, task, said = WRONG[name]
    with pytest.raises(LayoutError) as told:
        made(text, task)
    sentence = str(told.value)
    assert re.search(said, sentence), sentence
    assert "\n" not in sentence


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match=r"'nowhere\.txt' can't be read"):
        made("nowhere.txt")
    large = tmp_path / "large.txt"
    large.write_text("-" * (MOST_BYTES + 1))
    with pytest.raises(LayoutError, match="a road is a small drawing"):
        made(str(large))
    large.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LayoutError, match="no text in UTF-8"):
        made(str(large))


def test_no_start_that_is_accepted_is_lost_at_once() -> None:
    """Roads drawn at random: what is accepted, one can brake on without being at fault."""
    random, accepted = np.random.default_rng(3), 0
    marks = ["-", *(mark for mark in DRIVERS if mark in "coht"), "x"]
    share = [0.93, 0.015, 0.02, 0.015, 0.01, 0.01]
    for _ in range(300):
        rows = [random.choice(marks, 48, p=share) for _ in range(3)]
        rows[int(random.integers(3))][0] = "E"
        try:
            task = made("\n".join("".join(row) for row in rows) + "\n")
        except LayoutError:
            continue
        accepted += 1
        sim = Simulation(task, 1, auto_reset=False)
        for t in range(25):
            sim.step(np.array([SLOWER if t < 20 else KEEP]))
        assert sim.states[0, CRASHED] == 0, task.options["layout"]
    assert accepted > 30
