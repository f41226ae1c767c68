"""Agents that travel: what goes out comes in equal, and hostile files are refused and run nothing."""

from __future__ import annotations

import base64
import io
import json
import os
import pickle  # noqa: TID251  # to make hostile files with
import subprocess
import sys
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from agents import bundle, sb3_zip
from agents.bundle import FACTS, Agent
from agents.bundle_parts import POLICY, REWARD
from agents.safe_files import UnsafeFile
from agents.safe_folder import MANIFEST, write_folder
from agents.snapshot import Layers, PolicyArrays, RewardArrays, Turns
from agents.torch_state import read_tensors
from envs.catalog import task
from envs.world import Task
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
        turns = Turns(random.integers(wide, size=(acts, wide)), random.integers(acts, size=acts))
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
    bundle.save(tmp_path / "a", agent)
    again = bundle.load(tmp_path / "a")
    assert same(again, agent)
    bundle.check_fits(again, place)
    bare = Agent(agent.world, agent.policy)
    bundle.save(tmp_path / "b", bare)
    assert same(bundle.load(tmp_path / "b"), bare)
    with pytest.raises(UnsafeFile, match="another world"):
        bundle.check_fits(again, task("CartPole-v1"))


@pytest.mark.parametrize("world", WORLDS)
def test_a_zip_acts_alike_and_comes_back(world: str, tmp_path: Path) -> None:
    """Loaded by Stable-Baselines3 in a process of its own, where nothing of ours is imported."""
    place, path = task(world), tmp_path / "agent.zip"
    agent = an_agent(place)
    sb3_zip.write(path, agent, place)
    obs = np.random.default_rng(1).uniform(-1, 1, (50, len(place.world.obs_names))).astype(np.float32)
    np.save(tmp_path / "obs.npy", obs)
    code = (
        "import sys, numpy as np; from stable_baselines3 import PPO;"
        "acts, _ = PPO.load('agent.zip', device='cpu').predict(np.load('obs.npy'), deterministic=True);"
        "assert not {'agents', 'envs', 'sandbox'} & set(sys.modules); np.save('acts.npy', acts)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "acts.npy"), agent.policy.act(obs), atol=1e-5)
    again = sb3_zip.read(path, place)
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


class Canary:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.path}",)


def resealed(folder: Path, **changed: bytes) -> None:
    """Some files changed, with a manifest that fits: whoever makes a folder can do that."""
    files = {p.name: p.read_bytes() for p in folder.iterdir() if p.name != MANIFEST}
    files |= {name.replace("__", "."): content for name, content in changed.items()}
    other = folder.with_name("other")
    write_folder(other, files)
    for path in folder.iterdir():
        path.unlink()
    for path in other.iterdir():
        path.rename(folder / path.name)


def told(folder: Path, old: str, new: str) -> None:
    text = (folder / FACTS).read_text()
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
    "huge network": (lambda f, c: told(f, "63,", "4000000000,"), "sizes"),
    "a link": (lambda f, c: as_link(f), "link"),
    "deep JSON": (lambda f, c: resealed(f, agent__json=b"[" * 10**6), "JSON"),
    "very much JSON": (lambda f, c: resealed(f, agent__json=b" " * 2**21), "at most"),
    "another activation": (lambda f, c: told(f, '"relu"', '"os.system"'), "os.system"),
    "a reward left out": (lambda f, c: told(f, '"reward": {', '"reward": null, "_": {'), "agree"),
}


@pytest.mark.parametrize("name", BUNDLES)
def test_hostile_bundles(name: str, tmp_path: Path) -> None:
    folder, canary = tmp_path / "agent", tmp_path / "canary"
    bundle.save(folder, an_agent(task(WORLDS[0])))
    change, word = BUNDLES[name]
    change(folder, canary)
    with pytest.raises(UnsafeFile, match=word) as caught:
        bundle.load(folder)
    assert len(str(caught.value)) < 500
    assert not canary.exists()


