"""Hand-placed cars for the tests of lanes."""

import numpy as np

from envs.lanes.lanes_state_layout import (
    CRUISE,
    FIELDS,
    HEADER,
    LANE,
    LENGTH,
    SINCE,
    TEMPER,
    V,
    X,
    Y,
    cars_of,
)
from envs.lanes.lanes_tasks import lanes_cruise
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
    sim.set_states(np.ones(1, np.bool_), state, sim.rng.copy())
    return sim


def see(sim: Simulation, name: str) -> float:
    return float(sim.obs[0, sim.task.world.obs_names.index(name)])
