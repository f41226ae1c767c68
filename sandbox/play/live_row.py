"""One row of a world played in the window: stepped at its own pace, recorded, forked. No pygame here."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete
from numpy.typing import NDArray

from envs.simulate import simulate
from envs.simulation import AnySimulation, Simulation
from envs.trajectory import Recorder, Trajectory
from envs.world import Array, Task, Term

TAP_PACE = 0.5
"""How much of a step a tap stays on screen before the next one's step, where taps come fast."""


class LiveRow:
    """A row that somebody drives: the simulation, what has been recorded, and how far the picture is.

    `step_rate` [steps/s]; `steps_since_shown` is the time since the last step came on screen [steps], so the
    picture stands `blend` of the way between `before` and the simulation's state now.
    """

    def __init__(self, task: Task, driver: str, *, step_rate: float = 0.0) -> None:
        self.task, self.driver = task, driver
        self.step_rate = step_rate or float(task.world.steps_per_second)
        self.sim: AnySimulation = simulate(task, 1)
        self.sim.auto_reset = False
        self.seed = 0
        self.stepwise = waits_for_keys(task)
        """Whether nothing happens here while nobody acts: then one press is one step."""
        self.waits_for_keys = self.stepwise
        """Whether time stands still while no key is down. The person may choose otherwise."""
        self._tries = self._others()
        self._start_recording()

    def start(self, seed: int) -> None:
        """A fresh episode from a seed."""
        self.seed = seed
        self.sim.reset(seed)
        self._start_recording()

    def fork(self, trajectory: Trajectory, t: int) -> None:
        """Go on from moment `t` of a recording."""
        self.sim.fork(0, trajectory, t)
        self._start_recording()

    def _start_recording(self) -> None:
        self._recorder: Recorder = self.sim.recorder(0, self.driver)
        self._cached_trajectory: Trajectory | None = None
        self.before: Array = self.sim.states[0].copy()
        self.start_step, self.steps_since_shown = self._clock(), 1.0
        self.ended, self._no_op_count, self._done = False, 0, False
        self.events = TermEvents(self.task.world.terms)

    def _clock(self) -> int:
        """The step of the episode, as the simulation has it."""
        return int(self.sim.clock[0])

    def __len__(self) -> int:
        """Steps recorded."""
        return len(self._recorder)

    @property
    def step_number(self) -> int:
        """The step of the episode that is on screen."""
        return self.start_step + len(self)

    @property
    def blend(self) -> float:
        return min(self.steps_since_shown, 1.0)

    @property
    def obs(self) -> NDArray[np.float32]:
        """[1, D]"""
        return self.sim.obs

    def advance(self, dt: float) -> bool:
        """Let `dt` seconds pass; True when the next step is due."""
        self.steps_since_shown += dt * self.step_rate
        return self.steps_since_shown >= 1.0 - 1e-9

    def advance_for_taps(self, dt: float, taps: int) -> bool:
        """The same while `taps` wait: their steps follow one another faster than the world's own pace."""
        due = self.advance(dt)
        soon = 1.0 if not taps else TAP_PACE if taps == 1 else 0.0
        return due or self.steps_since_shown >= soon

    def step(self, action: Any) -> list[Term]:
        """One step; the terms that happened in it as events."""
        self.before = self.sim.states[0].copy()
        out = self.sim.step(np.asarray(action)[None])
        self._recorder.add(action, out.terms[0], self.sim.states[0], int(self.sim.rng[0]), out.obs[0])
        self.steps_since_shown = (
            max(0.0, self.steps_since_shown - 1.0) if self.steps_since_shown < 2.0 else 0.0
        )
        self.ended = bool(out.ended[0]) or self.step_number >= self.task.horizon
        happened = self.events.add(out.terms[0])
        if len(self.before) and self._did_nothing():  # idling ends nothing where nobody else moves
            self._no_op_count += not self.stepwise or bool(np.any(action != self.task.world.idle_action))
        else:
            self._no_op_count = 0
        self._done = self._nothing_left()
        return happened

    def state_at(self, t: int) -> Array:
        """The state [K] at moment `t` of the recording."""
        return self._recorder.state(t)

    def is_terminal_at(self, t: int) -> bool:
        """Whether nothing can be done at moment `t` of the recording: the episode ended there."""
        if self.start_step + t >= self.task.horizon or (self._done and t == len(self)):
            return True
        return self.task.ends_early and bool(self.trajectory().observations[t, -1] == 1.0)

    def trajectory(self) -> Trajectory:
        """What has been recorded so far."""
        if self._cached_trajectory is None or len(self._cached_trajectory) != len(self):
            self._cached_trajectory = self._recorder.trajectory()
        return self._cached_trajectory

    def _did_nothing(self) -> bool:
        """Whether the last step had no term on and changed nothing but the clock."""
        if self.events.newest_terms.any():
            return False
        return self._same(self.sim.states, self.before)

    def _same(self, now: Array, before: Array) -> bool:
        """Whether all states [N, K] are the state [K], but for the clock."""
        differs = now != before
        differs[:, self.task.world.clock] = False
        return not differs.any()

    def _others(self) -> Simulation | None:
        """Rows to try each action in, where the world waits for the person."""
        space = self.task.world.action_space
        if not self.task.can_restore or not self.stepwise or not isinstance(space, Discrete):
            return None
        rows = Simulation(self.task, int(space.n))
        rows.auto_reset = False
        return rows

    def _nothing_left(self) -> bool:
        """Whether no action would do anything any more, as when a flat is tidy and the robot at home."""
        tries = self._tries
        if tries is None:
            return False
        here, word = self.sim.states[0], int(self.sim.rng[0])
        rows = np.ones(tries.rows, np.bool_)
        tries.set_states(rows, np.tile(here, (tries.rows, 1)), np.full(tries.rows, word, np.uint64))
        _, terms = tries.advance(np.arange(tries.rows))
        return not terms.any() and self._same(tries.states, here)

    @property
    def is_done_early(self) -> bool:
        """Whether the task is over before its time: what is done changes nothing any more."""
        if self.task.ends_early:
            return bool(self.sim.over[0])
        return self._no_op_count > 0 or self._done


