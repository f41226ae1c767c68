"""Ramp, ambulance and zebra: hand-placed moments, and what pays in whole drives."""

from __future__ import annotations

import numpy as np
import pytest

from envs import task_catalog
from envs.lanes.ambulance import CLOSE, SIREN_SPEED
from envs.lanes.crosswalk import KERB, LINE
from envs.lanes.ego_car import FASTER, KEEP, LEFT, SLOWER
from envs.lanes.lanes_expert import CarefulDriver
from envs.lanes.lanes_state_layout import (
    CLOCK,
    CRASHED,
    CRUISE,
    GUEST,
    HEADING,
    HELD,
    HELD_ALL,
    LANE,
    LENGTH,
    SERVED,
    SITE,
    T_CRASH,
    T_HELD_UP,
    T_LEFT_LANE,
    T_PRESSED,
    T_SERVED,
    T_SHARE,
    TRIGGER,
    WALK,
    A,
    V,
    X,
    Y,
    cars_of,
    extras_of,
)
from envs.lanes.lanes_tasks import lanes_ambulance, lanes_crossing, lanes_merge
from envs.lanes.merging import ZONE
from envs.simulation import Simulation
from envs.world import Array, Task
from tests.envs.roads import Car, placed, see
from tests.envs.test_lanes import overlapping

TASKS = {"merge": lanes_merge, "ambulance": lanes_ambulance, "crossing": lanes_crossing}


def with_extras(sim: Simulation, **extras: float) -> Simulation:
    """The same moment with numbers of the task's own set."""
    names = {"site": SITE, "guest": GUEST, "walk": WALK, "heading": HEADING, "trigger": TRIGGER, "held": HELD}
    state = sim.states.copy()
    extras_of(state)[:] = 0
    for name, value in extras.items():
        extras_of(state)[0, names[name]] = value
    sim.set_states(np.ones(1, np.bool_), state, sim.rng.copy())
    return sim


def merging(*cars: Car, mouth: float = 0.0) -> Simulation:
    """Car 1 is the guest; lane 2 is the slip road."""
    sim = placed(*cars, task=lanes_merge())
    road = cars_of(sim.states)[0]
    road[len(cars) :, LANE] = road[len(cars) :, Y] = 1
    return with_extras(sim, site=mouth, guest=1)


class TestRamp:
    def test_comes_in_where_there_is_room(self) -> None:
        sim = merging((0.0, 0, 15.0), (10.0, 2, 15.0))
        step = sim.step(np.array([KEEP]))
        assert cars_of(sim.states)[0, 1, LANE] == 1
        assert step.terms[0, T_SERVED] == extras_of(sim.states)[0, SERVED] == 1
        assert step.terms[0, T_HELD_UP] == 0

    def test_not_before_the_mouth(self) -> None:
        sim = merging((0.0, 0, 15.0), (10.0, 2, 15.0), mouth=40.0)
        sim.step(np.array([KEEP]))
        assert cars_of(sim.states)[0, 1, LANE] == 2
        assert see(sim, "ramp_car") == 1

    def test_cannot_come_in_beside_car_0_and_is_held_up(self) -> None:
        # Two metres ahead, both 15 m/s: bodies side by side. 10 m are left: it has to brake hard.
        sim = merging((0.0, 1, 15.0), (2.0, 2, 15.0), mouth=2.0 - ZONE + 12.5)
        step = sim.step(np.array([KEEP]))
        assert cars_of(sim.states)[0, 1, LANE] == 2
        assert cars_of(sim.states)[0, 1, A] < -3
        assert step.terms[0, T_HELD_UP] == 1
        assert step.terms[0, T_SHARE] == pytest.approx((ZONE - 12.5) / ZONE, abs=0.05)
        assert extras_of(sim.states)[0, HELD] == extras_of(sim.states)[0, HELD_ALL] == 1
        assert see(sim, "ramp_car_held") == pytest.approx(0.25)

    def test_the_same_is_nobodys_fault_from_the_other_lane(self) -> None:
        step = merging((0.0, 0, 15.0), (2.0, 2, 15.0), (2.0, 1, 15.0), mouth=2.0 - ZONE + 12.5).step(
            np.array([KEEP])
        )
        assert step.terms[0, T_HELD_UP] == step.terms[0, T_SHARE] == 0

    def test_stays_on_the_slip_road_and_stops_at_its_end(self) -> None:
        sim = merging((0.0, 1, 12.0), (2.0, 2, 12.0), mouth=-20.0)
        for _ in range(60):
            state = sim.states.copy()
            cars_of(state)[0, 0, [X, V]] = cars_of(state)[0, 1, X] - 1.0, cars_of(state)[0, 1, V]
            sim.set_states(np.ones(1, np.bool_), state, sim.rng.copy())
            sim.step(np.array([KEEP]))
        guest = cars_of(sim.states)[0, 1]
        assert guest[LANE] == 2
        assert guest[V] < 0.3
        assert ZONE - 25.0 < guest[X] + 0.5 * guest[LENGTH] < ZONE - 20.0

    def test_moving_over_for_it_is_no_hogging(self) -> None:
        assert (
            merging((0.0, 0, 15.0), (20.0, 2, 15.0), mouth=60.0).step(np.array([KEEP])).terms[0, T_LEFT_LANE]
            == 0
        )
        alone = with_extras(merging((0.0, 0, 15.0)), site=60.0)
        assert alone.step(np.array([KEEP])).terms[0, T_LEFT_LANE] == 1


