"""Learners in worlds of somebody else's: what is measured, and how it goes on."""

from __future__ import annotations

import pytest

from envs.task_catalog import task as make_task
from sandbox.bench.abroad.abroad_bench import WORLDS, best_constant, chosen, conditions


def test_at_least_twelve_worlds_and_three_learners() -> None:
    assert len(WORLDS) >= 12
    found = conditions(list(WORLDS), ["bc", "preferences", "joint"], "rational")
    assert len(found) == 3 * len(WORLDS)
    assert {one.config.prior for one in found} == {"none"}
    assert chosen(["CartPole-v1"]) == ["CartPole-v1"]
    with pytest.raises(ValueError, match="is not measured here"):
        conditions(["CartPole-v1"], ["pebble"], "rational")


def test_the_best_constant_action() -> None:
    # Stealing sells two tins at each of 30 steps; whoever wants none stolen is best served by selling.
    tins = "tests.agents.tins:people/Tins-v0"
    assert best_constant(make_task(tins)) == 60.0
    assert best_constant(make_task(tins, true_reward="tests.agents.tins:wish")) == 30.0
