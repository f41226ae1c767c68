"""Lanes: a motorway driven from left to right, with traffic. State float32 [HEADER + FIELDS*cars].

Layout. First the header: CLOCK [steps], CRASHED (0 or 1), CRASH_CAR (index of the car that was hit,
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

One step is STEP seconds of road time in SUBSTEPS parts. A crash (bodies overlap) stops everything:
from then on only the clock runs, the visible absorbing state.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from gymnasium import spaces

from envs.chance import below, next_word, uniform
from envs.kernels import kernel
from envs.lanes.traffic import (
    A,
    ABREAST,
    CRUISE,
    FIELDS,
    FREE,
    LANE,
    LANE_WIDTH,
    LENGTH,
    SETTLED,
    SINCE,
    TEMPER,
    TRUCK,
    V,
    X,
    Y,
    choose_lane,
    idm,
    neighbours,
    occupies,
    pull,
    sideways,
)
from envs.world import Array, Kernel, Term, World

CLOCK, CRASHED, CRASH_CAR, CLOSE_SUM, CUT_SUM, CHANGES = range(6)
HEADER = 6
LANES, CARS, RING, SPLIT = range(4)

STEP = 0.2  # road time of a step [s]: at 15 steps/s a person sees it three times as fast
SUBSTEPS = 4
SINCE_MOST = 6.0  # [s]
THINK_EVERY = 5  # each driver considers a lane change every so many steps
PATIENCE = 3.0  # and not sooner than this after the last one [s]

KEEP, LEFT, RIGHT, FASTER, SLOWER = range(5)
ACTIONS = ("keep", "left", "right", "faster", "slower")
PUSH, PRESS = 2.0, -7.0  # the pedals' floor [m/s^2]
JERK_PUSH, JERK_PRESS, JERK_RELEASE = 5.0, 12.0, 20.0  # how fast pedals act [m/s^3]
TOP_SPEED = 25.0  # [m/s]

PAR_SPEED = 20.0  # speed limit; progress of 1 a step [m/s]
CLOSE_GAP = 1.5  # time headway below which following is too close [s]
CUT_FROM, CUT_FULL = 2.0, 6.0  # braking forced on the car behind: cut-in of 0 and of 1 [m/s^2]
HARD_FROM, HARD_FULL = 3.0, 7.0  # own braking: hard_brake of 0 and of 1 [m/s^2]
NEED_GAP = 2.5  # a right lane free for so long ahead is no reason to stay left [s]

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


@kernel
def _load(state: np.ndarray, cars: np.ndarray, ring: float) -> None:
    """Copy a row's cars into float64 scratch, X relative to car 0 in [0, ring)."""
    for i in range(cars.shape[0]):
        at = HEADER + FIELDS * i
        for f in range(FIELDS):
            cars[i, f] = state[at + f]
        d = cars[i, X] - float(state[HEADER + X])
        cars[i, X] = d - ring * np.floor(d / ring)


@kernel
def _store(state: np.ndarray, cars: np.ndarray, ring: float, stop: bool) -> None:
    """Copy what moved back into the row. Car 0 comes last: the others' old places hang on its own."""
    for i in range(cars.shape[0] - 1, -1, -1):
        at = HEADER + FIELDS * i
        d = float(state[at + X]) - float(state[HEADER + X])
        state[at + X] += cars[i, X] - (d - ring * np.floor(d / ring))
        state[at + Y] = cars[i, Y]
        state[at + V] = 0.0 if stop else cars[i, V]
        state[at + A] = 0.0 if stop else cars[i, A]
        state[at + LANE] = cars[i, LANE]
        state[at + SINCE] = min(SINCE_MOST, cars[i, SINCE] + STEP)


@kernel
def _follow(cars: np.ndarray, ring: float, lanes: int, leads: np.ndarray) -> None:
    """leads[C, 2]: whom each car follows in the lane it aims at, and in the one it is leaving."""
    for i in range(cars.shape[0]):
        lane = int(cars[i, LANE])
        leads[i, 0] = neighbours(cars, ring, i, lane)[0]
        leads[i, 1] = -1
        leaving = lane + (1 if cars[i, Y] > lane else -1)
        if cars[i, Y] != lane and 0 <= leaving < lanes and occupies(cars, i, leaving):
            leads[i, 1] = neighbours(cars, ring, i, leaving)[0]


@kernel
def _gap(cars: np.ndarray, ring: float, i: int, lead: int) -> float:
    """From car i's front to car `lead`'s back [m]; FREE where lead is -1."""
    if lead < 0:
        return FREE
    d = cars[lead, X] - cars[i, X]
    if d < 0.0:
        d += ring
    elif d >= ring:
        d -= ring
    return d - 0.5 * (cars[i, LENGTH] + cars[lead, LENGTH])


