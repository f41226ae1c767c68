"""Recordings: told apart by identity, with actions of the type that they are documented to have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from envs import task_catalog
from envs.simulation import Simulation
from envs.trajectory import Recorder, Trajectory


def recorded(actions: list[Any]) -> Trajectory:
    state, obs, terms = np.zeros(3), np.zeros(2, np.float32), np.zeros(1)
    recorder = Recorder("some", state, 0, obs, n_terms=1)
    for action in actions:
        recorder.add(action, terms, state, 0, obs)
    return recorder.trajectory()


@pytest.mark.parametrize(
    ("actions", "dtype"),
    [
        ([(0.5, -1.0), (0.0, 1.0)], np.float32),  # from the table of keys
        ([np.zeros(2), np.ones(2)], np.float32),
        ([1, 2], np.int64),
        ([np.int32(1), True], np.int64),
        ([], np.int64),
    ],
)
def test_actions_have_one_of_two_types(actions: list[Any], dtype: type) -> None:
    trajectory = recorded(actions)
    assert trajectory.actions.dtype == dtype
    assert len(trajectory) == len(actions)
    assert trajectory.terms.dtype == trajectory.observations.dtype == np.float32


def test_recordings_of_the_same_are_not_the_same_recording() -> None:
    one, other = recorded([1]), recorded([1])
    assert one != other
    assert one in [other, one]
    assert len({one, other, one}) == 2


def test_a_recording_of_keys_runs_again_bit_identically() -> None:
    task = task_catalog.task("teachbox/RoverDeliver-v0")
    sim = Simulation(task, 1, seed=4)
    recorder = sim.recorder()
    for key in ["up", "up", "up+left", "", "down"] * 6:
        action = task.keys[key]
        step = sim.step(np.asarray([action]))
        recorder.add(action, step.terms[0], step.last_states[0], int(sim.rng[0]), step.last_obs[0])
    trajectory = recorder.trajectory()
    again = Simulation(task, 1, seed=9)
    again.fork(0, trajectory)
    for t, action in enumerate(trajectory.actions, start=1):
        step = again.step(action[None])
        assert np.array_equal(step.last_states[0], trajectory.states[t])
