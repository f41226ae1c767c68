"""`evaluative`: from presses of + and - alone, with credit for delay, in one of three ways.

"choice": each press is a choice between two buttons under one reward (as in `joint`), then PPO.
"tamer": the person's reward of a step is regressed on the presses and maximised (Knox and Stone 2009;
beyond the step, as they advise in 2015). "coach": a press is an advantage, and moves the policy itself
(MacGlashan et al. 2017).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
import torch

from agents.feedback.choices import delayed_credit
from agents.feedback.records import Evaluation, Record
from agents.learners.joint_config import JointConfig, discrete_actions
from agents.learners.reward_learner import RewardLearner
from agents.losses import coach
from agents.policies.distributions import evaluate_actions
from agents.renamed_settings import renamed_settings
from agents.rewards.base import Reward
from agents.rewards.symmetry import canonical_views
from agents.rewards.tamer import TamerLinearReward, TamerNetReward
from agents.snapshot import Snapshot
from agents.training.trainer import PolicyTrainer


@renamed_settings(
    way="method", rate="learning_rate", passes="n_epochs", entropy="ent_coef", reach="max_log_prob_change"
)
@dataclass(frozen=True)
class EvaluativeConfig(JointConfig):
    """The settings of `joint`, and how presses are used."""

    method: Literal["choice", "tamer", "coach"] = "choice"
    learning_rate: float = 3e-3  # Adam's of the policy, for coach
    n_epochs: int = 10  # over new presses, for coach
    ent_coef: float = 0.01  # for coach: keeps it trying
    # for coach: how much surer or less sure of an action new presses may make it [nats]
    max_log_prob_change: float = 0.3
    gamma: float = 0.9  # for tamer: how far ahead it looks


class EvaluativeLearner(RewardLearner):
    """Learns from presses of + and - alone."""

    name: ClassVar[str] = "evaluative"
    kinds: ClassVar[frozenset[str]] = frozenset({"evaluation"})
    Config: ClassVar[type[JointConfig]] = EvaluativeConfig
    config: EvaluativeConfig
    trainer: PolicyTrainer

    def make_reward(self) -> Reward:
        if self.config.method != "tamer":
            return super().make_reward()
        actions = discrete_actions(self.task)
        if self.config.model == "terms" and self.task.names_terms:
            written = self.task.proxy_weights
            every = np.array([n not in self.task.hidden_terms for n in self.task.world.term_names], np.bool_)
            return TamerLinearReward(written, every, actions, self.config.reward, self.seed)
        turns = canonical_views(self.task.world.symmetries, actions)
        net = TamerNetReward(self.task.proxy_weights, turns, actions, self.config.net, self.seed)
        net.obs_ranges = self.task.obs_ranges
        return net

    # COACH: a press speaks of the policy it was given to, so each moves it once and is then used up.

    def fit_reward(self, records: list[Record]) -> None:
        if self.config.method == "tamer":
            self.trainer.algorithm.gamma = self.config.gamma  # a press already speaks of much of what follows
        if self.config.method != "coach":
            super().fit_reward(records)
            return
        fresh = [r for r in records if isinstance(r, Evaluation) and r.id not in self.schedule.fitted_ids]
        presses = [r for r in fresh if len(r.segment) > 1]
        if presses:
            self._coach_update(presses)
        self.trainer.algorithm.collect_only()  # where the policy is nowadays
        self.schedule.steps_since_fit = self.steps_per_fit
        self.record_curve()

    def _coach_update(self, evaluations: list[Evaluation]) -> None:
        policy = self.trainer.algorithm.policy
        rate, turns = self.task.world.steps_per_second, self.task.world.symmetries or (None,)
        obs, actions, credit, owner = [], [], [], []
        value: list[float] = []
        for press in evaluations:
            segment = press.segment
            weights = delayed_credit(len(segment), press.delay_steps, press.rate or rate).clip(min=0.0)
            for turn in turns:
                seen, did = segment.observations[:-1], np.asarray(segment.actions)
                obs.append(seen if turn is None else seen[:, turn[0]])
                actions.append(did if turn is None else turn[1][did])
                credit.append(weights)
                owner.append(np.full(len(did), len(value)))
                value.append(press.value)
        on = policy.device
        sides = [torch.as_tensor(np.concatenate(part), device=on) for part in (obs, actions, credit, owner)]
        values = torch.tensor(value, dtype=torch.float32, device=on)
        acted = sides[1].reshape(len(sides[1]), -1)
        with torch.no_grad():  # as PPO clips; momentum would carry it past
            limit = (
                evaluate_actions(policy, sides[0], acted)[0]
                + self.config.max_log_prob_change * values[sides[3]].sign()
            )
        adam = torch.optim.Adam(policy.parameters(), self.config.learning_rate, betas=(0.0, 0.999))
        for _ in range(self.config.n_epochs):
            log_pi, entropy, _ = evaluate_actions(policy, sides[0], acted)
            near = torch.where(values[sides[3]] > 0.0, log_pi.minimum(limit), log_pi.maximum(limit))
            sums = torch.zeros(len(value), device=on).index_add(0, sides[3], near * sides[2])
            loss = coach(sums.unsqueeze(1), torch.ones((len(value), 1), device=on), values).mean()
            loss = loss - self.config.ent_coef * entropy
            adam.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
            adam.step()

    def snapshot(self) -> Snapshot:
        found = super().snapshot()
        return replace(found, reward=None, saliency={}) if self.config.method == "coach" else found
