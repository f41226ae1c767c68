"""`bc`: behavioural cloning of what the person drove (Pomerleau 1991), on an SB3 policy."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from agents import checkpoint
from agents.checkpoint import StateDict
from agents.feedback.records import Record, uses_of
from agents.imitation.cloner import CloningConfig, cloner_of
from agents.imitation.dataset import whole_drives
from agents.imitation.ensemble import make_ensemble
from agents.learners.checkpointed_learner import CheckpointedLearner
from agents.learners.learning_curve import LearningCurve
from agents.learners.protocol import Prior
from agents.policies.from_torch import policy_arrays
from agents.policies.policy_arrays import PolicyArrays
from agents.rl.ppo import BurstPPO, PPOConfig
from agents.rl.vec_env import SimulationVecEnv
from agents.snapshot import Snapshot
from envs.simulate import simulate
from envs.world import Task

CONFLICTING = 0.2
"""Share of steps at odds with others from which on the person is told."""
EARLY = 0.3
"""Share of the updates before which what is learned anew is not yet acted on."""


class CloningLearner(CheckpointedLearner):
    """Does what the person did, as far as it can tell from the observation."""

    name: ClassVar[str] = "bc"
    kinds: ClassVar[frozenset[str]] = frozenset({"demonstration", "correction"})
    Config: ClassVar[type[CloningConfig]] = CloningConfig
    config: CloningConfig

    def __init__(
        self, task: Task, *, seed: int = 0, prior: Prior = "none", config: CloningConfig | None = None
    ) -> None:
        super().__init__(task, seed=seed, prior=prior, config=config)
        env = SimulationVecEnv(simulate(task, 1, seed=seed))
        ppo = PPOConfig(n_envs=1, net_arch=self.config.widths, device=self.config.device)
        self.ppo = BurstPPO.on(env, ppo, seed=seed)
        if self.config.members > 1:
            make_ensemble(self.ppo.policy, self.config.members, seed)
        self.cloner = cloner_of(task, self.config, seed)
        self._adam = self._fresh_adam()
        self._untaught = {name: value.clone() for name, value in self.ppo.policy.state_dict().items()}
        self._former: PolicyArrays | None = None
        self._fitted: frozenset[str] = frozenset()
        self._taken: frozenset[str] = frozenset()
        self._uses: dict[str, int] = {}
        self._left = self._updates = 0
        self.curve = LearningCurve()

    @property
    def algorithm(self) -> Any:
        """The model of Stable-Baselines3 that it trains."""
        return self.ppo

    def step(self) -> bool:
        records = self.standing_records()
        ids = frozenset(record.id for record in records)
        self.learned_seq = self.newest_seq
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
        self.step_count += 1
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
        if self.evaluate is not None:
            values |= self.evaluate(self._policy)
        self.curve.record(self._updates, 0, values)

    def snapshot(self) -> Snapshot:
        waiting = "waiting for you to drive" if not self._fitted else "has learned what you drove"
        return Snapshot(
            learner=self.name,
            step=self.step_count,
            feedback_seq=self.learned_seq,
            env_steps=self._updates,
            policy=self._policy,
            reward=None,
            curve=self.curve.points(),
            phase="learning what you drove" if self._left > 0 else waiting,
            uses=dict(self._uses),
            warnings=self._warnings(),
        )

    def _warnings(self) -> tuple[str, ...]:
        remarks = self.records.remarks(list(self.records.values()))
        if self.cloner.conflicts <= CONFLICTING:
            return remarks
        share = f"{100 * self.cloner.conflicts:.0f}%"
        told = f"In {share} of your steps you did something else where things looked the same: what you "
        return (*remarks, told + "did most counts.")

    def state_dict(self) -> StateDict:
        facts = {
            "step": self.step_count,
            "updates": self._updates,
            "left": self._left,
            "fitted": sorted(self._fitted),
            "learned_seq": self.learned_seq,
            "uses": self._uses,
            "cloner": self.cloner.state(),
        }
        return StateDict(facts, checkpoint.policy_state(self.ppo.policy, self._adam))

    def load_state_dict(self, state: StateDict) -> None:
        facts = state.facts
        checkpoint.restore_policy(self.ppo.policy, self._adam, state.arrays)
        self.step_count, self._updates, self._left = facts["step"], facts["updates"], facts["left"]
        self.learned_seq = self.newest_seq = facts["learned_seq"]
        self._uses = dict(facts.get("uses", {}))
        self._fitted = frozenset(facts["fitted"])
        self.cloner.restore(facts["cloner"])
