"""What a clip leads to: drives on from its end, less those from its start."""

from __future__ import annotations

import numpy as np
import pytest

from agents.feedback.choices import Choice, Option
from agents.inference.futures import add_futures
from agents.policies.policy_arrays import PolicyArrays
from agents.policies.rollouts import PolicyVariant, episode_starts, rollout_clips
from envs.task_catalog import task as make_task
from envs.trajectory import Trajectory
from envs.world import Task

TIDY = make_task("teachbox/RoomsTidy-v0")


def blind(task: Task) -> PolicyVariant:
    """Every action equally likely."""
    width, actions = len(task.world.obs_names), len(task.world.action_names)
    layer = np.zeros((width, actions), np.float32), np.zeros(actions, np.float32)
    return PolicyVariant(PolicyArrays((layer,), "discrete"))


def recorded(task: Task) -> Trajectory:
    starts = episode_starts(task, 1, seed=3)
    return rollout_clips(task, starts, [blind(task)], [task.horizon], np.random.default_rng(0))[0]


def test_what_follows_is_the_mean_of_drives_on_less_that_of_drives_from_the_start() -> None:
    drive = recorded(TIDY)
    option = Option(drive.clip(4, 20))
    [choice] = add_futures(
        TIDY, [Choice("comparison", (option, None))], blind(TIDY), np.random.default_rng(1), n_drives=3
    )
    future = choice.options[0].future
    assert future is not None
    assert future.weights == (*[pytest.approx(1 / 3)] * 3, *[pytest.approx(-1 / 3)] * 3)
    lengths = [len(one) for one in future.drives]
    assert lengths == [TIDY.horizon - 20] * 3 + [TIDY.horizon - 4] * 3
    for one in future.drives[:3]:
        np.testing.assert_array_equal(one.states[0], drive.states[20])
    for one in future.drives[3:]:
        np.testing.assert_array_equal(one.states[0], drive.states[4])
    by_hand = sum(w * one.terms.sum(0) for w, one in zip(future.weights, future.drives, strict=True))
    np.testing.assert_allclose(future.term_sums, by_hand, atol=1e-5)


def test_nothing_follows_the_end_of_an_episode() -> None:
    whole = Option(recorded(TIDY))
    [choice] = add_futures(
        TIDY, [Choice("comparison", (whole, whole))], blind(TIDY), np.random.default_rng(1)
    )
    one, other = (option.future for option in choice.options)
    assert one is other
    assert all(weight < 0 for weight in one.weights)


def test_what_is_not_judged_as_a_whole_is_left_as_it_is() -> None:
    drive = recorded(TIDY)
    driven = Choice("demonstration", (Option(drive.clip(0, 5)), Option(drive.clip(5, 10))))
    assert add_futures(TIDY, [driven], blind(TIDY), np.random.default_rng(0)) == [driven]
