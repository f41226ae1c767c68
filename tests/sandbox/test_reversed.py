"""The reward follows the answers: the same store, each answer turned around, orders pairs the other way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agents import learner_catalog as learners
from agents.feedback.records import Comparison, Question, Record
from agents.learners.protocol import Learner
from agents.rewards.reward_arrays import RewardArrays
from agents.teachers.synthetic import make_teacher
from envs import task_catalog
from envs.trajectory import Trajectory
from envs.world import Task
from sandbox.store import Provenance, Reader, Store

ANSWERS, HELD_OUT = 40, 60
PRACTISED, SHORT = {"proxy_steps": 20_000}, {"proxy_steps": 1, "steps_per_fit": 4_096}


@pytest.fixture(scope="module")
def rooms() -> Task:
    return task_catalog.task("teachbox/RoomsTidy-v0")


@pytest.mark.parametrize("name", ["joint", pytest.param("preferences", marks=pytest.mark.slow)])
def test_reversed_answers_reverse_the_reward(name: str, rooms: Task, tmp_path: Path) -> None:
    teacher = make_teacher("rational", rooms, 0)
    store = Store.open(tmp_path / "feedback.db", create=True)
    asked = questions(learners.make(name, rooms, seed=0, settings=PRACTISED), ANSWERS + HELD_OUT)
    answers = [teacher.compare(question) for question in asked]
    saved = [store.append(answer, Provenance("teacher", "test")) for answer in answers[:ANSWERS]]
    assert [future.result(60) for future in saved] == list(range(1, ANSWERS + 1))
    store.close()
    said = [record for _, record in Reader(tmp_path / "feedback.db").records()]

    clear = [answer for answer in answers[ANSWERS:] if len(set(answer.ranks)) > 1]
    assert len(clear) >= HELD_OUT // 2
    assert agreement(taught(name, rooms, said), clear) > 0.7
    assert agreement(taught(name, rooms, [turned(record) for record in said]), clear) < 0.3


def questions(learner: Learner, count: int) -> list[Question]:
    """Questions about what an agent does that knows the written reward alone."""
    while learner.step():
        pass
    found: list[Question] = []
    while len(found) < count:
        question = learner.query()
        if question is None:
            learner.step()
        else:
            found.append(question)
    return found


def turned(record: Record) -> Record:
    assert isinstance(record, Comparison)
    return replace(record, ranks=tuple(max(record.ranks) - rank for rank in record.ranks))


def taught(name: str, task: Task, said: Sequence[Record]) -> RewardArrays:
    """The reward after learning from these records."""
    learner = learners.make(name, task, seed=1, settings=SHORT)
    learner.observe(len(said), said)
    while learner.step():
        pass
    reward = learner.snapshot().reward
    assert reward is not None
    return reward


def agreement(reward: RewardArrays, answers: Sequence[Comparison]) -> float:
    """Share of pairs that the reward puts in the teacher's order."""
    agreed = [worth(reward, *best_first(answer)) for answer in answers]
    return float(np.mean(agreed))


def best_first(answer: Comparison) -> tuple[Trajectory, Trajectory]:
    first, second = answer.clips
    return (first, second) if answer.ranks[0] < answer.ranks[1] else (second, first)


def worth(reward: RewardArrays, better: Trajectory, worse: Trajectory) -> bool:
    def total(clip: Trajectory) -> float:
        obs = clip.observations
        return float(reward(obs[:-1], clip.actions, obs[1:], clip.terms).sum())

    return total(better) > total(worse)
