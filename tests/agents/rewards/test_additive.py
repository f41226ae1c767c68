"""The reward as a sum of bends, on what no turn of the world changes."""

from __future__ import annotations

import numpy as np
import pytest

from agents.feedback.choices import Choice, Option, pack_choices
from agents.learners.joint_config import JointConfig, make_reward
from agents.rewards.additive import AdditiveReward
from agents.rewards.net import NetConfig
from envs import task_catalog as worlds
from envs.trajectory import Trajectory


def _clip(seen: np.ndarray) -> Trajectory:
    steps = len(seen) - 1
    return Trajectory(
        "t", np.zeros((steps + 1, 0)), np.zeros(steps + 1, np.uint64), seen.astype(np.float32),
        np.zeros(steps, np.int64), np.zeros((steps, 2), np.float32),
    )  # fmt: skip


def _pairs(count: int, seed: int, size: int = 2) -> list[Choice]:
    """Of clips of four steps the better one has its first number nearer to zero; eight are noise."""
    random, found = np.random.default_rng(seed), []
    for _ in range(count):
        clips = [_clip(random.standard_normal((5, 9))) for _ in range(size)]
        clips.sort(key=lambda c: float(np.abs(c.observations[1:, 0]).sum()))
        found.append(Choice("comparison", tuple(Option(c) for c in clips)))
    return found


def _fitted(choices: list[Choice]) -> AdditiveReward:
    model = AdditiveReward(np.array([1.0, 0.0], np.float32), 3, NetConfig())
    model.fit(pack_choices(choices))
    return model


@pytest.mark.parametrize("size", [2, 4])
def test_what_is_best_in_the_middle_is_found_although_no_straight_line_tells_it(size: int) -> None:
    model = _fitted(_pairs(60, 0, size))
    assert model.agreement(pack_choices(_pairs(200, 99))) > 0.8
    middle, side = np.zeros((2, 9), np.float32)
    side[0] = 1.5
    seen, none = np.stack([middle, side]), np.zeros((2, 2), np.float32)
    paid = model.arrays().member_rewards(seen, np.zeros(2, int), seen, none).mean(0)
    assert paid[0] > paid[1] + 0.1


def test_members_samples_and_what_practice_is_paid_by_agree_on_a_clip() -> None:
    choices = _pairs(30, 1)
    model = _fitted(choices)
    clips = [o.steps for c in choices for o in c.options if o]
    believed = model.sampled_returns(clips)
    assert believed.shape == (model.additive_config.n_samples, len(clips))
    np.testing.assert_allclose(believed.mean(0), model.returns(pack_choices(choices))[:-1], atol=1e-2)
    one = clips[0]
    steps = one.observations[:-1], one.actions, one.observations[1:], one.terms
    paid = model.risk_adjusted_arrays(*np.zeros((2, 2), np.float32)).member_rewards(*steps)
    assert len(paid) == 1
    np.testing.assert_allclose(paid[0], model.arrays().member_rewards(*steps).mean(0), atol=1e-3)


def test_more_answers_leave_less_doubt() -> None:
    clips = [o.steps for c in _pairs(20, 7) for o in c.options if o]
    few, many = (_fitted(_pairs(n, 3)).sampled_returns(clips) for n in (5, 80))
    assert (many.std(0) / np.abs(many).mean()).mean() < (few.std(0) / np.abs(few).mean()).mean()


def test_it_comes_back_as_it_was() -> None:
    model = _fitted(_pairs(10, 4))
    again = AdditiveReward(np.array([1.0, 0.0], np.float32), 3, NetConfig(), seed=9)
    again.load_state_dict(model.state_dict())
    clips = [o.steps for c in _pairs(3, 5) for o in c.options if o]
    np.testing.assert_array_equal(model.sampled_returns(clips), again.sampled_returns(clips))


def test_from_nothing_only_what_no_turn_changes_is_a_sum() -> None:
    config = JointConfig(model="net")
    road, flat = (
        make_reward(worlds.task(f"teachbox/{name}-v0"), config, "none", 0)
        for name in ("LanesMerge", "RoomsTidy")
    )
    assert isinstance(road, AdditiveReward)
    assert not isinstance(flat, AdditiveReward)
