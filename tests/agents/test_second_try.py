"""Practising once more from where one can start over: unseen, and kept only if it comes to clearly more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents import catalog
from agents.practice import Practice, PracticeConfig
from agents.teachers import make_teacher
from tests.agents.toy import toy

FIRST, SECOND = np.array([1.0, 2.0, 0.0, 3.0], np.float32), np.zeros(4, np.float32)
"""Of each term per episode."""


def _practised(worths: list[float]) -> Practice:
    """After a first try whose bursts were judged by the first of these, and a second by the other."""
    practice = Practice(toy(), 0, PracticeConfig(window=2))
    practice.burst()
    practice.remember()
    practice.burst()
    practice.set_reward(None)
    for worth in worths:
        practice.judge = lambda counts, worth=worth: worth  # type: ignore[misc]
        practice.burst()
        practice.burst()
        if worth != worths[-1]:
            practice.try_again(FIRST)
    return practice


def _layers(practice: Practice) -> Any:
    return practice.policy.layers[0][0].copy()


@pytest.mark.parametrize(("second", "kept"), [(1.01, False), (1.04, True), (-5.0, False)])
def test_the_second_try_is_kept_if_it_is_clearly_worth_more(second: float, kept: bool) -> None:
    practice = _practised([1.0, second])
    shown, now = practice.shown.layers[0][0].copy(), _layers(practice)
    assert practice.tries_again
    assert not np.array_equal(shown, now)
    counts = practice.choose(SECOND)
    assert not practice.tries_again
    again = practice._judged(practice._parameters())
    assert again is not None
    np.testing.assert_array_equal(counts, again.counts)  # of whole episodes of the policy that is kept
    np.testing.assert_array_equal(_layers(practice), now if kept else shown)
    np.testing.assert_array_equal(practice.shown.layers[0][0], _layers(practice))


def test_who_is_told_more_goes_on_from_what_was_seen() -> None:
    practice = _practised([1.0, 3.0])
    shown, first = practice.shown.layers[0][0].copy(), practice._first
    assert first is not None
    assert practice.take_back(SECOND) is first.counts
    assert practice.take_back(SECOND) is SECOND
    practice.set_reward(None)
    np.testing.assert_array_equal(_layers(practice), shown)
    assert not practice.began_anew


def test_a_second_try_goes_on_after_a_stop(tmp_path: Path) -> None:
    first, again = _practised([1.0, 3.0]), Practice(toy(), 5, PracticeConfig(window=2))
    assert first._first is not None
    again.restore(first.facts(), first.state(), None)
    np.testing.assert_array_equal(again.shown.layers[0][0], first.shown.layers[0][0])
    np.testing.assert_array_equal(_layers(again), _layers(first))
    np.testing.assert_array_equal(again.take_back(None), first._first.counts)
    np.testing.assert_array_equal(_layers(again), first.shown.layers[0][0])


def test_joint_tries_again_where_it_went_on_from_another_reward() -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    learner = catalog.make("joint", task, prior_steps=4_000, steps_per_fit=12_000)
    tried = []
    for round in range(2):
        answers = [teacher.compare(learner.query()) for _ in range(2)]
        learner.observe(2 * round + 2, answers)
        seen: set[bytes] = set()
        while learner.step():
            if learner.practice.tries_again:
                seen.add(learner.snapshot().policy.layers[0][0].tobytes())
        tried.append(len(seen))
    assert tried == [0, 1]  # the first began where the written reward ended; of the second nothing is seen


def test_of_two_tries_that_were_too_short_to_judge_the_first_is_kept() -> None:
    practice = Practice(toy(), 0, PracticeConfig())
    practice.burst()
    shown = _layers(practice)
    practice.try_again(FIRST)
    practice.burst()
    assert practice.choose(SECOND) is FIRST
    np.testing.assert_array_equal(_layers(practice), shown)
