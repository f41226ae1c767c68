"""Lanes: following and lane changes with hand-worked numbers, the driven car, the task."""

import os
import subprocess
import sys

import numpy as np
import pytest

from envs.lanes.driving import FASTER, KEEP, LEFT, RIGHT, SLOWER
from envs.lanes.expert import CarefulDriver
from envs.lanes.layout import (
    ABREAST,
    CHANGES,
    CLOCK,
    CLOSE_SUM,
    CRASH_CAR,
    CRASHED,
    CRUISE,
    CUT_SUM,
    FIELDS,
    HEADER,
    LANE,
    LANES,
    LENGTH,
    RING,
    SINCE,
    SPLIT,
    T_CHANGE,
    T_CRASH,
    T_CUT_IN,
    T_HARD_BRAKE,
    T_HEADWAY,
    T_LEFT_LANE,
    T_PROGRESS,
    T_SPEEDING,
    TEMPER,
    A,
    V,
    X,
    Y,
    cars_of,
    offsets,
)
from envs.lanes.tasks import HORIZON, cruise_wish, lanes_cruise
from envs.lanes.traffic import (
    FREE,
    change_gain,
    choose_lane,
    gap_to,
    idm,
    mobil,
    neighbours,
    pull,
    sideways,
)
from envs.simulation import Simulation
from envs.world import Array, Task

RING_LENGTH = 300.0
Car = tuple[float, int, float]  # X [m], lane, speed [m/s]


def traffic(*cars: Car, temper: float = 0.5, cruise: float = 25.0, length: float = 5.0) -> Array:
    """cars[C, FIELDS], all alike but for where they are and how fast."""
    made = np.zeros((len(cars), FIELDS))
    for row, (x, lane, speed) in zip(made, cars, strict=True):
        row[[X, Y, LANE, V]] = x, lane, lane, speed
    made[:, TEMPER], made[:, CRUISE], made[:, LENGTH], made[:, SINCE] = temper, cruise, length, 6.0
    return made


def placed(*cars: Car, task: Task | None = None) -> Simulation:
    """One row in which the first cars stand as given and the others are far behind, slow, on the right."""
    task = task or lanes_cruise()
    sim = Simulation(task, 1, auto_reset=False)
    state = sim.states.copy()
    state[:, :HEADER] = 0
    road = cars_of(state)[0]
    road[:] = traffic(*[(-60.0 - 8 * i, 2, 0.0) for i in range(len(road))])
    road[: len(cars)] = traffic(*cars)
    sim.put(np.ones(1, np.bool_), state, sim.rng.copy())
    return sim


def see(sim: Simulation, name: str) -> float:
    return float(sim.obs[0, sim.task.world.obs_names.index(name)])


class TestFollowing:
    def test_idm_by_hand(self) -> None:
        # temper 0.5: T = 1.25, a = 1.6, b = 2. s* = 2 + 20*1.25 + 20*5 / (2 sqrt 3.2) = 54.951.
        # 1.6 * (1 - 0.8^4 - (54.951/40)^2) = 1.6 * (1 - 0.4096 - 1.88724) = -2.0749.
        assert idm(20.0, 15.0, 40.0, 25.0, 0.5) == pytest.approx(-2.0749, abs=1e-3)

    def test_free_road(self) -> None:
        assert idm(0.0, 0.0, FREE, 25.0, 0.0) == pytest.approx(1.1)
        assert idm(25.0, 25.0, FREE, 25.0, 0.0) == pytest.approx(0.0, abs=1e-6)
        # 1.1 * (1 - (12.5/25)^4) = 1.1 * 15/16.
        assert idm(12.5, 12.5, FREE, 25.0, 0.0) == pytest.approx(1.03125)

    def test_equilibrium(self) -> None:
        # No pull where the gap is (s0 + vT) / sqrt(1 - (v/v0)^4); v = 15, v0 = 20, T = 1.25.
        gap = (2 + 15 * 1.25) / np.sqrt(1 - 0.75**4)
        assert idm(15.0, 15.0, gap, 20.0, 0.5) == pytest.approx(0.0, abs=1e-9)

    def test_brakes_no_harder_than_tyres(self) -> None:
        assert idm(25.0, 0.0, 1.0, 25.0, 0.5) == -9.0

    def test_hasty_drivers_follow_closer(self) -> None:
        assert idm(15.0, 15.0, 25.0, 20.0, 1.0) > idm(15.0, 15.0, 25.0, 20.0, 0.0)

    def test_neighbours_go_round_the_ring(self) -> None:
        cars = traffic((10.0, 1, 0.0), (290.0, 1, 0.0), (40.0, 1, 0.0), (20.0, 0, 0.0))
        assert neighbours(cars, RING_LENGTH, 0, 1) == (2, 25.0, 1, 15.0)
        lead, gap, follow, room = neighbours(cars, RING_LENGTH, 1, 1)
        assert (lead, gap, follow, room) == (0, 15.0, 2, 245.0)
        assert neighbours(cars, RING_LENGTH, 0, 2) == (-1, FREE, -1, FREE)
        assert gap_to(cars, RING_LENGTH, 1, 0) == 15.0

    def test_a_car_between_lanes_is_in_both(self) -> None:
        cars = traffic((0.0, 0, 0.0), (30.0, 1, 0.0))
        cars[1, Y] = 0.5
        assert neighbours(cars, RING_LENGTH, 0, 0)[0] == 1
        assert neighbours(cars, RING_LENGTH, 0, 1)[0] == 1
        cars[1, Y] = 0.7
        assert neighbours(cars, RING_LENGTH, 0, 0)[0] == -1


