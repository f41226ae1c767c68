"""Preferences off-policy: DQN and SAC on a replay buffer that is relabelled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import DQN, SAC

from agents import learner_catalog
from agents.evaluation import scores
from agents.io import agent_bundle, sb3_zip
from agents.io.safe_files import UnsafeFile
from agents.learners.pebble import EXPLORING_PHASE
from agents.models import Pebble
from agents.rewards.reward_arrays import RewardArrays
from agents.rl.replay_buffer import log_knn_distance
from agents.rl.sac_dqn import OffPolicyConfig, logit_scale_for_entropy, off_policy_arrays
from agents.teachers.synthetic import make_teacher
from agents.training.off_policy import OffPolicyTrainer
from envs.task_catalog import task as world
from tests.agents.toy import toy

ROVER = "teachbox/RoverDeliver-v0"
OFF = OffPolicyConfig(gradient_steps=24, batch_size=256, entropy_decay_steps=20_000)
QUICK = {"explore_steps": 3_000, "steps_per_fit": 40_000}


def test_it_explores_by_itself_then_learns_the_toy_from_fifteen_answers() -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    learner = learner_catalog.make("pebble", task, prior="none", settings={"off_policy": OFF, **QUICK})
    while learner.phase == EXPLORING_PHASE:
        assert learner.step()
    before = scores.evaluate_policy(task, learner.snapshot().policy).mean
    for seq in range(1, 16):
        learner.observe(seq, [teacher.compare(learner.query())])
        if seq % 5 == 0:
            for _ in range(5):
                learner.step()
    while learner.step():
        pass
    after = scores.evaluate_policy(task, learner.snapshot().policy).mean
    assert before < 4.0 < 14.0 < after
    assert learner.snapshot().feedback_counts == {"comparison": 15}


def test_exploring_pays_for_being_where_it_was_not() -> None:
    practice = OffPolicyTrainer(
        world(ROVER), 0, OffPolicyConfig(n_envs=16, gradient_steps=2, n_neighbour_candidates=1024)
    )
    practice.is_exploring = True
    practice.train_iteration()
    paid = practice.buffer.rewards[: practice.buffer.n_stored_steps].ravel()
    after = practice.rollout.transitions.next_obs.reshape(len(paid), -1)
    assert np.corrcoef(paid, log_knn_distance(after, after, 5))[0, 1] > 0.6
    assert paid.mean() == pytest.approx(0.0, abs=1e-4)
    practice.set_reward(RewardArrays(np.ones((1, 7), np.float32)))
    np.testing.assert_array_equal(practice.buffer.rewards[: practice.buffer.n_stored_steps].ravel(), paid)


def test_a_reward_that_changes_relabels_all_that_was_kept() -> None:
    task = toy()
    practice = OffPolicyTrainer(task, 0, OffPolicyConfig(n_envs=8, gradient_steps=4))
    practice.set_reward(RewardArrays(np.array([[1.0, 0, 0, 0]], np.float32)))
    for _ in range(3):
        practice.train_iteration()
    buffer, n = practice.buffer, practice.buffer.n_stored_steps
    assert n == 48
    for weights in ([1.0, 0, 0, 0], [0, -1.0, 0, 0.5]):
        practice.set_reward(RewardArrays(np.array([weights], np.float32)))
        paid = buffer.terms[:n] @ np.array(weights, np.float32)
        wanted = (paid - practice.scaled_reward.mean) / practice.reward_scale
        np.testing.assert_allclose(buffer.rewards[:n], wanted, atol=1e-5)


def test_neighbours_by_hand() -> None:
    line = np.array([[0.0], [1.0], [3.0], [7.0]], np.float32)
    np.testing.assert_allclose(log_knn_distance(line, line, 1), np.log1p([1.0, 1.0, 2.0, 4.0]), rtol=1e-6)
    np.testing.assert_allclose(log_knn_distance(line, line, 2), np.log1p([3.0, 2.0, 3.0, 6.0]), rtol=1e-6)


def test_sharpness_gives_the_entropy_asked_for() -> None:
    values = np.random.default_rng(0).standard_normal((500, 5)).astype(np.float32) * 0.01
    logits = values * logit_scale_for_entropy(values, 0.3)
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    assert -(p * np.log(p + 1e-12)).sum(1).mean() / np.log(5) == pytest.approx(0.3, abs=1e-3)


def test_squashed_forward_is_sacs_predict_on_ten_thousand() -> None:
    space = spaces.Box(np.array([-2.0, 0.0], np.float32), np.array([2.0, 0.5], np.float32))
    env = sb3_zip._SpacesEnv(spaces.Box(-np.inf, np.inf, (7,), np.float32), space)
    model = SAC("MlpPolicy", env, policy_kwargs={"net_arch": [32, 32]}, buffer_size=10, device="cpu")
    for parameter in model.actor.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    policy = off_policy_arrays(model)
    obs = np.random.default_rng(1).standard_normal((10_000, 7)).astype(np.float32)
    np.testing.assert_allclose(policy.act(obs), model.predict(obs, deterministic=True)[0], atol=1e-5)
    with torch.no_grad():
        one = torch.from_numpy(np.repeat(obs[:1], 20_000, 0))
        theirs = model.policy.unscale_action(model.actor(one).numpy())
    ours = policy.act(np.repeat(obs[:1], 20_000, 0), np.random.default_rng(0))
    np.testing.assert_allclose(ours.mean(0), theirs.mean(0), atol=0.03)
    np.testing.assert_allclose(ours.std(0), theirs.std(0), atol=0.03)


@pytest.mark.parametrize("name", ["toy", ROVER])
def test_going_on_from_a_checkpoint_is_going_on(name: str, tmp_path: Path) -> None:
    task = toy() if name == "toy" else world(name)
    config = {"off_policy": OffPolicyConfig(n_envs=8, gradient_steps=4), "proxy_steps": 10**6}
    first, second = (learner_catalog.make("pebble", task, seed=seed, settings=config) for seed in (1, 2))
    for _ in range(3):
        first.step()
    first.save(tmp_path / "a")
    second.load(tmp_path / "a")
    for _ in range(2):
        first.step(), second.step()
    for one, two in zip(first.snapshot().policy.layers, second.snapshot().policy.layers, strict=True):
        np.testing.assert_array_equal(one[0], two[0])


@pytest.mark.parametrize("name", ["toy", ROVER])
def test_a_bundle_and_a_zip_of_it_act_alike(name: str, tmp_path: Path) -> None:
    task = toy() if name == "toy" else world(name)
    model = Pebble("MlpPolicy", task, settings={"off_policy": OffPolicyConfig(n_envs=8, gradient_steps=4)})
    model.learn(500)
    obs = np.random.default_rng(0).uniform(-1, 1, (300, len(task.world.obs_names))).astype(np.float32)
    wanted, _ = model.predict(obs, deterministic=True)
    model.save(tmp_path / "a")
    again = Pebble.load(tmp_path / "a", task)
    np.testing.assert_allclose(again.predict(obs, deterministic=True)[0], wanted, atol=1e-5)
    agent = agent_bundle.load(tmp_path / "a")
    theirs = sb3_zip.make_model(agent, task).predict(obs, deterministic=True)[0]
    np.testing.assert_allclose(theirs, wanted, atol=1e-5)
    again.learn(500)
    sb3_zip.write_zip(tmp_path / "a.zip", agent, task)
    back = sb3_zip.read_zip(tmp_path / "a.zip", task)
    agent_bundle.check_compatible(back, task)
    np.testing.assert_allclose(back.policy.act(obs), wanted, atol=1e-5)


def test_zips_of_sac_and_dqn_as_sb3_makes_them(tmp_path: Path) -> None:
    for algorithm, id in ((SAC, "Pendulum-v1"), (DQN, "CartPole-v1")):
        task = world(id)
        wide = len(task.world.obs_names)
        env = sb3_zip._SpacesEnv(spaces.Box(-np.inf, np.inf, (wide,), np.float32), task.world.action_space)
        theirs = algorithm("MlpPolicy", env, buffer_size=10, device="cpu")
        theirs.save(tmp_path / id)
        agent = sb3_zip.read_zip(tmp_path / f"{id}.zip", task)
        agent_bundle.check_compatible(agent, task)
        obs = np.random.default_rng(0).standard_normal((200, wide)).astype(np.float32)
        np.testing.assert_allclose(
            agent.policy.act(obs), theirs.predict(obs, deterministic=True)[0], atol=1e-5
        )
    with pytest.raises(UnsafeFile, match="do not fit CartPole-v1"):
        sb3_zip.read_zip(tmp_path / "Pendulum-v1.zip", world("CartPole-v1"))
