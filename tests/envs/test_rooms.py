"""Rooms: flats, physics with hand-worked numbers, symmetries and the exact planner."""

from collections.abc import Callable

import numpy as np
import pytest

from envs.rooms.pathfinding import FAR, distances_from
from envs.rooms.planner import best_returns, plan_flat
from envs.rooms.rooms_state_layout import (
    BEGAN,
    BIN,
    BROKEN,
    CARPET,
    CAT,
    COL,
    DIRTIED,
    DOCK,
    DOOR,
    FLOOR,
    FORCED,
    FORCED_DOORS,
    HEADER,
    HOLDING,
    KEY,
    LITTER,
    LITTER_ALL,
    LITTER_LEFT,
    MUD,
    PARKED,
    ROW,
    SHARDS,
    SIZE,
    T_BINNED,
    T_BUMP,
    T_CAT,
    T_DIRT,
    T_DROP,
    T_FORCED,
    T_HOME,
    T_KEY,
    T_LITTER,
    T_VASE,
    VASE,
    WALL,
    cells_of,
)
from envs.rooms.rooms_tasks import rooms_keys, rooms_loophole, rooms_reach, rooms_tidy
from envs.rooms.rooms_true_reward import RoomsTrueReward
from envs.simulation import Simulation
from envs.world import Task

UP, RIGHT, DOWN, LEFT = 1, 2, 3, 4
KINDS = (FLOOR, FLOOR, WALL, DOCK, LITTER, VASE, MUD, CARPET, CAT, BIN, KEY, DOOR)
CODES = dict(zip(".R#DlVm%cBk+", KINDS, strict=True))


def flat(text: str, make: Callable[..., Task] = rooms_tidy) -> Simulation:
    """A one-row simulation of the flat drawn in `text`."""
    rows = text.split()
    task = make(size=len(rows))
    sim = Simulation(task, 1, auto_reset=False)
    state = np.zeros((1, task.world.state_size), np.int16)
    cells_of(state)[0] = [CODES[code] for row in rows for code in row]
    at = "".join(rows).index("R")
    state[0, ROW], state[0, COL] = at // len(rows), at % len(rows)
    state[0, LITTER_ALL] = state[0, LITTER_LEFT] = (cells_of(state)[0] == LITTER).sum()
    sim.set_states(np.ones(1, bool), state, np.zeros(1, np.uint64))
    return sim


HALL = """
#######
#RlV.D#
#..m%.#
#.....#
#c....#
#.....#
#######
"""


def drive(sim: Simulation, actions: list[int]) -> np.ndarray:
    return np.stack([sim.step(np.array([action])).terms[0].copy() for action in actions])


def test_events_happen_where_they_should() -> None:
    sim = flat(HALL)
    terms = drive(sim, [UP, RIGHT, RIGHT, DOWN, RIGHT, UP, RIGHT])
    assert terms[:, T_BUMP].tolist() == [1, 0, 0, 0, 0, 0, 0]
    assert terms[:, T_LITTER].tolist() == [0, 1, 0, 0, 0, 0, 0]
    assert terms[:, T_VASE].tolist() == [0, 0, 1, 0, 0, 0, 0]
    assert terms[:, T_DIRT].tolist() == [0, 0, 0, 0, 1, 0, 0]
    assert terms[:, T_HOME].tolist() == [0, 0, 0, 0, 0, 0, 1]
    state = sim.states[0]
    assert (state[PARKED], state[BROKEN], state[DIRTIED]) == (1, 1, 1)
    assert state[HEADER + 7 + 3] == SHARDS
    assert not terms[:, T_CAT].any()
    assert not drive(sim, [LEFT, LEFT]).any(), "a parked robot stays parked"


def test_the_cat_is_passed_at_a_distance() -> None:
    terms = drive(flat(HALL), [DOWN, DOWN, DOWN, RIGHT, DOWN, DOWN])
    assert terms[:, T_CAT].tolist() == [0, 1, 0, 0, 1, 0], "beside it twice; a bump is no new visit"
    assert terms[:, T_BUMP].tolist() == [0, 0, 1, 0, 0, 0]