class TestChangingLanes:
    def test_mobil_by_hand(self) -> None:
        # Calm, p = 0.5: 0.6 + 0.5 * (-0.4 + 0.2) - (0.1 + 0.3) to the left, - (0.1 - 0.3) to the right.
        assert mobil(0.6, -0.4, 0.2, 0.0, False) == pytest.approx(0.1)
        assert mobil(0.6, -0.4, 0.2, 0.0, True) == pytest.approx(0.7)
        # Hasty, p = 0: the others don't count.
        assert mobil(0.6, -9.0, 0.2, 1.0, False) == pytest.approx(0.2)

    def test_overtakes_a_slow_car(self) -> None:
        cars = traffic((0.0, 1, 20.0), (30.0, 1, 12.0), temper=1.0)
        gain = change_gain(cars, RING_LENGTH, 0, 0)
        # Alone on the left: what is gained is the whole hindrance, less threshold and bias.
        free, held = pull(cars, 0, -1, FREE), pull(cars, 0, 1, 25.0)
        assert gain == pytest.approx(free - held - 0.4)
        assert choose_lane(cars, RING_LENGTH, 2, 0) == 0

    def test_not_in_front_of_a_fast_car(self) -> None:
        cars = traffic((0.0, 1, 15.0), (30.0, 1, 12.0), (-20.0, 0, 25.0))
        assert change_gain(cars, RING_LENGTH, 0, 0) == -FREE
        assert choose_lane(cars, RING_LENGTH, 2, 0) == 1

    def test_not_beside_a_car(self) -> None:
        cars = traffic((0.0, 1, 15.0), (30.0, 1, 12.0), (3.0, 0, 15.0))
        assert change_gain(cars, RING_LENGTH, 0, 0) == -FREE

    def test_goes_back_right_on_an_empty_road(self) -> None:
        cars = traffic((0.0, 0, 20.0), (150.0, 0, 20.0))
        assert choose_lane(cars, RING_LENGTH, 2, 0) == 1

    def test_trucks_keep_out_of_the_leftmost_lane(self) -> None:
        cars = traffic((0.0, 1, 20.0), (30.0, 1, 12.0))
        cars[0, LENGTH] = 11.0
        assert choose_lane(cars, RING_LENGTH, 2, 0) == 1

    def test_moves_over_smoothly(self) -> None:
        y = [1.0]
        while y[-1] != 0.0:
            y.append(sideways(y[-1], 0.0, 0.05))
        moves = -np.diff(y)
        assert 2.0 < 0.05 * len(moves) < 2.6
        assert (moves > 0).all()
        assert 2 * len(moves) // 5 < moves.argmax() < 3 * len(moves) // 5


