"""A headless run is its seed's alone: the same seed gives the same learner, bit for bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agents.feedback.records import Correction, Question, Suggestion
from agents.learners.joint import JointLearner
from agents.queries.query_manager import QueryManager
from agents.teachers.synthetic import SyntheticTeacher
from envs import task_catalog as worlds
from envs.trajectory import Trajectory
from sandbox.studies.simulated_teaching import WATCHED
from sandbox.studies.training_study import TrainConfig, train

SHORT = TrainConfig(
    world="teachbox/RoomsTidy-v0",
    mix={"demonstration": 1, "comparison": 4, "ranking": 1, "evaluation": 2, "correction": 1},
    rounds=2,
    steps_per_round=8_000,
    config={"proxy_steps": 8_000, "steps_per_fit": 16_000},
)
CLOCKS = ("cpu_seconds", "wall_seconds", "teacher_cpu_seconds")


def _seen(config: TrainConfig) -> dict[str, Any]:
    return {name: value for name, value in train(config).as_json().items() if name not in CLOCKS}


def test_one_seed_is_one_run_bit_for_bit() -> None:
    first, second = _seen(SHORT), _seen(SHORT)
    assert first == second
    assert _seen(replace(SHORT, seed=1))["digest"] != first["digest"]


def test_each_question_knows_of_the_answer_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    known, ask = list[int](), JointLearner.query

    def query(learner: JointLearner, clips: int = 2) -> Question | None:
        known.append(len(learner.schedule.fitted_ids))
        return ask(learner, clips)

    monkeypatch.setattr(JointLearner, "query", query)
    train(replace(SHORT, mix={"comparison": 5, "ranking": 1}, rounds=1))
    assert known == [0, 1, 2, 3, 4, 5]


def test_the_last_seconds_too_few_for_what_is_suggested_go_to_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    ranking = Suggestion("comparison", 4, 1.0, 8.0)
    monkeypatch.setattr(QueryManager, "suggest", lambda *_: ranking)
    asked = replace(SHORT, mix={"seconds": 21})
    # of 5 s in the first round nothing, then two rankings of 8 s, and a pair of 4 s
    assert train(asked).human_seconds == 20.0


@pytest.mark.parametrize("mended", [True, False], ids=["mended", "nothing to mend"])
def test_a_takeover_costs_the_time_that_is_watched_before_it(
    monkeypatch: pytest.MonkeyPatch, mended: bool
) -> None:
    task, spans = worlds.task("teachbox/RoomsTidy-v0"), list[int]()

    def correct(teacher: SyntheticTeacher, seen: Trajectory, at: int) -> Correction | None:
        spans.append(len(seen))
        better = mended and len(spans) == 2
        return Correction(seen.clip(7, 10), seen.clip(12, 17)) if better else None

    monkeypatch.setattr(SyntheticTeacher, "where_to_correct", lambda *_: 7)
    monkeypatch.setattr(SyntheticTeacher, "correct", correct)
    asked = replace(SHORT, mix={"correction": 1}, rounds=1, config={"n_updates": 50}, learner="dagger")
    # an episode without a fault, then 7 steps of one and 5 at the wheel; or all there are without a fault
    steps = task.horizon + 7 + 5 if mended else WATCHED * task.horizon
    assert train(asked).human_seconds == pytest.approx(steps / task.world.steps_per_second)
    assert spans == [task.horizon] * (2 if mended else WATCHED)
