"""The measured process: the real window (or none) on a fresh session, timed from outside its code.

Frames are timed where they are shown (`pygame.display.flip`), keys where the window takes them
(`pygame.event.get`). Run as ``python -m sandbox.bench.speed.window_probe SCENE LEARNER SECONDS FOLDER``; it
tells one line of JSON when it is ready and another with what it saw. SCENE "none" opens no window.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.learners.protocol import Learner
from envs.world import Task
from sandbox.bench.machine import cpu_seconds
from sandbox.session.session import Session

WORLD = "teachbox/RoomsTidy-v0"
PATIENCE = 120.0  # for the learner to be at it [s]
SETTLE = 2.0  # from then until the measured part [s]


def make_endless_learner(name: str, task: Task, *, seed: int = 0, prior: str = "written") -> Learner:
    """The learner as usual, but it never comes to the end of its first phase: a steady load."""
    from agents.learner_catalog import make

    return make(name, task, seed=seed, prior=prior, settings={"proxy_steps": 10**12})


class Watcher:
    """Notes when frames are shown and which key presses each of them is the first to answer."""

    def __init__(self) -> None:
        import pygame

        self.flips: list[float] = []
        self.answered: list[float] = []
        self._taken = 0
        self._key = pygame.KEYDOWN
        self._get, self._flip = pygame.event.get, pygame.display.flip
        pygame.event.get = self._watched_get
        pygame.display.flip = self._watched_flip

    def _watched_get(self, *arguments: Any, **keywords: Any) -> list[Any]:
        events = self._get(*arguments, **keywords)
        self._taken += sum(event.type == self._key for event in events)
        return events

    def _watched_flip(self) -> None:
        self._flip()
        now = time.monotonic()
        self.flips.append(now)
        self.answered += [now] * self._taken
        self._taken = 0


def tell(facts: Mapping[str, object]) -> None:
    """Write one line of JSON for the process that started this one."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def env_steps(session: Session) -> int:
    return session.latest_snapshot.env_steps if session.latest_snapshot is not None else 0


def learner_cpu() -> float:
    """The learner process's CPU seconds so far; 0 where there is none or /proc isn't there."""
    return sum(cpu_seconds(child.pid) or 0.0 for child in multiprocessing.active_children() if child.pid)


def run(scene: str, learner: bool, seconds: float, folder: Path) -> None:
    """One slot: get ready, say so, measure, tell."""
    session = Session.open(folder, world=WORLD, start_learner=learner, make=make_endless_learner)
    app, watcher = None, None
    if scene != "none":
        from sandbox.window.app import App

        app = App(session)
        watcher = Watcher()
        app.show_mode(scene)

    def turn() -> None:
        if app is not None:
            app.tick()
        else:
            session.poll()
            time.sleep(0.02)

    def turn_for(duration: float) -> None:
        until = time.monotonic() + duration
        while time.monotonic() < until:
            turn()

    deadline = time.monotonic() + PATIENCE
    while learner and env_steps(session) == 0:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the learner was not at it after {PATIENCE:.0f} s: {session.status.text}")
        turn()
    turn_for(SETTLE)
    tell({"window": _window_number() if app is not None else 0})
    turn_for(0.5)
    begun, cpu, steps, spent = time.monotonic(), time.process_time(), env_steps(session), learner_cpu()
    turn_for(seconds)
    took = time.monotonic() - begun
    tell(
        {
            "seconds": took,
            "begun": begun,
            "window_cpu": time.process_time() - cpu,
            "steps": env_steps(session) - steps,
            "learner_cpu": learner_cpu() - spent,
            "flips": watcher.flips if watcher else [],
            "answered": watcher.answered if watcher else [],
        }
    )
    if app is not None:
        app.close()
    else:
        session.close()


def _window_number() -> int:
    import pygame

    return int(pygame.display.get_wm_info().get("window", 0))


if __name__ == "__main__":
    # the learner imports `tireless` by that module's name

    run(sys.argv[1], sys.argv[2] == "on", float(sys.argv[3]), Path(sys.argv[4]))
