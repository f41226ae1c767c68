"""The default learner: a toy learned from answers in seconds, and going on from a checkpoint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents import learner_catalog
from agents.evaluation import scores
from agents.feedback.records import Undo
from agents.rewards.net import NetConfig, NetReward
from agents.rewards.symmetry import canonical_views
from agents.teachers.synthetic import make_teacher
from tests.agents.toy import toy


def _teach(learner, teacher, answers: int) -> None:
    for seq in range(1, answers + 1):
        question = learner.query()
        assert question is not None
        learner.observe(seq, [teacher.compare(question)])
        if seq % 5 == 0:
            for _ in range(5):
                learner.step()
    while learner.step():
        pass


def test_joint_learns_the_toy_from_fifteen_answers() -> None:
    task = toy()
    learner = learner_catalog.make("joint", task, settings={"proxy_steps": 16_000, "steps_per_fit": 80_000})
    while learner.phase == "learning from the written reward":
        learner.step()
    before = scores.evaluate_policy(task, learner.snapshot().policy)
    _teach(learner, make_teacher("rational", task), 15)
    after = scores.evaluate_policy(task, learner.snapshot().policy)
    assert before.mean < 5.0 < 12.0 < after.mean
    snapshot = learner.snapshot()
    assert snapshot.feedback_seq == 15
    assert snapshot.feedback_counts == {"comparison": 15}
    weights = snapshot.reward.weights.mean(0)
    assert weights[0] > 0 > weights[1]
    assert "learned reward" in snapshot.curve[-1].values


def test_going_on_from_a_checkpoint_is_going_on(tmp_path: Path) -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    first = learner_catalog.make("joint", task, seed=3, settings={"proxy_steps": 20_000})
    records = [teacher.compare(first.query()) for _ in range(3)]
    first.observe(3, records)
    for _ in range(4):
        first.step()
    first.save(tmp_path / "1")
    second = learner_catalog.make("joint", task, seed=8, settings={"proxy_steps": 20_000})
    second.load(tmp_path / "1")
    assert second.snapshot().feedback_counts == {"comparison": 3}
    second.observe(3, records)
    for _ in range(3):
        first.step(), second.step()
    one, two = first.snapshot(), second.snapshot()
    for (weight, bias), (weight2, bias2) in zip(one.policy.layers, two.policy.layers, strict=True):
        np.testing.assert_array_equal(weight, weight2)
        np.testing.assert_array_equal(bias, bias2)
    assert (one.step, one.env_steps, one.feedback_seq) == (two.step, two.env_steps, two.feedback_seq)


def test_an_undone_answer_is_forgotten() -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    learner = learner_catalog.make("joint", task, settings={"proxy_steps": 10_000})
    answer = teacher.compare(learner.query())
    learner.observe(1, [answer])
    learner.step()
    assert learner.snapshot().feedback_counts == {"comparison": 1}
    learner.observe(2, [Undo(answer.id)])
    learner.step()
    assert learner.snapshot().feedback_counts == {}
    assert learner.snapshot().feedback_seq == 2


def test_mistakes_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(learner_catalog.UnknownLearner, match="no learner 'jiont': did you mean 'joint'"):
        learner_catalog.make("jiont", toy())
    with pytest.raises(ValueError, match="prior 'some'"):
        learner_catalog.make("joint", toy(), prior="some")
    with pytest.raises(ValueError, match="is not a checkpoint"):
        learner_catalog.make("joint", toy()).load(tmp_path)


def test_a_control_is_judged_by_nothing_that_was_learned() -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    judged = {}
    for control in ("", "constant", "random"):
        learner = learner_catalog.make(
            "joint", task, settings={"proxy_steps": 4_000, "steps_per_fit": 8_000, "control": control}
        )
        learner.observe(3, [teacher.compare(learner.query()) for _ in range(3)])
        while learner.step():
            pass
        judged[control] = learner.trainer.restarts.episode_value(learner.trainer.term_counts)
        weights = learner.trainer.scaled_reward.reward.weights if control != "constant" else None
        assert weights is None or control == "" or (weights == learner.reward.arrays().weights).all()
    assert judged[""] is not None
    assert judged["constant"] is judged["random"] is None


def test_who_came_to_do_nothing_starts_over_from_what_the_written_reward_taught(tmp_path: Path) -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    first = learner_catalog.make("joint", task, settings={"proxy_steps": 8_000, "steps_per_fit": 20_000})
    while first.phase == "learning from the written reward":
        first.step()
    taught = first.snapshot().policy.layers
    first.observe(3, [teacher.compare(first.query()) for _ in range(3)])
    while first.step():
        pass
    first.save(tmp_path)
    second = learner_catalog.make(
        "joint", task, seed=9, settings={"proxy_steps": 8_000, "steps_per_fit": 20_000}
    )
    for learner, matters in ((first, True), (second, False)):
        learner.load(tmp_path)
        learner._term_counts = learner._term_counts * float(matters)
        before = learner.snapshot().policy.layers
        learner.observe(4, [teacher.compare(learner.query())])
        learner.step()  # hears the answer, and has not practised yet
        after = learner.snapshot().policy.layers
        np.testing.assert_array_equal(after[0][0], (before if matters else taught)[0][0])
    assert not np.array_equal(before[0][0], taught[0][0])
    for learner in (first, second):  # at the end of practice once, and who still does nothing is left so
        learner._term_counts, learner.schedule.has_restarted = learner._term_counts * 0.0, False
        learner.finish_fit()
        np.testing.assert_array_equal(learner.snapshot().policy.layers[0][0], taught[0][0])
        learner.trainer.train_iteration()
        left = learner.snapshot().policy.layers
        learner.finish_fit()
        np.testing.assert_array_equal(learner.snapshot().policy.layers[0][0], left[0][0])


def test_an_agent_at_rest_is_less_sure_of_itself_before_a_net_is_practised_on_anew(tmp_path: Path) -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    for softens, rested in ((True, True), (True, False), (False, True)):
        learner = learner_catalog.make(
            "joint", task, settings={"model": "net", "proxy_steps": 4_000, "steps_per_fit": 8_000}
        )
        learner.reward.shrinks_policy = softens
        learner.observe(3, [teacher.compare(learner.query()) for _ in range(3)])
        while learner.step() and (rested or not learner.schedule.steps_since_fit):
            pass
        learner.save(tmp_path / f"{softens} {rested}")
        learner.load(tmp_path / f"{softens} {rested}")
        (*_, (weight, bias)) = learner.snapshot().policy.layers
        learner.observe(4, [teacher.compare(learner.query())])
        learner.step()  # hears the answer, and has not practised yet
        (*_, (after, offset)) = learner.snapshot().policy.layers
        left = learner.config.trainer.shrink_factor if softens and rested else 1.0
        np.testing.assert_allclose(after, left * weight, rtol=1e-6)
        np.testing.assert_allclose(offset, left * bias, rtol=1e-6)


def test_the_more_was_said_the_longer_a_turned_net_is_practised_on() -> None:
    still, turned = (
        learner_catalog.make("joint", toy(), settings={"model": "net"}),
        canonical_views([(np.arange(6), np.arange(5))], 5),
    )
    model = NetReward(np.zeros(4, np.float32), turned, 5, NetConfig())
    assert [model.max_episodes_per_fit(said) for said in (0, 10, 11, 40, 80, 500)] == [
        500,
        500,
        550,
        2_000,
        4_000,
        4_000,
    ]
    assert model.shrinks_policy
    assert not still.reward.shrinks_policy
    assert still.reward.max_episodes_per_fit(500) == 500
    assert learner_catalog.make("joint", toy()).reward.max_episodes_per_fit(1) == 4_000
