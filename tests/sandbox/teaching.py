"""A session without a store and a learner, and clips of Rooms, for tests of scenes."""

from __future__ import annotations

import os

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pygame

from agents.feedback.records import Question, Undo, active_records, kind_of
from agents.policies.policy_arrays import PolicyArrays
from agents.rewards.reward_arrays import RewardArrays
from agents.snapshot import CurvePoint, Snapshot
from envs.simulate import simulate
from envs.trajectory import Trajectory
from envs.world import Task
from sandbox.session.events import NewSnapshot, Saved
from sandbox.window.app import App
from tests.sandbox.fakes import FakeSession


def recorded(task: Task, steps: int, *, seed: int = 0, luck: int = 0) -> Trajectory:
    """A clip of an agent that acts at random."""
    random = np.random.default_rng(luck)
    sim = simulate(task, 1, seed)
    recorder = sim.recorder(0, "random")
    for _ in range(steps):
        action = np.array([task.world.action_space.sample() if luck < 0 else random.integers(0, 5)])
        out = sim.step(action)
        recorder.add(action[0], out.terms[0], sim.states[0], int(sim.rng[0]), out.obs[0])
    return recorder.trajectory()


def question(task: Task, clips: int = 2, steps: int = 20, seed: int = 0) -> Question:
    """Clips from one start."""
    return Question(tuple(recorded(task, steps, seed=seed, luck=luck) for luck in range(clips)))


def questions(task: Task) -> Iterator[Question]:
    seed = 0
    while True:
        seed += 1
        yield question(task, seed=seed)


def policy(task: Task, *, seed: int = 0, action: int | None = None) -> PolicyArrays:
    """A policy with random weights, or one that always does one thing."""
    random = np.random.default_rng(seed)
    inputs, outputs = len(task.world.obs_names), int(task.world.action_space.n)
    if action is not None:
        weight, bias = np.zeros((inputs, outputs), np.float32), np.zeros(outputs, np.float32)
        bias[action] = 50.0
        return PolicyArrays(((weight, bias),), "discrete")
    weight = random.normal(0, 0.5, (inputs, outputs)).astype(np.float32)
    return PolicyArrays(((weight, np.zeros(outputs, np.float32)),), "discrete")


def snapshot(task: Task, step: int, **changes: Any) -> Snapshot:
    """A snapshot with a policy, a reward that likes the first term, and a curve."""
    random = np.random.default_rng(step)
    weights = np.zeros((3, len(task.world.terms)), np.float32)
    weights[:, 0], weights[:, 1] = 1.0, -0.8
    weights += random.normal(0, 0.1, weights.shape).astype(np.float32)
    given: dict[str, Any] = {
        "learner": "joint",
        "step": step,
        "feedback_seq": step,
        "env_steps": 4096 * step,
        "policy": policy(task, seed=step),
        "reward": RewardArrays(weights),
        "curve": (),
        "phase": "learning from 12 answers",
    }
    return Snapshot(**{**given, **changes})


class Teaching(FakeSession):
    """The in-memory session with questions from `ask`, a learner that obeys, and a log of its orders."""

    def __init__(self, task: Task, ask: Callable[[int], Question | None] | None = None) -> None:
        super().__init__()
        self.task, self.world = task, task.id
        self.ask = ask or (lambda clips: None)
        self.first_snapshot: Snapshot | None = None
        self.calls: list[str] = []
        self.status.text = "The learner is warming up."

    def show(self, step: int, **changes: Any) -> Snapshot:
        """The learner comes with a new snapshot."""
        self.latest_snapshot = snapshot(self.task, step, **changes)
        self.first_snapshot = self.first_snapshot or self.latest_snapshot
        self.curve.append(
            CurvePoint(step * 1.0, self.latest_snapshot.env_steps, step, {"score": 1 - 1 / step})
        )
        self.events.append(NewSnapshot(self.latest_snapshot))
        return self.latest_snapshot

    def next_question(self, clips: int = 2) -> Question | None:
        return self.ask(clips)

    def undo(self, kind: str | None = None) -> str | None:
        last = [r for r in active_records(self.records) if kind is None or kind_of(r) == kind]
        if not last:
            return None
        record = Undo(last[-1].id)
        self.records.append(record)
        self.events.append(Saved(len(self.records), record.id, "Taken back", "undo", record.target))
        return record.id

    def act(self, obs: Any, random: np.random.Generator, temperature: float = 1.0) -> Any:
        if self.latest_snapshot is not None and self.latest_snapshot.policy is not None:
            return self.latest_snapshot.policy.act(obs, random, temperature)
        return super().act(obs, random, temperature)

    def pause(self) -> None:
        self.calls.append("pause")
        super().pause()

    def resume(self) -> None:
        self.calls.append("resume")
        super().resume()

    def restart_learner(self) -> None:
        self.calls.append("restart")

    def set_learner(self, name: str) -> None:
        self.calls.append(f"learner {name}")
        super().set_learner(name)


KEYS = {
    "left": pygame.K_LEFT,
    "right": pygame.K_RIGHT,
    "up": pygame.K_UP,
    "down": pygame.K_DOWN,
    "enter": pygame.K_RETURN,
    "space": pygame.K_SPACE,
    "escape": pygame.K_ESCAPE,
    "backspace": pygame.K_BACKSPACE,
    **{f"f{n}": getattr(pygame, f"K_F{n}") for n in range(1, 13)},
}


def press(app: App, *keys: str) -> None:
    """Real key events through the window's queue, one frame each."""
    for key in keys:
        code, text = (KEYS[key], "") if key in KEYS else (ord(key), key)
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=code, unicode=text, mod=0))
        pygame.event.post(pygame.event.Event(pygame.KEYUP, key=code, unicode=text, mod=0))
        app.tick()


def frames(app: App, count: int) -> None:
    for _ in range(count):
        app.tick()


@contextmanager
def undrawn(app: App) -> Iterator[None]:
    """Frames that are not drawn meanwhile: time passes several times as fast."""
    app.draw = lambda: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        del app.draw


def texts(app: App) -> list[str]:
    """Everything that is written on screen now."""
    app.theme.trace = []
    app.draw()
    found = [text for text, _ in app.theme.trace]
    app.theme.trace = None
    return found
