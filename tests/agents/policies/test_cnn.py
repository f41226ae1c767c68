"""Pictures through SB3's NatureCNN: "CnnPolicy"."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from agents.base_model import IMAGE_PPO
from agents.evaluation import scores
from agents.evaluation.oracle import ppo_on_reward
from agents.feedback.records import Demonstration
from agents.io import agent_bundle, sb3_zip
from agents.io.safe_files import UnsafeFile
from agents.models import BC, DAgger, Joint, Pebble
from agents.policies.cnn import image_slice
from agents.policies.from_torch import policy_arrays
from agents.training.trainer_config import TrainerConfig
from envs.external.external_task import ExternalTask
from envs.task_catalog import task as world
from envs.world import Task
from tests.agents.hostile import resealed
from tests.agents.lamps import SIDE, driven
from tests.agents.plain_sb3 import predicted

PICTURE = "tests/Lamp-picture-buttons-v0"


def looked(obs):
    """The right button where the bright square is on the right."""
    picture = obs[:, : SIDE * SIDE].reshape(-1, SIDE, SIDE)[:, :-2, SIDE // 2 :]
    return (picture.max((1, 2)) > 0.9).astype(np.int64)


def test_ppo_learns_from_pictures_which_button_to_press() -> None:
    task = world(PICTURE)
    ppo = ppo_on_reward(task, task.true_reward, config=replace(IMAGE_PPO, policy="CnnPolicy", n_steps=64))
    while ppo.num_timesteps < 3_072:
        ppo.train_iteration()
    assert scores.evaluate_policy(task, policy_arrays(ppo.policy), 20).mean > 8.0


def test_joint_learns_it_from_drives_and_keeps_it(tmp_path: Path) -> None:
    task = world(PICTURE)
    assert isinstance(task, ExternalTask)
    model = Joint("CnnPolicy", PICTURE)
    before = scores.evaluate_policy(task, model.learner.snapshot().policy, 20).mean
    model.add_feedback([Demonstration(driven(task, looked, seed)) for seed in range(3)])
    model.learn(4_096)
    after = scores.evaluate_policy(task, model.learner.snapshot().policy, 20).mean
    assert after > before + 5.0
    env = task.make_env()
    obs, _ = env.reset(seed=3)
    action, _ = model.predict(obs, deterministic=True)
    assert env.action_space.contains(action)
    model.learner.save(tmp_path / "a")
    again = Joint("CnnPolicy", PICTURE, seed=5)
    again.learner.load(tmp_path / "a")
    many = np.random.default_rng(0).random((50, SIDE * SIDE + 1), np.float32)
    ours, theirs = (one.learner.snapshot().policy.act(many) for one in (model, again))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("id", [PICTURE, "teachbox/LanesMerge-v0"])
def test_plain_arrays_see_what_sb3_predicts(id: str) -> None:
    task = world(id, **({} if id == PICTURE else {"observation": "pixels"}))
    policy = Joint("CnnPolicy", task, prior="none").learner.trainer.algorithm.policy
    obs = np.random.default_rng(0).random((20, len(task.world.obs_names)), np.float32)
    arrays = policy_arrays(policy)
    np.testing.assert_array_equal(arrays.act(obs), policy.predict(obs, deterministic=True)[0])
    with torch.no_grad():
        features = policy.extract_features(torch.from_numpy(obs)).numpy()
    np.testing.assert_allclose(arrays.extract_features(obs), features, atol=1e-5)


def seen(task: Task, count: int) -> tuple[Any, Any]:
    """Random pictures as the environment shows them, uint8, and as learners see them [count, D]."""
    fold = image_slice(task)
    pictures = np.random.default_rng(1).integers(256, size=(count, *fold.shape)).astype(np.uint8)
    rest = len(task.world.obs_names) - fold.size  # that an episode has ended, in worlds of others
    flat = np.concatenate([pictures.reshape(count, -1) / np.float32(255), np.zeros((count, rest))], 1)
    return pictures, flat.astype(np.float32)


SHOWN: dict[str, dict[str, Any]] = {
    PICTURE: {},
    "tests/Lamp-picture-lever-v0": {},
    "teachbox/LanesMerge-v0": {"observation": "pixels"},
}


@pytest.mark.parametrize("id", SHOWN)
def test_what_looks_is_kept_in_a_bundle_and_in_a_plain_zip(id: str, tmp_path: Path) -> None:
    """The bundle predicts the same, and so does the zip in a process that knows Stable-Baselines3 alone."""
    task = world(id, **SHOWN[id])
    model = Joint("CnnPolicy", task, prior="none", seed=2)
    with torch.no_grad():  # fresh policies have all but equal logits
        model.learner.trainer.algorithm.policy.action_net.weight.mul_(100.0)
    pictures, flat = seen(task, 1_000 if isinstance(task, ExternalTask) else 200)
    wanted = model.learner.snapshot().policy.act(flat)
    assert len(np.unique(wanted)) > 1
    model.save(tmp_path / "agent")
    agent = agent_bundle.load(tmp_path / "agent")
    agent_bundle.check_compatible(agent, task)
    np.testing.assert_array_equal(agent.policy.act(flat), wanted)
    again = Joint.load(tmp_path / "agent", task, prior="none")
    np.testing.assert_array_equal(again.learner.snapshot().policy.act(flat), wanted)
    acts, _ = again.predict(pictures[:50], deterministic=True)
    np.testing.assert_allclose(np.reshape(acts, wanted[:50].shape), wanted[:50], atol=1e-5)
    sb3_zip.write_zip(tmp_path / "agent.zip", agent, task)
    np.testing.assert_allclose(predicted(tmp_path / "agent.zip", pictures), wanted, atol=1e-4)


def test_a_bundle_looks_at_its_own_pictures_alone(tmp_path: Path) -> None:
    Joint("CnnPolicy", PICTURE).save(tmp_path / "a")
    agent = agent_bundle.load(tmp_path / "a")
    with pytest.raises(UnsafeFile, match="another world"):
        agent_bundle.check_compatible(agent, world("CartPole-v1"))
    assert agent.policy.eyes is not None
    beside = replace(agent.policy.eyes, image_slice=replace(agent.policy.eyes.image_slice, at=1))
    with pytest.raises(UnsafeFile, match="from number 1 on"):
        agent_bundle.check_compatible(
            replace(agent, policy=replace(agent.policy, eyes=beside)), world(PICTURE)
        )
    wider = tuple((np.repeat(w, 1 + (i == 0), 0), b) for i, (w, b) in enumerate(agent.policy.layers))
    more = replace(agent, policy=replace(agent.policy, layers=wider))
    with pytest.raises(UnsafeFile, match="a plain CnnPolicy has no place"):
        sb3_zip.write_zip(tmp_path / "b.zip", more, world(PICTURE))
    with pytest.raises(ValueError, match="can't go on from"):
        Joint.load(tmp_path / "a", settings={"trainer": TrainerConfig(replace(IMAGE_PPO, net_arch=(8,)))})


EYES: dict[str, tuple[str, str, str]] = {
    "a stride of nothing": ("4\n", "0\n", "convolutions"),
    "a kernel wider than the picture": ("8,", "80,", "convolutions"),
    "other channels": ("1,\n", "3,\n", "convolutions"),
    "half a kernel": ("8,\n", "", "convolutions"),
    "a text for a stride": ("4\n", '"4"\n', "convolutions"),
    "no features": ('"features": 128', '"features": 0', "features"),
    "very many features": ('"features": 128', '"features": 128000', "features"),
    "a picture of another size": ("36,", "48,", "shape"),
    "a huge picture": ("36,", "1000000,", "picture"),
    "a picture without a place": ('"at": 0', '"at": 9', "at 9"),
}


@pytest.mark.parametrize("name", EYES)
def test_hostile_eyes(name: str, tmp_path: Path) -> None:
    old, new, word = EYES[name]
    Joint("CnnPolicy", PICTURE).save(tmp_path / "a")
    text = (tmp_path / "a" / agent_bundle.AGENT_FILE).read_text()
    head, eyes = text.split('"eyes"')
    assert old in eyes
    resealed(tmp_path / "a", agent__json=f'{head}"eyes"{eyes.replace(old, new, 1)}'.encode())
    with pytest.raises(UnsafeFile, match=word) as caught:
        agent_bundle.load(tmp_path / "a")
    assert len(str(caught.value)) < 500


def test_what_cant_look_says_so() -> None:
    with pytest.raises(ValueError, match="shows none: use 'MlpPolicy'"):
        Joint("CnnPolicy", "CartPole-v1")
    for face in (BC, DAgger, Pebble):
        with pytest.raises(ValueError, match="takes pictures flat: use 'MlpPolicy'"):
            face("CnnPolicy", PICTURE)
    with pytest.raises(ValueError, match="no policy 'LstmPolicy' here"):
        Joint("LstmPolicy", PICTURE)
