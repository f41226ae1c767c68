"""The pictures of the worlds: they follow the state, at every size, without a display."""

from __future__ import annotations

import numpy as np
import pygame
import pytest

from envs.lanes.lanes_renderer import LanesRenderer
from envs.lanes.lanes_state_layout import CRASH_CAR, CRASHED, CRUISE, LANE, TEMPER, A, X, cars_of
from envs.lanes.lanes_tasks import lanes_cruise
from envs.rooms import rooms_state_layout as code
from envs.rooms.rooms_renderer import RoomsRenderer
from envs.rooms.rooms_tasks import rooms_tidy
from envs.rover import rover_state_layout as rover
from envs.rover.rover_renderer import RoverRenderer
from envs.rover.rover_tasks import rover_deliver
from envs.simulation import Simulation
from envs.world import Array, Renderer, Task

WORLDS = [(rooms_tidy, RoomsRenderer), (lanes_cruise, LanesRenderer), (rover_deliver, RoverRenderer)]
SIZE = 7


def picture(
    renderer: Renderer, before: Array, after: Array, blend: float = 0.0, size: int = 210, **more
) -> Array:
    surface = pygame.Surface((size, round(size / renderer.aspect)))
    surface.fill((30, 28, 30))
    renderer.draw(surface, surface.get_rect(), before, after, blend, **more)
    return pygame.surfarray.array3d(surface).swapaxes(0, 1).astype(int)


def driven(task: Task, steps: int, seed: int = 0) -> Array:
    """The states of one row under random actions, [steps + 1, K]."""
    simulation = Simulation(task, 1, seed=seed)
    rng = np.random.default_rng(seed)
    states = [simulation.states[0].copy()]
    for _ in range(steps):
        box = task.world.name == "rover"
        simulation.step(rng.uniform((0.8, -0.2), (1.0, 0.2), (1, 2)) if box else rng.integers(0, 5, 1))
        states.append(simulation.states[0].copy())
    return np.stack(states)


def empty_flat() -> Array:
    state = np.zeros(code.HEADER + SIZE * SIZE, np.int16)
    cells = state[code.HEADER :].reshape(SIZE, SIZE)
    cells[[0, -1]] = cells[:, [0, -1]] = code.WALL
    state[[code.ROW, code.COL, code.HEADING]] = 5, 5, 1
    return state


def with_cell(kind: int, row: int = 2, column: int = 2) -> Array:
    state = empty_flat()
    state[code.HEADER + row * SIZE + column] = kind
    return state


@pytest.fixture(params=WORLDS, ids=["rooms", "lanes", "rover"])
def world(request: pytest.FixtureRequest) -> tuple[Task, Renderer]:
    make, renderer = request.param
    task = make()
    return task, renderer(task)


def test_same_state_gives_same_pixels(world: tuple[Task, Renderer]) -> None:
    task, renderer = world
    states = driven(task, 6)
    first = picture(renderer, states[4], states[5], 0.3)
    picture(renderer, states[0], states[1], 0.8)
    again = picture(type(renderer)(task), states[4], states[5], 0.3)
    assert np.array_equal(first, again)


def test_blend_moves_the_picture(world: tuple[Task, Renderer]) -> None:
    task, renderer = world
    states = driven(task, 12)
    moving = next(
        k
        for k in range(12)
        if (task.world.agent_position(states[k]) != task.world.agent_position(states[k + 1])).any()
    )
    before, after = states[moving], states[moving + 1]
    moments = [picture(renderer, before, after, blend) for blend in (0.0, 0.5, 1.0)]
    assert not np.array_equal(moments[0], moments[1])
    assert not np.array_equal(moments[1], moments[2])


