"""The cruise task: its wish, its loophole, its splits and placements."""

import numpy as np
import pytest

from envs.lanes.ego_car import FASTER, KEEP, LEFT, SLOWER
from envs.lanes.lanes_expert import CarefulDriver
from envs.lanes.lanes_state_layout import (
    CLOSE_SUM,
    CRASHED,
    CUT_SUM,
    SINCE,
    SPLIT,
    X,
    cars_of,
)
from envs.lanes.lanes_tasks import lanes_cruise
from envs.lanes.true_rewards import cruise_true_reward
from envs.simulation import Simulation
from envs.world import Array, Task


def test_train_and_test_never_share_a_start() -> None:
    starts = {}
    for split in ("train", "test"):
        sim = Simulation(lanes_cruise(split=split), 1000, seed=0)
        assert sim.task.world.params[SPLIT] == (split == "test")
        starts[split] = {state.tobytes() for state in sim.states}
        assert len(starts[split]) == 1000
    assert not starts["train"] & starts["test"]


@pytest.mark.parametrize(("option", "value"), [("difficulty", "insane"), ("split", "dev")])
def test_unknown_options_are_named(option: str, value: str) -> None:
    with pytest.raises(ValueError, match=value):
        lanes_cruise(**{option: value})


class TestWish:
    def moments(self, since: float = 6.0) -> Array:
        state = Simulation(lanes_cruise(), 1).states.copy()
        cars_of(state)[0, 0, SINCE] = since
        return state

    def worth(self, since: float = 6.0, **terms: float) -> float:
        names = lanes_cruise().world.term_names
        row = np.array([[terms.get(name, 0.0) for name in names]], np.float32)
        return float(cruise_true_reward(self.moments(since), row, self.moments())[0])

    def test_is_no_sum_over_terms(self) -> None:
        assert self.worth(progress=1) == 2
        assert self.worth(headway=0.5) == pytest.approx(-0.5 * 0.25)
        assert self.worth(progress=1, headway=0.5) == pytest.approx(2 * 0.25 - 0.5 * 0.25)
        assert self.worth(progress=1.2) == 2
        assert self.worth(hard_brake=0.5) == pytest.approx(-0.125)

    def test_weaving_costs_thrice(self) -> None:
        assert self.worth(lane_change=1, since=0.0) == pytest.approx(3 * self.worth(lane_change=1))

    def test_done(self) -> None:
        task, state = lanes_cruise(), self.moments()
        good = np.repeat(state, 5, 0)
        cars_of(good)[:, 0, X] = 600.0
        cars_of(good)[1, 0, X] = 400.0
        good[2, CRASHED], good[3, CUT_SUM], good[4, CLOSE_SUM] = 1, 1.0, 40.0
        assert task.done(good).tolist() == [True, False, False, False, False]


def drive(task: Task, act: object, rows: int = 128) -> tuple[float, float, float]:
    """(wish, written, share done) of whole drives."""
    sim = Simulation(task, rows, seed=4, auto_reset=False)
    wish = written = 0.0
    for _ in range(task.horizon):
        before = sim.states.copy()
        step = sim.step(act(sim.obs))  # type: ignore[operator]
        wish += float(task.true_reward(before, step.terms, step.last_states).mean())
        written += float((step.terms @ task.proxy_weights).mean())
    return wish, written, float(task.done(sim.states).mean())


def test_the_loophole_pays_and_care_is_wished() -> None:
    task = lanes_cruise(split="test")
    names = task.world.obs_names

    def hurried(obs: Array) -> Array:
        """Leftmost lane, foot down, bumper to bumper."""
        see = {name: obs[:, i] for i, name in enumerate(names)}
        gap, closing = 80 * (1 - see["gap_ahead_own"]), 8 * see["closing_ahead_own"]
        near = see["gap_ahead_own"] > 0
        spare = gap - 3 - 7 * see["speed"] - np.maximum(closing, 0) ** 2 / 8
        action = np.where(
            near & (spare < 0), SLOWER, np.where(near & (closing > 1) & (spare < 4), KEEP, FASTER)
        )
        go_left = (see["can_left"] > 0) & (see["forces_left"] < 1) & (see["gap_ahead_left"] < 0.8)
        return np.where(go_left, LEFT, action)

    careful = drive(task, CarefulDriver(task.world).act)
    hasty, idle = drive(task, hurried), drive(task, lambda obs: np.full(len(obs), KEEP))
    crawling = drive(task, lambda obs: np.full(len(obs), SLOWER))
    assert hasty[1] > careful[1] + 5, "the written reward should be fooled"
    assert careful[0] > idle[0] > max(hasty[0], crawling[0])
    assert careful[2] > 0.75
    assert max(hasty[2], idle[2], crawling[2]) < 0.1


def test_placements_put_the_car_where_they_say() -> None:
    task = lanes_cruise()
    sim = Simulation(task, 1)
    states, where = task.world.placements(sim.states[0])
    assert np.array_equal(task.world.agent_position(states), where.astype(np.float32))
    assert set(where[:, 1]) == {0, 1, 2}
    assert len(np.unique(where, axis=0)) == len(where) > 40
    many = Simulation(task, len(states))
    obs = many.set_states(np.ones(len(states), np.bool_), states, np.zeros(len(states), np.uint64))
    assert np.isfinite(obs).all()
