"""COACH: a press moves the policy itself, and only so far."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agents import learner_catalog
from agents.feedback.choices import delayed_credit
from agents.feedback.records import Evaluation
from agents.policies.distributions import log_prob
from agents.policies.rollouts import PolicyVariant, episode_starts, rollout_clips
from tests.agents.toy import toy


@pytest.mark.parametrize("value", [1.0, -1.0])
def test_new_presses_make_an_action_only_so_much_likelier_or_less_likely(value: float) -> None:
    """0.3 nats, and what an update goes too far; without the limit 60 passes move it by far more."""
    task = toy()
    found = {}
    for reach in (0.3, 100.0):
        config = {"proxy_steps": 16_000, "ent_coef": 0.0, "n_epochs": 60, "max_log_prob_change": reach}
        learner = learner_catalog.make("evaluative", task, settings={"method": "coach", **config})
        while learner.snapshot().env_steps < 16_000:
            learner.step()
        before = learner.snapshot().policy
        start = episode_starts(task, 1, 0)
        seen = rollout_clips(task, start, [PolicyVariant(before, 3.0)], [12], np.random.default_rng(0))[0]
        learner.observe(1, [Evaluation(seen, value)])
        learner.step()
        at = delayed_credit(len(seen), 0.0, task.world.steps_per_second).argmax()
        both = [
            log_prob(policy, seen.observations[:-1], seen.actions)[at]
            for policy in (before, learner.snapshot().policy)
        ]
        found[reach] = (both[1] - both[0]) * value
    assert 0.05 < found[0.3] < 0.8 < found[100.0]


def test_the_next_presses_move_it_on() -> None:
    task = toy()
    learner = learner_catalog.make("evaluative", task, settings={"method": "coach", "proxy_steps": 16_000})
    while learner.snapshot().env_steps < 16_000:
        learner.step()
    first = learner.snapshot().policy
    start = episode_starts(task, 1, 0)
    seen = rollout_clips(task, start, [PolicyVariant(first, 3.0)], [12], np.random.default_rng(0))[0]
    chances = []
    for seq in range(1, 4):
        learner.observe(seq, [replace(Evaluation(seen, 1.0), id=str(seq))])
        learner.step()
        chance = log_prob(learner.snapshot().policy, seen.observations[:-1], seen.actions)
        chances.append(chance[delayed_credit(len(seen), 0.0, task.world.steps_per_second).argmax()])
    assert chances[0] < chances[1] < chances[2]
