"""Every learner in worlds of other people: Dict observations, buttons and levers, with tiny budgets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from agents import learner_catalog
from agents.evaluation import scores
from agents.feedback.records import Demonstration
from agents.learner_catalog import LEARNERS
from agents.learners.protocol import PHASES_BEFORE_QUERIES
from agents.policies.rollouts import PolicyVariant, episode_starts, rollout_clips
from agents.teachers.synthetic import make_teacher
from envs.external.external_task import ExternalTask
from envs.task_catalog import task as world
from tests.agents.lamps import HORIZON, driven

BUTTONS, LEVER = "tests/Lamp-dict-buttons-v0", "tests/Lamp-dict-lever-v0"
TINY: dict[str, dict[str, Any]] = {
    "bc": {"n_updates": 150},
    "dagger": {"n_updates": 150},
    "pebble": {"explore_steps": 2_000},
}
ANSWERS = {"pebble": 40}
"""From 20 it gains 1.3 to 3.7 over six seeds, from 40 2.5 to 5.4: all at once, so none knows of another."""
GAIN = {"cpl": 2.0, "pebble": 2.0}
"""By how much each gets better at least (others: 5), in a return of -16 to 16 whose mean is known to 0.6."""


def taught(
    name: str,
    task: ExternalTask,
    good: Callable[[Any], Any],
    steps: int,
    answers: int = 20,
    length: int = HORIZON,
) -> tuple[Any, float]:
    """A learner that was given of all it takes and has learned; and its return before."""
    teacher = make_teacher("rational", task)
    config = TINY.get(name, {}) | ({} if name in ("bc", "dagger") else {"steps_per_fit": steps})
    learner: Any = learner_catalog.make(name, task, settings=config)
    while learner.snapshot().phase in PHASES_BEFORE_QUERIES:
        learner.step()
    first = learner.snapshot().policy
    before = scores.evaluate_policy(task, first, 40).mean if task.horizon == HORIZON else 0.0
    records: list[Any] = []
    if "demonstration" in learner.kinds:
        records += [Demonstration(driven(task, good, seed).clip(0, length)) for seed in range(3)]
    if "comparison" in learner.kinds:
        records += [teacher.compare(learner.query()) for _ in range(answers)]
    if "evaluation" in learner.kinds:
        random, ways = np.random.default_rng(0), [PolicyVariant(first)] * 20
        seen = rollout_clips(task, episode_starts(task, 20, 0), ways, [length] * 20, random)
        records += [teacher.evaluate(clip, step) for clip in seen for step in range(5, len(clip) + 1, 5)]
    learner.observe(len(records), [record for record in records if record is not None])
    while learner.step():
        pass
    return learner, before


LEARN = [(name, BUTTONS) for name in LEARNERS] + [(name, LEVER) for name in ("preferences", "pebble", "bc")]


@pytest.mark.parametrize(("name", "id"), LEARN)
def test_each_learns_from_a_dict_where_to_point(name: str, id: str) -> None:
    task = world(id)
    assert isinstance(task, ExternalTask)
    lamp = task.world.obs_names.index("lamp.0")
    good: dict[str, Callable[[Any], Any]] = {
        BUTTONS: lambda obs: (obs[:, lamp] > 0).astype(np.int64),
        LEVER: lambda obs: np.sign(obs[:, lamp : lamp + 1]).astype(np.float32),
    }
    learner, before = taught(name, task, good[id], 8_000, ANSWERS.get(name, 20))
    after = scores.evaluate_policy(task, learner.snapshot().policy, 40).mean
    assert after > before + GAIN.get(name, 5.0)
    assert set(learner.snapshot().feedback_counts) == learner.kinds - {"correction"}


ACTING: dict[str, Callable[[Any], Any]] = {
    "CartPole-v1": lambda obs: (obs[:, 2] + 0.5 * obs[:, 3] > 0).astype(np.int64),
    "Pendulum-v1": lambda obs: np.clip(-2 * obs[:, 1:2] - obs[:, 2:3], -2, 2).astype(np.float32),
}


QUICK = {"CartPole-v1": ("joint", "pebble", "bc", "dagger"), "Pendulum-v1": tuple(LEARNERS)}
"""The others push buttons in the test above."""
VERBS = [
    pytest.param(name, id, marks=[] if name in QUICK[id] else pytest.mark.slow)
    for id in ACTING
    for name in LEARNERS
]


@pytest.mark.parametrize(("name", "id"), VERBS)
def test_each_goes_through_all_its_verbs_in_a_world_it_has_never_seen(name: str, id: str) -> None:
    task = world(id, max_episode_steps=60)
    assert isinstance(task, ExternalTask)
    learner, _ = taught(name, task, ACTING[id], 1_000, 4, 40)
    snapshot = learner.snapshot()
    seen = driven(task, ACTING[id], 7).observations
    actions = snapshot.policy.act(seen, np.random.default_rng(0))
    assert all(task.world.action_space.contains(action) for action in actions)
    assert set(snapshot.feedback_counts) == learner.kinds - {"correction"}
    assert not snapshot.warnings