def rezipped(path: Path, packed: int = zipfile.ZIP_STORED, **changed: bytes) -> None:
    """A zip with some members changed."""
    with zipfile.ZipFile(path) as archive:
        files = {info.filename: archive.read(info) for info in archive.infolist()}
    files |= {name.replace("__", "."): content for name, content in changed.items()}
    with zipfile.ZipFile(path, "w", packed) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def saved(value: Any) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def program(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """A file of torch with its pickle changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            kept = old.read(info)
            new.writestr(info.filename, change(kept) if info.filename.endswith("data.pkl") else kept)
    return out.getvalue()


def data_of(path: Path, canary: Path) -> bytes:
    """`data` whose serialised entries run code when followed, as PPO.load does."""
    with zipfile.ZipFile(path) as archive:
        facts = json.loads(archive.read("data"))
    evil = base64.b64encode(pickle.dumps(Canary(canary))).decode()
    for value in facts.values():
        if isinstance(value, dict) and ":serialized:" in value:
            value[":serialized:"] = evil
    return json.dumps(facts).encode()


def good_state() -> bytes:
    return saved({"action_net.weight": torch.zeros(5, 63), "action_net.bias": torch.zeros(5)})


ZIPS: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "policy.pth is a pickle": (lambda p, c: rezipped(p, policy__pth=pickle.dumps(Canary(c))), "zip"),
    "policy.pth holds an object": (lambda p, c: rezipped(p, policy__pth=saved({"a": Canary(c)})), "system"),
    "a program that calls": (
        lambda p, c: rezipped(p, policy__pth=program(good_state(), lambda _: pickle.dumps(Canary(c), 2))),
        "could run code",
    ),
    "a program with getattr": (
        lambda p, c: rezipped(
            p, policy__pth=program(good_state(), lambda _: b"\x80\x02cbuiltins\ngetattr\nq\x00.")
        ),
        "getattr",
    ),
    "a state for a name": (
        lambda p, c: rezipped(
            p, policy__pth=program(good_state(), lambda _: b"\x80\x02ccollections\nOrderedDict\n}b.")
        ),
        "state",
    ),
    "more numbers than there are": (
        lambda p, c: rezipped(
            p, policy__pth=program(good_state(), lambda old: old.replace(b"M;\x01", b"J\x00\x00\x00\x03"))
        ),
        "says",
    ),
    "not a zip at all": (lambda p, c: p.write_bytes(pickle.dumps(Canary(c))) and None, "zip"),
    "a zip that grows": (
        lambda p, c: rezipped(p, zipfile.ZIP_DEFLATED, policy__pth=bytes(10**7)),
        "packs",
    ),
    "a path upwards": (lambda p, c: rezipped(p, **{"../../evil": b"x"}), "evil"),
    "NaN": (
        lambda p, c: rezipped(p, policy__pth=saved({"action_net.weight": torch.full((5, 63), torch.nan)})),
        "NaN",
    ),
    "a CNN's tensors": (
        lambda p, c: rezipped(
            p,
            policy__pth=saved(
                {
                    "action_net.weight": torch.zeros(5, 63),
                    "action_net.bias": torch.zeros(5),
                    "value_net.weight": torch.zeros(1, 63),
                    "value_net.bias": torch.zeros(1),
                    "features_extractor.cnn.0.weight": torch.zeros(1),
                }
            ),
        ),
        "cnn",
    ),
    "VecNormalize": (lambda p, c: p.write_bytes(pickle.dumps({"obs_rms": Canary(c)})) and None, "zip"),
}


@pytest.mark.parametrize("name", ZIPS)
def test_hostile_zips(name: str, tmp_path: Path) -> None:
    path, canary, place = tmp_path / "agent.zip", tmp_path / "canary", task(WORLDS[0])
    sb3_zip.write(path, an_agent(place), place)
    change, word = ZIPS[name]
    change(path, canary)
    with pytest.raises(UnsafeFile, match=word) as caught:
        sb3_zip.read(path, place)
    assert len(str(caught.value)) < 500
    assert not canary.exists()


def test_pickled_parts_are_not_followed(tmp_path: Path) -> None:
    """The control: the same file makes the canary when Stable-Baselines3 loads it, and not when we do."""
    path, canary, place = tmp_path / "agent.zip", tmp_path / "canary", task(WORLDS[0])
    agent = an_agent(place)
    sb3_zip.write(path, agent, place)
    rezipped(path, data=data_of(path, canary))
    assert same(sb3_zip.read(path, place).policy.layers, agent.policy.layers)
    assert not canary.exists()
    code = "from stable_baselines3 import PPO; PPO.load('agent.zip')"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True)
    assert canary.exists(), "the file is not as hostile as it should be"
