"""A session replayed without a window: the same feedback gives the same learner, to the last bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.feedback.records import Question
from agents.policies.policy_arrays import PolicyArrays
from agents.rewards.reward_arrays import RewardArrays
from envs import task_catalog
from sandbox.session.folder import SessionError
from sandbox.session.session import Session
from sandbox.store import Provenance, Reader
from sandbox.studies.session_replay import digest_of, replay
from tests.sandbox.fake import FakeLearner
from tests.sandbox.teaching import recorded

ROOT = Path(__file__).parents[2]
STEPS = 12


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three comparisons of real clips, one of them taken back, and a demonstration."""
    folder = tmp_path_factory.mktemp("replay") / "session"
    task = task_catalog.task("teachbox/RoomsTidy-v0", size=9)
    clips = [recorded(task, 15, seed=seed) for seed in range(4)]
    with Session.open(folder, start_learner=False, options={"size": 9}, prior="none") as opened:
        for number in range(3):
            opened.add_comparison(Question((clips[number], clips[number + 1])), (0, 1), seconds=1.0)
        opened.undo()
        opened.add_demonstration(clips[0])
    return folder


def test_two_replays_give_the_same_learner_and_one_answer_reversed_another(session):
    first = replay(session, most_steps=STEPS)
    code = "import sys; from sandbox.studies import session_replay as replay; "
    code += "replay.QUICK_STEPS = int(sys.argv.pop()); replay_main()"
    code = code.replace("replay_main()", "from sandbox.cli import main; main()")
    words = ["replay", str(session), "--json", "--quick", str(STEPS)]
    env = {**os.environ, "PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1"}  # sets in another order
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == asdict(first)
    assert first.uses == {"comparison": 2, "demonstration": 1}
    other = replay(session, most_steps=STEPS, reverse=[1])
    assert other.uses == first.uses
    assert other.digest != first.digest


def test_a_record_is_heard_at_the_step_at_which_it_was_said(session, monkeypatch):
    heard: list[int] = []

    class Student(FakeLearner):
        def observe(self, seq: int, records: Any) -> None:
            heard.append(self.steps)
            super().observe(seq, records)

        def step(self) -> bool:
            self.steps += 1
            return True

    def origins(self: Reader) -> dict[str, Provenance]:
        known = [id for _, record in self.records() for id in [record.id]]
        policies = [None, "joint:4", "policy:9", "other:70", "joint:9"]
        return {id: Provenance("r", "0", policy=policy) for id, policy in zip(known, policies, strict=True)}

    monkeypatch.setattr(Reader, "provenance_by_id", origins)
    monkeypatch.setattr("agents.learner_catalog.make", lambda name, task, **_: Student(name, task))
    replay(session, most_steps=20)
    assert heard == [0, 4, 9, 9, 9]


def test_what_can_not_be_replayed_is_told(session, tmp_path):
    with pytest.raises(SessionError, match="no session"):
        replay(tmp_path)
    with pytest.raises(SessionError, match="no record 77"):
        replay(session, reverse=[77])
    with pytest.raises(ValueError, match="record 5 is no comparison"):
        replay(session, reverse=[5])


def test_the_digest_sees_the_last_bit():
    layer = (np.ones((2, 3), np.float32), np.zeros(3, np.float32))
    policy = PolicyArrays((layer,), "discrete")
    reward = RewardArrays(np.ones((1, 2), np.float32))
    one = digest_of(policy, reward)
    assert one == digest_of(PolicyArrays((layer,), "discrete"), reward)
    nudged = (np.nextafter(layer[0], np.float32(2)), layer[1])
    others = [
        digest_of(PolicyArrays((nudged,), "discrete"), reward),
        digest_of(PolicyArrays((layer, layer), "discrete"), reward),
        digest_of(policy, replace(reward, shift=1e-300)),
        digest_of(policy, None),
    ]
    assert len({one, *others}) == 5
