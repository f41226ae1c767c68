"""States of files: every state that a world comes to is sound, and those made to harm are not."""

from __future__ import annotations

import numpy as np
import pytest

from envs.lanes import lanes_state_layout as road
from envs.rooms import rooms_state_layout as flat
from envs.simulation import Simulation
from envs.state_checks import why_invalid_state
from envs.task_catalog import TASKS, task

HARD = {"difficulty": "hard", "split": "test"}


@pytest.mark.parametrize("options", [{}, HARD], ids=["usual", "hard"])
@pytest.mark.parametrize("world", TASKS)
def test_every_state_that_is_reached_is_sound(world: str, options: dict[str, str]) -> None:
    place = task(world, **options)
    random, rows = np.random.default_rng(0), 24
    sim = Simulation(place, rows, seed=1, auto_reset=False)
    space = place.world.action_space
    seen = [sim.states.copy()]
    for _ in range(place.horizon):
        if hasattr(space, "n"):
            actions = random.integers(int(space.n), size=rows)
        else:
            actions = random.uniform(space.low, space.high, (rows, *space.shape)).astype(np.float32)
        seen.append(sim.step(actions).last_states.copy())
    assert why_invalid_state(place, np.concatenate(seen)) is None


def start(world: str) -> np.ndarray:
    return Simulation(task(world), 1, seed=3).states.copy()


ROOMS = {
    "the robot far outside": (flat.ROW, 30000),
    "a negative place": (flat.COL, -30000),
    "in the outer wall": (flat.ROW, 0),
    "a heading out of range": (flat.HEADING, 9),
    "a gap in the wall": (flat.HEADER + 4, flat.FLOOR),
    "a cell of no kind": (flat.HEADER + 40, 99),
    "a clock before the start": (flat.CLOCK, -5),
    "a clock after the end": (flat.CLOCK, 32000),
}


@pytest.mark.parametrize("name", ROOMS)
def test_flats_made_to_harm(name: str) -> None:
    state = start("teachbox/RoomsTidy-v0")
    at, value = ROOMS[name]
    state[0, at] = value
    assert why_invalid_state(task("teachbox/RoomsTidy-v0"), state)


def test_roads_made_to_harm() -> None:
    merge = task("teachbox/LanesMerge-v0")
    for where, value in (
        (road.CRASH_CAR, 500.0),
        (-road.EXTRAS + road.GUEST, 70000.0),
        (-road.EXTRAS + road.GUEST, -3.0),
        (-road.EXTRAS + road.GUEST, 2.5),
        (road.HEADER + road.LANE, 1e5),
        (road.HEADER + road.LENGTH, 0.0),
        (road.CLOCK, 0.5),
        (road.HEADER + road.X, 1e9),
        (road.HEADER + road.X, np.nan),
    ):
        state = start("teachbox/LanesMerge-v0")
        assert why_invalid_state(merge, state) is None
        state[0, where] = value
        assert why_invalid_state(merge, state), (where, value)
