"""How a moment on the road is written down: state float32 [HEADER + FIELDS*cars].

First the header: CLOCK [steps], CRASHED (0 or 1), CRASH_CAR (index of the car that was hit,
else 0), CLOSE_SUM (the `headway` term summed), CUT_SUM (`cut_in` summed), CHANGES (lane changes begun).
Then the cars, FIELDS numbers each; car 0 is the one that is driven. `cars_of(states)` is the view
[N, cars, FIELDS] with
  X       middle of the car along the road [m], grows for ever; car 0 starts at 0, so its X is also
          the distance driven
  Y       middle of the car across the road [lanes]: 0 is the leftmost lane, drawn at the top
  V, A    speed [m/s], acceleration [m/s^2]
  LANE    lane it is in or moving into (a signal shows where LANE and Y differ)
  TEMPER  0 calm to 1 hasty (hidden from the driver)
  CRUISE  speed it would like [m/s]
  LENGTH  bumper to bumper [m]; over TRUCK it is a truck
  SINCE   time since its last lane change began, at most SINCE_MOST [s]
The road is a ring of params[RING] metres: a car is also at X +- k*RING, and `offsets(states, ring)`
gives each car's place relative to car 0 in [-ring/2, ring/2). params: LANES, CARS, RING, SPLIT.
"""

from __future__ import annotations

import numpy as np

from envs.world import Array, Term

CLOCK, CRASHED, CRASH_CAR, CLOSE_SUM, CUT_SUM, CHANGES = range(6)
HEADER = 6
LANES, CARS, RING, SPLIT = range(4)

# One car's numbers, the same in the state and in the arrays here.
X, Y, V, A, LANE, TEMPER, CRUISE, LENGTH, SINCE = range(9)
FIELDS = 9

LANE_WIDTH = 3.5  # [m]
CAR_WIDTH = 2.0  # [m]
ABREAST = CAR_WIDTH / LANE_WIDTH  # closer than this sideways, bodies overlap [lanes]
CLEAR = ABREAST + 0.08  # closer than this to a lane's middle, a car is still in it [lanes]
SETTLED = 0.3  # closer than this to its lane's middle, a car may change again [lanes]
TRUCK = 8.0  # longer than this keeps out of the leftmost lane [m]
FREE = 1e6  # a gap with nobody in it [m]

T_PROGRESS, T_CRASH, T_HEADWAY, T_CUT_IN, T_LEFT_LANE, T_CHANGE, T_HARD_BRAKE, T_SPEEDING = range(8)
TERMS = (
    Term("progress", "par", "distance driven, 1 is a step at 20 m/s"),
    Term("crash", "times", "hit another car"),
    Term("headway", "share", "too close to the car ahead: 0 at 1.5 s or more, 1 at no gap"),
    Term("cut_in", "share", "moved in so that the car behind must brake: 0 up to 2, 1 from 6 m/s^2"),
    Term("left_lane", "steps", "stayed in a left lane although the lane to the right was free"),
    Term("lane_change", "times", "a lane change begun"),
    Term("hard_brake", "share", "braked hard: 0 up to 3, 1 from 7 m/s^2"),
    Term("speeding", "share", "above 20 m/s, 1 at 25 m/s"),
)

_SIDES = ("left", "own", "right")
_AROUND = ("gap_ahead", "closing_ahead", "headway", "gap_behind", "closing_behind")
OBS_SELF = ("crashed", "speed", "acceleration", "drift", "since_change", "right_free")
SIGHT = 80.0  # [m]
CLOSING = 8.0  # [m/s]


def obs_names(lanes: int) -> tuple[str, ...]:
    """Names of the features, in order; 'left' and 'right' are the lanes beside the one aimed at."""
    return (
        OBS_SELF
        + tuple(f"lane_{lane}" for lane in range(lanes))
        + ("can_left", "can_right", "forces_left", "forces_right")
        + tuple(f"{what}_{side}" for side in _SIDES for what in _AROUND)
    )


def cars_of(states: Array) -> Array:
    """The cars of states [..., K] as a view [..., cars, FIELDS]."""
    return states[..., HEADER:].reshape(*states.shape[:-1], -1, FIELDS)


def offsets(states: Array, ring: float) -> Array:
    """Each car's place along the road relative to car 0 [..., cars], in [-ring/2, ring/2) [m]."""
    x = cars_of(states)[..., X].astype(np.float64)
    return (x - x[..., :1] + ring / 2) % ring - ring / 2


def place(states: Array) -> Array:
    """(X [m], Y [lanes]) of car 0, [N, 2]."""
    return np.asarray(cars_of(states)[..., 0, [X, Y]])
