"""Learners on another device than the processor: a stand-in everywhere, CUDA where there is one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from agents.imitation.cloner import Cloner, CloningConfig
from agents.models import BC, CPL, GAIL, DAgger, Evaluative, Joint, Pebble
from agents.rewards.discriminator import DiscriminatorConfig
from agents.rewards.reward_arrays import RewardArrays
from agents.rl.ppo import PPOConfig
from agents.rl.sac_dqn import OffPolicyConfig
from agents.teachers.synthetic import make_teacher
from agents.torch_runtime import resolve_device
from agents.training.trainer import PolicyTrainer
from agents.training.trainer_config import TrainerConfig
from envs.task_catalog import task as world
from tests.agents.far import far_device
from tests.agents.toy import toy

FAR = "TEACHBOX_TEST_FAR"
"""Set in the process in which the stand-in is tested."""
NAME = "cuda"
far = pytest.mark.skipif(FAR not in os.environ, reason="runs in test_all_of_it_with_a_stand_in")
there_only = pytest.mark.skipif(
    FAR not in os.environ and not torch.cuda.is_available(),
    reason="there is no CUDA here; a stand-in is tested",
)


def stand_in(device: str, policy: str = "MlpPolicy") -> torch.device:
    return far_device() if device == NAME else torch.device("cpu")


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the other device."""
    if FAR in os.environ:
        for module in ("agents.rl.ppo", "agents.rl.sac_dqn"):
            monkeypatch.setattr(f"{module}.resolve_device", stand_in)
    return NAME


@pytest.mark.skipif(FAR in os.environ, reason="is this one")
def test_all_of_it_with_a_stand_in() -> None:
    """A process of its own: the stand-in changes PyTorch for good."""
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", __file__]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, env={**os.environ, FAR: "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
    assert done.stdout.count("SKIPPED") == 1, "something else than this was left out"


@far
def test_the_stand_in_is_as_strict_as_cuda() -> None:
    near, far = torch.ones(3, 4), torch.ones(3, 4, device=far_device())
    net = nn.Linear(4, 2).to(far_device())
    for mixed in (lambda: near + far, lambda: net(near), lambda: near[far[0].long()]):
        with pytest.raises(RuntimeError, match="two devices"):
            mixed()
    with pytest.raises((RuntimeError, TypeError)):
        far.numpy()
    assert net(far).square().sum().item() == pytest.approx(net.cpu()(near).square().sum().item())


def there(learner: Any) -> bool:
    """Whether all of its policy is on another device than the processor."""
    policy = learner.algorithm.policy
    return all(tensor.device.type != "cpu" for tensor in policy.state_dict().values())


def numbers(model: Any) -> Any:
    """Every number of its policy, as it is shown."""
    policy = model.learner.snapshot().policy
    eyes = () if policy.eyes is None else [(w, b) for w, b, _ in policy.eyes.convolutions]
    return np.concatenate([part.ravel() for layer in (*policy.layers, *eyes) for part in layer])


def learns(model: Any, plain: Any, steps: int, folder: Path) -> None:
    """It learns something, all its policy there; `plain`, on the processor, goes on from its checkpoint."""
    before = model.learner.snapshot().policy.layers[0][0]
    model.learn(steps)
    assert there(model.learner)
    assert not np.allclose(before, model.learner.snapshot().policy.layers[0][0])
    assert np.isfinite(numbers(model)).all()
    model.learner.save(folder)
    assert not there(plain.learner)
    plain.learner.load(folder)
    np.testing.assert_array_equal(numbers(model), numbers(plain))
    plain.learn(steps)


def presses(teacher: Any, seed: int) -> list[Any]:
    drive = teacher.demonstrate(seed).trajectory
    return [press for step in range(6, 25, 2) if (press := teacher.evaluate(drive, step))]


