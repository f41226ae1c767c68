"""A learner without torch that learns nothing, quickly: for tests of everything around learners."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from agents.feedback.records import Question, Record, Suggestion, Undo, kind_of
from agents.learners.base_learner import BaseLearner
from agents.policies.policy_arrays import PolicyArrays
from agents.rewards.reward_arrays import RewardArrays
from agents.snapshot import CurvePoint, Snapshot
from envs.world import Task
from sandbox.bench.durability.fake_records import trajectory

__all__ = ["FakeLearner", "make", "trajectory"]


class FakeLearner(BaseLearner):
    """Counts its steps and what it has heard. Files in its own checkpoint make it fail on demand."""

    name: ClassVar[str] = "fake"
    kinds: ClassVar[frozenset[str]] = frozenset({"demonstration", "evaluation", "comparison", "correction"})

    def __init__(self, name: str, task: Task, seed: int = 0) -> None:
        super().__init__(task, seed=seed)
        self.label = name
        self.steps = self.seq = 0
        self.known: dict[str, str] = {}
        self.undone: set[str] = set()
        self.curve: list[CurvePoint] = []

    def observe(self, seq: int, records: Sequence[Record]) -> None:
        self.seq = seq
        for record in records:
            if isinstance(record, Undo):
                self.undone.add(record.target)
            self.known[record.id] = kind_of(record)

    def step(self) -> bool:
        time.sleep(0.01)
        self.steps += 1
        self.curve.append(CurvePoint(self.steps * 0.01, self.steps * 10, len(self.known), {"return": 0.5}))
        return True

    def query(self, clips: int = 2) -> Question | None:
        clip = [trajectory(seed=self.steps + i) for i in range(clips)]
        return Question(tuple(clip), about=f"known: {self.seq}")

    def snapshot(self) -> Snapshot:
        world = self.task.world
        size, actions = len(world.obs_names), int(world.action_space.n)
        layer = (np.zeros((size, actions), np.float32), np.full(actions, self.steps, np.float32))
        uses: dict[str, int] = {}
        for id, kind in self.known.items():
            if kind in self.kinds and id not in self.undone:
                uses[kind] = uses.get(kind, 0) + 1
        return Snapshot(
            learner=self.label,
            step=self.steps,
            feedback_seq=self.seq,
            env_steps=self.steps * 10,
            policy=PolicyArrays((layer,), "discrete"),
            reward=RewardArrays(np.zeros((1, len(world.terms)), np.float32)),
            curve=tuple(self.curve),
            phase="counting",
            feedback_counts=uses,
        )

    def save(self, folder: Path) -> None:
        (folder / "fake.json").write_text(json.dumps({"steps": self.steps, "seed": self.seed}))

    def load(self, folder: Path) -> None:
        try:
            self.steps = json.loads((folder / "fake.json").read_text())["steps"]
        except (OSError, ValueError) as error:
            raise ValueError(f"{folder} is no checkpoint of a fake learner") from error


class Broken(FakeLearner):
    """Fails in its first step."""

    def step(self) -> bool:
        raise RuntimeError("the gradient exploded")


class Stuck(FakeLearner):
    """Its fifth step never ends."""

    def step(self) -> bool:
        if self.steps == 5:
            time.sleep(3600)
        return super().step()


class Mortal(FakeLearner):
    """Dies without a word once, after its first checkpoint."""

    def save(self, folder: Path) -> None:
        super().save(folder)
        mark = folder.parents[2] / "died"
        if not mark.exists():
            mark.touch()
            os._exit(9)


class Torn(FakeLearner):
    """Told of two raters or more, it says that they part; it always wants a drive."""

    def __init__(self, name: str, task: Task, seed: int = 0) -> None:
        super().__init__(name, task, seed)
        self.whom = ""

    def follow(self, rater: str) -> None:
        self.whom = rater

    def suggest(self) -> Suggestion:
        return Suggestion("demonstration", 0, 1.0, 6.0)

    def snapshot(self) -> Snapshot:
        said = list(dict.fromkeys(self.raters.values()))
        whom = self.whom or said[0] if len(said) > 1 else ""
        parting = {rater: {"vase": 3.0} for rater in said if whom and rater != whom}
        told = tuple(f"{rater} wants something else than {whom}: more of vase." for rater in parting)
        followed = (whom,) if whom else ()
        return replace(super().snapshot(), rater_differences=parting, followed_raters=followed, warnings=told)


KINDS = {"fake": FakeLearner, "broken": Broken, "stuck": Stuck, "mortal": Mortal, "torn": Torn}


def make(name: str, task: Task, *, seed: int = 0, prior: str = "written") -> FakeLearner:
    """The factory that a session is given as "tests.sandbox.fake:make"."""
    return KINDS.get(name, FakeLearner)(name, task, seed)
