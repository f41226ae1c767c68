"""Every learner learns the toy in seconds from the feedback it takes, and keeps what it was given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents import learner_catalog
from agents.evaluation import scores
from agents.feedback.records import Comparison, Demonstration
from agents.learners.protocol import Learner
from agents.policies.rollouts import PolicyVariant, episode_starts, rollout_clips
from agents.teachers.synthetic import SyntheticTeacher, make_teacher
from tests.agents.toy import toy

QUICK = {"proxy_steps": 16_000, "steps_per_fit": 70_000}
GOOD = 8.0  # mean wish of random acts is about 0, of the best about 20


def _practise(learner: Learner) -> float:
    while learner.step():
        pass
    policy = learner.snapshot().policy
    assert policy is not None
    return scores.evaluate_policy(toy(), policy).mean


def _watch(learner: Learner, seed: int):
    policy, random = learner.snapshot().policy, np.random.default_rng(seed)
    assert policy is not None
    return rollout_clips(toy(), episode_starts(toy(), 1, seed), [PolicyVariant(policy)], [24], random)[0]


def test_bc_does_what_was_driven() -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    learner = learner_catalog.make("bc", task)
    assert learner.step() is False
    learner.observe(20, [teacher.demonstrate(seed) for seed in range(20)])
    assert _practise(learner) > 5.0
    assert learner.snapshot().feedback_counts == {"demonstration": 20}
    assert learner.query() is None


def test_evaluative_learns_from_presses() -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    learner = learner_catalog.make("evaluative", task, settings=QUICK)
    while learner.snapshot().env_steps < 16_000:
        learner.step()
    before = scores.evaluate_policy(task, learner.snapshot().policy).mean
    presses = []
    for seed in range(60):
        seen = _watch(learner, seed)
        found = [teacher.evaluate(seen, step) for step in range(6, 25, 6)]
        presses += [press for press in found if press is not None]
    assert len(presses) > 20
    learner.observe(len(presses), presses)
    assert _practise(learner) > before + 4.0


@pytest.mark.parametrize("name", ["evaluative", "shaping"])
def test_presses_alone_are_weighed_by_how_much_there_usually_is_of_each_term(name: str) -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    learner = learner_catalog.make(name, task, settings={"proxy_steps": 4_000, "steps_per_fit": 4_000})
    while learner.snapshot().phase == "learning from the written reward":
        learner.step()
    presses = [press for seed in range(20) if (press := teacher.evaluate(_watch(learner, seed), 12))]
    learner.observe(1, presses[:1])
    learner.step()
    sums = np.array(learner.query_manager.clip_term_sums())
    usual = np.sqrt((sums**2).sum(0) / (np.abs(sums) > 1e-6).sum(0))
    assert learner.reward.term_scale == pytest.approx(usual, rel=1e-4)
    assert learner.reward.term_scale[3] > 5.0, "a clip holds many moves"
    before = learner.reward.term_scale.copy()
    learner.observe(2, presses[1:2])
    _practise(learner)
    assert np.array_equal(learner.reward.term_scale, before), "what was said is understood in the same units"


def test_joint_learns_from_two_demonstrations() -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    learner = learner_catalog.make("joint", task, settings=QUICK)
    learner.observe(2, [teacher.demonstrate(seed) for seed in (1, 2)])
    assert _practise(learner) > GOOD


def test_joint_learns_from_takeovers() -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    learner = learner_catalog.make("joint", task, settings=QUICK)
    while learner.snapshot().env_steps < 16_000:
        learner.step()
    takeovers = []
    for seed in range(12):
        seen = _watch(learner, seed)
        takeovers.append(teacher.correct(seen, teacher.where_to_correct(seen)))
    learner.observe(12, [t for t in takeovers if t is not None])
    assert _practise(learner) > GOOD


def test_preferences_takes_rankings_and_passes_over_the_rest() -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    learner = learner_catalog.make("preferences", task, settings=QUICK)
    while learner.snapshot().env_steps < 16_000:
        learner.step()
    rankings = [teacher.compare(learner.query(clips)) for clips in (4, 3, 4, 3, 2)]
    assert [len(r.clips) for r in rankings] == [4, 3, 4, 3, 2]
    learner.observe(6, [*rankings, teacher.demonstrate(0)])
    learner.step()
    assert learner.snapshot().feedback_counts == {"comparison": 5}
    assert learner.snapshot().feedback_seq == 6


def test_from_nothing_it_waits_and_asks() -> None:
    learner = learner_catalog.make("joint", toy(), prior="none")
    learner.step()
    assert learner.step() is False
    assert learner.snapshot().phase == "waiting for feedback"
    question = learner.query()
    assert question is not None
    starts = {clip.states[0].tobytes() for clip in question.clips}
    assert len(starts) == 1
    assert question.same_start


def test_cant_tell_is_kept_and_teaches_nothing() -> None:
    learner = learner_catalog.make("joint", toy(), settings={"proxy_steps": 4_000})
    question = learner.query()
    learner.observe(1, [Comparison(question.clips, (), "cant_tell")])
    for _ in range(3):
        learner.step()
    snapshot = learner.snapshot()
    assert snapshot.feedback_counts == {"comparison": 1}
    np.testing.assert_array_equal(snapshot.reward.weights, np.repeat(toy().proxy_weights[None], 5, 0))


def test_questions_are_never_asked_twice() -> None:
    learner = learner_catalog.make("joint", toy(), settings={"proxy_steps": 4_000})
    learner.step()
    seen = set()
    for _ in range(30):
        question = learner.query()
        pair = frozenset(clip.observations.tobytes() + clip.actions.tobytes() for clip in question.clips)
        assert len(pair) == 2
        assert pair not in seen
        seen.add(pair)


def test_bc_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    shown = [teacher.demonstrate(seed) for seed in range(2)]
    first = learner_catalog.make("bc", task, seed=1)
    first.observe(2, shown)
    first.step()
    first.save(tmp_path / "a")
    second = learner_catalog.make("bc", task, seed=2)
    second.load(tmp_path / "a")
    assert second.snapshot().feedback_counts == {"demonstration": 2}  # told before its first step
    second.observe(2, shown)
    first.step(), second.step()
    for one, two in zip(first.snapshot().policy.layers, second.snapshot().policy.layers, strict=True):
        np.testing.assert_array_equal(one[0], two[0])
    with pytest.raises(ValueError, match="is of learner 'bc', not of 'joint'"):
        learner_catalog.make("joint", task).load(tmp_path / "a")


def test_a_teacher_who_slips_and_one_who_reverses() -> None:
    task = toy()
    learner = learner_catalog.make("joint", task, settings={"proxy_steps": 4_000})
    questions = [learner.query() for _ in range(8)]
    right: SyntheticTeacher = make_teacher("rational", task)
    for question in questions:
        ranks, turned = right.compare(question).ranks, make_teacher("reversed", task).compare(question).ranks
        assert turned == (ranks if ranks[0] == ranks[1] else (ranks[1], ranks[0]))
    careful, careless = make_teacher("rational", task), make_teacher("noisy:0.9", task)
    seeds = range(5)
    shown = [sum(_paid(careful, who.demonstrate(seed)) for seed in seeds) for who in (careful, careless)]
    assert shown[0] > shown[1]
    with pytest.raises(ValueError, match="no teacher 'ratonal': did you mean 'rational'"):
        make_teacher("ratonal", task)
    with pytest.raises(ValueError, match="'much' in teacher"):
        make_teacher("noisy:much", task)


def _paid(teacher: SyntheticTeacher, shown: Demonstration) -> float:
    return float(teacher.step_rewards(shown.trajectory).sum())


@pytest.mark.parametrize("name", ["joint", "bc"])
def test_what_only_watches_is_in_the_curves_if_whoever_runs_the_learner_adds_it(name: str) -> None:
    driven, found = make_teacher("rational", toy(), 0).demonstrate(0), []
    for watched in (False, True):
        learner = learner_catalog.make(name, toy(), settings=QUICK if name == "joint" else {})
        if watched:
            learner.evaluate = scores.curve_evaluator(toy())
        learner.observe(1, [driven])
        for _ in range(3):
            learner.step()
        snapshot = learner.snapshot()
        names = {"done on unseen layouts", "wish (for watching only)"}
        assert names & set(snapshot.curve[-1].values) == (names if watched else set())
        found.append(snapshot.policy.layers)
    for one, two in zip(*found, strict=True):  # nothing is learned from it
        np.testing.assert_array_equal(one[0], two[0])
