"""`bc`: behavioural cloning of the person's drives (Pomerleau 1991), with a policy of Stable-Baselines3."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from agents import checkpoint
from agents.checkpoint import StateDict
from agents.feedback.records import Record, count_by_kind
from agents.imitation.cloner import CloningConfig, make_cloner
from agents.imitation.dataset import padded_trajectories
from agents.imitation.ensemble import make_ensemble
from agents.learners.checkpointed_learner import CheckpointedLearner
from agents.learners.learning_curve import LearningCurve
from agents.learners.protocol import Prior
from agents.policies.from_torch import policy_arrays
from agents.policies.policy_arrays import PolicyArrays
from agents.rl.ppo import IncrementalPPO, PPOConfig
from agents.rl.vec_env import SimulationVecEnv
from agents.snapshot import Snapshot
from envs.simulate import simulate
from envs.world import Task

CONFLICT_WARNING_SHARE = 0.2
"""The person is warned if more than this share of the steps contradicts other steps."""
PREVIOUS_POLICY_SHARE = 0.3
"""After a restart, the previous policy goes on acting for this share of the updates."""


class CloningLearner(CheckpointedLearner):
    """Does what the person did in states that look the same."""

    name: ClassVar[str] = "bc"
    kinds: ClassVar[frozenset[str]] = frozenset({"demonstration", "correction"})
    Config: ClassVar[type[CloningConfig]] = CloningConfig
    config: CloningConfig

    def __init__(
        self, task: Task, *, seed: int = 0, prior: Prior = "none", config: CloningConfig | None = None
    ) -> None:
        super().__init__(task, seed=seed, prior=prior, config=config)
        env = SimulationVecEnv(simulate(task, 1, seed=seed))
        ppo = PPOConfig(n_envs=1, net_arch=self.config.policy_net_arch, device=self.config.device)
        self.ppo = IncrementalPPO.for_env(env, ppo, seed=seed)
        if self.config.n_members > 1:
            make_ensemble(self.ppo.policy, self.config.n_members, seed)
        self.cloner = make_cloner(task, self.config, seed)
        self._optimizer = self._make_optimizer()
        self._initial_parameters = {
            name: value.clone() for name, value in self.ppo.policy.state_dict().items()
        }
        self._previous_policy: PolicyArrays | None = None
        self._fitted_ids: frozenset[str] = frozenset()
        self._seen_ids: frozenset[str] = frozenset()
        self._feedback_counts: dict[str, int] = {}
        self._updates_left = self._n_updates = 0
        self.curve = LearningCurve()

    @property
    def algorithm(self) -> Any:
        """The model of Stable-Baselines3 that it trains."""
        return self.ppo

    def step(self) -> bool:
        records = self.active_records()
        ids = frozenset(record.id for record in records)
        self.learned_seq = self.newest_seq
        if ids != self._seen_ids:
            self._set_records(records)
            self._seen_ids = ids
            self._feedback_counts = count_by_kind(records)
            if ids != self._fitted_ids:
                self._fitted_ids = ids
                self._updates_left = 0
                if records:
                    self._restart_training()
        if self._updates_left <= 0 or not self.cloner.has_examples:
            return False
        self._train_some()
        self.step_count += 1
        return True

    def _make_optimizer(self) -> torch.optim.Optimizer:
        config = self.config
        return torch.optim.AdamW(
            self.ppo.policy.parameters(), config.learning_rate, weight_decay=config.weight_decay
        )

    def _restart_training(self) -> None:
        """Start again from new weights, because training that continues from old weights generalises worse
        (Ash and Adams 2020, "On warm-starting neural network training"). Until it has learned enough the old
        policy acts."""
        self._previous_policy = self._current_policy if self._n_updates else None
        self.ppo.policy.load_state_dict(self._initial_parameters)
        self.cloner.normalise_policy(self.ppo.policy)
        self._optimizer = self._make_optimizer()
        self._updates_left = self.config.n_updates

    @property
    def _current_policy(self) -> PolicyArrays:
        """The policy that acts now."""
        early = self._updates_left > (1.0 - PREVIOUS_POLICY_SHARE) * self.config.n_updates
        return (
            self._previous_policy
            if early and self._previous_policy is not None
            else policy_arrays(self.ppo.policy)
        )

    def _set_records(self, records: list[Record]) -> None:
        """Learn from these records from now on."""
        self.cloner.set_trajectories(padded_trajectories(self.task, records))
        self.cloner.set_overridden_actions(records)

    def _train_some(self) -> None:
        loss = 0.0
        for done in range(self.config.updates_per_step):
            left = max(self._updates_left - done, 1) / self.config.n_updates
            loss = self.cloner.train_step(self.ppo.policy, self._optimizer, self.config.learning_rate * left)
        self._updates_left -= self.config.updates_per_step
        self._n_updates += self.config.updates_per_step
        values = {"cloning loss": loss}
        if self.evaluate is not None:
            values |= self.evaluate(self._current_policy)
        self.curve.record(self._n_updates, 0, values)

    def snapshot(self) -> Snapshot:
        waiting = "waiting for you to drive" if not self._fitted_ids else "has learned what you drove"
        return Snapshot(
            learner=self.name,
            step=self.step_count,
            feedback_seq=self.learned_seq,
            env_steps=self._n_updates,
            policy=self._current_policy,
            reward=None,
            curve=self.curve.points(),
            phase="learning what you drove" if self._updates_left > 0 else waiting,
            feedback_counts=dict(self._feedback_counts),
            warnings=self._warnings(),
        )

    def _warnings(self) -> tuple[str, ...]:
        remarks = self.records.warnings(list(self.records.values()))
        if self.cloner.conflict_share <= CONFLICT_WARNING_SHARE:
            return remarks
        share = f"{100 * self.cloner.conflict_share:.0f}%"
        told = f"In {share} of your steps you did something else than in most steps that looked the same: "
        return (*remarks, told + "what you did most often counts.")

    def state_dict(self) -> StateDict:
        facts = {
            "step": self.step_count,
            "updates": self._n_updates,
            "left": self._updates_left,
            "fitted": sorted(self._fitted_ids),
            "learned_seq": self.learned_seq,
            "uses": self._feedback_counts,
            "cloner": self.cloner.state_dict().facts,
        }
        return StateDict(facts, checkpoint.policy_state(self.ppo.policy, self._optimizer))

    def load_state_dict(self, state: StateDict) -> None:
        facts = state.facts
        checkpoint.restore_policy(self.ppo.policy, self._optimizer, state.arrays)
        self.step_count, self._n_updates, self._updates_left = facts["step"], facts["updates"], facts["left"]
        self.learned_seq = self.newest_seq = facts["learned_seq"]
        self._feedback_counts = dict(facts.get("uses", {}))
        self._fitted_ids = frozenset(facts["fitted"])
        self.cloner.load_state_dict(StateDict(facts["cloner"]))