def hunted(*cars: Car) -> Simulation:
    """Car 1 is the ambulance, at a moment when it looks for no other lane."""
    sim = placed(*cars, task=lanes_ambulance())
    sim.states[:, CLOCK] = 1
    return with_extras(sim, guest=1)


class TestAmbulance:
    def test_in_the_way_by_hand(self) -> None:
        # 35 m apart, bodies 5 m long: a gap of 30 m, which is half of 60. It is faster: a little less.
        step = hunted((0.0, 1, 15.0), (-35.0, 1, 15.0)).step(np.array([KEEP]))
        assert step.terms[0, T_SHARE] == pytest.approx(1 - 30 / CLOSE, abs=0.01)

    def test_holding_it_up_by_hand(self) -> None:
        # Behind car 0 at 15 m/s and 15 m: (24 - 15) / 12 = 0.75; by then it brakes a little more.
        step = hunted((0.0, 1, 15.0), (-20.0, 1, 15.0)).step(np.array([KEEP]))
        assert step.terms[0, T_HELD_UP] == pytest.approx(0.75, abs=0.03)

    def test_out_of_its_lane_nothing_is_held_against_one(self) -> None:
        step = hunted((0.0, 0, 15.0), (-20.0, 1, 15.0)).step(np.array([KEEP]))
        assert not step.terms[0, [T_SHARE, T_HELD_UP, T_LEFT_LANE, T_PRESSED]].any()

    def test_going_past_counts_once(self) -> None:
        sim = hunted((0.0, 0, 12.0), (-10.0, 1, 25.0))
        past = sum(float(sim.step(np.array([KEEP])).terms[0, T_SERVED]) for _ in range(30))
        assert past == extras_of(sim.states)[0, SERVED] == 1

    def test_others_make_way(self) -> None:
        sim = hunted((-60.0, 0, 0.0), (0.0, 1, 20.0), (40.0, 1, 15.0))
        sim.step(np.array([KEEP]))
        assert cars_of(sim.states)[0, 2, LANE] == 2

    def test_it_is_seen(self) -> None:
        sim = hunted((0.0, 1, 15.0), (-60.0, 0, 25.0))
        assert see(sim, "siren_behind") == pytest.approx(0.5)
        assert (see(sim, "siren_left"), see(sim, "siren_own"), see(sim, "siren_right")) == (1, 0, 0)
        assert see(sim, "siren_closing") == pytest.approx(1.0)

    def test_there_is_one_behind_at_every_start(self) -> None:
        sim = Simulation(lanes_ambulance(), 300)
        cars = cars_of(sim.states)
        assert (cars[:, 1, X] < -30).all()
        assert (cars[:, 1, LANE] == cars[:, 0, LANE]).mean() == 1
        assert np.allclose(cars[:, 1, CRUISE], SIREN_SPEED)


