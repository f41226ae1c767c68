"""What happens on the tour, chapter by chapter, and the page that comes out of it.

The teacher sees what a person sees (the scene on screen, the clips of the question) and acts by keys
alone; what it wants is the task's wish.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.teachers.experts import make_expert
from agents.teachers.synthetic import make_teacher
from agents.teachers.teacher_protocol import Teacher
from envs.task_catalog import task_ids
from envs.world import Task
from sandbox.play.live_row import waits_for_keys
from sandbox.screen.words import counted
from sandbox.tour.before_after import StartsEvaluation, evaluate_starts, picture
from sandbox.tour.camera import TICKS, Camera
from sandbox.tour.pilot import KeyChooser, Pilot

if TYPE_CHECKING:
    from sandbox.session.session import Session
    from sandbox.window.app import App


@dataclass(frozen=True)
class TourPlan:
    """How much is taught, and how long is watched [s]."""

    demonstrations: int = 2
    rewards: int = 6
    answers: int = 20
    watch: float = 45.0
    target_share: float = 0.6  # share of unseen starts done at which the watching ends
    min_watch_seconds: float = 12.0  # [s] watched in any case
    max_practice_seconds: float = 20.0  # [s] that the untaught agent may practise at most


QUICK = TourPlan(
    demonstrations=1, rewards=1, answers=2, watch=3.0, min_watch_seconds=1.0, max_practice_seconds=2.0
)


class Guide:
    """Leads through the window."""

    def __init__(self, app: App, camera: Camera, plan: TourPlan, world: str, seed: int) -> None:
        self.app, self.camera, self.plan, self.world = app, camera, plan, world
        self.pilot = Pilot(app, camera)
        self._random = np.random.default_rng(seed)
        self._seed = seed
        self.before: StartsEvaluation | None = None
        self.after: StartsEvaluation | None = None

    def chapters(self) -> Iterator[str]:
        """Play the whole tour; says what comes next before it comes."""
        for play in (
            self.menu,
            self.untaught,
            self.drive,
            self.reward,
            self.rank,
            self.correct,
            self.watch,
            self.compare,
        ):
            yield play.__name__
            play()

    def menu(self) -> None:
        """Choose the world, the default learner and a new session."""
        self.camera.chapter("Menu", "Choose a world, who learns in it, and a new session.")
        self.pilot.wait(2.5)
        for _ in task_ids():
            if self.pilot.state_entries["world"] != self.world:
                self.pilot.press("down", rest=0.5)
        for key in ("right", "right"):
            self.pilot.press(key, rest=0.5)
        self.camera.picture()
        self.pilot.press("enter")
        self.pilot.wait_until("the session to open", lambda: self.app.session is not None, 30)

    @property
    def session(self) -> Session:
        assert self.app.session is not None
        return self.app.session

    @property
    def task(self) -> Task:
        return self.session.task

    @property
    def teacher(self) -> Teacher:
        return make_teacher("rational", self.task, self._seed)

    def open(self, key: str, title: str, text: str) -> Any:
        """Go to a mode and begin its chapter; the scene now on screen."""
        self.camera.chapter(title, text)
        self.pilot.press(key, rest=1.2)
        return self.app.scene

    def untaught(self) -> None:
        """The agent as it comes: it knows the reward that was written, and no person's word."""
        self.open("f6", "Before", "Nobody has taught the agent yet: it follows the reward that was written.")
        self.pilot.wait_until("the learner's first policy", self._has_policy, 90)
        self.pilot.wait_at_most(self._rests, self.plan.max_practice_seconds)
        self.camera.picture()
        latest = self.session.latest_snapshot
        self.before = evaluate_starts(self.task, latest.policy if latest else None, seed=self._seed)

    def _has_policy(self) -> bool:
        return self.session.latest_snapshot is not None and self.session.latest_snapshot.policy is not None

    def _rests(self) -> bool:
        return self.session.status.state == "waiting"

    def drive(self) -> None:
        """Demonstrations, by the arrow keys."""
        scene = self.open("f2", "Drive", "Show how it is done, with the arrow keys. Enter keeps the drive.")
        for _ in range(self.plan.demonstrations):
            self._steer(lambda: scene.live, lambda: scene.phase in ("ready", "driving"), self.task.horizon)
            self.pilot.wait(0.4)
            self.camera.picture()
            self._press_until_saved("enter", "demonstration")
        self.pilot.wait(0.6)

    def _steer(self, live: Callable[[], Any], going: Callable[[], bool], steps: int) -> None:
        """Drive as the task's wish would have it, for at most `steps` steps or while `going` holds."""
        act = make_expert(self.task, self._random)
        touch, waits = KeyChooser(self.task.keys), waits_for_keys(self.task)
        for _ in range(steps):
            action = act(live().sim)
            keys = touch.keys_for(action)
            if not keys and waits:
                break  # nothing is left to do
            here = live().step_number
            if waits:
                self.pilot.press(keys[0], rest=1 / TICKS)
            else:
                self.pilot.hold(keys)
                self._start_world(keys)
            self.pilot.wait_until("the step", _passed(live, here, going), 5)
            if not going():
                break
        self.pilot.hold(())

    def _start_world(self, keys: tuple[str, ...]) -> None:
        """A world that runs by itself starts with the first key, whatever it is."""
        if self.app.scene.state_entries().get("mode") in ("ready", "taken") and not keys:
            self.pilot.press("space", rest=1 / TICKS)

    def _press_until_saved(self, key: str, kind: str) -> None:
        """Press, and wait until the store has it."""
        before = self.session.last_saved
        self.pilot.press(key)
        self.pilot.wait_until(f"the {kind} to be saved", lambda: self.session.last_saved > before, 20)

    def reward(self) -> None:
        """Plus and minus while the agent acts."""
        scene = self.open("f3", "Reward", "The agent acts. Plus and minus say how it does, as it does it.")
        teacher, given, seen, last = self.teacher, 0, -1, 0
        for _ in range(25 * TICKS):
            self.camera.tick()
            step = len(scene.live)
            if step == seen or self.camera.ticks - last < TICKS:
                continue
            seen = step
            said = teacher.evaluate(scene.live.trajectory(), step) if step else None
            if said is not None:
                self.pilot.press(reward_key(said.value))
                given, last = given + 1, self.camera.ticks
                self.camera.picture()
            if given >= self.plan.rewards:
                break
        self.pilot.wait(1)

    def rank(self) -> None:
        """Answers, by number keys."""
        text = "Which clip is better? Clips start from the same moment. Number keys, the best first."
        scene = self.open("f4", "Rank", text)
        teacher = self.teacher
        for number in range(self.plan.answers):
            self.pilot.wait_until("a question", lambda: scene.replays is not None, 60)
            self.pilot.wait(2.0 if number < 2 else 0.7)
            ranks = teacher.compare(scene.replays.question).ranks
            if len(set(ranks)) == 1:
                self._press_until_saved("a", "answer")
                continue
            for clip in np.argsort(ranks, kind="stable"):
                self.pilot.press(str(clip + 1), rest=0.15)
            if number == 0:
                self.camera.picture()
            self._press_until_saved("enter", "answer")
        self.pilot.wait(0.5)

    def correct(self) -> None:
        """A takeover where the agent went wrong."""
        text = "Stop the agent where it goes wrong, take the controls, and show what it should have done."
        scene = self.open("f5", "Correct", text)
        over = scene.takeover
        self.pilot.wait_until("the agent to act", lambda: len(over.agent) >= 30 or over.phase == "end", 40)
        if over.phase == "running":
            self.pilot.press("space", rest=0.5)
        at = self.teacher.where_to_correct(over.agent.trajectory())
        for _ in range(len(over.agent) - at):
            self.pilot.press(",", rest=0.03)
        self.pilot.wait(0.6)
        self.pilot.press("t", rest=0.8)
        self._steer(lambda: over.person, lambda: over.phase in ("taken", "driving"), 15)
        self.pilot.wait(0.5)
        self.camera.picture()
        self._press_until_saved("enter", "correction")
        self.pilot.wait(1)

    def watch(self) -> None:
        """The agent now, until it does well or the time is over."""
        self.open("f6", "Watch", "What the agent does now, and what it has come to believe is good.")
        shows = {2.0: "x", 5.0: "g", 8.0: "g"}
        start = self.camera.ticks
        while (seconds := (self.camera.ticks - start) / TICKS) < self.plan.watch:
            self.pilot.wait(1)
            for at in [at for at in shows if at <= seconds]:
                self.pilot.press(shows.pop(at))
            if seconds >= self.plan.min_watch_seconds and self._better(seconds):
                break
        self.camera.picture()

    def _better(self, seconds: float) -> bool:
        """Look every third second whether the agent does well enough on unseen starts."""
        if int(seconds) % 3:
            return False
        latest = self.session.latest_snapshot
        if latest is None:
            return False
        self.after = evaluate_starts(self.task, latest.policy, seed=self._seed)
        return self.after.done_share >= self.plan.target_share

    def compare(self) -> None:
        """The same unseen starts, before and after."""
        latest = self.session.latest_snapshot
        assert latest is not None
        assert self.before is not None
        self.after = evaluate_starts(self.task, latest.policy, seed=self._seed)
        self.camera.chapter(
            "After",
            f"Whole task done: {self.before.done_share:.0%} before, {self.after.done_share:.0%} after.",
        )
        counts = counted(self.session.counts)
        rows = [("Before: the written reward alone", self.before), (f"After: {counts}", self.after)]
        self.camera.still(picture(self.task, rows), 5)


def reward_key(value: float) -> str:
    """The key that says so much."""
    if abs(value) > 1:
        return "k" if value > 0 else "j"
    return "plus" if value > 0 else "minus"


def _passed(live: Callable[[], Any], here: int, going: Callable[[], bool]) -> Callable[[], bool]:
    """Whether the world has left step `here`, or is over."""
    return lambda: live().step_number > here or not going()