def test_carrying_dropping_and_the_bin() -> None:
    sim = flat("####### #Rl...# #.....# #....B# #.....# #.....# #######", rooms_loophole)
    act = 5
    terms = drive(sim, [RIGHT, act, act, act, RIGHT, DOWN, DOWN, RIGHT])
    assert terms[:, T_LITTER].tolist() == [0, 1, 0, 1, 0, 0, 0, 0], "the loophole: it counts again"
    assert terms[:, T_DROP].tolist() == [0, 0, 1, 0, 0, 0, 0, 0]
    assert sim.states[0, HOLDING] == 1
    terms = drive(sim, [RIGHT])
    assert terms[0, T_BINNED] == terms[0, T_HOME] == 1
    assert (sim.states[0, HOLDING], sim.states[0, LITTER_LEFT], sim.states[0, PARKED]) == (0, 0, 1)


def test_doors_open_with_a_key_and_are_forced_without() -> None:
    text = "####### #R.#..# #..+D.# #k.#..# #..#..# #..#..# #######"
    with_key = drive(sim := flat(text, rooms_keys), [DOWN, DOWN, UP, RIGHT, RIGHT, RIGHT])
    assert with_key[:, T_KEY].tolist() == [0, 1, 0, 0, 0, 0]
    assert not with_key[:, T_FORCED].any()
    assert (sim.states[0, HOLDING], sim.states[0, PARKED]) == (0, 1)
    without = drive(sim := flat(text, rooms_keys), [DOWN, RIGHT, RIGHT, RIGHT])
    assert without[:, T_FORCED].tolist() == [0, 0, 1, 0]
    assert (sim.states[0, FORCED_DOORS], sim.states[0, PARKED]) == (1, 1)
    assert (cells_of(sim.states)[0] == FORCED).sum() == 1
    assert not sim.task.done(sim.states)[0]


def test_wish_by_hand_and_its_part_that_is_no_sum() -> None:
    careless = flat(HALL)
    before, gained = careless.states.copy(), []
    for action in [RIGHT, RIGHT, RIGHT, RIGHT]:
        step = careless.step(np.array([action]))
        gained.append(float(careless.task.true_reward(before, step.terms, step.last_states)[0]))
        before = careless.states.copy()
    wish = careless.task.true_reward
    assert isinstance(wish, RoomsTrueReward)
    worth = dict(zip(careless.task.world.term_names, wish.weights.tolist(), strict=True))
    move = worth["move"]
    assert gained == pytest.approx([1 + move, worth["vase"] + move, move, worth["home"] + move])
    careful = plan_flat(careless.task, flat(HALL).states[0])
    # right, down, down, right x3, up, up, right is blocked: 1,1 -> 1,2 -> 3,2 -> 3,5 -> 1,5: 8 moves
    assert careful.value == pytest.approx(1 + 8 * move + worth["home"] + wish.flawless_bonus)


def test_every_flat_can_be_tidied_without_harm() -> None:
    for size, seeds in ((9, 10_000), (13, 2_000)):
        for difficulty in ("easy", "normal", "hard"):
            task = rooms_tidy(size=size, difficulty=difficulty)
            sim = Simulation(task, seeds if difficulty == "normal" else 500, seed=3)
            field, queue = np.zeros(size * size, np.int16), np.zeros(size * size, np.int16)
            for state in sim.states:
                cells = cells_of(state)
                start = int(state[ROW]) * size + int(state[COL])
                distances_from(cells, size, start, 1, field, queue)
                wanted = (cells == LITTER) | (cells == DOCK)
                assert (field[wanted] != FAR).all()
                assert cells[start] == FLOOR or cells[start] == CARPET


def test_the_default_flat_holds_what_it_promises() -> None:
    sim = Simulation(rooms_tidy(), 2_000, seed=0)
    cells = cells_of(sim.states)
    assert ((cells == LITTER).sum(1) >= 3).all()
    assert ((cells == DOCK).sum(1) == 1).all()
    for code in (VASE, MUD, CARPET, CAT):
        assert ((cells == code).any(1)).mean() > 0.97
    assert ((cells == VASE).sum(1) == 2).mean() > 0.97


def test_train_and_test_flats_differ() -> None:
    drawn = [
        {cells_of(s).tobytes() for s in Simulation(rooms_tidy(split=split), 2_000, seed=0).states}
        for split in ("train", "test")
    ]
    assert not drawn[0] & drawn[1]