FEW = TrainerConfig(ppo=PPOConfig(n_envs=4, n_steps=16, batch_size=32))
QUICK = DiscriminatorConfig(n_updates=2, n_initial_updates=4)
MAKERS: dict[str, Callable[..., Any]] = {
    "gail": partial(
        GAIL, settings={"trainer": FEW, "bc": CloningConfig(n_updates=50), "discriminator": QUICK}
    ),
    "cpl": partial(CPL, settings={"trainer": FEW, "proxy_steps": 64}),
    "coach": partial(Evaluative, settings={"trainer": FEW, "method": "coach", "proxy_steps": 64}),
    "bc": partial(BC, settings={"n_updates": 50}),
    "dagger": partial(
        DAgger, expert=lambda obs: np.ones(len(obs), int), rounds=1, settings={"n_updates": 50}
    ),
    "pebble": partial(
        Pebble,
        prior="none",
        settings={"off_policy": OffPolicyConfig(n_envs=8, gradient_steps=4), "explore_steps": 256},
    ),
}


@there_only
@pytest.mark.parametrize("name", MAKERS)
def test_learners_train_their_policies_there(name: str, device: str, tmp_path: Path) -> None:
    make, teacher = partial(MAKERS[name], "MlpPolicy", toy()), make_teacher("rational", toy())
    model = make(
        device=device, **({"teacher": "rational", "answers": 4} if name in ("cpl", "pebble") else {})
    )
    if name in ("gail", "bc"):
        model.add_feedback([teacher.demonstrate(seed) for seed in range(2)])
    if name == "coach":
        model.add_feedback([press for seed in range(2) for press in presses(teacher, seed)])
    learns(model, make(device="cpu"), 320, tmp_path / "a")


@there_only
def test_sac_trains_there(device: str, tmp_path: Path) -> None:
    make = partial(
        Pebble,
        "MlpPolicy",
        "teachbox/RoverDeliver-v0",
        prior="none",
        settings={"off_policy": OffPolicyConfig(n_envs=8, gradient_steps=2)},
    )
    learns(make(device=device), make(device="cpu"), 256, tmp_path / "a")


@there_only
def test_pictures_are_looked_at_there(device: str) -> None:
    """PPO and cloning beside it, both through the convolutions; and a checkpoint that is read here."""
    task, looks = world("teachbox/LanesMerge-v0", observation="pixels"), replace(FEW.ppo, policy="CnnPolicy")
    there, here = (
        PolicyTrainer(task, 0, TrainerConfig(replace(looks, device=one))) for one in (device, "cpu")
    )
    random, cloner = np.random.default_rng(0), Cloner((), 0.3, 0)
    cloner.add_examples(
        random.random((20, len(task.world.obs_names)), np.float32), random.integers(5, size=20)
    )
    there.algorithm.auxiliary_loss = cloner.loss
    there.set_reward(RewardArrays(task.proxy_weights[None]))
    before = there.policy
    assert before.eyes is not None
    there.train_iteration()
    after = there.policy
    assert after.eyes is not None
    assert not np.allclose(before.eyes.convolutions[0][0], after.eyes.convolutions[0][0])
    assert there.algorithm.policy.device.type != "cpu"
    here.load_state_dict(there.state_dict(), None)
    obs = random.random((50, len(task.world.obs_names)), np.float32)
    np.testing.assert_array_equal(here.policy.act(obs), after.act(obs))
    predicted, _ = here.algorithm.predict(obs, deterministic=True)
    np.testing.assert_array_equal(predicted, after.act(obs))
    here.train_iteration()


@there_only
def test_it_learns_there_what_it_learns_here(device: str) -> None:
    """The same update by torch as by hand: another device is no other algorithm."""
    two = [
        Joint("MlpPolicy", toy(), device=one, settings={"trainer": FEW}).learn(256) for one in ("cpu", device)
    ]
    np.testing.assert_allclose(*map(numbers, two), atol=1e-4)


def test_what_is_not_here_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="device 'tpu' is not trained on: use 'auto', 'cpu', 'cuda'"):
        resolve_device("tpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for make in (Joint, BC, Pebble):
        with pytest.raises(ValueError, match="finds no CUDA"):
            make("MlpPolicy", toy(), device="cuda")
    assert resolve_device("auto", "CnnPolicy").type == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert resolve_device("auto", "CnnPolicy").type == resolve_device("cuda:0").type == "cuda"
    assert resolve_device("auto").type == "cpu"
    with pytest.raises(ValueError, match="'cuda:1' is not here: there are 1"):
        resolve_device("cuda:1")
