"""States of parts: what is written has the keys that it always had, and every part goes on from its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from agents import checkpoint, learner_catalog
from agents.checkpoint import Checkpointed, StateDict
from agents.feedback.records import Demonstration
from agents.learners.training_schedule import TrainingSchedule
from agents.queries.query_manager import QueryManager
from agents.queries.selection import QueryConfig
from agents.teachers.synthetic import make_teacher
from tests.agents.toy import toy

KEYS = {
    "joint": "agreement asker cloner counts fitted inference learned_seq practice reward since_fit step uses",
    "bc": "cloner fitted learned_seq left step updates uses",
    "dagger": "cloner fitted learned_seq left step updates uses",
}
"""Of the facts in learner.json, as the first version wrote them: checkpoints of then are read now."""


def drive() -> Demonstration:
    return make_teacher("rational", toy()).demonstrate(1)


@pytest.mark.parametrize("name", KEYS)
def test_the_keys_in_the_files_stay(name: str, tmp_path: Path) -> None:
    config = {"proxy_steps": 0} if name == "joint" else {}
    learner = learner_catalog.make(name, toy(), settings=config)
    learner.observe(1, [drive()])
    assert learner.step()
    learner.save(tmp_path)
    facts = json.loads((tmp_path / "learner.json").read_text())
    assert sorted(facts) == sorted([*KEYS[name].split(), "format", "learner"])
    if name == "joint":
        assert sorted(facts["asker"]) == ["again_at", "asked", "known", "random"]
        assert facts["fitted"] != []
    again = learner_catalog.make(name, toy(), seed=3, settings=config)
    again.load(tmp_path)
    assert again.snapshot().step == learner.snapshot().step == 1


def test_what_an_expert_labelled_is_kept(tmp_path: Path) -> None:
    learner, again = (
        learner_catalog.make("dagger", toy(), seed=seed, settings={"n_updates": 50}) for seed in (0, 1)
    )
    labelled = learner.query_expert(lambda obs: np.ones(len(obs), int))  # type: ignore[attr-defined]
    learner.save(tmp_path)
    again.load(tmp_path)
    assert again.snapshot().feedback_counts["labelled state"] == labelled


@pytest.mark.parametrize("part", ["schedule", "queries"])
def test_a_part_goes_on_from_its_state(part: str) -> None:
    def made() -> Checkpointed:
        if part == "schedule":
            return TrainingSchedule()
        return QueryManager(toy(), QueryConfig(), np.random.default_rng(0))

    one, other = made(), made()
    if isinstance(one, TrainingSchedule):
        one.fitted_ids, one.steps_since_fit = frozenset({"b", "a"}), 7
    if isinstance(one, QueryManager):
        one.n_asked = 4
        one.random.random()
    state = one.state_dict()
    assert state.facts != other.state_dict().facts
    other.load_state_dict(StateDict(json.loads(json.dumps(state.facts)), state.arrays))
    assert other.state_dict().facts == state.facts


def test_a_file_of_another_learner_is_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, "bc", StateDict({"step": 1}, {"a": np.ones(2, np.float32)}))
    assert checkpoint.load(tmp_path, "bc").arrays["a"].tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match="is of learner 'bc', not of 'dagger'"):
        checkpoint.load(tmp_path, "dagger")
