"""Rover: the ground it drives on, its body and its cargo, by hand-worked numbers and by properties."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from envs.geometry import ray_circles, ray_square, turned
from envs.rover import dynamics, terrain
from envs.rover import rover_state_layout as at
from envs.rover.rover_expert import CarefulDriver
from envs.rover.rover_state_layout import ground_of, height, state_size
from envs.rover.rover_tasks import (
    DELIVER_WEIGHTS,
    HORIZON,
    deliver_true_reward,
    delivered_whole,
    rover_deliver,
)
from envs.simulation import Simulation
from envs.world import Array, Task

NO_HILLS, NO_ROCKS = np.zeros(4), np.zeros(3)


@pytest.fixture(scope="module")
def task() -> Task:
    return rover_deliver()


def bare(task: Task, rows: int = 1, **numbers: float) -> Simulation:
    """A simulation on flat ground without rocks and puddles; the rover rests in the middle, facing +x."""
    sim = Simulation(task, rows, auto_reset=False)
    states = sim.states.copy()
    states[:] = 0.0
    states[:, at.HEADER + 3 :: 4] = 0.0
    hills = int(task.world.params[at.HILLS])
    states[:, at.HEADER + 3 : at.HEADER + 4 * hills : 4] = 1.0
    states[:, [at.X, at.Y]] = 10.0
    states[:, [at.BEACON_X, at.BEACON_Y]] = [17.0, 10.0]
    for name, number in numbers.items():
        states[:, getattr(at, name)] = number
    sim.set_states(np.ones(rows, bool), states, sim.rng.copy())
    return sim


def drive_on(sim: Simulation, action: tuple[float, float], steps: int) -> Array:
    """The terms [steps, M] of one row under one action."""
    return np.stack([sim.step(np.array([action] * sim.rows)).terms[0].copy() for _ in range(steps)])


# Geometry


def test_rays_by_hand() -> None:
    circles = np.array([5.0, 0.0, 1.0, 9.0, 0.0, 0.0])
    assert ray_circles(0.0, 0.0, 1.0, 0.0, circles, 0.5, 20.0) == pytest.approx(3.5)
    assert ray_circles(0.0, 0.0, -1.0, 0.0, circles, 0.5, 20.0) == 20.0
    assert ray_circles(0.0, 0.9, 1.0, 0.0, circles, 0.0, 20.0) == pytest.approx(5.0 - math.sqrt(0.19))
    assert ray_circles(5.2, 0.0, 1.0, 0.0, circles, 0.0, 20.0) == 0.0
    assert ray_square(3.0, 4.0, 0.6, 0.8, 0.0, 10.0, 50.0) == pytest.approx(7.5)
    assert ray_square(3.0, 4.0, 0.0, -1.0, 0.0, 10.0, 50.0) == pytest.approx(4.0)
    assert turned(1.5 * math.pi) == pytest.approx(-0.5 * math.pi)


# Ground


def test_a_hill_by_hand() -> None:
    """1 m high, reaching 4 m: at half its reach it stands at 0.75^3, and falls by 6 * 0.75^2 * 2 / 16."""
    hill = np.array([10.0, 10.0, 1.0, 4.0])
    assert terrain.rise(hill, 10.0, 10.0) == 1.0
    assert terrain.rise(hill, 12.0, 10.0) == pytest.approx(0.421875)
    assert terrain.rise(hill, 14.1, 10.0) == 0.0
    ahead, right, bend = terrain.slope(hill, 12.0, 10.0, 1.0, 0.0)
    assert ahead == pytest.approx(-0.421875)
    assert right == 0.0
    assert bend == pytest.approx(6 * 0.75 / 16 * (4 * 4 / 16 - 0.75))
    ahead, right, _ = terrain.slope(hill, 12.0, 10.0, 0.0, 1.0)  # facing down the picture: right is -x
    assert ahead == 0.0
    assert right == pytest.approx(0.421875)
    assert terrain.slope(hill, 10.0, 10.0, 1.0, 0.0)[2] == pytest.approx(-6 / 16)  # a crest


def test_slopes_are_the_height_s_derivatives(task: Task) -> None:
    hills = ground_of(Simulation(task, 1, seed=4).states[0], task.world.params).hills
    flat, random = hills.astype(np.float64).ravel(), np.random.default_rng(0)
    for x, y, angle in random.uniform((1, 1, -3), (19, 19, 3), (50, 3)):
        cos, sin = math.cos(angle), math.sin(angle)
        ahead, right, bend = terrain.slope(flat, x, y, cos, sin)

        def rise(a: float, b: float, x: float = x, y: float = y, c: float = cos, s: float = sin) -> float:
            return terrain.rise(flat, x + a * c - b * s, y + a * s + b * c)

        tiny = 1e-4
        assert ahead == pytest.approx((rise(tiny, 0) - rise(-tiny, 0)) / (2 * tiny), abs=1e-5)
        assert right == pytest.approx((rise(0, tiny) - rise(0, -tiny)) / (2 * tiny), abs=1e-5)
        second = (rise(1e-3, 0) - 2 * rise(0, 0) + rise(-1e-3, 0)) / 1e-6
        assert bend == pytest.approx(second, abs=1e-3)
        assert height(hills, np.array([x]), np.array([y]))[0] == pytest.approx(rise(0, 0), abs=1e-5)


@pytest.mark.parametrize("difficulty", ["easy", "normal", "hard"])
@pytest.mark.parametrize("split", ["train", "test"])
def test_every_ground_can_be_crossed(difficulty: str, split: str) -> None:
    """All ways between rocks and rim are GAP wide, so that no rock or row of rocks closes one, and no
    slope is steeper than the motors can climb from rest."""
    made = rover_deliver(difficulty, split)
    states = Simulation(made, 3000, seed=7).states
    assert states.shape[1] == state_size(made.world.params)
    start, beacon = states[:, [at.START_X, at.START_Y]], states[:, [at.BEACON_X, at.BEACON_Y]]
    far = np.hypot(*(beacon - start).T)
    assert ((far > terrain.NEAREST) & (far < terrain.FARTHEST)).all()
    assert (states[:, [at.X, at.Y]] == start).all()
    params = made.world.params
    first = at.HEADER + 4 * int(params[at.HILLS])
    second = first + 3 * int(params[at.ROCKS])
    rocks = states[:, first:second].reshape(len(states), -1, 3)
    there = rocks[..., 2] > 0
    assert there.mean() > 0.8
    middle, radius = rocks[..., :2], rocks[..., 2]
    rim = np.minimum(middle, at.SIDE - middle).min(-1) - radius
    assert rim[there].min() > at.GAP - 1e-4
    assert at.GAP > 2 * at.BODY
    for k in range(rocks.shape[1]):
        for j in range(k):
            both = there[:, k] & there[:, j]
            apart = np.hypot(*(middle[:, k] - middle[:, j]).T) - radius[:, k] - radius[:, j]
            assert apart[both].min() > at.GAP - 1e-4
        for place in (start, beacon):
            apart = np.hypot(*(middle[:, k] - place).T) - radius[:, k]
            assert apart[there[:, k]].min() > at.BODY
    random = np.random.default_rng(0)
    worst = 0.0
    for state in states[:300]:
        flat = ground_of(state, params).hills.astype(np.float64).ravel()
        for x, y in random.uniform(0, at.SIDE, (40, 2)):
            worst = max(worst, math.hypot(*terrain.slope(flat, x, y, 1.0, 0.0)[:2]))
    assert 0.3 < worst < (dynamics.POWER - dynamics.ROLL) / dynamics.GRAVITY


# Body


def test_motors_from_rest_by_hand(task: Task) -> None:
    """One substep of full thrust: the motors give 0.075 of it, so the rover gains 0.075 * 2.4 * 0.025 m/s."""
    state = np.zeros(at.HEADER)
    state[[at.X, at.Y]] = 10.0
    dt = 0.025
    dynamics.advance(state, NO_HILLS + [0, 0, 0, 1], NO_ROCKS, NO_ROCKS, 1.0, 0.0, dt)
    assert state[at.MOTOR] == pytest.approx(0.075)
    assert state[at.SPEED] == pytest.approx(0.0045)
    assert state[at.X] == pytest.approx(10.0 + 0.0045 * dt)
    assert state[at.SWING_AHEAD] == pytest.approx(-0.18 * dt), "the cargo stays behind"
    assert state[at.SWAY_AHEAD] == pytest.approx(-0.18 * dt * dt)


def test_top_speed_and_coasting(task: Task) -> None:
    sim = bare(task)
    sim.states[:, at.X] = 2.0
    drive_on(sim, (1.0, 0.0), 45)
    fastest = (dynamics.POWER - dynamics.ROLL) / dynamics.DRAG
    assert 0.9 * fastest < sim.states[0, at.SPEED] < fastest
    sim = bare(task, SPEED=1.0)
    terms = drive_on(sim, (0.0, 0.0), 60)
    assert 0.0 <= sim.states[0, at.SPEED] < 0.01
    covered = float(sim.states[0, at.X]) - 10.0
    assert terms[:, at.T_PROGRESS].sum() == pytest.approx(covered, abs=1e-4)
    # m * v' = -(DRAG v + ROLL): v falls to 0 after covering v/D - R/D^2 ln(1 + D v/R), nearly
    d, r = dynamics.DRAG, dynamics.ROLL
    assert covered == pytest.approx(1 / d - r / d**2 * math.log(1 + d / r), rel=0.08)


def test_turning_on_the_spot(task: Task) -> None:
    sim = bare(task)
    drive_on(sim, (0.0, 1.0), 12)
    state = sim.states[0]
    assert state[at.YAW] == pytest.approx(dynamics.TURN, rel=0.02)
    assert state[at.HEADING] > 1.0, "right is clockwise on the screen, where y points down"
    assert (state[at.X], state[at.Y]) == (10.0, 10.0)


def test_hills_pull_down_and_water_slows(task: Task) -> None:
    sim = bare(task)
    sim.states[0, at.HEADER : at.HEADER + 4] = 12.0, 10.0, 1.0, 4.0  # a hill ahead: it rolls back
    drive_on(sim, (0.0, 0.0), 15)
    assert sim.states[0, at.SPEED] < -0.2
    dry, wet = bare(task, SPEED=1.5), bare(task, SPEED=1.5)
    wet.states[0, -3:] = 10.0, 10.0, 1.4
    assert drive_on(dry, (0.0, 0.0), 5)[:, at.T_WET].sum() == 0.0
    assert drive_on(wet, (0.0, 0.0), 5)[:, at.T_WET].sum() == 5.0
    assert wet.states[0, at.SPEED] < 0.6 * dry.states[0, at.SPEED]


def test_a_head_on_bump_by_hand() -> None:
    state = np.zeros(at.HEADER)
    state[[at.X, at.Y, at.SPEED]] = 10.0, 10.0, 2.0
    struck = dynamics.collide(state, np.array([11.0, 10.0, 0.6]), 1.0, 0.0)
    assert struck == 2.0
    assert state[at.SPEED] == pytest.approx(-2.0 * dynamics.BOUNCE)
    assert state[at.X] == pytest.approx(11.0 - 0.6 - at.BODY)


def test_a_glancing_touch_turns_along_the_rock() -> None:
    state = np.zeros(at.HEADER)
    state[[at.X, at.Y, at.SPEED]] = 10.0, 10.0, 1.0
    struck = dynamics.collide(state, np.array([10.6, 10.8, 0.6]), 1.0, 0.0)
    assert struck == pytest.approx(0.6)
    assert state[at.SPEED] == pytest.approx(1.0 - (1.0 + dynamics.BOUNCE) * 0.36)
    assert state[at.HEADING] == pytest.approx(-0.1 * dynamics.GRIND), (
        "away from the rock, which is on the right"
    )


def test_nothing_drives_through_rocks_or_rim(task: Task) -> None:
    sim = Simulation(task, 256, seed=3, auto_reset=False)
    random = np.random.default_rng(1)
    params = task.world.params
    first = at.HEADER + 4 * int(params[at.HILLS])
    rocks = sim.states[:, first : first + 3 * int(params[at.ROCKS])].reshape(256, -1, 3).copy()
    bumped = 0.0
    for t in range(HORIZON):
        if t % 12 == 0:
            actions = np.stack([random.uniform(0.2, 1.0, 256), random.uniform(-0.6, 0.6, 256)], 1)
        bumped += sim.step(actions).terms[:, at.T_BUMP].sum()
        places = sim.states[:, None, [at.X, at.Y]]
        apart = np.hypot(*np.moveaxis(places - rocks[..., :2], -1, 0))
        assert (apart > rocks[..., 2] + at.BODY - 0.08)[rocks[..., 2] > 0].all()
        assert (sim.states[:, [at.X, at.Y]] > at.BODY - 1e-4).all()
        assert (sim.states[:, [at.X, at.Y]] < at.SIDE - at.BODY + 1e-4).all()
    assert bumped > 50


# Cargo


def test_springs_rest_at_the_load_and_overshoot() -> None:
    """Under a steady 1.5 m/s^2 the springs come to pull just as hard, after one overshoot."""
    state = np.zeros(at.HEADER)
    pulls = [dynamics.swing(state, 1.5, 0.0, 0.025) for _ in range(400)]
    assert pulls[-1] == pytest.approx(1.5, rel=1e-3)
    assert state[at.SWAY_AHEAD] == pytest.approx(-1.5 / dynamics.SPRING**2, rel=1e-3)
    damped = math.exp(-math.pi * dynamics.DAMPING / math.sqrt(1 - dynamics.DAMPING**2))
    assert max(pulls) == pytest.approx(1.5 * (1 + damped), rel=0.05)


def test_gentle_driving_shakes_nothing_and_rough_driving_does(task: Task) -> None:
    gentle = bare(task)
    assert drive_on(gentle, (0.45, 0.0), 30)[:, at.T_SHAKE].sum() == 0.0
    rough = bare(task)
    terms = np.concatenate([drive_on(rough, (1.0, 0.0), 20), drive_on(rough, (-1.0, 0.0), 10)])
    assert terms[:, at.T_SHAKE].sum() > 0.5
    assert rough.states[0, at.SHAKEN] == pytest.approx(terms[:, at.T_SHAKE].sum(), rel=1e-5)
    against = bare(task, SPEED=2.0)
    against.states[0, -3 * 3 - 3 : -3 * 3] = 11.1, 10.0, 0.6  # the last rock
    terms = drive_on(against, (0.0, 0.0), 3)
    assert terms[:, at.T_BUMP].max() > 1.5
    assert terms[:, at.T_SHAKE].max() == 1.0, "braking with a rock is the roughest way"


def test_a_crest_shakes_by_speed_squared_and_bend() -> None:
    hill = np.array([10.0, 10.0, 1.0, 4.0])
    for speed in (1.0, 3.0):
        state = np.zeros(at.HEADER)
        state[[at.X, at.Y, at.SPEED]] = 10.0, 10.0, speed
        state[at.MOTOR] = (dynamics.DRAG * speed + dynamics.ROLL * math.tanh(10 * speed)) / dynamics.POWER
        dynamics.advance(state, hill, NO_ROCKS, NO_ROCKS, float(state[at.MOTOR]), 0.0, 0.025)
        assert state[at.LOAD] == pytest.approx(speed**2 * 6 / 16, rel=1e-3)


# Delivery and what it is worth


def test_delivery_needs_to_be_near_and_slow(task: Task) -> None:
    too_fast = bare(task, X=16.0, SPEED=2.0)
    assert drive_on(too_fast, (0.2, 0.0), 1)[0, at.T_DELIVERED] == 0.0
    too_far = bare(task, X=17.0 - at.BEACON_REACH - 0.05)
    assert drive_on(too_far, (0.0, 0.0), 1)[0, at.T_DELIVERED] == 0.0
    there = bare(task, X=16.0, SPEED=0.5)
    terms = drive_on(there, (0.0, 0.0), 3)
    assert terms[:, at.T_DELIVERED].tolist() == [1.0, 0.0, 0.0]
    assert there.states[0, at.PARKED] == 1.0
    assert there.states[0, at.SPEED] == 0.0
    assert there.obs[0, task.world.obs_names.index("parked")] == 1.0
    assert delivered_whole(there.states).all()


def test_the_wish_by_hand() -> None:
    before, terms = np.zeros((3, at.HEADER), np.float32), np.zeros((3, len(at.TERMS)), np.float32)
    after = before.copy()
    terms[:, at.T_DELIVERED] = 1.0
    terms[:, at.T_SHAKE] = 0.5
    before[:, at.SHAKEN] = 0.0, at.SHAKE_MOST - 0.2, at.SHAKE_MOST + 1.0
    after[:, at.SHAKEN] = before[:, at.SHAKEN] + 0.5
    rough = 0.5 * DELIVER_WEIGHTS["shake"] + 0.25 * DELIVER_WEIGHTS["harder"]
    whole = DELIVER_WEIGHTS["delivered"] + DELIVER_WEIGHTS["intact"] + rough
    breaks, long_broken = (
        DELIVER_WEIGHTS["delivered"] + DELIVER_WEIGHTS["broken"] + rough,
        DELIVER_WEIGHTS["delivered"] + rough,
    )
    assert deliver_true_reward(before, terms, after) == pytest.approx([whole, breaks, long_broken])
    after[:, at.PARKED] = 1.0
    assert delivered_whole(after).tolist() == [True, False, False]


def test_hurrying_standing_and_crawling_are_worth_little(task: Task) -> None:
    """The careful driver does the whole task mostly; the others never do, and score far below it."""
    rows = 200
    careful = CarefulDriver(task.world)
    index = {name: k for k, name in enumerate(task.world.obs_names)}

    def hurried(obs: Array) -> Array:
        bearing = np.arctan2(obs[:, index["beacon_right"]], obs[:, index["beacon_ahead"]])
        return np.stack([np.where(np.abs(bearing) < 0.6, 1.0, 0.0), np.clip(2 * bearing, -1, 1)], 1)

    def crawling(obs: Array) -> Array:
        actions = careful.act(obs)
        actions[obs[:, index["speed"]] > 0.15, 0] = 0.0
        return actions

    worth, done = {}, {}
    drivers: dict[str, Callable[[Array], Array]] = {
        "careful": careful.act,
        "hurried": hurried,
        "crawling": crawling,
        "still": lambda obs: task.idle_actions(len(obs)),
    }
    for name, act in drivers.items():
        sim = Simulation(task, rows, auto_reset=False, seed=100)
        total = np.zeros(rows)
        for _ in range(task.horizon):
            before = sim.states.copy()
            step = sim.step(act(sim.obs))
            total += task.true_reward(before, step.terms, step.last_states)
        worth[name], done[name] = total.mean(), task.done(sim.states).mean()
    assert done["careful"] > 0.75
    assert done["hurried"] < 0.2
    assert done["crawling"] == done["still"] == 0.0
    assert worth["still"] < 0.05 * worth["careful"]
    assert worth["crawling"] < 0.4 * worth["careful"]
    assert worth["hurried"] < 0.5 * worth["careful"]


def test_keys_turn_into_actions_alone_and_together(task: Task) -> None:
    assert task.keys["up"] == (1.0, 0.0)
    assert task.keys["left"] == (0.0, -1.0)
    assert task.keys["up+left"] == (1.0, -1.0)
    assert task.keys["down+right"] == (-1.0, 1.0)
    sim = bare(task)
    drive_on(sim, tuple(task.keys["up+left"]), 8)  # type: ignore[arg-type]
    assert sim.states[0, at.SPEED] > 0.5
    assert sim.states[0, at.HEADING] < -0.5


def test_bad_options_are_told() -> None:
    with pytest.raises(ValueError, match="'steep'"):
        rover_deliver("steep")
    with pytest.raises(ValueError, match="'both'"):
        rover_deliver(split="both")
