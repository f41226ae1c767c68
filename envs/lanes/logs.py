"""Driver logs as demonstrations in Lanes: each time step becomes the meta-action that comes nearest.

The other cars are put where the log has them; the driver's own car is driven by the world, from where
the log has it, with the action that best keeps up with the log. So a demonstration is one of this
world: the same action from the same moment leads to the same place. Where no action keeps up, it ends,
the reason is reported, and the next begins. Times are the log's; a step is STEP seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from envs.kernels import mode
from envs.lanes.ego_car import ACTIONS, FASTER, KEEP, LEFT, PRESS, PUSH, RIGHT, SLOWER, TOP_SPEED
from envs.lanes.lanes_state_layout import (
    CARS,
    CRASHED,
    CRUISE,
    FIELDS,
    LANE,
    LANES,
    LENGTH,
    RING,
    SETTLED,
    SIGHT,
    SINCE,
    TEMPER,
    A,
    V,
    X,
    Y,
    cars_of,
)
from envs.lanes.log_file import USUAL_LENGTH, LogError, Numbers, Track
from envs.lanes.step import STEP
from envs.simulation import Simulation
from envs.trajectory import Trajectory
from envs.world import Array, Task

WORLD = "teachbox/LanesCruise-v0"
LONGEST_GAP = 1.0  # between two rows of a car; beyond, it was not there [s]
HALF_CHANGE = 6  # steps from the begin of a lane change until the line is crossed
PULL = 0.3  # how much a metre behind the log counts as speed wanted more [1/s]
SPEED_OFF, PLACE_OFF, LANE_OFF = 1.5, 6.0, 0.8  # from here on the log is lost [m/s], [m], [lanes]
SHORTEST = 10  # a demonstration has at least so many steps
KNOWN = SIGHT + 8.0  # cars within this are put on the road [m]


@dataclass(frozen=True)
class Unmatched:
    """Steps in a row of which no demonstration was made, the lines of the file that they lie between."""

    driver: str
    first_line: int
    last_line: int
    steps: int
    reason: str

    def __str__(self) -> str:
        return f"lines {self.first_line} to {self.last_line} (car {self.driver}): {self.reason}"


@dataclass(frozen=True)
class LogDemonstrations:
    """What became of a log. steps: of all who drive; matched: those in `trajectories`."""

    trajectories: tuple[Trajectory, ...]
    unmatched: tuple[Unmatched, ...]
    steps: int
    matched: int


@dataclass(frozen=True)
class _Sampled:
    """A car at each of T times; nan where it was not there."""

    track: Track
    x: Numbers
    y: Numbers
    speed: Numbers


def demonstrations(
    task: Task, tracks: Sequence[Track], ego: str | None = None, name: str = "log"
) -> LogDemonstrations:
    """What those who drive (rows marked ego, or the car with id `ego`) did, as demonstrations in `task`.

    Raises LogError if nobody drives, or the task is not WORLD.
    """
    if task.id != WORLD:
        raise LogError(f"a driver log becomes demonstrations in {WORLD}, not in {task.id}: choose that world")
    if task.world.action_names != ACTIONS:
        raise LogError(f"a driver log becomes meta-actions: take {WORLD} with {', '.join(ACTIONS)}")
    who = [track for track in tracks if (track.id == ego if ego is not None else track.drives)]
    if not who:
        ids = ", ".join(track.id for track in tracks[:8]) + (", ..." if len(tracks) > 8 else "")
        asked = f"no car {ego!r} is in the log" if ego is not None else "the log doesn't say who drives"
        raise LogError(f"{asked}: name one of its cars ({ids}), or mark rows in a column 'ego'")
    found = _LogResult()
    for driver in who:
        for start, stop in _unbroken(driver, found):
            until = driver.t[stop - 1]
            times = np.minimum(np.arange(driver.t[start], until + 1e-6, STEP), until)
            if len(times) < 2:
                first, last = int(driver.line[start]), int(driver.line[stop - 1])
                found.refuse(driver.id, first, last, 0, "too short for a step")
                continue
            for at in range(0, len(times) - 1, task.horizon):
                part = times[at : at + task.horizon + 1]
                _Drive(task, driver, tracks, part, name).into(found)
    return LogDemonstrations(tuple(found.trajectories), tuple(found.unmatched), found.steps, found.matched)


class _LogResult:
    """The result while it grows."""

    def __init__(self) -> None:
        self.trajectories: list[Trajectory] = []
        self.unmatched: list[Unmatched] = []
        self.steps = self.matched = 0

    def refuse(self, driver: str, first: int, last: int, steps: int, reason: str) -> None:
        """Steps without a match; those that go on for the same reason become one."""
        if self.unmatched:
            before = self.unmatched[-1]
            if before.driver == driver and before.reason == reason and first <= before.last_line + 1:
                first, steps = before.first_line, before.steps + steps
                last = max(last, before.last_line)
                self.unmatched.pop()
        self.unmatched.append(Unmatched(driver, min(first, last), max(first, last), steps, reason))


def _unbroken(track: Track, found: _LogResult) -> list[tuple[int, int]]:
    """Ranges of a driver's rows without a gap; the gaps are reported."""
    cuts = [0, *(np.flatnonzero(np.diff(track.t) > LONGEST_GAP) + 1), len(track.t)]
    for cut in cuts[1:-1]:
        gap = track.t[cut] - track.t[cut - 1]
        lines = int(track.line[cut - 1]), int(track.line[cut])
        found.refuse(track.id, *lines, 0, f"{gap:.1f} s without a row, over {LONGEST_GAP:g} s")
    return [(int(a), int(b)) for a, b in pairwise(cuts)]


