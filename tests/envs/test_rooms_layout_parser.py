"""Flats drawn as text: what they become, and how a wrong one is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from envs import task_catalog
from envs.layout_text import MOST_BYTES, LayoutError
from envs.rooms.planner import plan_flat
from envs.rooms.rooms_layout_parser import LARGEST
from envs.rooms.rooms_state_layout import (
    CARPET,
    COL,
    DOCK,
    DOORWAY,
    FLOOR,
    HEADER,
    LITTER,
    MUD,
    ROW,
    VASE,
    WALL,
    edge_of,
)
from envs.simulation import Simulation
from envs.world import Task

FLAT = """\
; a flat in which the short way is the bad one
#########
#R..#..l#   ; litter behind the doorway
#...=...#
#.m%#V.D#
#########
"""
KEYS = """\
#######
#R.+..#
#k.#..#
####.D#
"""


def made(text: str, name: str = "RoomsTidy", **options: object) -> Task:
    return task_catalog.task(f"teachbox/{name}-v0", layout=text, **options)


def cells_of(task: Task, seed: int = 0) -> np.ndarray:
    size = edge_of(task.world.state_size)
    return Simulation(task, 1, seed=seed).states[0, HEADER : HEADER + size * size].reshape(size, size)


def test_every_mark_is_where_it_was_drawn() -> None:
    cells = cells_of(made(FLAT))
    assert cells.shape == (9, 9), "padded to a square, the drawing in the middle"
    top = 2
    assert cells[top + 1, 7] == LITTER
    assert cells[top + 2, 4] == DOORWAY
    assert cells[top + 3, 2] == MUD
    assert cells[top + 3, 3] == CARPET
    assert cells[top + 3, 5] == VASE
    assert cells[top + 3, 7] == DOCK
    assert (cells[:top] == WALL).all()
    assert (cells != WALL).sum() == 7 + 7 + 6 - 1


def test_the_robot_begins_at_its_mark_or_anywhere_that_will_do() -> None:
    sim = Simulation(made(FLAT), 50)
    assert (sim.states[:, [ROW, COL]] == [3, 1]).all()
    free = Simulation(made(FLAT.replace("R", ".")), 400)
    places = {(int(row), int(col)) for row, col in free.states[:, [ROW, COL]]}
    cells = cells_of(made(FLAT))
    assert len(places) == (cells == FLOOR).sum()
    assert all(cells[place] == FLOOR for place in places)
    two_rooms = "R".join(["##########\n#..l.D#", "#\n#.....#.#\n##########\n"])
    assert Simulation(made(two_rooms.replace("R", ".")), 200).states[:, COL].max() < 9


def test_starts_without_a_robot_are_only_where_all_can_be_done() -> None:
    split = "#########\n#..#.l.D#\n#########\n"
    columns = Simulation(made(split), 100).states[:, COL]
    assert set(columns.tolist()) == {4, 6}


def test_every_start_is_the_drawn_one_again_after_the_horizon() -> None:
    task = made(FLAT)
    sim = Simulation(task, 3)
    start = sim.states.copy()
    for _ in range(task.horizon):
        step = sim.step(np.array([2, 2, 3]))
    assert step.ended.all()
    assert np.array_equal(sim.states, start)


def test_an_open_edge_gets_a_wall() -> None:
    task = made("..l\n.RD\n")
    cells = cells_of(task)
    assert cells.shape == (7, 7)
    assert (cells != WALL).sum() == 6
    for edge in (cells[0], cells[-1], cells[:, 0], cells[:, -1]):
        assert (edge == WALL).all()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("RoomsTidy", FLAT),
        ("RoomsReach", FLAT.replace("l", ".")),
        ("RoomsLoophole", FLAT.replace("D", "B")),
        ("RoomsKeys", KEYS),
    ],
)
def test_a_drawn_flat_can_be_done_as_wished_in_each_task(name: str, text: str) -> None:
    task = made(text, name)
    sim = Simulation(task, 1, auto_reset=False)
    best = plan_flat(task, sim.states[0])
    for _ in range(task.horizon):
        sim.step(np.array([best.action(sim.states[0])]))
    assert task.done(sim.states).all()


def test_options_carry_the_drawing_and_make_the_same_task_again(tmp_path: Path) -> None:
    file = tmp_path / "home.txt"
    file.write_text(FLAT)
    task = made(str(file), split="test")
    file.unlink()
    options = json.loads(json.dumps(dict(task.options)))
    again = task_catalog.task(task.id, **options)
    assert again.options == task.options
    assert again.horizon == task.horizon
    assert np.array_equal(again.world.params, task.world.params)
    assert np.array_equal(Simulation(again, 4).states, Simulation(task, 4).states)


def test_there_is_time_for_all_of_it() -> None:
    pieces = "#" * 23 + "\n#R" + "l" * 19 + "D#\n" + "#" * 23 + "\n"
    assert made(pieces).horizon > 2 * sum(range(1, 20))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("#####\n#Rx.#\n", "line 2, column 3 of the layout: 'x' is no mark"),
        ("; a comment\n  R.l\n  .\tD\n", r"line 3, column 4 of the layout: '\\t' is no mark"),
        ("R.l\n.RD\n", "line 2, column 2 of the layout: a second robot, the first is in line 1"),
        ("R.l\n\n..D\n", "line 2, column 1 of the layout: an empty line"),
        ("R.lDk\n", "line 1, column 5 of the layout: RoomsTidy knows no key"),
        ("R..D\n", "the layout has no litter: put a 'l'"),
        ("R..l\n", "the layout has no dock: put a 'D'"),
        ("R#lD\n", "line 1, column 3 of the layout: the litter here can't be reached: walls"),
        ("R.lVD\n", "line 1, column 5 of the layout: the dock here can't be reached with care"),
        ("RmlD\n", "line 1, column 3 of the layout: the litter here can't be reached with care"),
        ("\n; nothing\n", "the layout draws nothing"),
        ("l.D#...\n###....\n....l..\n", "line 3, column 5 of the layout: the litter here"),
        ("R.lD" + "." * LARGEST + "\n", f"29 by 1 cells: with its walls it may be {LARGEST} at most"),
        ("lcD\n", "no floor away from the cat"),
        ("R" + "l" * 20 + "D\n" + "l" * 22 + "\n", "line 2, column 21 of the layout: more than 40 things"),
        ("R.lD\n" + ";" * MOST_BYTES, "a flat is a small drawing"),
    ],
)
def test_a_wrong_drawing_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(LayoutError, match=told):
        made(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("R+D\n", r"line 1, column 3 of the layout: more doors \(1\) than keys \(0\)"),
        ("kR+.+D\n", r"line 1, column 6 of the layout: more doors \(2\) than keys \(1\)"),
        ("R+k+D\n", "line 1, column 3 of the layout: the key here can't be reached with care: a closed door"),
        ("RlD\n", "line 1, column 2 of the layout: RoomsKeys knows no litter"),
    ],
)
def test_doors_need_keys(text: str, told: str) -> None:
    with pytest.raises(LayoutError, match=told):
        made(text, "RoomsKeys")
    assert made(KEYS, "RoomsKeys")


def test_a_way_past_the_doors_needs_no_key() -> None:
    assert made("R+D\n...\n", "RoomsKeys")


def test_files_that_are_no_drawing(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match=r"'nowhere\.txt' can't be read"):
        made("nowhere.txt")
    with pytest.raises(LayoutError, match="can't be read"):
        made(str(tmp_path))
    picture = tmp_path / "flat.png"
    picture.write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(LayoutError, match="no text in UTF-8"):
        made(str(picture))
    picture.write_bytes(b"#" * (MOST_BYTES + 1))
    with pytest.raises(LayoutError, match="over 65536 bytes"):
        made(str(picture))
    windows = tmp_path / "windows.txt"
    windows.write_bytes(b"\xef\xbb\xbfR.lD\r\n....\r\n")
    assert made(str(windows))
