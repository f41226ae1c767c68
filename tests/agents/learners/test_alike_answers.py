"""Who sees all clips alike is told why nothing is learned."""

from __future__ import annotations

from agents.feedback.records import Comparison
from agents.learners.preferences import PreferencesLearner
from envs.task_catalog import task as make_task


def test_answers_that_tell_nothing_are_told() -> None:
    learner = PreferencesLearner(make_task("tests.agents.four_rooms:rooms/FourRooms-v0"))
    records: list[Comparison] = []
    for number in range(8):
        question = learner.query()
        assert question is not None
        records.append(Comparison(question.clips, (0, 0), id=str(number)))
    learner.observe(1, records[:7])
    assert not any("alike to you" in told for told in learner.snapshot().warnings)
    learner.observe(2, records[7:])
    assert any("alike to you" in told for told in learner.snapshot().warnings)
    learner.observe(3, [Comparison(one.clips, (0, 1), id=f"{one.id}b") for one in records])
    assert not any("alike to you" in told for told in learner.snapshot().warnings)