def _sample(track: Track, times: Numbers) -> _Sampled | None:
    """A car at `times`, between its rows on a straight line; whole lanes become smooth changes."""
    after = np.clip(np.searchsorted(track.t, times), 0, len(track.t) - 1)
    before = np.maximum(after - 1, 0)
    on_row = np.minimum(np.abs(track.t[after] - times), np.abs(track.t[before] - times)) < 1e-6
    between = (track.t[before] <= times) & (times <= track.t[after])
    there = on_row | (between & (track.t[after] - track.t[before] <= LONGEST_GAP + 1e-6))
    if not there.any():
        return None
    x, y, speed = (np.interp(times, track.t, row) for row in (track.x, track.y, track.speed))
    if track.stepped:
        shifts = np.arange(-HALF_CHANGE, HALF_CHANGE + 1) * STEP
        y = np.mean([np.interp(times + shift, track.t, track.y) for shift in shifts], axis=0)
    for row in (x, y, speed):
        row[~there] = np.nan
    return _Sampled(track, x, y, speed)


class _Drive:
    """One stretch of one driver, at most a horizon long, on its way to demonstrations."""

    def __init__(self, task: Task, driver: Track, tracks: Sequence[Track], times: Numbers, name: str) -> None:
        self.task, self.driver, self.times, self.name = task, driver, times, name
        params = task.world.params
        self.lanes, self.count, self.ring = int(params[LANES]), int(params[CARS]), float(params[RING])
        own = _sample(driver, times)
        assert own is not None
        self.own = own
        others = (
            _sample(t, times)
            for t in tracks
            if t is not driver and t.t[-1] >= times[0] and t.t[0] <= times[-1]
        )
        self.others = [car for car in others if car is not None]
        self.sim = Simulation(task, 5, auto_reset=False)
        self.rested = float(cars_of(self.sim.states)[0, 0, SINCE])  # what SINCE is at a start
        self.fillers = self._fillers()

    def _fillers(self) -> Array:
        """Cars [cars-1, FIELDS] for places that the log has nobody for: far out of sight."""
        far = -(-(self.count - 1) // (2 * self.lanes))
        away = np.linspace(SIGHT + 14.0, self.ring / 2 - 6.0, far)
        places = [(side * x, lane) for x in away for side in (1, -1) for lane in range(self.lanes)]
        cars = np.zeros((self.count - 1, FIELDS), np.float32)
        cars[:, [X, Y]] = places[: self.count - 1]
        cars[:, LANE], cars[:, SINCE], cars[:, TEMPER] = cars[:, Y], self.rested, 0.5
        cars[:, LENGTH] = USUAL_LENGTH
        return cars

    def into(self, found: _LogResult) -> None:
        """Drive it; demonstrations and what could not be matched go into `found`."""
        at, last = 0, len(self.times) - 1
        found.steps += last
        while at < last:
            stop, reason, kept = self._follow(at)
            long_enough = stop - at >= SHORTEST
            if long_enough:
                found.trajectories.append(kept)
                found.matched += stop - at
            elif stop > at:
                found.refuse(self.driver.id, self._line(at), self._line(stop), stop - at,
                             f"under {SHORTEST} steps between others that have no match")  # fmt: skip
            if reason:
                found.refuse(self.driver.id, self._line(stop), self._line(stop + 1), 1, reason)
            at = stop + 1 if reason else stop

    def _line(self, k: int) -> int:
        index = np.searchsorted(self.driver.t, self.times[min(k, len(self.times) - 1)] - 1e-6)
        return int(self.driver.line[min(int(index), len(self.driver.line) - 1)])

    def _follow(self, at: int) -> tuple[int, str, Trajectory]:
        """Drive from step `at` while some action keeps up: (where that ended, why, what was driven)."""
        sim, everyone, none = self.sim, np.ones(5, np.bool_), np.zeros(5, np.uint64)
        self._slots: dict[str, int] = {}
        state = np.zeros(self.task.world.state_size, np.float32)
        cars_of(state)[0] = self._own_car(at)
        self._place_others(state, at, at)
        states, seen, actions, terms = [state], [], [], []
        k, reason = at, ""
        while k < len(self.times) - 1:
            reason = self._impossible(k) or self._impossible(k + 1)
            if reason:
                break
            seen.append(sim.set_states(everyone, np.repeat(state[None], 5, axis=0), none)[0].copy())
            step = sim.step(np.arange(5))
            action = self._choose(cars_of(state)[0], cars_of(sim.states)[:, 0], at, k)
            reason = self._lost(sim.states[action], at, k + 1)
            if reason:
                seen.pop()
                break
            actions.append(action)
            terms.append(step.terms[action].copy())
            state = sim.states[action].copy()
            k += 1
            self._place_others(state, at, k)
            states.append(state)
        seen.append(sim.set_states(everyone, np.repeat(state[None], 5, axis=0), none)[0].copy())
        return k, reason, self._trajectory(states, seen, actions, terms)

    def _trajectory(
        self, states: list[Array], seen: list[Array], actions: list[int], terms: list[Array]
    ) -> Trajectory:
        return Trajectory(
            task=self.task.id,
            states=np.stack(states),
            rng=np.zeros(len(states), np.uint64),
            observations=np.stack(seen),
            actions=np.array(actions, np.int64),
            terms=np.array(terms, np.float32).reshape(len(actions), len(self.task.world.terms)),
            driver=f"log:{self.name}:{self.driver.id}",
            kernel=mode(),
            options=self.task.options,
        )

    def _own_car(self, k: int) -> Array:
        own, car = self.own, np.zeros(FIELDS, np.float32)
        before = max(0, k - 1)
        push = (own.speed[k] - own.speed[before]) / STEP if before < k else 0.0
        car[Y], car[V], car[A] = own.y[k], own.speed[k], np.clip(push, PRESS, PUSH)
        car[LANE], car[SINCE], car[TEMPER] = np.round(own.y[k]), self.rested, 0.5
        car[CRUISE], car[LENGTH] = 22.0, self.driver.length
        return car

    def _place_others(self, state: Array, at: int, k: int) -> None:
        """Put the cars that the log has near at moment k into the state; the rest stays out of sight."""
        cars = cars_of(state)
        me, begin = cars[0], self.own.x[at]
        near = [
            (abs(car.x[k] - begin - me[X]), car)
            for car in self.others
            if abs(car.x[k] - begin - me[X]) < KNOWN and 0 <= round(float(car.y[k])) < self.lanes
        ]
        near.sort(key=lambda item: item[0])
        near = near[: self.count - 1]
        present = {car.track.id for _, car in near}
        self._slots = {id: slot for id, slot in self._slots.items() if id in present}
        cars[1:] = self.fillers
        cars[1:, X] += me[X]
        cars[1:, V] = cars[1:, CRUISE] = max(13.0, float(me[V]))
        free = iter([slot for slot in range(1, self.count) if slot not in self._slots.values()])
        for _, car in near:
            slot = self._slots.setdefault(car.track.id, 0) or next(free)
            self._slots[car.track.id] = slot
            other = cars[slot]
            other[X], other[Y], other[V] = car.x[k] - begin, car.y[k], max(0.0, car.speed[k])
            other[LANE], other[LENGTH] = np.round(car.y[k]), car.track.length
            other[CRUISE] = max(5.0, float(np.nanmax(car.speed)))
            later = car.speed[min(k + 1, len(car.speed) - 1)]
            other[A] = 0.0 if np.isnan(later) else np.clip((later - car.speed[k]) / STEP, -9.0, 3.0)

    def _choose(self, now: Array, led: Array, at: int, k: int) -> int:
        """The action for step k: a lane change if one is due, else the pedal that keeps up best.

        now [FIELDS]: the car; led [5, FIELDS]: where each action leads.
        """
        ahead = min(k + HALF_CHANGE, len(self.times) - 1)
        lane = int(np.clip(np.round(self.own.y[ahead]), 0, self.lanes - 1))
        if lane != int(now[LANE]) and abs(now[Y] - now[LANE]) < SETTLED:
            return RIGHT if lane > now[LANE] else LEFT
        behind = self.own.x[k + 1] - self.own.x[at] - led[:, X]
        wanted = self.own.speed[k + 1] + PULL * behind
        pedals = np.array([KEEP, FASTER, SLOWER])
        return int(pedals[np.argmin(np.abs(led[pedals, V] - wanted[pedals]))])

    def _impossible(self, k: int) -> str:
        """Why the log's own moment k has no place on this road; '' if it has."""
        lane, speed = round(float(self.own.y[k])), self.own.speed[k]
        if not 0 <= lane < self.lanes:
            return f"in lane {lane}, but the lanes here are 0 to {self.lanes - 1}"
        if speed < 0 or (k and self.own.x[k] < self.own.x[k - 1] - 0.5):
            return "drives backwards"
        if speed > TOP_SPEED + 0.5:
            return f"faster than {TOP_SPEED:g} m/s"
        return ""

    def _lost(self, state: Array, at: int, k: int) -> str:
        """Why the car no longer keeps up with the log at moment k; '' if it does."""
        car, own = cars_of(state)[0], self.own
        if state[CRASHED]:
            return "runs into another car of the log"
        if abs(car[V] - own.speed[k]) > SPEED_OFF:
            push = (own.speed[k] - own.speed[k - 1]) / STEP
            way = "speeds up" if push > 0 else "brakes"
            return f"{way} harder than {PUSH if push > 0 else -PRESS:g} m/s^2"
        if abs(car[X] - (own.x[k] - own.x[at])) > PLACE_OFF:
            return "its places don't agree with its speeds"
        if abs(car[Y] - own.y[k]) > LANE_OFF:
            return "changes lanes faster than a car here can"
        return ""