class TestDrivenCar:
    def test_pedals(self) -> None:
        sim = placed((0.0, 0, 15.0))
        speeds = []
        for action in (FASTER, FASTER, FASTER, KEEP, KEEP, SLOWER, SLOWER, SLOWER, SLOWER):
            sim.step(np.array([action]))
            speeds.append(cars_of(sim.states)[0, 0, [V, A]])
        v, a = np.array(speeds).T
        assert a == pytest.approx([1.0, 2.0, 2.0, 0.0, 0.0, -2.4, -4.8, -7.0, -7.0], abs=1e-5)
        assert (np.diff(v)[:2] > 0).all()
        assert v[3] == pytest.approx(v[4])
        assert (np.diff(v)[4:] < 0).all()

    def test_terms_of_steady_driving(self) -> None:
        step = placed((0.0, 2, 20.0)).step(np.array([KEEP]))
        assert step.terms[0, T_PROGRESS] == pytest.approx(1.0)
        assert not step.terms[0, 1:].any()

    def test_headway_is_graded(self) -> None:
        # Bumper to bumper 15 m at 20 m/s is 0.75 s: half of 1.5 s.
        step = placed((0.0, 0, 20.0), (20.0, 0, 20.0)).step(np.array([KEEP]))
        assert step.terms[0, T_HEADWAY] == pytest.approx(0.5, abs=0.02)

    def test_speeding_is_graded(self) -> None:
        step = placed((0.0, 2, 22.5)).step(np.array([KEEP]))
        assert step.terms[0, T_SPEEDING] == pytest.approx(0.5)

    def test_hard_braking(self) -> None:
        sim = placed((0.0, 2, 20.0))
        felt = [sim.step(np.array([SLOWER])).terms[0, T_HARD_BRAKE] for _ in range(4)]
        # -2.4, -4.8, -7 m/s^2 at the end of each step, from 3 to 7.
        assert felt == pytest.approx([0.0, 0.45, 1.0, 1.0], abs=1e-5)

    @pytest.mark.parametrize(("behind", "cut"), [(-25.0, 0.0), (-20.0, 0.5598), (-10.0, 1.0)])
    def test_cutting_in_by_hand(self, behind: float, cut: float) -> None:
        # At 15 m, equal speeds: 1.6 * (1 - 0.4096 - (27/15)^2) = -4.239; (4.239 - 2) / 4 = 0.5598.
        sim = placed((0.0, 1, 20.0), (behind, 0, 20.0))
        assert see(sim, "forces_left") == pytest.approx(min(1.0, (2 + 4 * cut) / 6), abs=0.01)
        step = sim.step(np.array([LEFT]))
        assert step.terms[0, T_CUT_IN] == pytest.approx(cut, abs=1e-3)
        assert step.terms[0, T_CHANGE] == 1
        assert sim.states[0, CUT_SUM] == pytest.approx(cut, abs=1e-3)

    def test_a_change_takes_its_time_and_stays_on_the_road(self) -> None:
        sim = placed((0.0, 1, 20.0))
        changes = sum(float(sim.step(np.array([LEFT])).terms[0, T_CHANGE]) for _ in range(15))
        assert changes == sim.states[0, CHANGES] == 1
        assert cars_of(sim.states)[0, 0, [Y, LANE]] == pytest.approx([0.0, 0.0])
        sim.step(np.array([RIGHT]))
        assert cars_of(sim.states)[0, 0, LANE] == 1
        assert see(sim, "can_left") == 0

    def test_left_lane_without_need(self) -> None:
        assert placed((0.0, 1, 20.0)).step(np.array([KEEP])).terms[0, T_LEFT_LANE] == 1
        held_up = placed((0.0, 1, 20.0), (40.0, 2, 14.0))
        assert held_up.step(np.array([KEEP])).terms[0, T_LEFT_LANE] == 0
        forcing = placed((0.0, 1, 20.0), (-15.0, 2, 20.0))
        assert forcing.step(np.array([KEEP])).terms[0, T_LEFT_LANE] == 0
        assert placed((0.0, 2, 20.0)).step(np.array([KEEP])).terms[0, T_LEFT_LANE] == 0

    def test_crash_is_absorbing(self) -> None:
        sim = placed((0.0, 1, 20.0), (9.0, 1, 10.0))
        crashes = 0.0
        for _ in range(5):
            crashes += sim.step(np.array([FASTER])).terms[0, T_CRASH]
        assert crashes == 1
        assert sim.states[0, [CRASHED, CRASH_CAR]].tolist() == [1, 1]
        assert see(sim, "crashed") == 1
        assert not cars_of(sim.states)[0, :, [V, A]].any()
        before = sim.states.copy()
        step = sim.step(np.array([LEFT]))
        assert not step.terms.any()
        before[0, CLOCK] += 1
        assert np.array_equal(sim.states, before)

    def test_features_at_hand_placed_cars(self) -> None:
        sim = placed((0.0, 1, 20.0), (45.0, 1, 16.0), (-25.0, 0, 24.0))
        assert see(sim, "gap_ahead_own") == pytest.approx(1 - 40 / 80)
        assert see(sim, "closing_ahead_own") == pytest.approx(0.5)
        assert see(sim, "headway_own") == pytest.approx(1 - 2.0 / 4.0)
        assert see(sim, "gap_behind_left") == pytest.approx(1 - 20 / 80)
        assert see(sim, "closing_behind_left") == pytest.approx(0.5)
        assert see(sim, "gap_ahead_left") == 0
        assert (see(sim, "lane_0"), see(sim, "lane_1"), see(sim, "lane_2")) == (0, 1, 0)
        at_the_edge = placed((0.0, 0, 20.0))
        assert see(at_the_edge, "gap_ahead_left") == 1
        assert see(at_the_edge, "can_left") == 0