@kernel
def _pedal(accel: float, action: int, dt: float) -> float:
    """The driven car's acceleration: it moves towards what the pedals ask for."""
    goal = PUSH if action == FASTER else PRESS if action == SLOWER else 0.0
    if goal > 0.0 and accel >= 0.0:
        rate = JERK_PUSH
    elif goal < 0.0 and accel <= 0.0:
        rate = JERK_PRESS
    else:
        rate = JERK_RELEASE
    change = rate * dt
    return min(goal, accel + change) if goal > accel else max(goal, accel - change)


@kernel
def _move(cars: np.ndarray, ring: float, leads: np.ndarray, action: int, dt: float) -> int:
    """All cars `dt` seconds on; the index of a car that the driven one overlaps, else 0."""
    count = cars.shape[0]
    cars[0, A] = _pedal(cars[0, A], action, dt)
    for i in range(1, count):
        lead, other = leads[i, 0], leads[i, 1]
        accel = pull(cars, i, lead, _gap(cars, ring, i, lead))
        if other >= 0:
            accel = min(accel, pull(cars, i, other, _gap(cars, ring, i, other)))
        cars[i, A] = accel
    hit = 0
    for i in range(count):
        speed = max(0.0, cars[i, V] + cars[i, A] * dt)
        if i == 0:
            speed = min(speed, TOP_SPEED)
        cars[i, X] += 0.5 * (cars[i, V] + speed) * dt
        cars[i, V] = speed
        if speed == 0.0:
            cars[i, A] = max(0.0, cars[i, A])
        if cars[i, Y] != cars[i, LANE]:
            cars[i, Y] = sideways(cars[i, Y], cars[i, LANE], dt)
        if i > 0 and abs(cars[i, Y] - cars[0, Y]) < ABREAST:
            d = abs(cars[i, X] - cars[0, X])
            if min(d, abs(ring - d)) < 0.5 * (cars[i, LENGTH] + cars[0, LENGTH]):
                hit = i
    return hit


@kernel
def _closeness(cars: np.ndarray, ring: float, lead: int) -> float:
    """The headway term towards one car ahead."""
    seconds = _gap(cars, ring, 0, lead) / max(cars[0, V], 3.0)
    return min(1.0, max(0.0, 1.0 - seconds / CLOSE_GAP))


@kernel
def _forced(cars: np.ndarray, ring: float, lane: int) -> float:
    """How hard an ordinary driver behind must brake if car 0 moves into `lane` [m/s^2]."""
    _, gap, follow, room = neighbours(cars, ring, 0, lane)
    if gap < 0.0 or room < 0.0:
        return CUT_FULL
    if follow < 0:
        return 0.0
    return max(0.0, -idm(cars[follow, V], cars[0, V], room, TOP_SPEED, 0.5))


@kernel
def _may_change(cars: np.ndarray, lanes: int, lane: int) -> bool:
    return 0 <= lane < lanes and abs(cars[0, Y] - cars[0, LANE]) < SETTLED


@kernel
def _right_free(cars: np.ndarray, ring: float, lanes: int) -> bool:
    """Whether car 0 could drive on the right of where it is without being held up or forcing anybody."""
    lane = int(cars[0, LANE]) + 1
    if not _may_change(cars, lanes, lane):
        return False
    lead, gap, _, _ = neighbours(cars, ring, 0, lane)
    seconds = gap / max(cars[0, V], 3.0)
    slower = lead >= 0 and cars[lead, V] < cars[0, V]
    return seconds > (NEED_GAP if slower else CLOSE_GAP) and _forced(cars, ring, lane) <= CUT_FROM


@kernel
def _steer(state: np.ndarray, cars: np.ndarray, params: np.ndarray, action: int, terms: np.ndarray) -> None:
    """Everybody's choice of lane: car 0's first, then those drivers whose turn it is to think."""
    ring, lanes = params[RING], int(params[LANES])
    if action == LEFT or action == RIGHT:
        lane = int(cars[0, LANE]) + (1 if action == RIGHT else -1)
        if _may_change(cars, lanes, lane):
            cut = (_forced(cars, ring, lane) - CUT_FROM) / (CUT_FULL - CUT_FROM)
            terms[T_CUT_IN] = min(1.0, max(0.0, cut))
            terms[T_CHANGE] = 1.0
            cars[0, LANE], cars[0, SINCE] = lane, 0.0
            state[CHANGES] += 1
    clock = int(state[CLOCK])
    for i in range(1, cars.shape[0]):
        if (clock + i) % THINK_EVERY == 0 and cars[i, SINCE] >= PATIENCE and cars[i, Y] == cars[i, LANE]:
            lane = choose_lane(cars, ring, lanes, i)
            if lane != cars[i, LANE]:
                cars[i, LANE], cars[i, SINCE] = lane, 0.0


