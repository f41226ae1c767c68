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
gives each car's place relative to car 0 in [-ring/2, ring/2). params: LANES, CARS, RING, SPLIT, KIND (which
of the tasks), LIMIT (speed limit [m/s]). A drawn road (lanes_layout_parser.py) has more: LOOSE (how far off
everybody may begin [m]), SITE_AT (SITE), PEOPLE_AT (how many wait, -1 as it happens), GUEST_AT (GUEST), and
from DRAWN on six numbers a car: X from car 0's, LANE, V, TEMPER, CRUISE, LENGTH.

Every task but CRUISE adds EXTRAS numbers at the end of the state (`extras_of(states)`), fewer than a
car has:
  SITE      X of the ramp's mouth or of the middle of the zebra [m]
  GUEST     index of the car on the ramp, of the ambulance; at the zebra how many people walk together
  HELD      how long the guest has been held up by car 0, summed over this visit [steps * share]
  HELD_ALL  the same, summed over the episode; at the zebra how often people were cut off
  SERVED    guests let in, ambulances let past, or people given way to [times]
  WALK      the people's place across the road [lanes]
  HEADING   1 if they walk down the picture, -1 up, 0 once they are across or where there is nobody
  TRIGGER   they want to cross once car 0 is so near to the line [m]
"""

from __future__ import annotations

import numpy as np

from envs.world import Array, Term

CLOCK, CRASHED, CRASH_CAR, CLOSE_SUM, CUT_SUM, CHANGES = range(6)
HEADER = 6
LANES, CARS, RING, SPLIT, KIND, LIMIT = range(6)
LOOSE, SITE_AT, PEOPLE_AT, GUEST_AT, DRAWN = range(6, 11)
CRUISE_KIND, MERGE, AMBULANCE, CROSSING = range(4)

# One car's numbers, the same in the state and in the arrays here.
X, Y, V, A, LANE, TEMPER, CRUISE, LENGTH, SINCE = range(9)
FIELDS = 9

SITE, GUEST, HELD, HELD_ALL, SERVED, WALK, HEADING, TRIGGER = range(8)
EXTRAS = 8

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

ASTRIDE = Term("astride", "share", "between two lanes: 0 up to 0.2 lanes off the middle, 1 on the line")
"""The last term where actions are continuous."""

T_PRESSED, T_HELD_UP, T_SERVED, T_SHARE = range(8, 12)
_PRESSED = Term("pressed", "share", "the car behind brakes because of you: 0 up to 2, 1 from 6 m/s^2")
MORE_TERMS: tuple[tuple[Term, ...], ...] = (
    (),
    (
        _PRESSED,
        Term("held_up", "share", "someone on the ramp brakes or waits because of you, 1 is standing"),
        Term("let_in", "times", "someone from the ramp came in near you"),
        Term("blocking", "share", "beside or just behind someone who has to come in, by road left to them"),
    ),
    (
        _PRESSED,
        Term("held_up", "share", "an ambulance behind you is slower than 24 m/s, 1 from 12 m/s down"),
        Term("let_past", "times", "an ambulance went past"),
        Term("in_the_way", "share", "an ambulance is behind in your lane: 0 at 60 m, 1 bumper to bumper"),
    ),
    (
        _PRESSED,
        Term("cut_off", "times", "drove over the line while someone was crossing or about to"),
        Term("gave_way", "times", "waited until people were across"),
        Term("rush", "share", "drove at people: braking needed to stop in time, 0 up to 2, 1 from 6 m/s^2"),
    ),
)
"""By kind, the terms after TERMS."""

_SIDES = ("left", "own", "right")
_AROUND = ("gap_ahead", "closing_ahead", "headway", "gap_behind", "closing_behind")
OBS_SELF = ("crashed", "speed", "acceleration", "drift", "since_change", "right_free")
SIGHT = 80.0  # [m]
CLOSING = 8.0  # [m/s]


MORE_OBS: tuple[tuple[str, ...], ...] = (
    (),
    ("ramp_car", "ramp_car_ahead", "ramp_car_closing", "ramp_car_speed", "ramp_car_room",
     "ramp_ahead", "ramp_car_held"),
    ("siren_behind", "siren_ahead", "siren_closing", "siren_left", "siren_own", "siren_right", "siren_held"),
    ("line_near", "line_braking", "people_wait", "people_walk", "people_beside", "people_coming",
     "people_in_way"),
)  # fmt: skip
"""By kind, the features after those of the road."""
SEEN = 7  # how many they are


def obs_names(lanes: int, kind: int = CRUISE_KIND) -> tuple[str, ...]:
    """Names of the features, in order; 'left' and 'right' are the lanes beside the one aimed at."""
    return (
        OBS_SELF
        + tuple(f"lane_{lane}" for lane in range(lanes))
        + ("can_left", "can_right", "forces_left", "forces_right")
        + tuple(f"{what}_{side}" for side in _SIDES for what in _AROUND)
        + MORE_OBS[kind]
    )


def cars_of(states: Array) -> Array:
    """The cars of states [..., K] as a view [..., cars, FIELDS]."""
    count = (states.shape[-1] - HEADER) // FIELDS
    return states[..., HEADER : HEADER + FIELDS * count].reshape(*states.shape[:-1], count, FIELDS)


def extras_of(states: Array) -> Array:
    """What a task other than CRUISE adds to states [..., K], as a view [..., EXTRAS]."""
    return states[..., -EXTRAS:]


def offsets(states: Array, ring: float) -> Array:
    """Each car's place along the road relative to car 0 [..., cars], in [-ring/2, ring/2) [m]."""
    x = cars_of(states)[..., X].astype(np.float64)
    return (x - x[..., :1] + ring / 2) % ring - ring / 2


def agent_position(states: Array) -> Array:
    """(X [m], Y [lanes]) of car 0, [N, 2]."""
    return np.asarray(cars_of(states)[..., 0, [X, Y]])
