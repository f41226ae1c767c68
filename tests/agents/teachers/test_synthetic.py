"""Synthetic people: each is wrong in its own way, and only in that."""

from __future__ import annotations

import numpy as np
import pytest

from agents.evaluation import scores
from agents.feedback.records import Question
from agents.policies.policy_arrays import PolicyArrays
from agents.policies.rollouts import PolicyVariant, episode_starts, rollout_clips
from agents.teachers.synthetic import TeacherPool, make_teacher
from agents.teachers.teacher_protocol import UnknownTeacher
from envs import task_catalog
from envs.rooms.rooms_state_layout import COL, DOCK, HEADER, ROW, SIZE, T_LITTER, VASE
from tests.agents.toy import toy

BLANK = PolicyArrays(((np.zeros((6, 5), np.float32), np.zeros(5, np.float32)),), "discrete")


def _questions(count: int = 300) -> list[Question]:
    task, random = toy(), np.random.default_rng(0)
    moments = [m for m in episode_starts(task, count, 1) for _ in range(2)]
    clips = rollout_clips(task, moments, [PolicyVariant(BLANK)] * len(moments), [20] * len(moments), random)
    pairs = [Question((clips[2 * i], clips[2 * i + 1])) for i in range(count)]
    worth = make_teacher("rational", task).step_rewards
    return [q for q in pairs if abs(worth(q.clips[0]).sum() - worth(q.clips[1]).sum()) > 0.6]


def _agreement(name: str) -> float:
    right = make_teacher("rational", toy())
    teacher = make_teacher(name, toy(), 3)
    pairs = [(right.compare(q).ranks, teacher.compare(q)) for q in _questions()]
    answered = [(one, two.ranks) for one, two in pairs if two.verdict == "ranked"]
    return float(np.mean([one == two for one, two in answered]))


def test_shares_of_mistakes_are_as_told() -> None:
    assert _agreement("mistaken:0.4") == pytest.approx(0.8, abs=0.07)  # half of them right by chance
    assert _agreement("useless") == pytest.approx(0.5, abs=0.1)
    assert _agreement("reversed") == 0.0
    assert _agreement("boltzmann:20") > _agreement("boltzmann:1") > 0.6
    assert _agreement("skipping:0.9") == 1.0


def test_a_sided_one_takes_the_first() -> None:
    teacher = make_teacher("sided:1", toy())
    assert all(teacher.compare(q).ranks == (0, 1) for q in _questions(40))


def test_who_skips_leaves_out_and_who_sees_no_difference_ties() -> None:
    questions = _questions()
    skipped = [make_teacher("skipping:0.9", toy(), i).compare(q).verdict for i, q in enumerate(questions)]
    assert 0.1 < np.mean([v == "skipped" for v in skipped]) < 0.9
    ties = [make_teacher("equal:1.5", toy()).compare(q).ranks == (0, 0) for q in questions]
    worth = make_teacher("rational", toy()).step_rewards
    near = [abs(worth(q.clips[0]).sum() - worth(q.clips[1]).sum()) <= 1.5 for q in questions]
    assert ties == near


def test_the_short_sighted_go_by_how_it_ended() -> None:
    myopic, careful = make_teacher("myopic:0.01", toy()), make_teacher("rational", toy())
    for question in _questions(60):
        last = [float(careful.step_rewards(clip)[-1]) for clip in question.clips]
        if abs(last[0] - last[1]) > 0.5:
            assert (myopic.compare(question).ranks == (0, 1)) == (last[0] > last[1])


def test_presses_come_late_or_not_at_all() -> None:
    task = toy()
    found = {}
    for name in ("rational", "delayed:0.8", "lazy:0.9"):
        teacher, at = make_teacher(name, task), []
        for seed in range(40):
            seen = rollout_clips(
                task, episode_starts(task, 1, seed), [PolicyVariant(BLANK)], [24], np.random.default_rng(seed)
            )[0]
            at += [(seed, step) for step in range(1, 25) if teacher.evaluate(seen, step) is not None]
        found[name] = at
    assert len(found["lazy:0.9"]) < 0.3 * len(found["rational"])
    late = {(seed, step - 5) for seed, step in found["delayed:0.8"]}  # 0.5 s later at 10 steps a second
    assert len(late & set(found["rational"])) > 0.6 * len(late)


def test_a_pool_says_who_spoke() -> None:
    pool = make_teacher("pool:rational,reversed", toy(), 1)
    assert isinstance(pool, TeacherPool)
    right, spoke = make_teacher("rational", toy()), set()
    for question in _questions(60):
        same = pool.compare(question).ranks == right.compare(question).ranks
        assert same == (pool.rater == "0")
        spoke.add(pool.rater)
    assert spoke == {"0", "1"}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mistkaen", "did you mean 'mistaken'"),
        ("mistaken:2", "between 0 and 1"),
        ("boltzmann:-1", "at least 0"),
        ("rational:1", "takes no number"),
        ("sided:left", "'left' in teacher"),
        ("pool:rational,nobody", "no teacher 'nobody'"),
    ],
)
def test_names_that_are_none_are_sentences(name: str, told: str) -> None:
    with pytest.raises(UnknownTeacher, match=told):
        make_teacher(name, toy())


def test_the_over_cautious_keep_clear_and_leave_what_lies_there() -> None:
    task = task_catalog.task("teachbox/RoomsTidy-v0")
    careful, cautious = make_teacher("rational", task), make_teacher("cautious", task)
    litter = {careful: 0.0, cautious: 0.0}
    for seed in range(4):
        for teacher in litter:
            driven = teacher.demonstrate(seed).trajectory
            litter[teacher] += float(driven.terms[:, T_LITTER].sum())
            if teacher is cautious:
                size = int(task.world.params[SIZE])
                here = driven.states[1:, ROW].astype(int) * size + driven.states[1:, COL] + HEADER
                moved = (driven.states[1:, [ROW, COL]] != driven.states[0, [ROW, COL]]).any(1)
                beside = here[:, None] + np.array([0, -size, 1, size, -1])
                vases = np.take_along_axis(driven.states[1:], beside, 1) == VASE
                docks = driven.states[1:][np.arange(len(here)), here] == DOCK
                assert not (vases.any(1) & moved & ~docks).any()
    assert 0.2 * litter[careful] < litter[cautious] < 0.9 * litter[careful]
    assert cautious.noise.action_noise == 0.0
    assert make_teacher("slipping:0.3", task).noise.action_noise == 0.3


def test_who_drives_well_drives_as_the_best_policy_known() -> None:
    """In worlds without a plan: on the layouts of training too, for which no references are kept."""
    task = task_catalog.task("teachbox/LanesMerge-v0")
    teacher = make_teacher("rational", task)
    drives = [teacher.demonstrate(seed).trajectory for seed in range(4)]
    earned = [float(teacher.step_rewards(driven).sum()) for driven in drives]
    assert scores.reference_means(task).score(float(np.mean(earned))) > 0.85