@kernel
def _judge(state: np.ndarray, cars: np.ndarray, params: np.ndarray, leads: np.ndarray, terms: np.ndarray) -> None:
    """The terms of a step that did not crash; `terms` already holds what steering gave."""
    ring, lanes = params[RING], int(params[LANES])
    close = _closeness(cars, ring, leads[0, 0])
    if leads[0, 1] >= 0:
        close = max(close, _closeness(cars, ring, leads[0, 1]))
    terms[T_HEADWAY] = close
    terms[T_LEFT_LANE] = 1.0 if _right_free(cars, ring, lanes) else 0.0
    terms[T_HARD_BRAKE] = min(1.0, max(0.0, (-cars[0, A] - HARD_FROM) / (HARD_FULL - HARD_FROM)))
    terms[T_SPEEDING] = max(0.0, (cars[0, V] - PAR_SPEED) / (TOP_SPEED - PAR_SPEED))


@kernel
def step_rows(
    params: np.ndarray,
    actions: np.ndarray,
    rng: np.ndarray,
    states: np.ndarray,
    aux: np.ndarray,
    terms: np.ndarray,
) -> None:
    """One step of every row, in place. Nothing is drawn at random: the drivers' tempers decide."""
    ring, lanes, count = params[RING], int(params[LANES]), int(params[CARS])
    cars = np.empty((count, FIELDS))
    leads = np.empty((count, 2), np.int64)
    for n in range(states.shape[0]):
        state, row_terms = states[n], terms[n]
        for k in range(row_terms.shape[0]):
            row_terms[k] = 0.0
        if state[CRASHED] > 0.0:
            state[CLOCK] += 1
            continue
        _load(state, cars, ring)
        _steer(state, cars, params, actions[n], row_terms)
        _follow(cars, ring, lanes, leads)
        hit = 0
        for _ in range(SUBSTEPS):
            hit = _move(cars, ring, leads, actions[n], STEP / SUBSTEPS)
            if hit > 0:
                break
        row_terms[T_PROGRESS] = cars[0, X] / (PAR_SPEED * STEP)
        if hit > 0:
            row_terms[T_CRASH] = 1.0
            state[CRASHED], state[CRASH_CAR] = 1.0, hit
        else:
            _judge(state, cars, params, leads, row_terms)
        state[CLOSE_SUM] += row_terms[T_HEADWAY]
        state[CUT_SUM] += row_terms[T_CUT_IN]
        _store(state, cars, ring, hit > 0)
        state[CLOCK] += 1


@kernel
def _see(cars: np.ndarray, ring: float, lane: int, out: np.ndarray) -> None:
    """out[5]: nearness and closing speed of the car ahead in `lane`, time headway, the same behind."""
    lead, gap, follow, room = neighbours(cars, ring, 0, lane)
    speed = cars[0, V]
    for k in range(5):
        out[k] = 0.0
    if gap < SIGHT:
        out[0] = 1.0 - max(gap, 0.0) / SIGHT
        out[1] = min(1.0, max(-1.0, (speed - cars[lead, V]) / CLOSING))
        out[2] = max(0.0, 1.0 - max(gap, 0.0) / max(speed, 3.0) / 4.0)
    if room < SIGHT:
        out[3] = 1.0 - max(room, 0.0) / SIGHT
        out[4] = min(1.0, max(-1.0, (cars[follow, V] - speed) / CLOSING))


