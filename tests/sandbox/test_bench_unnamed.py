"""Wishes without a name: what each pays, by hand; exact plans, search, and how they are measured."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from agents.evaluation import scores
from agents.evaluation.reference_returns import reference_key
from agents.teachers.synthetic import make_teacher
from agents.teachers.value_functions import value_function
from envs import task_catalog
from envs.lanes.lanes_state_layout import (
    CRASHED,
    LENGTH,
    SITE,
    T_CRASH,
    T_HELD_UP,
    T_PROGRESS,
    V,
    X,
    Y,
    cars_of,
    extras_of,
)
from envs.rooms import planner
from envs.rooms.rooms_state_layout import (
    COL,
    DOCK,
    FLOOR,
    HEADER,
    LITTER,
    ROW,
    T_LITTER,
    T_MOVE,
    T_VASE,
    VASE,
    WALL,
)
from envs.rover.rover_state_layout import BEACON_X, BEACON_Y, SPEED, T_BUMP
from envs.rover.rover_state_layout import HEADER as HEADER_OF_ROVER
from envs.simulate import random_actions
from envs.simulation import Simulation
from envs.world import Array, Task
from sandbox.bench.learning.learner_scores import Line
from sandbox.bench.unnamed.road_wishes import four_fifths, middle_lane, slow_at_zebra, stop_first, two_lengths
from sandbox.bench.unnamed.room_wishes import (
    clear_of_vases,
    far_first,
    left_to_right,
    near_dock,
    never_twice,
    stay_left,
)
from sandbox.bench.unnamed.rover_wishes import near_beacon, new_squares, slow_near_rocks, steady, wide_berth
from sandbox.bench.unnamed.state_planner import best_returns, plan
from sandbox.bench.unnamed.unnamed_bench import LEARNERS, catalogue, chosen, conditions, overall
from sandbox.bench.unnamed.wish import Wish, is_near
from sandbox.bench.unnamed.wish_references import beam_returns
from sandbox.cli import cli

WISHES = {name: wish for name, (_, wish) in catalogue().items()}
SIZE = 9


def flat(task: Task, at: tuple[int, int], *things: tuple[int, int, int]) -> Array:
    """An empty flat [1, K] with the robot at (row, column) and things (code, row, column)."""
    state = Simulation(task, 1).states.copy()
    cells = np.full((SIZE, SIZE), FLOOR)
    cells[[0, -1]] = cells[:, [0, -1]] = WALL
    for code, row, column in things:
        cells[row, column] = code
    state[0, HEADER : HEADER + SIZE * SIZE] = cells.ravel()
    state[0, ROW], state[0, COL] = at
    return state


def terms(task: Task, **counted: float) -> Array:
    found = np.zeros((1, len(task.world.terms)), np.float32)
    for name, number in counted.items():
        found[0, task.world.term_names.index(name)] = number
    return found


def pays(wish: Wish, after: Array, before: Array | None = None, **counted: float) -> float:
    """What a step to `after` pays."""
    task = wish()
    reward = task.true_reward(after if before is None else before, terms(task, **counted), after)
    assert reward.shape == (1,)
    assert reward.dtype == np.float32
    return float(reward[0])


def test_of_place_in_a_flat() -> None:
    task = stay_left()
    assert [pays(stay_left, flat(task, (4, column))) for column in (1, 3, 4, 7)] == [1.0, 1.0, 0.0, 0.0]
    dock = (DOCK, 1, 1)
    places = ((1, 1), (1, 2), (2, 2), (3, 1), (3, 2), (4, 1))
    assert [pays(near_dock, flat(task, at, dock)) for at in places] == [0.0, 1.0, 1.0, 1.0, 0.0, 0.0]


def test_of_distance_in_a_flat() -> None:
    task, vase = clear_of_vases(), (VASE, 4, 4)
    assert pays(clear_of_vases, flat(task, (3, 3), vase)) == pytest.approx(-0.4)
    assert pays(clear_of_vases, flat(task, (2, 4), vase), litter=1, move=1) == pytest.approx(0.99)
    assert pays(clear_of_vases, flat(task, (4, 4)), vase=1, move=1) == pytest.approx(-3.01)
    assert (T_LITTER, T_VASE, T_MOVE) == (0, 1, 5)


def test_of_order_in_a_flat() -> None:
    task, dock = far_first(), (DOCK, 1, 1)
    near, far = (LITTER, 2, 2), (LITTER, 6, 6)
    assert pays(far_first, flat(task, (6, 6), dock, near), litter=1) == 1.0
    assert pays(far_first, flat(task, (2, 2), dock, far), litter=1) == -1.0
    assert pays(far_first, flat(task, (2, 2), dock), litter=1) == 1.0  # the last of all
    assert pays(far_first, flat(task, (5, 5), dock, near, far)) == 0.0
    assert pays(left_to_right, flat(task, (2, 2), dock, far), litter=1) == 1.0
    assert pays(left_to_right, flat(task, (6, 6), dock, near), litter=1) == -1.0


def test_of_history_in_a_flat() -> None:
    sim = Simulation(never_twice(), 1, seed=1, auto_reset=False)
    task, area = sim.task, SIZE * SIZE
    assert sim.states[0, -area:].sum() == 1
    paid, seen = [], {(int(sim.states[0, ROW]), int(sim.states[0, COL]))}
    for action in np.random.default_rng(0).integers(0, 5, 40):
        before = sim.states.copy()
        step = sim.step(np.array([action]))
        paid.append(float(task.true_reward(before, step.terms, step.last_states)[0]))
        was, here = tuple(before[0, [ROW, COL]].tolist()), tuple(sim.states[0, [ROW, COL]].tolist())
        assert paid[-1] == (0.0 if was == here else -1.0 if here in seen else 1.0)
        seen.add(here)
    assert sim.states[0, -area:].sum() == len(seen)
    assert 1.0 in paid
    assert -1.0 in paid


def road(task: Task, speed: float = 20.0, lane: float = 1.0) -> Array:
    """A road [1, K] on which every other car is far away."""
    state = Simulation(task, 1).states.copy()
    cars = cars_of(state)
    cars[0, 1:, X] = cars[0, 0, X] + 100.0
    cars[0, 1:, Y] = 0.0
    cars[0, 0, V], cars[0, 0, Y] = speed, lane
    return state


def test_of_the_road() -> None:
    task = middle_lane()
    assert pays(middle_lane, road(task), progress=1) == pytest.approx(1.25)
    assert pays(middle_lane, road(task, lane=2.0), progress=1) == pytest.approx(0.25)
    wrecked = road(task)
    wrecked[:, CRASHED] = 1
    assert pays(middle_lane, wrecked, crash=1) == pytest.approx(-15.0)
    assert [pays(four_fifths, road(task, v)) for v in (16.0, 18.0, 12.0, 20.0)] == pytest.approx(
        [1, 0.5, 0, 0]
    )
    assert (T_PROGRESS, T_CRASH) == (0, 1)


def test_of_distance_on_the_road() -> None:
    state = road(two_lengths())
    assert pays(two_lengths, state) == 0.0  # nobody in this lane
    cars = cars_of(state)
    halves = float(cars[0, 0, LENGTH] + cars[0, 1, LENGTH]) / 2
    cars[0, 1, Y] = 1.0
    for gap, worth in ((10.0, 1.0), (5.0, 0.5), (25.0, 0.0)):
        cars[0, 1, X] = cars[0, 0, X] + halves + gap
        assert pays(two_lengths, state) == pytest.approx(worth, abs=1e-4)
    cars[0, 1, X] = cars[0, 0, X] - halves - 10.0
    assert pays(two_lengths, state) == 0.0  # behind


def test_of_the_zebra() -> None:
    state = road(slow_at_zebra(), 5.0, 0.0)
    for left, speed, worth in ((20.0, 5.0, 1.0), (20.0, 10.0, 0.0), (50.0, 14.0, 1.0), (-2.0, 7.0, 0.5)):
        extras_of(state)[0, SITE] = cars_of(state)[0, 0, X] + left
        cars_of(state)[0, 0, V] = speed
        assert pays(slow_at_zebra, state) == pytest.approx(worth)
    assert T_HELD_UP == 9


def test_who_stood_may_cross() -> None:
    task, known = stop_first(), stop_first.base().world.state_size
    memory = stop_first.memory
    assert memory is not None
    after = memory(task).after
    plain = road(stop_first.base(), 0.2, 0.0)
    extras_of(plain)[0, SITE] = cars_of(plain)[0, 0, X] + 10.0
    nothing = np.zeros((1, 1), np.float32)
    stood = after(nothing, plain, np.zeros((1, 12)), plain)
    assert stood.tolist() == [[1.0]]
    far = plain.copy()
    extras_of(far)[0, SITE] += 40.0
    assert after(nothing, far, np.zeros((1, 12)), far).tolist() == [[0.0]]
    over = plain.copy()
    cars_of(over)[0, 0, X] += 11.0
    assert after(stood, plain, np.zeros((1, 12)), over).tolist() == [[0.0]]  # forgotten at the line
    assert plain.shape[1] == known

    def crossing(flag: float) -> float:
        held = np.full((1, 1), flag, np.float32)
        return pays(
            stop_first, np.concatenate([over, 0 * held], 1), np.concatenate([plain, held], 1), progress=1
        )

    assert (crossing(1.0), crossing(0.0)) == pytest.approx((6.3, -2.7))


def test_on_open_ground() -> None:
    task = near_beacon()
    state = Simulation(task, 1).states.copy()
    for apart, worth in ((1.0, 0.75), (3.5, 1.0), (8.5, 0.5), (14.0, 0.0)):
        state[0, 1], state[0, 2] = state[0, BEACON_X] + apart, state[0, BEACON_Y]
        assert pays(near_beacon, state) == pytest.approx(worth, abs=1e-5)
    for speed, worth in ((1.0, 1.0), (0.5, 0.5), (-1.0, 0.0), (2.5, 0.0)):
        state[0, SPEED] = speed
        assert pays(steady, state) == pytest.approx(worth)
    state[0, HEADER_OF_ROVER:] = 0.0  # no hills, rocks or puddles
    assert pays(wide_berth, state, progress=0.2) == pytest.approx(0.2)
    rock = HEADER_OF_ROVER + 4 * int(task.world.params[0])
    state[0, rock : rock + 3] = (state[0, 1] + 2.0, state[0, 2], 0.55)  # 2 - 0.55 - 0.45 = 1 m away
    assert pays(wide_berth, state, progress=0.2) == pytest.approx(-0.3)
    state[0, SPEED] = 1.2
    assert pays(slow_near_rocks, state, progress=0.2) == pytest.approx(0.2 - 0.5)
    assert T_BUMP == 2


def test_a_square_counts_once() -> None:
    task = new_squares()
    state = Simulation(task, 1).states.copy()
    state[0, -25:] = 0.0
    state[0, 1], state[0, 2] = 9.0, 1.0  # x, y: square 2
    assert pays(new_squares, state) == 1.0
    state[0, -25 + 2] = 1.0
    assert pays(new_squares, state) == 0.0


def test_near_is_even() -> None:
    assert is_near(np.array([8.0, 10.0, 11.0, 30.0]), 10.0, 4.0).tolist() == [0.5, 1.0, 0.75, 0.0]


def test_there_are_wishes_of_each_kind_in_each_world() -> None:
    assert len(WISHES) >= 12
    assert {wish.kind for wish in WISHES.values()} == {"place", "distance", "pace", "order", "history"}
    assert {wish().world.name for wish in WISHES.values()} == {"rooms", "lanes", "rover"}


@pytest.mark.parametrize("name", WISHES)
def test_each_is_a_task_by_name_on_other_layouts_too(name: str) -> None:
    world, wish = catalogue()[name]
    task = task_catalog.task(world)
    unseen = scores.test_task(task)
    assert unseen.options["split"] == "test"
    assert reference_key(unseen) == reference_key(scores.test_task(task_catalog.task(world)))
    assert reference_key(unseen) != reference_key(scores.test_task(task_catalog.task(world, oracle="rough")))
    random, seeds = np.random.default_rng(0), np.arange(4)
    some = scores.run_episodes(unseen, lambda obs: random_actions(unseen, len(obs), random), seeds)
    assert np.isfinite(some.returns).all()
    assert not some.done.any()
    assert task.world.hooks.rule_driver is None
    assert wish.about.endswith(".")


@pytest.mark.parametrize("name", [n for n, wish in WISHES.items() if wish.memory is None])
def test_no_named_term_expresses_it(name: str) -> None:
    """The best fit by a sum of terms leaves much unexplained of what each step of random drives pays."""
    task = WISHES[name]()
    random, counted, paid = np.random.default_rng(1), [], []
    sim = Simulation(task, 200, seed=1, auto_reset=False)
    for _ in range(task.horizon):
        before = sim.states.copy()
        step = sim.step(random_actions(task, 200, random))
        counted.append(step.terms.copy())
        paid.append(task.true_reward(before, step.terms, step.last_states))
    x, y = np.concatenate(counted).astype(np.float64), np.concatenate(paid).astype(np.float64)
    x = np.concatenate([x, np.ones((len(x), 1))], 1)
    harm = [k for k, term in enumerate(task.world.term_names) if term in ("crash", "bump")]
    x, y = (part[~(x[:, harm] > 0.0).any(1)] for part in (x, y))  # they would hide all else
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    assert left.var() > 0.02 * y.var()


def test_plans_are_those_of_the_planner_of_rooms() -> None:
    base = task_catalog.task("teachbox/RoomsTidy-v0")
    meant = base.true_reward
    weights = replace(meant, flawless_bonus=0.0)  # type: ignore[type-var]
    task = replace(base, true_reward=lambda before, terms, after: weights(before, terms, after))
    seeds = np.arange(3)
    found = best_returns(task, seeds)
    assert found is not None
    assert found == pytest.approx(planner.best_returns(replace(base, true_reward=weights), seeds), abs=1e-3)


def test_the_expert_and_values_follow_the_plan() -> None:
    task = stay_left()
    best = best_returns(task, np.array([7]))
    driven = make_teacher("rational", task).demonstrate(7).trajectory
    assert best is not None
    assert make_teacher("rational", task).step_rewards(driven).sum() == pytest.approx(best[0])
    value = value_function(task, np.random.default_rng(0))
    first, later = value(driven.states[[0, 5]], driven.rng[[0, 5]])
    paid = make_teacher("rational", task).step_rewards(driven)[:5].sum()
    assert first == pytest.approx(best[0])
    assert first - later == pytest.approx(paid)


def test_a_beam_comes_close_to_the_plan_and_never_over_it() -> None:
    task = stay_left()
    sim = Simulation(task, 3)
    sim.reset(np.arange(3))
    exact = [plan(task, state).value(state) for state in sim.states]
    found = beam_returns(task, np.arange(3), lambda share, text: None, width=100)
    assert (found <= np.array(exact) + 1e-4).all()
    assert found.sum() > 0.95 * sum(exact)


def test_what_is_measured_can_be_chosen() -> None:
    assert set(chosen(["pace"])) == {n for n, wish in WISHES.items() if wish.kind == "pace"}
    assert list(chosen(["middle lane"])) == ["middle lane"]
    assert set(chosen([])) == set(WISHES)
    with pytest.raises(ValueError, match="no wish 'upwards'"):
        chosen(["upwards"])
    found = conditions(chosen([]), list(LEARNERS), ["rational", "crowd"], "none")
    assert len(found) == len(WISHES) * len(LEARNERS) * 2
    assert {one.config.prior for one in found} == {"none"}
    for one in found:
        assert one.config.stages()
    with pytest.raises(ValueError, match="not measured here"):
        conditions(chosen([]), ["airl"], ["rational"], "none")


def test_over_all_wishes() -> None:
    def line(median: float, worst: float, iqm: float) -> Line:
        return Line("a", "bc", "rational", "x=1", 3, 0, 1, 2, iqm, 0, 1, median, worst, 0, 10, 4.0)

    (one,) = overall([line(0.95, 0.8, 0.9), line(0.5, 0.1, 0.4), line(0.97, 0.9, 0.96)])
    assert (one.wishes, one.median, one.worst) == (3, 0.95, 0.1)
    assert (one.iqm, one.reached) == pytest.approx((2.26 / 3, 2 / 3))


@pytest.mark.slow
def test_the_command(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    done = CliRunner().invoke(cli, ["bench", "unnamed", "--quick", "--json", "--work", f"{tmp_path}/runs"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert [line["wish"] for line in report["wishes"]] == ["middle lane"]
    assert report["lines"][0]["world"] == "middle lane"
    assert not report["faults"]
