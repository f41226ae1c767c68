"""Moments before something rare: of a rollout written down by hand, and of a real one."""

from __future__ import annotations

import numpy as np

from agents.rl.rollout_collection import Transitions
from agents.training.rare_events import MAX_MOMENTS_PER_ROLLOUT, MAX_MOMENTS_PER_TERM, RareEvents
from agents.training.trainer import PolicyTrainer
from agents.training.trainer_config import TrainerConfig
from envs.task_catalog import task as make_task
from envs.world import Task

TIDY = "teachbox/RoomsTidy-v0"


def rollout(task: Task, rows: int = 20, steps: int = 6, kept: int = 2) -> Transitions:
    """Nothing happens; every row was kept at its first steps. Each row can be told by its random word."""
    obs = np.zeros((steps, rows, len(task.world.obs_names)), np.float32)
    return Transitions(
        obs=obs,
        actions=np.zeros((steps, rows, 1), np.int64),
        next_obs=obs,
        terms=np.zeros((steps, rows, len(task.world.terms)), np.float32),
        ended=np.zeros((steps, rows), np.bool_),
        override_rewards=None,
        is_discrete=True,
        state_step=kept,
        states=np.zeros((rows, task.world.state_size), np.int16),
        rng=np.arange(rows, dtype=np.uint64),
        skipped_steps=0,
    )


def test_what_came_after_the_kept_moment_counts_where_the_episode_went_on() -> None:
    task = make_task(TIDY)
    facts, events = rollout(task), RareEvents(task, 0)
    facts.terms[1, 3, 0] = 1.0  # before the kept moment
    facts.terms[4, 7, 0] = -1.0
    facts.terms[5, 11, 0] = 1.0  # in the next episode, for this one ends after three more steps
    facts.states[11, task.world.clock] = task.horizon - 3
    facts.terms[2, :15, 1] = 1.0  # not rare
    events.add_transitions(facts)
    assert [moment.rng for moment in events.moments] == [7]


def test_few_moments_of_each_term_the_newest_ones() -> None:
    task = make_task(TIDY)
    events = RareEvents(task, 0)
    for turn in range(MAX_MOMENTS_PER_TERM + 3):
        facts = rollout(task)
        facts.terms[4, [2, 5, 9], 0] = 1.0
        facts.rng[:] = np.arange(20, dtype=np.uint64) + np.uint64(100 * turn)
        events.add_transitions(facts)
        assert len(events.moments) == min((turn + 1) * MAX_MOMENTS_PER_ROLLOUT, MAX_MOMENTS_PER_TERM)
    assert {moment.rng // 100 for moment in events.moments} == {
        MAX_MOMENTS_PER_TERM + 1,
        MAX_MOMENTS_PER_TERM + 2,
    }


def test_practice_remembers_what_seldom_happened() -> None:
    task = make_task(TIDY)
    practice = PolicyTrainer(task, 0, TrainerConfig())
    for _ in range(6):
        practice.train_iteration()
    assert 2 <= len(practice.events.moments) <= MAX_MOMENTS_PER_TERM * len(task.world.terms)
    assert all(moment.steps_left > 0 for moment in practice.events.moments)
