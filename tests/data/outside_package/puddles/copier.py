"""A learner of somebody else's: it copies how often the drives took each action, before the puddle and
elsewhere."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from agents.feedback.records import count_by_kind
from agents.learners.base_learner import BaseLearner
from agents.policies.policy_arrays import PolicyArrays
from agents.snapshot import Snapshot

BEFORE_THE_PUDDLE = 1  # index in the observation


@dataclass(frozen=True)
class CopierConfig:
    """The settings of `Copier`."""

    pseudo_count: float = 0.01  # added to the count of every action


class Copier(BaseLearner):
    """Copies your drives: one habit before the puddle, one everywhere else."""

    name = "puddles-copier"
    kinds = frozenset({"demonstration"})
    Config = CopierConfig

    def __init__(self, task, *, seed=0, prior="written", config=None):
        super().__init__(task, seed=seed, prior=prior, config=config)
        self.counts = np.zeros((2, task.world.action_space.n))

    def step(self):
        if self.learned_seq == self.newest_seq:
            return False
        self.learned_seq, self.step_count = self.newest_seq, self.step_count + 1
        self.counts[:] = 0.0
        for record in self.active_records():
            drive = record.trajectory
            near = drive.observations[:-1, BEFORE_THE_PUDDLE].astype(int)
            np.add.at(self.counts, (near, drive.actions), 1.0)
        return True

    def snapshot(self):
        counts = self.counts + self.config.pseudo_count
        elsewhere, near = np.log(counts / counts.sum(axis=1, keepdims=True)).astype(np.float32)
        weights = np.zeros((len(self.task.world.obs_names), len(near)), np.float32)
        weights[BEFORE_THE_PUDDLE] = near - elsewhere
        return Snapshot(
            learner=self.name,
            step=self.step_count,
            feedback_seq=self.learned_seq,
            env_steps=0,
            policy=PolicyArrays(((weights, elsewhere),), "discrete"),
            reward=None,
            phase="waiting for a demonstration",
            feedback_counts=count_by_kind(self.active_records()),
        )

    def save(self, folder):
        facts = {"counts": self.counts.tolist(), "seq": self.learned_seq, "steps": self.step_count}
        (folder / "copier.json").write_text(json.dumps(facts))

    def load(self, folder):
        facts = json.loads((folder / "copier.json").read_text())
        self.counts[:] = facts["counts"]
        self.learned_seq, self.step_count = facts["seq"], facts["steps"]