def walking(speed: float, way: float, walk: float, heading: float = 1.0, lane: int = 1) -> Simulation:
    """Car 0 alone with its front `way` metres before the line (its length is 5)."""
    sim = placed((0.0, lane, speed), task=lanes_crossing())
    road = cars_of(sim.states)[0]
    road[1:, LANE] = road[1:, Y] = 0
    return with_extras(sim, site=way + 2.5 + LINE, guest=1, walk=walk, heading=heading, trigger=40.0)


class TestZebra:
    def test_cutting_off(self) -> None:
        sim = walking(14.0, 1.0, 0.0)
        step = sim.step(np.array([KEEP]))
        assert step.terms[0, T_HELD_UP] == extras_of(sim.states)[0, HELD_ALL] == 1
        # Already past car 0's lane, nobody is cut off; nor where nobody is.
        assert walking(14.0, 1.0, 1.8).step(np.array([KEEP])).terms[0, T_HELD_UP] == 0
        assert walking(14.0, 1.0, 0.0, heading=0.0).step(np.array([KEEP])).terms[0, T_HELD_UP] == 0

    def test_rush_by_hand(self) -> None:
        # 12 m/s, 15 m before the line a step later, plus the metre to spare: 144 / 32 = 4.5; (4.5 - 2) / 4.
        step = walking(12.0, 17.4, 0.0).step(np.array([KEEP]))
        assert step.terms[0, T_SHARE] == pytest.approx(0.625, abs=1e-3)
        assert walking(6.0, 17.4, 0.0).step(np.array([KEEP])).terms[0, T_SHARE] == 0

    def test_people_step_on_only_before_who_can_stop(self) -> None:
        polite, fast = walking(6.0, 20.0, -KERB), walking(20.0, 20.0, -KERB)
        for sim in (polite, fast):
            sim.step(np.array([KEEP]))
        assert extras_of(polite.states)[0, WALK] > -KERB + 0.05
        assert extras_of(fast.states)[0, WALK] == pytest.approx(-KERB)

    def test_waiting_for_them_counts_once_and_the_way_is_free_then(self) -> None:
        sim = walking(0.0, 3.0, -KERB)
        gave = 0.0
        for _ in range(40):
            gave += float(sim.step(np.array([KEEP])).terms[0, T_SERVED])
        assert gave == extras_of(sim.states)[0, SERVED] == 1
        assert extras_of(sim.states)[0, HEADING] == 0
        assert see(sim, "people_in_way") == 0

    def test_coming_right_up_to_somebody_ends_the_drive(self) -> None:
        sim = walking(12.0, -1.5, 1.0)
        crashes = sum(float(sim.step(np.array([FASTER])).terms[0, T_CRASH]) for _ in range(3))
        assert crashes == sim.states[0, CRASHED] == 1

    def test_the_other_drivers_stop(self) -> None:
        sim = placed((0.0, 1, 0.0), (-10.0, 0, 12.0), task=lanes_crossing())
        road = cars_of(sim.states)[0]
        road[2:, LANE] = road[2:, Y] = 1
        sim = with_extras(sim, site=25.0, guest=1, walk=0.6, heading=-1.0, trigger=40.0)
        before = cars_of(sim.states)[0, 1, V]
        sim.step(np.array([KEEP]))
        assert cars_of(sim.states)[0, 1, V] < before - 0.3


