"""A task goes by its own true reward, whatever its id: references, scores, teachers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from agents.evaluation import oracle, reference_returns, scores
from agents.learner_catalog import make
from agents.teachers.synthetic import make_teacher
from envs import task_catalog
from envs.code_digest import code_digest
from envs.rooms.rooms_state_layout import T_MOVE
from envs.rooms.rooms_tasks import rooms_reach
from envs.rooms.rooms_true_reward import RoomsTrueReward
from envs.simulate import simulate
from envs.world import Array, Task, TrueReward

REACH = "teachbox/RoomsReach-v0"
HORIZON = 30  # of a 9x9 flat


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_returns, "user_cache_path", lambda name: tmp_path)


def paid_per_move(points: float) -> RoomsTrueReward:
    """A true reward that the exact planner can plan for: so many points a step driven."""
    weights = np.zeros(7, np.float32)
    weights[T_MOVE] = points
    return RoomsTrueReward(weights, 0.0)


def moves(points: float) -> TrueReward:
    """The same as a plain function, which no planner reads."""

    def pay(before: Array, terms: Array, after: Array) -> Array:
        return np.asarray(points * terms[:, T_MOVE], np.float32)

    return pay


@pytest.mark.parametrize("id", [REACH, "mine/Restless"])
def test_references_are_planned_for_the_true_reward_of_the_task(id: str) -> None:
    """One point a step: standing still gives 0, and driving about for all of the horizon gives 30."""
    refs = scores.reference_means(replace(rooms_reach(), id=id, true_reward=paid_per_move(1.0)), layouts=5)
    assert (refs.still, refs.oracle) == (0.0, HORIZON)
    assert 0.7 * HORIZON < refs.random < 0.9 * HORIZON  # four of its five actions are moves
    assert refs.score(HORIZON) == 1.0


def test_a_true_reward_under_the_old_id_is_not_scored_by_the_old_one() -> None:
    shipped = scores.reference_means(rooms_reach(), layouts=5)
    own = replace(rooms_reach(), true_reward=paid_per_move(-1.0))
    assert scores.reference_means(own, layouts=5).oracle == 0.0  # the best is to stay where one is
    assert scores.reference_means(rooms_reach(), layouts=5) == shipped
    assert shipped.oracle > 0.5
    assert reference_returns.load_shipped(scores.test_task(own), 5) is None


def test_what_the_planner_can_not_read_is_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oracle, "ORACLE_STEPS", 4_000)
    task = replace(rooms_reach(), id="mine/Restless", true_reward=moves(1.0))
    assert task.world.hooks.best_returns is not None
    assert task.world.hooks.best_returns(task, np.arange(2)) is None
    found = scores.measure_references(scores.test_task(task), layouts=3)
    assert found.by == "policy"
    assert found.still.tolist() == [0.0, 0.0, 0.0]
    assert 0.7 * HORIZON < found.oracle.mean() <= HORIZON


def test_scored_layouts_are_the_unseen_ones_under_any_id() -> None:
    own = replace(rooms_reach(), id="mine/Restless", true_reward=moves(1.0), horizon=12)
    unseen = scores.test_task(own)
    assert (unseen.id, unseen.true_reward, unseen.horizon) == (own.id, own.true_reward, 12)
    assert unseen.options["split"] == "test"
    theirs = simulate(scores.test_task(rooms_reach()), 3).states
    assert np.array_equal(simulate(unseen, 3).states, theirs)
    assert not np.array_equal(simulate(own, 3).states, theirs)


@pytest.mark.parametrize("pay", [paid_per_move, moves])
def test_teachers_drive_by_the_true_reward_of_the_task(pay: Callable[[float], TrueReward]) -> None:
    still = replace(rooms_reach(), id="mine/Still", true_reward=pay(-1.0), horizon=8)
    drive = make_teacher("rational", still, 0).demonstrate(3).trajectory
    assert drive.task == "mine/Still"
    assert drive.terms[:, T_MOVE].sum() == 0
    restless = replace(still, true_reward=pay(1.0))
    assert make_teacher("rational", restless, 0).demonstrate(3).trajectory.terms[:, T_MOVE].sum() == 8


def test_it_trains() -> None:
    task = replace(rooms_reach(), id="mine/Restless", true_reward=moves(1.0), proxy_reward={"home": 1.0})
    learner = make("bc", task, seed=0)
    learner.observe(1, [make_teacher("rational", task, 0).demonstrate(0)])
    for _ in range(500):
        if not learner.step():
            break
    policy = learner.snapshot().policy
    assert policy is not None
    assert scores.evaluate_policy(task, policy, layouts=5).mean > 0.9 * HORIZON  # random: 0.8


def key(task: Task) -> str:
    return reference_returns.reference_key(task)


def test_the_key_follows_the_code_of_the_true_reward() -> None:
    plain = rooms_reach()
    assert key(replace(plain, proxy_reward={"move": 1.0}, title="Mine")) == key(plain)  # as in the catalogue
    assert key(task_catalog.task(REACH)) == key(plain)
    own = [replace(plain, true_reward=one) for one in (moves(1.0), moves(2.0), paid_per_move(1.0))]
    own.append(replace(plain, true_reward=partial(_scaled, factor=3.0)))
    assert len({key(task) for task in (plain, *own)}) == 5
    assert key(replace(plain, true_reward=moves(2.0))) == key(own[1])  # made anew by the same lines
    assert key(replace(own[1], id="mine/A")) != key(own[1])


FACTOR = 2.0


def _scaled(before: Array, terms: Array, after: Array, factor: float = 1.0) -> Array:
    return np.asarray(FACTOR * factor * terms[:, 0], np.float32)


def test_a_digest_sees_globals_closures_defaults_and_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    first = code_digest(_scaled)
    assert code_digest(_scaled) == first
    monkeypatch.setitem(_scaled.__globals__, "FACTOR", 5.0)
    assert code_digest(_scaled) != first
    assert code_digest(moves(1.0)) != code_digest(moves(1.5))
    assert code_digest(partial(_scaled, factor=1.0)) != code_digest(partial(_scaled, factor=2.0))
    assert code_digest(paid_per_move(1.0)) == code_digest(paid_per_move(1.0))
    assert code_digest(paid_per_move(1.0)) != code_digest(paid_per_move(2.0))
    assert code_digest(lambda x: x + 1) == code_digest(lambda x: x + 1)
    assert code_digest(lambda x: x + 1) != code_digest(lambda x: x + 2)


def test_a_gymnasium_world_takes_a_true_reward_and_an_id_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oracle, "EXTERNAL_ORACLE_STEPS", 500)
    cart = task_catalog.task("CartPole-v1")
    short = replace(cart, id="mine/Fall", true_reward=_ended, horizon=40)
    assert key(short) != key(replace(short, true_reward=cart.true_reward))
    found = scores.measure_references(short, layouts=2)
    assert found.still.tolist() == [1.0, 1.0]  # pushed to one side it falls within 40 steps, once


def _ended(before: Array, terms: Array, after: Array) -> Array:
    return np.asarray(terms[:, 1], np.float32)