def overlapping(states: Array, ring: float) -> Array:
    """Whether any two cars of each row overlap [N]; a centimetre is left to rounding."""
    cars = cars_of(states).astype(np.float64)
    x, y, length = offsets(states, ring), cars[..., Y], cars[..., LENGTH]
    along = np.abs((x[:, :, None] - x[:, None] + ring / 2) % ring - ring / 2)
    beside = np.abs(y[:, :, None] - y[:, None]) < ABREAST - 1e-3
    touching = beside & (along < 0.5 * (length[:, :, None] + length[:, None]) - 0.01)
    return touching[:, ~np.eye(cars.shape[1], dtype=bool)].any(1)


@pytest.mark.parametrize("difficulty", ["easy", "normal", "hard"])
def test_cars_never_overlap_unless_crashed(difficulty: str) -> None:
    task, rows = lanes_cruise(difficulty), 400
    ring, random = task.world.params[RING], np.random.default_rng(1)
    sim = Simulation(task, rows, seed=11, auto_reset=False)
    assert not overlapping(sim.states, ring).any()
    driver, careful = CarefulDriver(task.world), np.arange(rows) % 2 == 0
    for _ in range(task.horizon):
        wild = random.choice(5, rows, p=[0.3, 0.2, 0.2, 0.2, 0.1])
        sim.step(np.where(careful, driver.act(sim.obs), wild))
        assert not (overlapping(sim.states, ring) & (sim.states[:, CRASHED] == 0)).any()
    assert np.isfinite(sim.states).all()
    cars = cars_of(sim.states)
    assert ((cars[..., Y] >= 0) & (cars[..., Y] <= task.world.params[LANES] - 1)).all()
    assert (cars[..., V] >= 0).all()


def test_drivers_change_lanes_by_themselves() -> None:
    sim = Simulation(lanes_cruise(), 32, auto_reset=False)
    lanes = cars_of(sim.states)[:, 1:, LANE].copy()
    for _ in range(HORIZON):
        sim.step(np.zeros(32, np.int64))
    assert (cars_of(sim.states)[:, 1:, LANE] != lanes).mean() > 0.1


def test_one_row_is_one_of_many() -> None:
    task, random = lanes_cruise(), np.random.default_rng(0)
    many, one = Simulation(task, 64, seed=5), Simulation(task, 1, seed=5 + 17)
    for _ in range(HORIZON + 20):
        actions = random.integers(0, 5, 64)
        left, right = many.step(actions), one.step(actions[17:18])
        assert np.array_equal(left.obs[17], right.obs[0])
        assert np.array_equal(left.terms[17], right.terms[0])
        assert np.array_equal(many.states[17], one.states[0])


def test_a_state_put_back_goes_on_alike() -> None:
    task, random = lanes_cruise("hard"), np.random.default_rng(0)
    sim, again = Simulation(task, 32, seed=5), Simulation(task, 32, seed=99)
    for _ in range(70):
        sim.step(random.integers(0, 5, 32))
    again.put(np.ones(32, np.bool_), sim.states.copy(), sim.rng.copy())
    for _ in range(HORIZON):
        actions = random.integers(0, 5, 32)
        left, right = sim.step(actions), again.step(actions)
        assert np.array_equal(left.obs, right.obs)
        assert np.array_equal(left.terms, right.terms)
        assert np.array_equal(sim.states, again.states)


_RUN = """
import sys, numpy as np
from envs.kernels import mode
from envs.lanes.tasks import lanes_cruise
from envs.simulation import Simulation
assert mode() == "plain"
sim, random = Simulation(lanes_cruise(), 8, seed=3), np.random.default_rng(0)
kept = [sim.step(random.integers(0, 5, 8)).last_states.copy() for _ in range(60)]
np.save(sys.argv[1], np.stack(kept))
"""


def test_plain_python_differs_in_last_bits_only(tmp_path: object) -> None:
    file = f"{tmp_path}/plain.npy"
    subprocess.run(
        [sys.executable, "-c", _RUN, file], check=True, env={**os.environ, "TEACHBOX_KERNEL": "plain"}
    )
    plain = np.load(file)
    sim, random = Simulation(lanes_cruise(), 8, seed=3), np.random.default_rng(0)
    for states in plain:
        compiled = sim.step(random.integers(0, 5, 8)).last_states
        assert np.abs(states - compiled).max() < 1e-3


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
        return float(cruise_wish(self.moments(since), row, self.moments())[0])

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
        wish += float(task.wish(before, step.terms, step.last_states).mean())
        written += float((step.terms @ task.written_weights).mean())
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
    assert np.array_equal(task.world.place(states), where.astype(np.float32))
    assert set(where[:, 1]) == {0, 1, 2}
    assert len(np.unique(where, axis=0)) == len(where) > 40
    many = Simulation(task, len(states))
    obs = many.put(np.ones(len(states), np.bool_), states, np.zeros(len(states), np.uint64))
    assert np.isfinite(obs).all()
