"""What can happen is found before anybody is asked, and practice begins there too."""

from __future__ import annotations

import numpy as np

from agents.queries.clip_difference import select_different_pairs
from agents.training.exploration import Exploration, can_explore
from agents.training.trainer import PolicyTrainer
from agents.training.trainer_config import TrainerConfig
from envs.simulate import random_actions, simulate
from envs.task_catalog import task as make_task
from envs.trajectory import Trajectory

GRID = "tests.agents.four_rooms:rooms/FourRooms-v0"


def test_a_far_goal_is_found_that_chance_seldom_comes_upon() -> None:
    task = make_task(GRID)
    exploration = Exploration(task, 0)
    exploration.run()
    near = [
        moment
        for moment in exploration.moments
        if moment.recording is not None and (moment.recording.terms[moment.recording_step :, 0] > 0.5).any()
    ]
    assert len(near) >= 3  # several clips will show the goal
    sim, random = simulate(task, 1, seed=1), np.random.default_rng(0)
    usual = np.concatenate([sim.step(random_actions(task, 1, random)).obs.copy() for _ in range(2_000)])
    rows, columns = usual[:, :9].argmax(1), usual[:, 9:18].argmax(1)
    begun = np.array([m.recording.observations[m.recording_step] for m in exploration.moments if m.recording])
    assert ((rows > 4) & (columns > 4)).mean() < 0.15  # chance is seldom in the last room
    assert ((begun[:, :9].argmax(1) > 4) & (begun[:, 9:18].argmax(1) > 4)).mean() > 0.2


def test_it_is_the_same_each_time_and_only_abroad() -> None:
    task = make_task(GRID)
    one, two = Exploration(task, 3), Exploration(task, 3)
    one.run(), two.run()  # type: ignore[func-returns-value]
    assert one.n_cells == two.n_cells
    assert [m.recording_step for m in one.moments] == [m.recording_step for m in two.moments]
    assert not can_explore(make_task("teachbox/RoomsTidy-v0"))


def test_practice_begins_where_it_was_found() -> None:
    task = make_task(GRID)
    trainer = PolicyTrainer(task, 0, TrainerConfig())
    assert trainer.rare_moments
    sim = trainer.env.simulation
    clocks = []
    for _ in range(20):
        sim.reset_rows(np.ones(sim.rows, np.bool_))
        clocks += [obs[29] for obs in sim.obs]  # the time that has gone
    share = float((np.array(clocks) > 0.0).mean())
    assert 0.3 < share < 0.7


def test_the_pair_that_differs_most_comes_first() -> None:
    def clip(*numbers: float) -> Trajectory:
        obs = np.array([[number, 5.0, 0.0] for number in numbers], np.float32)
        n = len(obs) - 1
        return Trajectory(
            task="t",
            states=np.zeros((n + 1, 0)),
            rng=np.zeros(n + 1, np.uint64),
            observations=obs,
            actions=np.zeros(n, np.int64),
            terms=np.zeros((n, 2), np.float32),
        )

    alike = (clip(0, 1, 2), clip(0, 1, 2), clip(0, 1, 2.1))
    apart = (clip(0, 1, 2), clip(0, 1, 9), clip(0, 1, 3))
    same = (clip(0, 1, 2), clip(0, 1, 2))
    found = select_different_pairs([alike, apart, same], 5, np.random.default_rng(0))
    assert len(found) == 2  # of clips that show the same nothing is asked
    assert found[0][1] == (apart[0], apart[1])
