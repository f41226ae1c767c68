"""Is a state one that a world could be in? Asked of states that come from files of others.

Compiled kernels look things up by numbers in the state (where a robot stands, which car is the guest)
and don't look whether those lie inside: a state made to harm could make them write anywhere in memory.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from envs.lanes import lanes_state_layout as road
from envs.rooms import rooms_state_layout as flat
from envs.world import Array, Task

LARGE = 1e6  # no number of a state is larger

_Check = tuple[str, Array]
"""(what is wrong, where it is [T+1] bool)"""


def unsound(task: Task, states: Array) -> str | None:
    """What is wrong with states [T+1, K] of a task of ours, in a few words; None if nothing is.

    K and the type have to be right already.
    """
    numbers = states.astype(np.float64)
    checks = [("a number out of range", ~(np.abs(numbers) <= LARGE).all(-1)), _clock(task, numbers)]
    if not any(wrong.any() for _, wrong in checks):
        checks += _OF_WORLD[task.world.name](task, numbers)
    return next((what for what, wrong in checks if wrong.any()), None)


def _clock(task: Task, states: Array) -> _Check:
    clock = states[:, task.world.clock]
    return _outside("a clock outside the episode", clock, 0, task.horizon)


def _outside(what: str, values: Array, low: float, high: float, whole: bool = True) -> _Check:
    """Values [T+1] or [T+1, n] that are not (whole) numbers from low to high."""
    wrong = ~((values >= low) & (values <= high))
    if whole:
        wrong |= values != np.floor(values)
    return what, np.asarray(wrong if wrong.ndim == 1 else wrong.any(-1))


def _rooms(task: Task, states: Array) -> list[_Check]:
    """Walls all around, so that nobody leaves; the robot inside and not in a wall."""
    size = int(task.world.params[flat.SIZE])
    head, cells = states[:, : flat.HEADER], states[:, flat.HEADER :].reshape(-1, size, size)
    found = [
        _outside("a robot outside the flat", head[:, [flat.ROW, flat.COL]], 1, size - 2),
        _outside("a heading that is none", head[:, flat.HEADING], 0, 3),
        _outside("a cell of no kind", cells.reshape(len(cells), -1), 0, flat.FORCED),
        _outside("mud for too long", head[:, flat.MUDDY], 0, flat.MUD_STEPS),
        _outside("a count below 0 or too large", head, 0, max(size * size, task.horizon)),
    ]
    rim = np.ones((size, size), np.bool_)
    rim[1:-1, 1:-1] = False
    found.append(("a gap in the outer wall", (cells[:, rim] != flat.WALL).any(-1)))
    if not any(wrong.any() for _, wrong in found):
        under = cells[np.arange(len(cells)), head[:, flat.ROW].astype(int), head[:, flat.COL].astype(int)]
        found.append(("a robot in a wall", (under == flat.WALL) | (under == flat.CAT)))
    return found


def _lanes(task: Task, states: Array) -> list[_Check]:
    """Lanes and cars that there are; people at the zebra are counted, other guests are cars."""
    params = task.world.params
    lanes, cars, kind = int(params[road.LANES]), int(params[road.CARS]), int(params[road.KIND])
    each = road.cars_of(states)
    found = [
        _outside("a car that was hit and is none", states[:, road.CRASH_CAR], 0, cars - 1),
        _outside("a crash that is neither 0 nor 1", states[:, road.CRASHED], 0, 1),
        _outside("a lane that is none", each[..., road.LANE], 0, lanes),
        _outside("a car beside the road", each[..., road.Y], -2.0, lanes + 8.0, whole=False),
        _outside("a car of no length", each[..., road.LENGTH], 0.5, 60.0, whole=False),
        _outside("a speed that no car has", each[..., road.V], -1.0, 100.0, whole=False),
        _outside("a wish for a speed that no car has", each[..., road.CRUISE], 0.0, 100.0, whole=False),
        _outside("a temper outside 0 to 1", each[..., road.TEMPER], -0.01, 1.01, whole=False),
    ]
    if kind != road.CRUISE_KIND:
        guest = road.extras_of(states)[:, road.GUEST]
        found.append(_outside("a guest that is nobody", guest, 0, 8 if kind == road.CROSSING else cars - 1))
    return found


def _rover(task: Task, states: Array) -> list[_Check]:
    """Its kernel looks nothing up by the state; `unsound` has bounded the numbers."""
    return []


_OF_WORLD: dict[str, Callable[[Task, Array], list[_Check]]] = {
    "rooms": _rooms,
    "lanes": _lanes,
    "rover": _rover,
}
