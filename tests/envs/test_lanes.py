"""Lanes: the driven car with hand-worked numbers, and properties of whole drives."""

import os
import subprocess
import sys

import numpy as np
import pytest

from envs.lanes.ego_car import FASTER, KEEP, LEFT, RIGHT, SLOWER
from envs.lanes.lanes_expert import CarefulDriver
from envs.lanes.lanes_state_layout import (
    ABREAST,
    CHANGES,
    CLOCK,
    CRASH_CAR,
    CRASHED,
    CUT_SUM,
    LANE,
    LANES,
    LENGTH,
    RING,
    T_CHANGE,
    T_CRASH,
    T_CUT_IN,
    T_HARD_BRAKE,
    T_HEADWAY,
    T_LEFT_LANE,
    T_PROGRESS,
    T_SPEEDING,
    A,
    V,
    Y,
    cars_of,
    offsets,
)
from envs.lanes.lanes_tasks import lanes_cruise
from envs.lanes.true_rewards import HORIZON
from envs.simulation import Simulation
from envs.world import Array
from tests.envs.roads import placed, see


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
    again.set_states(np.ones(32, np.bool_), sim.states.copy(), sim.rng.copy())
    for _ in range(HORIZON):
        actions = random.integers(0, 5, 32)
        left, right = sim.step(actions), again.step(actions)
        assert np.array_equal(left.obs, right.obs)
        assert np.array_equal(left.terms, right.terms)
        assert np.array_equal(sim.states, again.states)


_RUN = """
import sys, numpy as np
from envs.kernels import mode
from envs.lanes.lanes_tasks import lanes_cruise
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
