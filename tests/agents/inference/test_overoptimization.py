"""A reward that the agent exploits is noticed, and a checkpoint keeps what was seen."""

from __future__ import annotations

from agents.inference.overoptimization import HISTORY_LENGTH, OveroptimizationMonitor
from agents.inference.reward_inference import RewardInference
from agents.learners.joint_config import JointConfig, make_reward
from tests.agents.toy import toy

EXPLOITED = ((1, 0.9), (2, 0.85), (3, 0.6), (4, 0.5))


def test_it_warns_when_the_learned_return_and_agreement_part() -> None:
    monitor = OveroptimizationMonitor()
    for learned_return, agreement in EXPLOITED:
        assert monitor.warning == ""
        monitor.record(learned_return, agreement)
    assert "using a fault of it" in monitor.warning


def test_a_policy_that_gets_worse_is_no_overoptimization() -> None:
    monitor = OveroptimizationMonitor()
    for learned_return, agreement in ((4, 0.9), (3, 0.85), (2, 0.6), (1, 0.5), (1, 0.5)):
        monitor.record(learned_return, agreement)
    assert monitor.warning == ""


def test_the_newest_rounds_are_kept() -> None:
    monitor = OveroptimizationMonitor()
    for number in range(HISTORY_LENGTH + 2):
        monitor.record(float(number), 0.5)
    assert [learned_return for learned_return, _ in monitor.history] == list(range(2, HISTORY_LENGTH + 2))


def _inference() -> RewardInference:
    task = toy()
    return RewardInference(make_reward(task, JointConfig(), "written", 0), len(task.world.terms))


def test_a_checkpoint_keeps_the_rounds_where_older_versions_kept_them() -> None:
    first, again = _inference(), _inference()
    for learned_return, agreement in EXPLOITED:
        first.overoptimization.record(learned_return, agreement)
    state = first.state_dict()
    assert state.facts["faith"]["history"] == list(EXPLOITED)
    again.load_state_dict(state)
    assert again.overoptimization.warning == first.overoptimization.warning != ""
    assert again.warnings(toy().world.term_names)[0] == again.overoptimization.warning