class TermEvents:
    """Sums of named terms over an episode, and which of them just happened as events."""

    WINDOW = 20

    def __init__(self, terms: tuple[Term, ...]) -> None:
        self.terms = terms
        self.sums = np.zeros(len(terms), np.float64)
        self.active = np.full(len(terms), 1e9)  # [s] since each was last an event
        self.newest_terms = np.zeros(len(terms), np.float32)
        self._recent: deque[Array] = deque(maxlen=self.WINDOW)

    def add(self, values: Array) -> list[Term]:
        """Take a step's terms [M]; the terms that begin to be on in this step."""
        self.sums += values
        self.newest_terms = np.array(values)
        on = np.abs(values) > 0.5
        before = self._recent[-1] if self._recent else np.zeros_like(on)
        self._recent.append(on)
        often = np.mean(self._recent, axis=0) > 0.5
        steady = np.array([term.unit in ("steps", "par", "points") for term in self.terms])
        fresh = on & ~before & ~(often & (len(self._recent) > 4)) & ~(steady & (len(self._recent) < 10))
        self.active[fresh] = 0.0
        return [self.terms[k] for k in np.flatnonzero(fresh)]

    def advance(self, dt: float) -> None:
        self.active += dt


_WAITS: dict[str, bool] = {}


def waits_for_keys(task: Task) -> bool:
    """Whether nothing happens here while nobody acts, so that the world can wait for the person.

    Steps in which the person only thinks would teach the agent to dawdle. Found out once per task.
    """
    if task.id not in _WAITS:
        _WAITS[task.id] = _is_still(task) if task.can_restore else "" not in task.keys
    return _WAITS[task.id]


def _is_still(task: Task) -> bool:
    """Whether three idle steps change nothing but the clock."""
    sim = simulate(task, 1)
    before = sim.states[0].copy()
    for _ in range(3):
        if sim.step(task.idle_actions(1)).terms.any():
            return False
    now = sim.states[0].copy()
    now[task.world.clock] = before[task.world.clock]
    return bool((now == before).all())
