"""Pictures through SB3's NatureCNN: "CnnPolicy"."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from agents import scores
from agents.feedback import Demonstration
from agents.models import BC, DAgger, Joint, Pebble
from agents.networks import policy_arrays
from agents.oracle import on_judge
from agents.taught_model import PICTURES
from envs.catalog import task as world
from envs.foreign.task import ForeignTask
from tests.agents.lamps import SIDE, driven

PICTURE = "tests/Lamp-picture-buttons-v0"


def looked(obs):
    """The right button where the bright square is on the right."""
    picture = obs[:, : SIDE * SIDE].reshape(-1, SIDE, SIDE)[:, :-2, SIDE // 2 :]
    return (picture.max((1, 2)) > 0.9).astype(np.int64)


def test_ppo_learns_from_pictures_which_button_to_press() -> None:
    task = world(PICTURE)
    ppo = on_judge(task, task.wish, config=replace(PICTURES, policy="CnnPolicy", steps=64))
    while ppo.num_timesteps < 3_072:
        ppo.burst()
    assert scores.evaluate(task, policy_arrays(ppo.policy), 20).mean > 8.0


def test_joint_learns_it_from_drives_and_keeps_it(tmp_path: Path) -> None:
    task = world(PICTURE)
    assert isinstance(task, ForeignTask)
    model = Joint("CnnPolicy", PICTURE)
    before = scores.evaluate(task, model.learner.snapshot().policy, 20).mean
    model.give([Demonstration(driven(task, looked, seed)) for seed in range(3)])
    model.learn(4_096)
    after = scores.evaluate(task, model.learner.snapshot().policy, 20).mean
    assert after > before + 5.0
    env = task.make()
    obs, _ = env.reset(seed=3)
    action, _ = model.predict(obs, deterministic=True)
    assert env.action_space.contains(action)
    model.learner.save(tmp_path / "a")
    again = Joint("CnnPolicy", PICTURE, seed=5)
    again.learner.load(tmp_path / "a")
    many = np.random.default_rng(0).random((50, SIDE * SIDE + 1), np.float32)
    ours, theirs = (one.learner.snapshot().policy.act(many) for one in (model, again))
    np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(ValueError, match="can't be put into a bundle"):
        model.save(tmp_path / "b")


@pytest.mark.parametrize("id", [PICTURE, "teachbox/LanesMerge-v0"])
def test_plain_arrays_see_what_sb3_predicts(id: str) -> None:
    task = world(id, **({} if id == PICTURE else {"observation": "pixels"}))
    policy = Joint("CnnPolicy", task, prior="none").learner.practice.ppo.policy
    obs = np.random.default_rng(0).random((20, len(task.world.obs_names)), np.float32)
    arrays = policy_arrays(policy)
    np.testing.assert_array_equal(arrays.act(obs), policy.predict(obs, deterministic=True)[0])
    with torch.no_grad():
        features = policy.extract_features(torch.from_numpy(obs)).numpy()
    np.testing.assert_allclose(arrays.seen(obs), features, atol=1e-5)


def test_what_cant_look_says_so() -> None:
    with pytest.raises(ValueError, match="shows none: use 'MlpPolicy'"):
        Joint("CnnPolicy", "CartPole-v1")
    for face in (BC, DAgger, Pebble):
        with pytest.raises(ValueError, match="takes pictures flat: use 'MlpPolicy'"):
            face("CnnPolicy", PICTURE)
    with pytest.raises(ValueError, match="no policy 'LstmPolicy' here"):
        Joint("LstmPolicy", PICTURE)
