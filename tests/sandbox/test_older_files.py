"""Files that version 0.1.0 wrote open and go on; tests/data/written_by_0_1_0/README.md says what they are."""

from __future__ import annotations

import json
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.feedback.records import active_records, count_by_kind
from agents.io import agent_bundle
from agents.learner_catalog import make
from agents.policies.policy_arrays import PolicyArrays
from envs.task_catalog import task
from envs.world import Task
from sandbox.cli import main
from sandbox.learning.checkpoints import Checkpoints
from sandbox.session.folder import STORE, SessionFile
from sandbox.session.session import Session
from sandbox.store import Reader

DATA = Path(__file__).parents[1] / "data" / "written_by_0_1_0"
EXPECTED: dict[str, Any] = json.loads((DATA / "expected.json").read_text())
SESSIONS = sorted(EXPECTED["sessions"])


@pytest.fixture
def written(tmp_path: Path) -> Path:
    with tarfile.open(DATA / "files.tar.xz") as pack:
        pack.extractall(tmp_path, filter="data")
    return next(path for path in tmp_path.iterdir() if (path / "sessions").is_dir())


def is_the_policy(policy: PolicyArrays, wanted: dict[str, Any], world: Task) -> None:
    """Every number of its layers, and what it makes of two observations."""
    digest = sha256(b"".join(part.tobytes() for layer in policy.layers for part in layer))
    assert digest.hexdigest() == wanted["layers_sha256"]
    width = len(world.world.obs_names)
    seen = np.linspace(-1.0, 1.0, 2 * width).reshape(2, width).astype(np.float32)
    assert np.asarray(policy.act(seen)).tolist() == wanted["actions_on_linspace"]


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_opens_with_all_that_was_said(written: Path, name: str) -> None:
    wanted = EXPECTED["sessions"][name]
    folder = written / "sessions" / name
    with Session.open(folder, start_learner=False) as session:
        assert session.counts == wanted["standing"]
        assert (session.world, session.learner) == (wanted["world"], wanted["learner"])
    reader = Reader(folder / STORE)
    records = reader.records()
    reader.close()
    assert [record.id for _, record in records] == [one["id"] for one in wanted["records"]]
    assert count_by_kind(active_records([record for _, record in records])) == wanted["standing"]


@pytest.mark.parametrize("name", SESSIONS)
def test_a_checkpoint_loads_and_the_learner_goes_on(written: Path, name: str) -> None:
    wanted = EXPECTED["sessions"][name]
    folder = written / "sessions" / name
    facts = SessionFile.read(folder)
    assert facts is not None
    world = task(facts.world, **facts.options)
    learner = make(facts.learner, world, seed=facts.seed, prior=facts.prior)
    checkpoint = Checkpoints(folder, facts.learner).current()
    assert checkpoint is not None
    learner.load(checkpoint)
    shot, before = learner.snapshot(), wanted["checkpoint"]
    assert (shot.step, shot.env_steps, shot.feedback_seq) == (
        before["step"],
        before["env_steps"],
        before["feedback_seq"],
    )
    assert shot.policy is not None
    is_the_policy(shot.policy, before["policy"], world)
    reader = Reader(folder / STORE)
    records, origins = reader.records(), reader.provenance_by_id()
    reader.close()
    learner.raters.update((id, origin.rater) for id, origin in origins.items())
    learner.observe(records[-1][0], [record for _, record in records])
    after = wanted["goes_on_for_three_steps"]
    assert [learner.step() for _ in range(3)] == after["step_returned"]
    shot = learner.snapshot()
    assert (shot.step, shot.env_steps, shot.phase) == (after["step"], after["env_steps"], after["phase"])


@pytest.mark.parametrize("name", ["joint", "bc"])
def test_a_bundle_loads(written: Path, name: str) -> None:
    wanted = EXPECTED["agents"][name]
    agent = agent_bundle.load(written / "agents" / name)
    assert (agent.world, agent.learner, agent.step) == (wanted["world"], wanted["learner"], wanted["step"])
    is_the_policy(agent.policy, wanted["policy"], task(agent.world, **agent.options))
    assert (agent.reward is None) == (wanted["reward"] is None)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert not ended.value.code
    return capsys.readouterr().out.strip()


@pytest.mark.parametrize("file", ["bundle", "labels.csv", "pairs.npz", "minari"])
def test_an_export_is_read_in(
    written: Path, tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = EXPECTED["exports"][file]
    into = tmp_path / "into"
    if file == "labels.csv":  # labels name clips that the session has
        into = written / "sessions" / "rooms-joint"
    elif file == "pairs.npz":
        Session.open(into, options={"size": 9}, start_learner=False).close()
    source = str(written / "exports" / file)
    for words in (wanted["import_tells"], wanted["import_again_tells"]):
        said = told(capsys, "import", source, "--session", str(into))
        assert said.replace(str(into), "SESSION") == words
    with Session.open(into, start_learner=False) as session:
        assert session.counts == wanted["standing_after"]
