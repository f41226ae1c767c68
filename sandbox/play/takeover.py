"""Taking over from the agent, without a screen: its recording, the fork, and the person's own way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from envs.trajectory import Trajectory
from envs.world import Array, Task, Term
from sandbox.play.latch import Latch, driving_keys
from sandbox.play.live_row import LiveRow
from sandbox.play.playback import term_events

Phase = Literal["running", "paused", "end", "taken", "driving", "halted", "stopped"]
LONG = 200
"""The time line of an unfinished recording spans more steps than this only when it needs them."""


class Takeover:
    """The agent's episode, recorded as it acts, and perhaps a person who has forked it.

    Phases of the agent: running, paused, end; of the person: taken (the world waits for the first
    key), driving, halted, stopped (it is over). Taking over forks the world at the moment on screen;
    the agent acts on from there too, unseen, since the person's way is preferred to just that.
    act(obs [1, D]) gives the agent's action.
    """

    def __init__(self, task: Task, act: Callable[[Array], Any], step_rate: float) -> None:
        self.task, self._act = task, act
        self.agent = LiveRow(task, "random", step_rate=step_rate)
        self.person = LiveRow(task, "person")
        self._dropped: tuple[LiveRow, int] | None = None  # what the person dropped last, and from where
        self.latch = Latch(driving_keys(task.keys), stepwise=self.person.stepwise)
        self.phase: Phase = "running"
        self.position, self.takeover_step = 0.0, 0
        """Moments of the agent's recording: on screen, and where the person took over [steps]."""

    def start(self, seed: int, driver: str) -> None:
        """The agent begins somewhere."""
        self._dropped = None
        self.agent.driver = driver
        self.agent.start(seed)
        self._run()

    def _run(self) -> None:
        self.phase, self.position = "running", 0.0
        self.agent.steps_since_shown = 0.0
        self.latch.clear()

    @property
    def is_person_driving(self) -> bool:
        return self.phase in ("taken", "driving", "halted", "stopped")

    @property
    def is_at_newest(self) -> bool:
        """Whether the agent's newest moment is the one on screen."""
        return self.position >= len(self.agent)

    @property
    def span(self) -> int:
        """How many steps the time line shows: those recorded once that is all, before that what may come.

        Where episodes may be long but most are not, it begins short and doubles.
        """
        mine = self.takeover_step + len(self.person) if self.is_person_driving else 0
        so_far = max(1, len(self.agent), mine)
        if self.agent.ended or self.agent.is_done_early:
            return so_far
        most = max(1, self.task.horizon - self.agent.start_step)
        span = most if most <= LONG else LONG // 4
        while span < so_far * 1.2:
            span *= 2
        return min(most, span)

    @property
    def shown_step(self) -> float:
        """The moment on screen, between whole steps too, counted in the agent's recording."""
        live, base = (self.person, self.takeover_step) if self.is_person_driving else (self.agent, 0)
        if not self.is_person_driving and not self.is_at_newest:
            return self.position
        return base + max(0.0, len(live) - 1 + live.blend if len(live) else 0.0)

    def ghost(self) -> Array | None:
        """Where the agent is at the person's step: its state [K]; None in worlds without states."""
        at = self.takeover_step + len(self.person)
        if not self.task.world.state_size or not len(self.person) or len(self.agent) < at:
            return None
        return self.agent.state_at(at)

    def events_at(self, moment: int) -> list[Term]:
        """What happened in the agent's step that led to that moment."""
        names = self.task.world.term_names
        found = [n for step, n in term_events(self.agent.trajectory().terms, names) if step == moment - 1]
        return [term for term in self.task.world.terms if term.name in found]

    # What a person can do.

    def toggle(self) -> None:
        """Stop or go on, whoever drives; after the end, from the start of the recording."""
        self.latch.clear()
        if self.phase == "end":
            self.position = 0.0
        following: dict[Phase, Phase] = {
            "running": "paused",
            "paused": "running",
            "end": "running",
            "taken": "driving",
            "driving": "halted",
            "halted": "driving",
        }
        self.phase = following.get(self.phase, self.phase)

    def scrub_to(self, moment: int) -> None:
        """Stop at a moment; one step past the newest lets the agent act once more."""
        if moment == len(self.agent) + 1:
            self._agent_to(moment)
        self.phase = "paused"
        self.position = float(min(max(moment, 0), len(self.agent)))
        self.agent.steps_since_shown = 1.0

    def take_over(self) -> bool:
        """Fork the world at the moment on screen; False at the episode's end, where nothing can be done."""
        at = min(round(self.position), len(self.agent))
        if self.agent.is_terminal_at(at):
            self.scrub_to(at)
            return False
        self.takeover_step, self.position = at, float(at)
        self.person.fork(self.agent.trajectory(), at)
        self.latch.clear()
        self.phase = "taken"
        return True

    def discard_takeover(self) -> None:
        """Drop what the person did; back to the agent's recording where it was taken."""
        self.latch.clear()
        if len(self.person):
            self._dropped = self.person, self.takeover_step
            self.person = LiveRow(self.task, "person")
            self.person.waits_for_keys = self._dropped[0].waits_for_keys
        self.scrub_to(self.takeover_step)

    def restore_takeover(self) -> bool:
        """Bring back what was dropped from this recording of the agent; False if nothing was."""
        if self._dropped is None or self.is_person_driving:
            return False
        waits = self.person.waits_for_keys
        (self.person, self.takeover_step), self._dropped = self._dropped, None
        self.person.waits_for_keys = waits
        self._agent_to(self.takeover_step + len(self.person))
        self.position = float(self.takeover_step)
        self.latch.clear()
        self.phase = "stopped" if self.person.ended or self.person.is_done_early else "halted"
        return True

    def paired_recordings(self) -> tuple[Trajectory, Trajectory]:
        """What the agent and the person did from the same moment, equally many steps."""
        steps = len(self.person)
        self._agent_to(self.takeover_step + steps)
        return self.agent.trajectory().clip(
            self.takeover_step, self.takeover_step + steps
        ), self.person.trajectory()

    def resume_agent(self, driver: str) -> bool:
        """The agent acts on from where the person stopped; False if nothing is left to do there."""
        if self.person.ended or self.person.is_done_early:
            return False
        self._dropped = None
        self.agent.driver = driver
        self.agent.fork(self.person.trajectory(), len(self.person))
        self._run()
        return True

    # Time.

    def _agent_to(self, steps: int) -> None:
        """Let the agent act until its recording has that many steps, or its episode ends."""
        while len(self.agent) < steps and not self.agent.ended:
            self.agent.step(self._act(self.agent.obs))

    def update(self, dt: float) -> list[Term]:
        """Let `dt` seconds pass; the terms that happened on screen."""
        self.latch.advance(dt)
        (self.person if self.is_person_driving else self.agent).events.advance(dt)
        if self.phase == "running":
            return self._play(dt)
        if self.phase == "driving":
            return self._drive(dt)
        self.person.steps_since_shown = 1.0
        return []

    def _play(self, dt: float) -> list[Term]:
        if not self.is_at_newest:
            self.position = min(self.position + dt * self.agent.step_rate, float(len(self.agent)))
            self.agent.steps_since_shown = 1.0
            return []
        if not self.agent.advance(dt):
            return []
        if self.agent.ended or self.agent.is_done_early:
            self.phase, self.agent.steps_since_shown = "end", 1.0
            return []
        happened = self.agent.step(self._act(self.agent.obs))
        self.position = float(len(self.agent))
        return happened

    def _drive(self, dt: float) -> list[Term]:
        quick = self.person.stepwise and self.person.waits_for_keys
        if not self.person.advance_for_taps(dt, self.latch.waiting_taps if quick else 0):
            return []
        if self.person.waits_for_keys and not self.latch.has_action:
            self.person.steps_since_shown = 1.0
            return []
        key = self.latch.next_action(self.task.keys)
        happened = self.person.step(self.task.keys.get(key, self.task.world.idle_action))
        self._agent_to(self.takeover_step + len(self.person))
        if self.person.ended or self.person.is_done_early:
            self.phase = "stopped"
            self.latch.clear()
        return happened
