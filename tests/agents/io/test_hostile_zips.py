"""Zips as PPO, SAC and DQN of Stable-Baselines3 are saved, made hostile: each is refused, none runs code."""

from __future__ import annotations

import io
import json
import pickle  # noqa: TID251  # to make hostile files with
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import DQN, PPO, SAC

from agents.io import sb3_zip
from agents.io.agent_bundle import check_compatible
from agents.io.safe_files import UnsafeFile
from envs.task_catalog import task
from envs.world import Task
from tests.agents.hostile import Canary, data_of, program, rezipped, saved

KINDS: dict[str, tuple[Any, str]] = {
    "PPO": (PPO, "teachbox/RoomsTidy-v0"),
    "SAC": (SAC, "teachbox/RoverDeliver-v0"),
    "DQN": (DQN, "teachbox/RoomsTidy-v0"),
}
LAST = {"PPO": "action_net", "SAC": "actor.mu", "DQN": "q_net.q_net.4"}
"""The layer whose outputs are actions."""
FIRST = {"PPO": "mlp_extractor.policy_net.0", "SAC": "actor.latent_pi.0", "DQN": "q_net.q_net.0"}


def made(kind: str, seed: int = 0) -> tuple[Any, Task]:
    """A fresh model on observations of its world."""
    algorithm, world = KINDS[kind]
    place = task(world)
    seen = spaces.Box(-np.inf, np.inf, (len(place.world.obs_names),), np.float32)
    more = {} if kind == "PPO" else {"buffer_size": 10}
    env = sb3_zip._SpacesEnv(seen, place.world.action_space)
    small: dict[str, Any] = {"net_arch": [16, 8]}
    return algorithm("MlpPolicy", env, policy_kwargs=small, seed=seed, device="cpu", **more), place


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A zip of each kind, as its algorithm saves it."""
    folder = tmp_path_factory.mktemp("good")
    for kind in KINDS:
        made(kind)[0].save(folder / f"{kind}.zip")
    return {kind: folder / f"{kind}.zip" for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_one_is_read(kind: str, good: dict[str, Path]) -> None:
    model, place = made(kind)
    agent = sb3_zip.read_zip(good[kind], place)
    check_compatible(agent, place)
    obs = np.random.default_rng(0).uniform(-1, 1, (50, len(place.world.obs_names))).astype(np.float32)
    np.testing.assert_allclose(agent.policy.act(obs), model.predict(obs, deterministic=True)[0], atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_pickled_beside_the_numbers_is_not_followed(
    kind: str, good: dict[str, Path], tmp_path: Path
) -> None:
    """In `data`, in optimisers and in variables. The control: Stable-Baselines3 follows it."""
    path, canary, place = tmp_path / "a.zip", tmp_path / "canary", task(KINDS[kind][1])
    evil = saved({"log_ent_coef": Canary(canary)})
    with zipfile.ZipFile(good[kind]) as archive:
        beside = {name for name in archive.namelist() if name.endswith(".pth")} - {"policy.pth"}
    assert len(beside) >= 2
    path.write_bytes(good[kind].read_bytes())
    rezipped(path, data=data_of(path, canary), **dict.fromkeys(beside, evil))
    sb3_zip.read_zip(path, place)
    assert not canary.exists()
    code = f"from stable_baselines3 import {kind}; {kind}.load('a.zip')"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True)
    assert canary.exists(), "the file is not as hostile as it should be"


Change = Callable[[str, Path, Path], None]
"""(kind, zip, canary): makes the zip hostile."""


def tensors(change: Callable[[str, dict[str, Any]], None]) -> Change:
    """The tensors in policy.pth changed."""

    def hostile(kind: str, path: Path, canary: Path) -> None:
        state = dict(made(kind)[0].policy.state_dict())
        change(kind, state)
        rezipped(path, policy__pth=saved(state))

    return hostile


def like(change: Callable[[Any], Any], layer: dict[str, str] = LAST) -> Change:
    """One weight in place of another."""

    def changed(kind: str, state: dict[str, Any]) -> None:
        name = f"{layer[kind]}.weight"
        state[name] = change(state[name])

    return tensors(changed)


def without(kind: str, state: dict[str, Any]) -> None:
    del state[f"{LAST[kind]}.bias"]


def with_more(kind: str, state: dict[str, Any]) -> None:
    state[f"{FIRST[kind].rpartition('.')[0]}.code"] = torch.zeros(1)


def run_program(said: Callable[[Path], bytes]) -> Change:
    """policy.pth's own instructions replaced."""

    def hostile(kind: str, path: Path, canary: Path) -> None:
        state = saved(dict(made(kind)[0].policy.state_dict()))
        rezipped(path, policy__pth=program(state, lambda _: said(canary)))

    return hostile


