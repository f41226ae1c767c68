"""Which states a road can be in: what its kernel relies on (see envs.state_checks)."""

from __future__ import annotations

from envs.lanes import lanes_state_layout as road
from envs.state_checks import StateCheck, out_of_range
from envs.world import Array, Task


def lanes_state_checks(task: Task, states: Array) -> list[StateCheck]:
    """Lanes and cars that there are; people at the zebra are counted, other guests are cars."""
    params = task.world.params
    lanes, cars, kind = int(params[road.LANES]), int(params[road.CARS]), int(params[road.KIND])
    each = road.cars_of(states)
    found = [
        out_of_range("a car that was hit and is none", states[:, road.CRASH_CAR], 0, cars - 1),
        out_of_range("a crash that is neither 0 nor 1", states[:, road.CRASHED], 0, 1),
        out_of_range("a lane that is none", each[..., road.LANE], 0, lanes),
        out_of_range("a car beside the road", each[..., road.Y], -2.0, lanes + 8.0, whole=False),
        out_of_range("a car of no length", each[..., road.LENGTH], 0.5, 60.0, whole=False),
        out_of_range("a speed that no car has", each[..., road.V], -1.0, 100.0, whole=False),
        out_of_range("a wish for a speed that no car has", each[..., road.CRUISE], 0.0, 100.0, whole=False),
        out_of_range("a temper outside 0 to 1", each[..., road.TEMPER], -0.01, 1.01, whole=False),
    ]
    if kind != road.CRUISE_KIND:
        guest = road.extras_of(states)[:, road.GUEST]
        found.append(
            out_of_range("a guest that is nobody", guest, 0, 8 if kind == road.CROSSING else cars - 1)
        )
    return found
