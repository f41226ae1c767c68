"""A session's agent goes out as a bundle or a zip, and comes into another session; hostile ones don't."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents.io.agent_bundle import load
from agents.io.sb3_zip import make_model
from envs.task_catalog import task
from sandbox.exchange.agents import session_agent
from sandbox.exchange.sample import make_session
from tests.agents.io.test_agent_bundle import BUNDLES
from tests.agents.io.test_hostile_zips import HOSTILE
from tests.sandbox.exchanged import ROOMS, refused, session, teachbox


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("taught")
    make_session(folder / "s")
    return folder / "s"


def test_an_agent_goes_out_and_comes_in(
    taught: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    obs = np.random.default_rng(0).uniform(-1, 1, (20, len(task(ROOMS).world.obs_names))).astype(np.float32)
    wanted = session_agent(taught)[0].policy.act(obs)
    session(tmp_path / "other", task(ROOMS))
    assert "is in a" in teachbox("export", str(taught), "--out", "a", "--format", "agent")
    assert "PPO.load" in teachbox("export", str(taught), "--out", "a.zip", "--format", "sb3")
    assert teachbox("import", "a", "--session", "other") == "The agent is in other/agents/a."
    assert teachbox("import", "a.zip", "--session", "other") == "The agent is in other/agents/a-2."
    for name in ("a", "a-2"):
        again = load(tmp_path / "other" / "agents" / name)
        np.testing.assert_allclose(again.policy.act(obs), wanted)
        np.testing.assert_allclose(make_model(again, task(ROOMS)).predict(obs, deterministic=True)[0], wanted)
    assert load(tmp_path / "other" / "agents" / "a").value
    session(tmp_path / "cart", task("CartPole-v1"))
    assert "RoomsTidy" in refused("import", "a", "--session", "cart")
    assert "learned nothing" in refused("export", "other", "--out", "b", "--format", "sb3")


@pytest.mark.parametrize("name", ["flipped bit", "an extra file", "a pickle for weights", "a link"])
def test_a_hostile_bundle_ends_with_a_sentence(name: str, taught: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    teachbox("export", str(taught), "--out", str(tmp_path / "agent"), "--format", "agent")
    BUNDLES[name][0](tmp_path / "agent", canary)
    refused("import", str(tmp_path / "agent"), "--session", str(taught))
    assert not canary.exists()
    assert not (taught / "agents").exists()


@pytest.mark.parametrize(
    "name", ["a program that calls", "an object among tensors", "statistics of observations"]
)
def test_a_hostile_zip_ends_with_a_sentence(name: str, taught: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    teachbox("export", str(taught), "--out", str(tmp_path / "agent.zip"), "--format", "sb3")
    HOSTILE[name][0]("PPO", tmp_path / "agent.zip", canary)
    refused("import", str(tmp_path / "agent.zip"), "--session", str(taught))
    assert not canary.exists()
    assert not (taught / "agents").exists()