def cut(kind: str, path: Path, canary: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cut_inside(kind: str, path: Path, canary: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        content = archive.read("policy.pth")
    rezipped(path, policy__pth=content[: len(content) // 2])


def bomb(kind: str, path: Path, canary: Path) -> None:
    rezipped(path, zipfile.ZIP_DEFLATED, policy__pth=bytes(2 * 10**7))
    assert path.stat().st_size < 10**6


def bomb_inside(kind: str, path: Path, canary: Path) -> None:
    """Packed within policy.pth, which is itself stored."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(2 * 10**7))
    rezipped(path, policy__pth=out.getvalue())


def lies_about_size(kind: str, path: Path, canary: Path) -> None:
    """The directory of the zip declares four gigabytes where a few bytes are."""
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x01\x02")
    content[at + 20 : at + 28] = (2**32 - 2).to_bytes(4, "little") * 2
    path.write_bytes(content)


def twice(kind: str, path: Path, canary: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("policy.pth", saved({"a": Canary(canary)}))


def activation(kind: str, path: Path, canary: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        facts = json.loads(archive.read("data"))
    facts["policy_kwargs"] = {"activation_fn": "os.system"}
    rezipped(path, data=json.dumps(facts).encode())


def half_a_storage(kind: str, state: dict[str, Any]) -> None:
    """A view of more numbers than a layer has, beyond its end."""
    state[f"{LAST[kind]}.bias"] = torch.zeros(4).as_strided((2**30, 1), (0, 0))


def storages(count: Callable[[int], int]) -> Change:
    """Another number of numbers declared of the layer whose outputs are actions."""

    def hostile(kind: str, path: Path, canary: Path) -> None:
        size = 977  # a prime: found nowhere else in the program
        state = saved({f"{LAST[kind]}.weight": torch.zeros(size)})
        said = b"M" + size.to_bytes(2, "little")
        lying = b"J" + count(size).to_bytes(4, "little")
        rezipped(path, policy__pth=program(state, lambda old: old.replace(said, lying)))

    return hostile


def looking(kind: str, state: dict[str, Any]) -> None:
    state["features_extractor.cnn.0.weight"] = torch.zeros(32, 3, 8, 8)


CALLS = "could run code|system"
HOSTILE: dict[str, tuple[Change, str]] = {
    "a pickle": (lambda k, p, c: rezipped(p, policy__pth=pickle.dumps(Canary(c))), "no whole zip"),
    "an object among tensors": (tensors(lambda k, s: s.update(a=Canary(Path("canary")))), CALLS),
    "a program that calls": (run_program(lambda c: pickle.dumps(Canary(c), 2)), CALLS),
    "a newer program that calls": (run_program(lambda c: pickle.dumps(Canary(c), 4)), "instruction"),
    "a program by name": (run_program(lambda c: b"\x80\x02cbuiltins\nexec\n."), "exec"),
    "a program with getattr": (run_program(lambda c: b"\x80\x02cbuiltins\ngetattr\nq\x00."), "getattr"),
    "a state for a name": (run_program(lambda c: b"\x80\x02ccollections\nOrderedDict\n}b."), "state"),
    "a program without end": (run_program(lambda c: b"\x80\x02" + b"}" * 300_000), "steps|sense"),
    "no zip": (lambda k, p, c: p.write_bytes(pickle.dumps(Canary(c))) and None, "no whole zip"),
    "statistics of observations": (
        lambda k, p, c: p.write_bytes(pickle.dumps({"obs_rms": Canary(c)})) and None,
        "no whole zip",
    ),
    "a path upwards": (lambda k, p, c: rezipped(p, **{"../../evil.pth": b"x"}), "evil"),
    "a path from the root": (lambda k, p, c: rezipped(p, **{"/etc/evil.pth": b"x"}), "evil"),
    "a file to run": (lambda k, p, c: rezipped(p, run__py=b"import os"), "run.py"),
    "cut off": (cut, "no whole zip|has no 'data'"),
    "cut off inside": (cut_inside, "no whole zip"),
    "packed": (bomb, "packs"),
    "packed inside": (bomb_inside, "packs"),
    "a size that lies": (lies_about_size, "declares"),
    "a name twice": (twice, "twice"),
    "no JSON": (lambda k, p, c: rezipped(p, data=b"{" * 10_000), "JSON"),
    "an activation that is a command": (activation, "os.system"),
    "NaN": (like(lambda w: torch.full_like(w, torch.nan)), "NaN"),
    "infinity": (like(lambda w: w / 0.0), "infinity"),
    "doubles": (like(lambda w: w.double()), "float64"),
    "halves": (like(lambda w: w.half()), "HalfStorage"),
    "whole numbers": (like(lambda w: w.long()), "int64"),
    "a layer that fits no other": (like(lambda w: w[:, :-1].contiguous()), "after|fit"),
    "a vector for a matrix": (like(lambda w: w.flatten()), "fit each other"),
    "turned round": (like(lambda w: w.t().contiguous()), "fit"),
    "laid out otherwise": (like(lambda w: w.t().contiguous().t()), "strides"),
    "of another world": (like(lambda w: w[:, :-2].contiguous(), FIRST), "of another world"),
    "a layer left out": (tensors(without), "fit each other"),
    "a tensor more": (tensors(with_more), "tensor"),
    "more numbers than there are": (tensors(half_a_storage), "strides|outside|shape"),
    "more numbers than are said": (storages(lambda n: n + 2**24), "says"),
    "convolutions": (tensors(looking), "cnn|MlpPolicy"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", KINDS)
def test_hostile_zips(
    kind: str, name: str, good: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path, canary, place = tmp_path / "a.zip", tmp_path / "canary", task(KINDS[kind][1])
    path.write_bytes(good[kind].read_bytes())
    change, word = HOSTILE[name]
    change(kind, path, canary)
    with pytest.raises(UnsafeFile, match=word) as caught:
        check_compatible(sb3_zip.read_zip(path, place), place)
    told = str(caught.value)
    assert len(told) < 500
    assert "\n" not in told
    assert not canary.exists()
    assert {p.name for p in tmp_path.iterdir()} == {"a.zip"}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_in_it_must_be_of_its_kind(kind: str, good: dict[str, Path]) -> None:
    """Actions that are a choice for a world that wants numbers, and the other way round."""
    other = task("teachbox/RoomsTidy-v0" if kind == "SAC" else "teachbox/RoverDeliver-v0")
    with pytest.raises(UnsafeFile):
        check_compatible(sb3_zip.read_zip(good[kind], other), other)
