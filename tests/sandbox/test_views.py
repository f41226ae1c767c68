"""The reward x-ray against a reward worked out by hand, and agents that act in the window."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gymnasium import spaces

from agents.rewards.reward_arrays import RewardArrays
from envs.simulation import Simulation
from envs.world import Kernel, Task, Term, World
from sandbox.views.crowd import Crowd, grid
from sandbox.views.xray import XRay, action_fan, normalised

CELLS = 5  # a corridor of cells 0..4; a coin lies on cell 3 until it is taken
CLOCK, AT, COIN = 0, 1, 2


def _observe(params, states, aux, obs):
    obs[:, 0], obs[:, 1] = states[:, AT], states[:, COIN]


def _reset(params, which, rng, states, aux):
    states[which] = (0, 1, 1)


def _step(params, actions, rng, states, aux, terms):
    terms[:] = 0
    states[:, CLOCK] += 1
    for n, action in enumerate(actions):
        goal = states[n, AT] + (action - 1)
        if not 0 <= goal < CELLS:
            terms[n, 1] = 1.0
            continue
        states[n, AT] = goal
        if goal == 3 and states[n, COIN]:
            states[n, COIN], terms[n, 0] = 0, 1.0


def _placements(state):
    states = np.repeat(state[None], CELLS, axis=0)
    states[:, AT] = np.arange(CELLS)
    return states, np.stack([np.arange(CELLS), np.zeros(CELLS, int)], axis=1)


@pytest.fixture
def corridor() -> Task:
    world = World(
        name="corridor",
        params=np.zeros(1),
        kernel=Kernel(_reset, _step, _observe, lambda *_: None),
        state_size=3,
        state_dtype=np.int16,
        aux_size=0,
        aux_dtype=np.int16,
        obs_names=("at", "coin"),
        terms=(Term("coin", "coins", "taken"), Term("bump", "times", "hit the end")),
        action_space=spaces.Discrete(3),
        action_names=("left", "stay", "right"),
        idle_action=1,
        clock=CLOCK,
        steps_per_second=10,
        placements=_placements,
        agent_position=lambda states: np.stack([states[:, AT], 0 * states[:, AT]], axis=1),
    )
    return Task("toy/Corridor", "Corridor", "", world, 20, {"coin": 1.0}, lambda b, t, a: t[:, 0],
                lambda s: s[:, COIN] == 0, {"": 1, "left": 0, "right": 2})  # fmt: skip


STATE = np.array([7, 1, 1], np.int16)
TERMS_ONLY = RewardArrays(weights=np.array([[2.0, -1.0], [4.0, -3.0]], np.float32))


def test_xray_is_the_learned_reward_worked_out_by_hand(corridor: Task) -> None:
    where, value = XRay(corridor, rows=4).paint(STATE, TERMS_ONLY)
    assert where.tolist() == [[0, 0], [1, 0], [2, 0], [3, 0], [4, 0]]
    # Mean weights: coin 3, bump -2. Cell 3 is entered from 2 and from 4, both taking the coin.
    np.testing.assert_allclose(value, [0, 0, 0, 3, 0])


def test_xray_of_an_empty_corridor_where_only_the_net_speaks(corridor: Task) -> None:
    # r = 0.5 * at(before) + 2 * change of at: inputs are at, coin, d at, d coin, three actions.
    weight = np.array([[0.5], [0], [2.0], [0], [0], [0], [0]], np.float32)
    reward = RewardArrays(np.zeros((1, 2), np.float32), (((weight, np.zeros(1, np.float32)),),), one_hot=3)
    _, value = XRay(corridor, rows=7).paint(np.array([0, 1, 0], np.int16), reward)
    # cell c is entered from c-1 (0.5(c-1) + 2) and from c+1 (0.5(c+1) - 2); the ends from one side.
    np.testing.assert_allclose(
        value, [0.5 - 2, (2 + 1 - 2) / 2, (2.5 + 1.5 - 2) / 2, (3 + 2 - 2) / 2, 1.5 + 2]
    )


def test_where_no_step_leads_the_steps_that_begin_there_are_painted(corridor: Task) -> None:
    xray = XRay(corridor)
    xray._fan = np.array([1])  # staying is all that can be done
    weight = np.array([[0.5], [0], [2.0], [0], [0], [0], [0]], np.float32)
    reward = RewardArrays(np.zeros((1, 2), np.float32), (((weight, np.zeros(1, np.float32)),),), one_hot=3)
    np.testing.assert_allclose(xray.paint(STATE, reward)[1], [0, 0.5, 1, 1.5, 2])


def test_overlay_is_spread_over_frames_and_made_anew_only_when_something_changed(corridor: Task) -> None:
    xray = XRay(corridor, rows=2)
    frames = 1
    while not xray.update(STATE, TERMS_ONLY, budget=0.0):
        frames += 1
    assert frames == 1 + CELLS * 3 // 2 + 1
    _, value = xray.overlay
    np.testing.assert_allclose(value, [0, 0, 0, 1, 0])
    moved = np.array([9, 4, 1], np.int16)  # elsewhere, later: the same layout
    assert not any(xray.update(moved, TERMS_ONLY, budget=60.0) for _ in range(5))
    taken = np.array([9, 3, 0], np.int16)
    assert xray.update(taken, TERMS_ONLY, budget=60.0)
    np.testing.assert_allclose(xray.overlay[1], 0)
    assert xray.update(taken, RewardArrays(-TERMS_ONLY.weights), budget=60.0)
    xray.update(taken, None)
    assert xray.overlay is None


def test_places_that_go_with_the_agent_move_on_with_it_and_show_what_begins_there(corridor: Task) -> None:
    def around(state):
        states, where = _placements(state)
        return states, where + [state[AT], 0]

    road = replace(corridor, world=replace(corridor.world, placements=around))
    xray = XRay(road)
    assert not xray.fixed
    assert XRay(corridor).fixed
    while not xray.update(STATE, TERMS_ONLY):
        pass
    # Of three actions one takes the coin from 2 and from 4 (3); one bumps at 0, and at 4 (-2).
    np.testing.assert_allclose(xray.paint(STATE, TERMS_ONLY)[1], [-2 / 3, 0, 1, 1, 1 / 3], rtol=1e-5)
    where, value = xray.at(np.array([0, 1, 1]), np.array([1, 3, 1]), 0.25)
    assert where[:, 0].tolist() == [1.5, 2.5, 3.5, 4.5, 5.5]
    assert value is xray.overlay[1]


def test_faint_differences_are_not_stretched_to_full_colour() -> None:
    assert np.abs(normalised(np.array([0.0, 0.0, 0.01]))).max() < 0.05
    np.testing.assert_allclose(normalised(np.array([1.0, 1.0, 1.0, -3.0, 3.0])), [0, 0, 0, -1, 0.5])


def test_actions_to_try() -> None:
    assert action_fan(spaces.Discrete(4)).tolist() == [0, 1, 2, 3]
    box = action_fan(spaces.Box(-1, 1, (2,), np.float32))
    assert box.shape == (9, 2)
    assert {tuple(a) for a in box.tolist()} == {(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)}
    with pytest.raises(ValueError, match="no x-ray"):
        action_fan(spaces.MultiDiscrete([2, 2]))


def _right(obs, random):
    return np.full(len(obs), 2)


def test_a_crowd_counts_each_life_apart(corridor: Task) -> None:
    crowd = Crowd(corridor, 3, _right)
    for _ in range(20):
        crowd.step()
    assert list(crowd.done) == [True, True, True]
    # 1 -> 4 takes the coin on the way, then bumps for the other 17 of 20 steps.
    np.testing.assert_array_equal(crowd.episodes, np.tile([1.0, 17.0], (3, 1)))
    np.testing.assert_array_equal(crowd.before, crowd.states)  # no blend from one life into the next
    assert [len(t) for t in crowd.trails] == [0, 0, 0]


def test_a_crowd_together_starts_in_one_layout_and_goes_on_in_another(corridor: Task) -> None:
    crowd = Crowd(corridor, 4, lambda obs, random: random.integers(0, 3, len(obs)), together=True)
    assert crowd.born == 1
    for _ in range(20):
        assert len(np.unique(crowd.states[:, CLOCK])) == 1
        crowd.step()
    assert crowd.born == 2
    assert len(crowd.episodes) == 4
    crowd.start_at(np.array([0, 2, 0], np.int16))
    np.testing.assert_array_equal(crowd.states, np.tile([0, 2, 0], (4, 1)))


def test_a_crowd_runs_at_the_pace_of_the_screen(corridor: Task) -> None:
    crowd = Crowd(corridor, 2, _right)
    assert sum(crowd.advance(1 / 60) for _ in range(60)) == 10
    crowd.clock.faster()
    assert sum(crowd.advance(1 / 60) for _ in range(60)) == 20


def test_agents_of_one_crowd_follow_the_simulation_exactly(corridor: Task) -> None:
    crowd, sim = Crowd(corridor, 2, _right, seed=5), Simulation(corridor, 2, seed=5)
    for _ in range(7):
        crowd.step()
        sim.step(np.array([2, 2]))
    np.testing.assert_array_equal(crowd.states, sim.states)


@pytest.mark.parametrize(("count", "shape"), [(1, (1, 1)), (4, (2, 2)), (16, (4, 4)), (6, (3, 2))])
def test_pictures_fill_the_space(count: int, shape: tuple[int, int]) -> None:
    assert grid(count, 900, 900 * shape[1] // shape[0], 1.0) == shape