@pytest.mark.parametrize("size", [60, 64, 120, 333, 1200])
def test_any_size(world: tuple[Task, Renderer], size: int) -> None:
    task, renderer = world
    state = driven(task, 1)[0]
    shot = picture(renderer, state, state, size=size)
    assert len(np.unique(shot.reshape(-1, 3), axis=0)) > 50
    # Nothing but rounded corners is left bare along the middle of the picture.
    middle = shot[shot.shape[0] // 2]
    assert (np.abs(middle - [30, 28, 30]).sum(axis=1) > 6).mean() > 0.8


def test_states_of_a_whole_episode(world: tuple[Task, Renderer]) -> None:
    task, renderer = world
    states = driven(task, task.horizon, seed=3)
    for before, after in zip(states[:-1:3], states[1::3], strict=False):
        picture(renderer, before, after, 0.5, size=90)


def test_stays_within_its_rectangle(world: tuple[Task, Renderer]) -> None:
    task, renderer = world
    states = driven(task, 2)
    surface = pygame.Surface((400, 400))
    surface.fill((1, 2, 3))
    rect = pygame.Rect(100, 120, 200, 150)
    renderer.draw(surface, rect, states[0], states[1], 0.5, ghosts=list(states), trail=list(states))
    assert surface.get_clip() == surface.get_rect()
    surface.fill((1, 2, 3), rect)
    assert (pygame.surfarray.array3d(surface) == [1, 2, 3]).all()


def test_overlay_is_blue_where_liked_and_orange_where_not(world: tuple[Task, Renderer]) -> None:
    task, renderer = world
    state = driven(task, 1)[0]
    _, where = task.world.placements(state)
    plain = picture(renderer, state, state)
    shots = {
        sign: picture(renderer, state, state, overlay=(where, np.full(len(where), sign)))
        for sign in (-1, 0, 1)
    }
    assert np.abs(shots[0] - plain).mean() < 0.5
    bluer = (shots[1] - plain).mean(axis=(0, 1))
    oranger = (shots[-1] - plain).mean(axis=(0, 1))
    assert bluer[2] - bluer[0] > 15
    assert oranger[0] - oranger[2] > 15


def test_overlay_marks_signs_in_shape_too(world: tuple[Task, Renderer]) -> None:
    """Without colour, liked and disliked still differ: a plus is not a minus."""
    task, renderer = world
    state = driven(task, 1)[0]
    _, where = task.world.placements(state)
    white = []
    for sign in (-1, 1):
        shot = picture(renderer, state, state, size=600, overlay=(where, np.full(len(where), sign)))
        white.append(int((shot.min(axis=2) > 225).sum()))
    assert white[1] > 1.05 * white[0]


def test_ghosts_and_trail_appear(world: tuple[Task, Renderer]) -> None:
    task, renderer = world
    states = driven(task, 24 if task.world.name == "rover" else 12, seed=1)
    state = states[-1]
    plain = picture(renderer, state, state)
    ghosts = picture(renderer, state, state, ghosts=[states[0], states[4]])
    pairs = picture(renderer, state, state, 0.0, ghosts=[np.stack([states[0], states[1]]), states[4]])
    trail = picture(renderer, state, state, trail=list(states))
    assert np.abs(ghosts - plain).sum() > 500
    assert np.array_equal(ghosts, pairs)
    assert np.abs(trail - plain).sum() > 500


def test_every_kind_of_cell_looks_different() -> None:
    renderer = RoomsRenderer(rooms_tidy())
    shots = [picture(renderer, with_cell(kind), with_cell(kind)) for kind in range(15)]
    for k, one in enumerate(shots):
        for other in shots[:k]:
            assert np.abs(one - other).sum() > 2000


def test_a_robot_shows_where_it_looks_and_how_it_is() -> None:
    renderer = RoomsRenderer(rooms_tidy())
    shots = []
    for header, value in (
        (code.HEADING, 0),
        (code.HEADING, 2),
        (code.MUDDY, 3),
        (code.PARKED, 1),
        (code.HOLDING, 1),
    ):
        state = empty_flat()
        state[header] = value
        shots.append(picture(renderer, state, state))
    for k, one in enumerate(shots):
        for other in shots[:k]:
            assert np.abs(one - other).sum() > 300


def test_a_breaking_vase_bursts() -> None:
    renderer = RoomsRenderer(rooms_tidy())
    before, after = with_cell(code.VASE), with_cell(code.SHARDS)
    during = picture(renderer, before, after, 0.7)
    rest = picture(renderer, after, after)
    changed = np.argwhere(np.abs(during - rest).sum(axis=2) > 30)
    cell = 210 / SIZE
    assert np.ptp(changed, axis=0).max() > 1.1 * cell  # pieces fly out of the cell


def test_temper_of_drivers_is_hidden() -> None:
    task = lanes_cruise()
    state = driven(task, 1)[0]
    other = state.copy()
    cars_of(other)[1:, TEMPER] = 1.0 - cars_of(other)[1:, TEMPER]
    cars_of(other)[1:, CRUISE] += 3.0
    renderer = LanesRenderer(task)
    assert np.array_equal(picture(renderer, state, state), picture(renderer, other, other))


def test_lamps_and_crash_show() -> None:
    task = lanes_cruise()
    renderer = LanesRenderer(task)
    state = driven(task, 1)[0]
    cars_of(state)[:, A] = 0.0
    plain = picture(renderer, state, state)
    braking, turning, crashed = state.copy(), state.copy(), state.copy()
    cars_of(braking)[0, A] = -4.0
    cars_of(turning)[0, LANE] += 1 if cars_of(state)[0, LANE] == 0 else -1
    crashed[[CRASHED, CRASH_CAR]] = 1.0, 1.0
    cars_of(crashed)[1, X] = cars_of(crashed)[0, X] + 4.0
    redder = picture(renderer, braking, braking) - plain
    assert redder[..., 0].max() > 60
    assert np.abs(picture(renderer, turning, turning) - plain).sum() > 300
    assert np.abs(picture(renderer, crashed, crashed) - plain).sum() > 5000


def test_the_same_road_comes_past_again() -> None:
    """What stands beside the road belongs to the place, not to the moment."""
    task = lanes_cruise()
    renderer = LanesRenderer(task)
    state = driven(task, 0)[0]
    there = state.copy()
    cars_of(there)[:, X] += 30.0
    assert not np.array_equal(picture(renderer, state, state), picture(renderer, there, there))
    back = there.copy()
    cars_of(back)[:, X] -= 30.0
    assert np.abs(picture(renderer, state, state) - picture(renderer, back, back)).mean() < 1.0


def test_a_rover_shows_its_cargo_and_how_it_is() -> None:
    task = rover_deliver()
    renderer = RoverRenderer(task)
    shots = []
    for changes in (
        {},
        {rover.HEADING: 2.0},
        {rover.SWAY_RIGHT: 0.12},
        {rover.LOAD: rover.ROUGH},
        {rover.SHAKEN: rover.SHAKE_MOST + 1.0},
        {rover.PARKED: 1.0},
        {rover.HIT: 2.0},
    ):
        state = driven(task, 0)[0]
        for number, value in changes.items():
            state[number] = value
        shots.append(picture(renderer, state, state, 0.2, size=420))
    for k, one in enumerate(shots):
        for other in shots[:k]:
            assert np.abs(one - other).sum() > 300


def test_hills_are_lit_from_the_upper_left() -> None:
    task = rover_deliver()
    state = driven(task, 0)[0]
    state[rover.HEADER :] = 0.0
    state[rover.HEADER + 3 : rover.HEADER + 4 * int(task.world.params[rover.HILLS]) : 4] = 1.0
    state[rover.HEADER : rover.HEADER + 4] = 10.0, 10.0, 1.2, 6.0
    state[[rover.X, rover.Y, rover.START_X, rover.START_Y]] = 2.0
    state[[rover.BEACON_X, rover.BEACON_Y]] = 18.0, 2.0
    shot = picture(RoverRenderer(task), state, state, size=430)

    def light(x: float, y: float) -> float:
        middle = [round((at + 0.75) * 20) for at in (y, x)]
        return float(shot[middle[0] - 12 : middle[0] + 12, middle[1] - 12 : middle[1] + 12].mean())

    assert light(8.5, 8.5) > light(10.0, 18.0) + 5 > light(11.5, 11.5) + 30
