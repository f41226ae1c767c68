"""Parts of the tour; the whole of it, cut short, is run by the test of the docs' commands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from agents.policies.policy_arrays import PolicyArrays
from envs import task_catalog
from envs.simulate import simulate
from sandbox.cli import cli
from sandbox.tour.before_after import StartsEvaluation, evaluate_starts, picture
from sandbox.tour.make import make_tour
from sandbox.tour.pilot import KeyChooser
from sandbox.tour.tour_page import Chapter, write_page

ROOMS = "teachbox/RoomsTidy-v0"


def always(action: int, inputs: int, actions: int) -> PolicyArrays:
    bias = np.full(actions, -50, np.float32)
    bias[action] = 50
    return PolicyArrays(((np.zeros((inputs, actions), np.float32), bias),), "discrete")


def test_an_exam_counts_what_was_done_on_unseen_starts() -> None:
    task = task_catalog.task(ROOMS)
    still = always(0, len(task.world.obs_names), int(task.world.action_space.n))
    exam = evaluate_starts(task, still, starts=20)
    assert exam.states.shape == (task.horizon + 1, 20, task.world.state_size)
    assert exam.done_share == 0.0
    where = task.world.agent_position(exam.states[0])
    np.testing.assert_array_equal(task.world.agent_position(exam.states[-1]), where)
    trained_on = simulate(task, 20, seed=0).states
    assert not np.array_equal(exam.states[0], trained_on)


def test_the_same_exam_twice_is_the_same() -> None:
    task = task_catalog.task(ROOMS)
    policy = PolicyArrays(
        ((np.zeros((len(task.world.obs_names), int(task.world.action_space.n)), np.float32), np.zeros(5)),),
        "discrete",
    )
    first, second = evaluate_starts(task, policy, 8, seed=3), evaluate_starts(task, policy, 8, seed=3)
    np.testing.assert_array_equal(first.states, second.states)


def test_the_picture_marks_what_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    import pygame

    pygame.display.init()
    pygame.font.init()
    pygame.display.set_mode((8, 8))
    task = task_catalog.task(ROOMS)
    exam = evaluate_starts(task, None, starts=4)
    none, all_ = (
        StartsEvaluation(exam.states, np.zeros(4, bool)),
        StartsEvaluation(exam.states, np.ones(4, bool)),
    )
    made = picture(task, [("Before", none), ("After", all_)], width=640, shown=2)
    assert made.get_width() == 640
    upper, lower = (
        pygame.surfarray.array3d(made)[:, rows] for rows in np.array_split(range(made.get_height()), 2)
    )
    green = (74, 201, 166)
    assert not (upper == green).all(axis=2).any()
    assert (lower == green).all(axis=2).any()


def test_keys_that_stand_for_actions() -> None:
    keys = {"": 0, "up": 1, "up+left": 2}
    touch = KeyChooser(keys)
    assert [touch.keys_for(action) for action in (0, 1, 2, 7)] == [(), ("up",), ("up", "left"), ()]


def test_actions_between_the_keys_are_tapped_on_the_whole() -> None:
    keys = task_catalog.task("teachbox/RoverDeliver-v0").keys
    touch, wanted = KeyChooser(keys), np.array([0.5, -0.25], np.float32)
    pushed = [keys["+".join(touch.keys_for(wanted))] for _ in range(40)]
    np.testing.assert_allclose(np.mean(pushed, axis=0), wanted, atol=0.05)


def test_the_page_holds_every_chapter(tmp_path: Path) -> None:
    chapters = [
        Chapter("Drive", "Arrow keys & Enter", 0.0, "1.png"),
        Chapter("Rank", "Best first", 12.5, "2.png"),
    ]
    page = write_page(tmp_path, "about <it>", "tour.mp4", chapters).read_text()
    for text in ("Arrow keys &amp; Enter", "about &lt;it&gt;", "data-at='12.5'", "tour.mp4", "2.png"):
        assert text in page


def test_a_world_that_nobody_can_drive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"CartPole.*choose one of.*RoomsTidy"):
        make_tour(tmp_path, world="CartPole-v1")
    told = CliRunner().invoke(cli, ["tour", "--help"]).stdout
    assert "--world ID" in told
    assert "Gymnasium" not in told