@kernel
def observe_rows(params: np.ndarray, states: np.ndarray, aux: np.ndarray, obs: np.ndarray) -> None:
    """What the driver sees (`obs_names`); a lane that does not exist looks like a wall alongside."""
    ring, lanes = params[RING], int(params[LANES])
    cars = np.empty((int(params[CARS]), FIELDS))
    for n in range(states.shape[0]):
        state, out = states[n], obs[n]
        _load(state, cars, ring)
        aim = int(cars[0, LANE])
        out[0] = state[CRASHED]
        out[1] = cars[0, V] / PAR_SPEED
        out[2] = cars[0, A] / 5.0
        out[3] = cars[0, Y] - aim
        out[4] = cars[0, SINCE] / SINCE_MOST
        out[5] = 1.0 if _right_free(cars, ring, lanes) else 0.0
        for lane in range(lanes):
            out[6 + lane] = 1.0 if lane == aim else 0.0
        at = 6 + lanes
        for side in range(3):
            lane = aim + side - 1
            seen = out[at + 4 + 5 * side : at + 9 + 5 * side]
            exists = 0 <= lane < lanes
            if exists:
                _see(cars, ring, lane, seen)
            else:
                seen[0], seen[1], seen[2], seen[3], seen[4] = 1.0, 0.0, 1.0, 1.0, 0.0
            if side != 1:
                may = 1.0 if exists and _may_change(cars, lanes, lane) else 0.0
                out[at + side // 2] = may
                out[at + 2 + side // 2] = min(1.0, _forced(cars, ring, lane) / CUT_FULL) if exists else 1.0


@kernel
def _draw_driver(
    state: np.ndarray, at: int, i: int, x: float, lane: int, lanes: int, rng: np.ndarray, n: int
) -> None:
    """One car and its driver: trucks and calm drivers on the right, hasty ones on the left."""
    temper, size, pace = uniform(rng, n), uniform(rng, n), uniform(rng, n)
    cruise = 13.0 + 4.0 * (lanes - 1 - lane) / max(1, lanes - 1) + 3.0 * temper + 0.5 * pace
    length = 4.2 + 0.8 * size
    if i == 0:
        temper, cruise, length = 0.5, 22.0, 4.5
    elif lane == lanes - 1 and size < 0.4:
        temper, cruise, length = 0.3 * temper, 12.5 + 1.0 * pace, 11.0
    elif size > 0.85:
        length = 6.0
    state[at + X], state[at + Y] = x, lane
    state[at + V] = 12.0 + 2.0 * pace if i == 0 else 0.95 * cruise
    state[at + A] = 0.0
    state[at + LANE], state[at + SINCE] = lane, SINCE_MOST
    state[at + TEMPER], state[at + CRUISE], state[at + LENGTH] = temper, cruise, length


@kernel
def reset_rows(params: np.ndarray, which: np.ndarray, rng: np.ndarray, states: np.ndarray, aux: np.ndarray) -> None:
    """New traffic for each row in `which`; the top bit of its seed word is the split."""
    ring, lanes, count = params[RING], int(params[LANES]), int(params[CARS])
    slot = ring / ((count + lanes - 1) // lanes)
    for n in range(states.shape[0]):
        if not which[n]:
            continue
        word = next_word(rng, n) >> np.uint64(1)
        if params[SPLIT] > 0.0:
            word = word | (np.uint64(1) << np.uint64(63))
        rng[n] = word
        state = states[n]
        for k in range(HEADER):
            state[k] = 0.0
        first = below(rng, n, lanes)
        for i in range(count):
            lane = (first + i) % lanes
            shift = 0.5 * slot * (lane % 2)
            x = slot * (i // lanes) + shift + slot * 0.4 * (uniform(rng, n) - 0.5)
            _draw_driver(state, HEADER + FIELDS * i, i, x, lane, lanes, rng, n)
        start = state[HEADER + X]
        for i in range(count):
            d = float(state[HEADER + FIELDS * i + X]) - float(start)
            state[HEADER + FIELDS * i + X] = d - ring * np.floor(d / ring + 0.5)


@kernel
def refresh_rows(params: np.ndarray, which: np.ndarray, states: np.ndarray, aux: np.ndarray) -> None:
    """Nothing is derived: a state says it all."""


_OFFSETS = np.arange(-50.0, 50.5, 5.0)


def _placements(lanes: int) -> Callable[[Array], tuple[Array, Array]]:
    def placements(state: Array) -> tuple[Array, Array]:
        """Car 0 settled in each lane at each offset; `where` is (X [m], Y [lanes])."""
        lane, offset = (grid.ravel() for grid in np.meshgrid(np.arange(lanes), _OFFSETS, indexing="ij"))
        states = np.repeat(state[None], len(lane), axis=0)
        states[:, CRASHED] = 0
        me = cars_of(states)[:, 0]
        me[:, X] += offset
        me[:, Y] = me[:, LANE] = lane
        return states, np.stack([me[:, X], lane], axis=1)

    return placements


def place(states: Array) -> Array:
    """(X [m], Y [lanes]) of car 0, [N, 2]."""
    return np.asarray(cars_of(states)[..., 0, [X, Y]])


def lanes_world(lanes: int, cars: int, ring: float, test: bool) -> World:
    """A ring road of `ring` metres with `cars` cars, the driven one among them."""
    return World(
        name="lanes",
        params=np.array([lanes, cars, ring, test], np.float64),
        kernel=Kernel(reset_rows, step_rows, observe_rows, refresh_rows),
        state_size=HEADER + FIELDS * cars,
        state_dtype=np.float32,
        aux_size=0,
        aux_dtype=np.float32,
        obs_names=obs_names(lanes),
        terms=TERMS,
        action_space=spaces.Discrete(5),
        action_names=ACTIONS,
        idle_action=KEEP,
        clock=CLOCK,
        steps_per_second=15,
        placements=_placements(lanes),
        place=place,
    )
