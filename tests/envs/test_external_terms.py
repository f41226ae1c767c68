"""Somebody else's reward as the written one: the true reward and named terms come from elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents.learners.joint import JointLearner
from envs.simulate import simulate
from envs.task_catalog import UnknownTask
from envs.task_catalog import task as make_task
from envs.task_options import with_options
from sandbox.commands.options import external_options

TINS = "tests.agents.tins:people/Tins-v0"
WISH = "tests.agents.tins:wish"


@pytest.mark.parametrize("wish", [WISH, "honest"])
def test_true_reward_and_proxy_part(wish: str) -> None:
    task = make_task(TINS, true_reward=wish, info_terms="auto")
    names = task.world.term_names
    assert names[:2] == ("reward", "ended")
    assert names[-1] == "true reward"
    assert {"sold", "stolen"} < set(names)
    assert wish not in names
    assert "word" not in names
    sim = simulate(task, 3)
    step = sim.step(np.array([0, 1, 2]))
    assert task.true_reward(step.last_states, step.terms, step.last_states).tolist() == [1.0, -1.0, 0.0]
    assert (step.terms @ task.proxy_weights).tolist() == [1.0, 2.0, 0.0]
    assert with_options(task, task.options).world.term_names == names


def test_nothing_changes_unless_asked() -> None:
    task = make_task(TINS)
    assert task.world.term_names == ("reward", "ended")
    assert not task.names_terms
    assert JointLearner(task).prior == "none"
    assert JointLearner(task, prior="written").prior == "written"


def test_no_learner_reads_the_true_reward() -> None:
    task = make_task(TINS, true_reward=WISH, info_terms="sold,stolen")
    learner = JointLearner(task, prior="written")
    weights = learner.reward.arrays().weights
    hidden = task.world.term_names.index("true reward")
    assert weights[:, 0].mean() > 0.0
    assert not weights[:, hidden].any()


def test_practice_begins_at_the_worlds_own_reward() -> None:
    learner = JointLearner(make_task(TINS, true_reward=WISH), prior="written", seed=1)
    while learner.is_on_proxy and learner.trainer.env_steps < 16_000:
        learner.step()
    policy = learner.snapshot().policy
    assert policy is not None
    assert policy.act(np.zeros((1, 3), np.float32))[0] == 1  # it steals: that pays


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"info_terms": "pears"}, "sold, stolen, honest"),
        ({"true_reward": "pears"}, "name one of them"),
        ({"true_reward": "tests.agents.tins:nobody"}, "has no 'nobody'"),
        ({"true_reward": "tests.agents.units:UNITS"}, "not a function"),
    ],
)
def test_what_is_not_there_is_told(options: dict[str, Any], told: str) -> None:
    with pytest.raises(UnknownTask, match=told):
        make_task(TINS, **options)
    with pytest.raises(ValueError, match="somebody else"):
        external_options("teachbox/RoomsTidy-v0", "auto", "")
