"""`bc`: behavioural cloning of what the person drove (Pomerleau 1991), on an SB3 policy."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch

from agents import checkpoint
from agents.evaluation import scores
from agents.feedback.feedback_validation import Heard
from agents.feedback.records import Question, Record, kind_of, standing, uses_of
from agents.imitation.cloner import CloningConfig, cloner_of
from agents.imitation.dataset import whole_drives
from agents.imitation.ensemble import divide
from agents.policies.from_torch import policy_arrays
from agents.policies.policy_arrays import PolicyArrays
from agents.rl.ppo import BurstPPO, PPOConfig
from agents.rl.vec_env import SimulationVecEnv
from agents.snapshot import CurvePoint, Snapshot
from envs.simulate import is_foreign, simulate
from envs.world import Task

CONFLICTING = 0.2
"""Share of steps at odds with others from which on the person is told."""
EARLY = 0.3
"""Share of the updates before which what is learned anew is not yet acted on."""


class CloningLearner:
    """Does what the person did, as far as it can tell from the observation."""

    name: ClassVar[str] = "bc"
    kinds: ClassVar[frozenset[str]] = frozenset({"demonstration", "correction"})
    Config: ClassVar[type[CloningConfig]] = CloningConfig

    def __init__(
        self, task: Task, *, seed: int = 0, prior: str = "none", config: CloningConfig | None = None
    ) -> None:
        self.task, self.seed, self.config = task, seed, config or self.Config()
        env = SimulationVecEnv(simulate(task, 1, seed=seed))
        ppo = PPOConfig(rows=1, hidden=self.config.widths, device=self.config.device)
        self.ppo = BurstPPO.on(env, ppo, seed=seed)
        if self.config.members > 1:
            divide(self.ppo.policy, self.config.members, seed)
        self.cloner = cloner_of(task, self.config, seed)
        self._adam = self._fresh_adam()
        self._untaught = {name: value.clone() for name, value in self.ppo.policy.state_dict().items()}
        self._former: PolicyArrays | None = None
        self._records = Heard(task)
        self._fitted: frozenset[str] = frozenset()
        self._taken: frozenset[str] = frozenset()
        self._uses: dict[str, int] = {}
        self._seq = self._learned_seq = self._step = 0
        self._left = self._updates = 0
        self._curve: list[CurvePoint] = []
        self._began = time.monotonic()

    @classmethod
    def configured(cls, task: Task, *, seed: int = 0, prior: str = "none", **config: Any) -> CloningLearner:
        """With fields of its configuration as keywords. The prior says nothing to it."""
        return cls(task, seed=seed, config=cls.Config(**config))

    def observe(self, seq: int, records: Sequence[Record]) -> None:
        self._seq = max(self._seq, seq)
        self._records.take(records)

    def step(self) -> bool:
        records = [r for r in standing(self._records.values()) if kind_of(r) in self.kinds]
        ids = frozenset(record.id for record in records)
        self._learned_seq = self._seq
        if ids != self._taken:
            self._take(records)
            self._taken = ids
            self._uses = uses_of(records)
            if ids != self._fitted:
                self._fitted = ids
                self._left = 0
                if records:
                    self._begin_anew()
        if self._left <= 0 or not self.cloner.has_examples:
            return False
        self._burst()
        self._step += 1
        return True

    def _fresh_adam(self) -> torch.optim.Optimizer:
        config = self.config
        return torch.optim.AdamW(self.ppo.policy.parameters(), config.rate, weight_decay=config.decay)

    def _begin_anew(self) -> None:
        """Learn from nothing: what is learned on top of what was learned from less foresees less
        (Ash and Adams 2020, "On warm-starting neural network training"). Until then it acts as before."""
        self._former = self._policy if self._updates else None
        self.ppo.policy.load_state_dict(self._untaught)
        self._adam = self._fresh_adam()
        self._left = self.config.updates

    @property
    def _policy(self) -> PolicyArrays:
        """How it acts now."""
        early = self._left > (1.0 - EARLY) * self.config.updates
        return self._former if early and self._former is not None else policy_arrays(self.ppo.policy)

    def _take(self, records: list[Record]) -> None:
        """Learn from these records from now on."""
        self.cloner.learn_from(whole_drives(self.task, records))
        self.cloner.refuse(records)

    def _burst(self) -> None:
        loss = 0.0
        for done in range(self.config.burst):
            left = max(self._left - done, 1) / self.config.updates
            loss = self.cloner.improve(self.ppo.policy, self._adam, self.config.rate * left)
        self._left -= self.config.burst
        self._updates += self.config.burst
        values = {"cloning loss": loss}
        if not is_foreign(self.task):
            unseen = scores.evaluate(self.task, self._policy)
            values |= scores.curve_values(unseen)
        seconds = time.monotonic() - self._began
        self._curve.append(CurvePoint(seconds, self._updates, 0, values))

    def query(self, clips: int = 2) -> Question | None:
        return None

    def snapshot(self) -> Snapshot:
        waiting = "waiting for you to drive" if not self._fitted else "has learned what you drove"
        return Snapshot(
            learner=self.name,
            step=self._step,
            feedback_seq=self._learned_seq,
            env_steps=self._updates,
            policy=self._policy,
            reward=None,
            curve=tuple(self._curve),
            phase="learning what you drove" if self._left > 0 else waiting,
            uses=dict(self._uses),
            warnings=self._warnings(),
        )

    def _warnings(self) -> tuple[str, ...]:
        remarks = self._records.remarks(list(self._records.values()))
        if self.cloner.conflicts <= CONFLICTING:
            return remarks
        share = f"{100 * self.cloner.conflicts:.0f}%"
        told = f"In {share} of your steps you did something else where things looked the same: what you "
        return (*remarks, told + "did most counts.")

    def save(self, folder: Path) -> None:
        facts = {
            "step": self._step,
            "updates": self._updates,
            "left": self._left,
            "fitted": sorted(self._fitted),
            "learned_seq": self._learned_seq,
            "uses": self._uses,
            "cloner": self.cloner.state(),
        }
        arrays = checkpoint.policy_state(self.ppo.policy, self._adam) | self._more()
        checkpoint.save(folder, self.name, facts, arrays)

    def _more(self) -> checkpoint.Arrays:
        """What else a checkpoint needs."""
        return {}

    def load(self, folder: Path) -> None:
        facts, arrays = checkpoint.load(folder, self.name)
        checkpoint.restore_policy(self.ppo.policy, self._adam, arrays)
        self._step, self._updates, self._left = facts["step"], facts["updates"], facts["left"]
        self._learned_seq = self._seq = facts["learned_seq"]
        self._uses = dict(facts.get("uses", {}))
        self._fitted = frozenset(facts["fitted"])
        self.cloner.restore(facts["cloner"])
