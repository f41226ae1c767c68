"""What doesn't fit a learner's world is told in a sentence and never learned from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agents import learner_catalog
from agents.feedback.feedback_validation import FeedbackBuffer, why_invalid
from agents.feedback.records import Comparison, Demonstration, Evaluation
from agents.models import BC, GAIL
from agents.policies.policy_arrays import PolicyArrays
from agents.policies.rollouts import PolicyVariant, episode_starts, rollout_clips
from agents.teachers.synthetic import make_teacher
from envs.task_catalog import task as world
from tests.agents.toy import toy

ROVER = "teachbox/RoverDeliver-v0"


def _driven(task):
    wide, space = len(task.world.obs_names), task.world.action_space
    acts = int(space.n) if hasattr(space, "n") else space.shape[0]
    zero = ((np.zeros((wide, acts), np.float32), np.zeros(acts, np.float32)),)
    if hasattr(space, "n"):
        policy = PolicyArrays(zero, "discrete")
    else:
        policy = PolicyArrays(zero, "gaussian", np.zeros(acts, np.float32), space.low, space.high)
    return rollout_clips(
        task, episode_starts(task, 1, 0), [PolicyVariant(policy)], [10], np.random.default_rng(0)
    )[0]


def _broken(clip, **change):
    found = replace(clip)
    for name, value in change.items():
        object.__setattr__(found, name, value)
    return found


@pytest.mark.parametrize("task", [toy(), world(ROVER)], ids=["toy", "rover"])
def test_each_misfit_is_a_sentence(task) -> None:
    clip = _driven(task)
    holed = clip.observations.copy()
    holed[2, 1] = np.nan
    wild = clip.actions.copy()
    wild[3] = 77
    for change, said in (
        ({"task": "elsewhere"}, "is of elsewhere, and this learner is in"),
        ({"observations": clip.observations[:, :-1]}, "another version"),
        ({"terms": np.zeros((10, 30), np.float32)}, "another version"),
        ({"observations": holed}, "NaN"),
        ({"actions": wild}, "77"),
        ({"actions": np.zeros((10, 3, 2), np.float32)}, "actions of shape"),
    ):
        bad = _broken(clip, **change)
        assert said in (why_invalid(task, Demonstration(bad)) or "")
        assert said in (why_invalid(task, Comparison((clip, bad), (0, 1))) or "")
    assert why_invalid(task, Demonstration(clip)) is None
    assert "nan" in (why_invalid(task, Evaluation(clip, float("nan"))) or "")


@pytest.mark.parametrize("name", list(learner_catalog.LEARNERS))
def test_every_learner_passes_over_what_is_wrong_and_says_so(name: str) -> None:
    task = toy()
    learner = learner_catalog.make(name, task, prior="none")
    clip = _driven(task)
    wild = clip.actions.copy()
    wild[0] = 9
    bad = [Demonstration(_broken(clip, actions=wild)), Comparison((clip, _broken(clip, task="x")), (0, 1))]
    learner.observe(2, bad)
    learner.step()
    told = learner.snapshot()
    assert told.feedback_counts == {}
    assert "was not used" in " ".join(told.warnings)
    assert np.isfinite(told.policy.layers[0][0]).all()


def test_answers_that_are_all_ties_are_remarked() -> None:
    clip = _driven(toy())
    ties = [Comparison((clip, clip), (0, 0)) for _ in range(6)]
    heard = FeedbackBuffer(toy())
    heard.add(ties)
    assert "All 6 answers are ties" in heard.warnings(ties)[0]
    assert heard.warnings([*ties, Comparison((clip, clip), (0, 1))]) == ()


def test_given_by_hand_it_is_refused() -> None:
    clip = _driven(toy())
    with pytest.raises(ValueError, match="gail learns nothing from a comparison: give it demonstration"):
        GAIL("MlpPolicy", toy()).add_feedback([Comparison((clip, clip), (0, 1))])
    with pytest.raises(ValueError, match="is of x, and this learner is in toy"):
        BC("MlpPolicy", toy()).add_feedback([Demonstration(_broken(clip, task="x"))])
    BC("MlpPolicy", toy()).add_feedback([make_teacher("rational", toy()).demonstrate(1)])
