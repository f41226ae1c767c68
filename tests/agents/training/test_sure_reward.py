"""Where nothing is named, practice is paid by what the members of the ensemble agree on."""

from __future__ import annotations

import numpy as np

from agents.rewards.reward_arrays import RewardArrays
from agents.training.scaled_reward import ScaledReward
from envs.task_catalog import task as make_task


def steps(*terms: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    n = len(terms)
    obs = np.zeros((n, 31), np.float32)
    return obs, np.zeros(n, np.int64), obs, np.array(terms, np.float32)


def test_what_members_disagree_on_pays_nothing() -> None:
    scaled = ScaledReward(make_task("tests.agents.four_rooms:rooms/FourRooms-v0"))
    scaled.reward = RewardArrays(np.array([[1.0, 1.0], [3.0, -1.0]], np.float32))
    usual = steps(*[[0.0, 0.0]] * 6, [1.0, 0.0], [0.0, 1.0])
    scaled.update_scale(usual, 2, 0.99, skips_absorbing=False)
    paid = scaled(*usual) * scaled.scale + scaled.mean
    assert np.allclose(paid[:6], 0.0)
    assert np.isclose(paid[6], 1.0)  # a mean of 2, less a deviation of 1
    assert np.isclose(paid[7], 0.0)  # one member for, the other against it


def test_at_home_the_mean_is_paid() -> None:
    scaled = ScaledReward(make_task("teachbox/RoomsTidy-v0"))
    scaled.reward = RewardArrays(np.array([[1.0, 1.0], [3.0, -1.0]], np.float32))
    usual = steps(*[[0.0, 0.0]] * 6, [1.0, 0.0], [0.0, 1.0])
    scaled.update_scale(usual, 2, 0.99, skips_absorbing=False)
    assert np.isclose((scaled(*usual) * scaled.scale + scaled.mean)[6], 2.0)