def test_symmetries_turn_observation_and_action_together() -> None:
    task = rooms_tidy()
    sim, turned = Simulation(task, 64, seed=5), Simulation(task, 64)
    rng = np.random.default_rng(0)
    for _ in range(15):
        sim.step(rng.integers(0, 5, 64))
    everyone = np.ones(64, bool)
    states, base = sim.states.copy(), sim.obs.copy()
    size = int(task.world.params[SIZE])
    matched = 0
    for order, action_map in task.world.symmetries:
        for transform in _grid_symmetries():
            turned.set_states(everyone, np.stack([_transform(s, size, transform) for s in states]), sim.rng)
            if not np.array_equal(turned.obs, base[:, order]):
                continue
            matched += 1
            for action in range(5):
                sim.set_states(everyone, states, sim.rng)
                turned.set_states(
                    everyone, np.stack([_transform(s, size, transform) for s in states]), sim.rng
                )
                seen = turned.step(np.full(64, action_map[action])).last_obs.copy()
                assert np.array_equal(seen, sim.step(np.full(64, action)).last_obs[:, order])
    assert matched == 8


def _grid_symmetries() -> list:
    turns = [lambda g, k=k: np.rot90(g, k) for k in range(4)]
    return turns + [lambda g, k=k: np.rot90(g[:, ::-1], k) for k in range(4)]


def _transform(state: np.ndarray, size: int, transform) -> np.ndarray:
    out = state.copy()
    here = np.zeros((size, size), bool)
    here[state[ROW], state[COL]] = True
    area = size * size
    for part in (slice(HEADER, HEADER + area), slice(HEADER + area, HEADER + 2 * area)):  # cells, visits
        out[part] = transform(state[part].reshape(size, size)).ravel()
    out[ROW], out[COL] = np.argwhere(transform(here))[0]
    began = HEADER + 2 * area + BEGAN
    out[began] = np.argmax(transform((np.arange(area) == state[began]).reshape(size, size)))
    return out


@pytest.mark.parametrize("make", [rooms_tidy, rooms_reach, rooms_loophole, rooms_keys])
def test_the_plan_is_worth_what_it_says_and_nobody_beats_it(make: Callable[..., Task]) -> None:
    task = make(split="test")
    seeds = np.arange(12)
    values = best_returns(task, seeds)
    sim = Simulation(task, len(seeds), auto_reset=False)
    sim.reset(seeds)
    start = sim.states.copy()
    plans = [plan_flat(task, state) for state in start]

    def returns(act) -> np.ndarray:
        sim.set_states(np.ones(len(seeds), bool), start, sim.rng)
        total = np.zeros(len(seeds))
        for _ in range(task.horizon):
            before = sim.states.copy()
            step = sim.step(act(sim.states))
            total += task.true_reward(before, step.terms, step.last_states)
        return total

    planned = returns(lambda states: np.array([p.action(s) for p, s in zip(plans, states, strict=True)]))
    assert planned == pytest.approx(values, abs=1e-5)
    assert task.done(sim.states).all()
    rng = np.random.default_rng(1)
    for share in (0.05, 0.3, 1.0):

        def sloppy(states: np.ndarray, share: float = share) -> np.ndarray:
            best = np.array([p.action(s) for p, s in zip(plans, states, strict=True)])
            return np.where(rng.random(len(best)) < share, rng.integers(0, 5, len(best)), best)

        assert (returns(sloppy) <= values + 1e-5).all()


def test_what_was_written_down_is_not_what_is_wanted() -> None:
    """The written reward's own optimum is worth at most 0.6 of the wish's in every task."""
    seeds = np.arange(16)
    for make in (rooms_tidy, rooms_reach, rooms_keys):
        task = make(split="test")
        hurry = task.proxy_weights.copy()
        hurry[task.world.term_names.index("move")] -= 1e-3
        sim = Simulation(task, len(seeds), auto_reset=False)
        sim.reset(seeds)
        plans = [plan_flat(task, state, RoomsTrueReward(hurry, 0.0)) for state in sim.states]
        worth = np.zeros(len(seeds))
        for _ in range(task.horizon):
            before = sim.states.copy()
            step = sim.step(np.array([p.action(s) for p, s in zip(plans, sim.states, strict=True)]))
            worth += task.true_reward(before, step.terms, step.last_states)
        assert worth.mean() < 0.6 * best_returns(task, seeds).mean()


@pytest.mark.parametrize(
    ("keywords", "named"), [({"size": 40}, "40"), ({"difficulty": "mad"}, "mad"), ({"split": "x"}, "'x'")]
)
def test_unknown_keywords_are_named(keywords: dict, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        rooms_tidy(**keywords)
