"""Agents that travel: what goes out comes in equal, and hostile files are refused and run nothing."""

from __future__ import annotations

import io
import json
import pickle  # noqa: TID251  # to make hostile files with
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from agents.io import agent_bundle, sb3_zip
from agents.io.agent_bundle import AGENT_FILE, Agent
from agents.io.bundle_arrays import POLICY, REWARD
from agents.io.safe_files import UnsafeFile
from agents.io.torch_tensors import read_tensors
from agents.policies.policy_arrays import Layers, PolicyArrays
from agents.rewards.reward_arrays import CanonicalView, RewardArrays
from envs.task_catalog import task
from envs.world import Task
from tests.agents.hostile import Canary, resealed
from tests.agents.plain_sb3 import predicted
from tests.sandbox.records import same

WORLDS = ("teachbox/RoomsTidy-v0", "teachbox/RoverDeliver-v0")


def layers(random: np.random.Generator, *sizes: int) -> Layers:
    return tuple(
        (random.standard_normal((a, b)).astype(np.float32), random.standard_normal(b).astype(np.float32))
        for a, b in pairwise(sizes)
    )


def an_agent(world: Task, seed: int = 0) -> Agent:
    """Random numbers in every field."""
    random, wide = np.random.default_rng(seed), len(world.world.obs_names)
    space, terms = world.world.action_space, len(world.world.terms)
    discrete = hasattr(space, "n")
    acts = int(space.n) if discrete else int(np.prod(space.shape))
    if discrete:
        policy = PolicyArrays(layers(random, wide, 16, 8, acts), "discrete", activation="relu")
        turns = CanonicalView(random.integers(wide, size=(acts, wide)), random.integers(acts, size=acts))
    else:
        std = random.standard_normal(acts).astype(np.float32)
        policy = PolicyArrays(
            layers(random, wide, 16, acts), "gaussian", std, -np.ones_like(std), np.ones_like(std)
        )
        turns = None
    nets = tuple(layers(random, 2 * wide + acts, 5, 1) for _ in range(3))
    weights = random.standard_normal((3, terms)).astype(np.float32)
    hot = acts if discrete else 0
    reward = RewardArrays(weights, nets, 0.25, 1.5, hot, turns, layers(random, wide, 4, 1), 0.97, "softplus")
    return Agent(
        world.id, policy, reward, layers(random, wide, 16, 1), dict(world.options), "joint", 7, 4096, 12
    )


@pytest.mark.parametrize("world", WORLDS)
def test_an_agent_comes_back(world: str, tmp_path: Path) -> None:
    place = task(world)
    agent = an_agent(place)
    agent_bundle.save(tmp_path / "a", agent)
    again = agent_bundle.load(tmp_path / "a")
    assert same(again, agent)
    agent_bundle.check_compatible(again, place)
    bare = Agent(agent.world, agent.policy)
    agent_bundle.save(tmp_path / "b", bare)
    assert same(agent_bundle.load(tmp_path / "b"), bare)
    with pytest.raises(UnsafeFile, match="another world"):
        agent_bundle.check_compatible(again, task("CartPole-v1"))


@pytest.mark.parametrize("world", WORLDS)
def test_a_zip_acts_alike_and_comes_back(world: str, tmp_path: Path) -> None:
    """Loaded by Stable-Baselines3 in a process of its own, where nothing of ours is imported."""
    place, path = task(world), tmp_path / "agent.zip"
    agent = an_agent(place)
    sb3_zip.write_zip(path, agent, place)
    obs = np.random.default_rng(1).uniform(-1, 1, (50, len(place.world.obs_names))).astype(np.float32)
    np.testing.assert_allclose(predicted(path, obs), agent.policy.act(obs), atol=1e-5)
    again = sb3_zip.read_zip(path, place)
    assert same(again.policy, agent.policy)
    assert same(again.value, agent.value)


def test_tensors_read_as_data_are_those_that_torch_saved() -> None:
    given = {
        "a": torch.randn(3, 4),
        "b": torch.arange(5),
        "c.d": torch.tensor([True, False]),
        "e": torch.zeros(()),
    }
    file = io.BytesIO()
    torch.save(given, file)
    found = read_tensors(file.getvalue(), "x")
    assert same(tuple(found[k] for k in given), tuple(value.numpy() for value in given.values()))


def told(folder: Path, old: str, new: str) -> None:
    text = (folder / AGENT_FILE).read_text()
    assert old in text
    resealed(folder, agent__json=text.replace(old, new, 1).encode())


def tensor(folder: Path, change: Callable[[dict[str, Any]], None], file: str = POLICY) -> None:
    arrays = dict(load_arrays((folder / file).read_bytes()))
    change(arrays)
    resealed(folder, **{file.replace(".", "__"): save_arrays(arrays)})


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-3] ^= 4
    path.write_bytes(content)


def as_link(folder: Path) -> None:
    (folder / POLICY).rename(folder.parent / "elsewhere")
    (folder / POLICY).symlink_to(folder.parent / "elsewhere")


def huge() -> bytes:
    header = json.dumps({"policy.0.weight": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}})
    return len(header).to_bytes(8, "little") + header.encode()


def put(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda arrays: arrays.update({name: value})


BUNDLES: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "flipped bit": (lambda f, c: flip(f / POLICY), "SHA-256"),
    "an extra file": (lambda f, c: (f / "run.py").write_text(f"open({str(c)!r}, 'w')") and None, "run.py"),
    "a pickle for weights": (lambda f, c: resealed(f, policy__safetensors=pickle.dumps(Canary(c))), "header"),
    "unknown version": (lambda f, c: told(f, '"version": 1', '"version": 2'), "version 2"),
    "wrong shape": (lambda f, c: tensor(f, put("policy.0.bias", np.zeros(3, np.float32))), "shape"),
    "wrong type": (lambda f, c: tensor(f, put("policy.0.bias", np.zeros(16))), "F64"),
    "NaN": (lambda f, c: tensor(f, put("policy.0.bias", np.full(16, np.nan, np.float32))), "NaN"),
    "infinite reward": (
        lambda f, c: tensor(f, put("weights", np.full((3, 7), np.inf, np.float32)), REWARD),
        "infinity",
    ),
    "unknown tensor": (lambda f, c: tensor(f, put("code", np.zeros(1, np.float32))), "'code'"),
    "view turned outside": (
        lambda f, c: tensor(f, put("turns.actions", np.full(5, 9)), REWARD),
        "outside",
    ),
    "huge declared size": (lambda f, c: resealed(f, policy__safetensors=huge()), "declares"),
    "huge network": (lambda f, c: told(f, "140,", "4000000000,"), "sizes"),
    "a link": (lambda f, c: as_link(f), "link"),
    "deep JSON": (lambda f, c: resealed(f, agent__json=b"[" * 10**6), "JSON"),
    "very much JSON": (lambda f, c: resealed(f, agent__json=b" " * 2**21), "at most"),
    "another activation": (lambda f, c: told(f, '"relu"', '"os.system"'), "os.system"),
    "a reward left out": (lambda f, c: told(f, '"reward": {', '"reward": null, "_": {'), "agree"),
}


@pytest.mark.parametrize("name", BUNDLES)
def test_hostile_bundles(name: str, tmp_path: Path) -> None:
    folder, canary = tmp_path / "agent", tmp_path / "canary"
    agent_bundle.save(folder, an_agent(task(WORLDS[0])))
    change, word = BUNDLES[name]
    change(folder, canary)
    with pytest.raises(UnsafeFile, match=word) as caught:
        agent_bundle.load(folder)
    assert len(str(caught.value)) < 500
    assert not canary.exists()