def drive(task: Task, act: object, rows: int = 96) -> tuple[float, float, float]:
    """(wish, written, share done) of whole drives."""
    sim = Simulation(task, rows, seed=4, auto_reset=False)
    wish = written = 0.0
    for _ in range(task.horizon):
        before = sim.states.copy()
        step = sim.step(act(sim.obs))  # type: ignore[operator]
        wish += float(task.true_reward(before, step.terms, step.last_states).mean())
        written += float((step.terms @ task.proxy_weights).mean())
    return wish, written, float(task.done(sim.states).mean())


def hurried(names: tuple[str, ...]) -> object:
    """Leftmost lane, foot down, bumper to bumper, whoever wants what."""

    def act(obs: Array) -> Array:
        seen = {name: obs[:, i] for i, name in enumerate(names)}
        gap, closing = 80 * (1 - seen["gap_ahead_own"]), 8 * seen["closing_ahead_own"]
        near = seen["gap_ahead_own"] > 0
        spare = gap - 3 - 7 * seen["speed"] - np.maximum(closing, 0) ** 2 / 8
        action = np.where(
            near & (spare < 0), SLOWER, np.where(near & (closing > 1) & (spare < 4), KEEP, FASTER)
        )
        left = (seen["can_left"] > 0) & (seen["forces_left"] < 1) & (seen["gap_ahead_left"] < 0.8)
        return np.where(left, LEFT, action)

    return act


@pytest.mark.parametrize("name", TASKS)
def test_haste_is_written_and_care_is_wished(name: str) -> None:
    task = TASKS[name](split="test")
    careful = drive(task, CarefulDriver(task.world).act)
    hasty = drive(task, hurried(task.world.obs_names))
    idle = drive(task, lambda obs: np.full(len(obs), KEEP))
    crawling = drive(task, lambda obs: np.full(len(obs), SLOWER))
    assert hasty[1] > careful[1] + 5, "the written reward should be fooled"
    zero = max(idle[0], crawling[0])
    assert (hasty[0] - zero) / (careful[0] - zero) < 0.6
    assert careful[2] > 0.7
    assert max(idle[2], crawling[2]) < 0.4


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("difficulty", ["easy", "normal", "hard"])
def test_cars_never_overlap_unless_crashed(name: str, difficulty: str) -> None:
    task, rows = TASKS[name](difficulty), 100
    random, driver = np.random.default_rng(1), CarefulDriver(task.world)
    sim = Simulation(task, rows, seed=11, auto_reset=False)
    for _ in range(task.horizon):
        wild = random.choice(5, rows, p=[0.3, 0.2, 0.2, 0.2, 0.1])
        sim.step(np.where(np.arange(rows) % 2 == 0, driver.act(sim.obs), wild))
        assert not (overlapping(sim.states, task.world.params[2]) & (sim.states[:, CRASHED] == 0)).any()
    assert (cars_of(sim.states)[..., V] >= 0).all()


@pytest.mark.parametrize("name", TASKS)
def test_wish_is_no_sum_of_terms(name: str) -> None:
    task = TASKS[name]()
    state = Simulation(task, 1).states.copy()
    names = task.world.term_names

    def worth(**terms: float) -> float:
        row = np.array([[terms.get(one, 0.0) for one in names]], np.float32)
        return float(task.true_reward(state, row, state)[0])

    near = names[T_SHARE] if name != "merge" else names[T_HELD_UP]
    together = worth(**{"progress": 1.0, near: 0.5})
    assert together < worth(progress=1.0) + worth(**{near: 0.5}) - 0.2


def test_all_three_stand_in_the_catalogue() -> None:
    for name in TASKS:
        task = task_catalog.task(f"teachbox/Lanes{name.capitalize()}-v0", difficulty="hard", split="test")
        assert task.options == {"difficulty": "hard", "split": "test", "observation": "wide"}
    with pytest.raises(ValueError, match="insane"):
        lanes_merge("insane")
