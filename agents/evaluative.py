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

from agents.choices import Packed, press_weights
from agents.feedback import Evaluation, Record
from agents.joint import JointConfig, JointLearner
from agents.learned_reward import LearnedReward
from agents.losses import coach, tamer
from agents.networks import mlp_layers
from agents.ppo_torch import evaluate
from agents.reward_model import RewardModel
from agents.reward_net import NetReward, turnings
from agents.rollouts import is_foreign
from agents.snapshot import Snapshot

RIDGE = 1.0


@dataclass(frozen=True)
class EvaluativeConfig(JointConfig):
    """`joint`'s, and the way of taking a press."""

    way: Literal["choice", "tamer", "coach"] = "choice"
    rate: float = 3e-3  # Adam's of the policy, for coach
    passes: int = 10  # over new presses, for coach
    entropy: float = 0.01  # for coach: keeps it trying
    reach: float = 0.3  # for coach: how much surer or less sure of an action new presses may make it [nats]
    gamma: float = 0.9  # for tamer: how far ahead it looks


class HumanReward(NetReward):
    """TAMER's H(s, a): a net whose credited sum over a segment is the press's value."""

    def fit(self, packed: Packed) -> None:
        x = self._inputs(packed, self._turns[0] if self._turns else None)
        mean, deviation = x.mean(0), x.std(0).clamp(min=0.05)
        x = (x - mean) / deviation
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._seed)
            net = torch.nn.Sequential(
                torch.nn.Linear(x.shape[1], 32), torch.nn.Tanh(), torch.nn.Linear(32, 1)
            )
        adam = torch.optim.AdamW(net.parameters(), 0.01, weight_decay=0.1)
        owner, credit = torch.from_numpy(packed.owner), torch.from_numpy(packed.step_weight)
        nothing = len(packed.terms) - 1
        option = packed.option[:, :2]
        sign = np.where(option[:, 0] == nothing, -1.0, 1.0).astype(np.float32)
        pressed = torch.from_numpy(np.where(option[:, 0] == nothing, option[:, 1], option[:, 0]))
        value = torch.from_numpy(sign * packed.weight)
        for _ in range(200):
            steps = net(x).squeeze(-1) * credit
            sums = torch.zeros(len(packed.terms)).index_add(0, owner, steps)
            loss = tamer(sums[pressed], value).mean()
            adam.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            adam.step()
        (first, bias), last = mlp_layers(net)
        scaled = first / deviation.numpy()[:, None]
        moved = np.asarray(bias - (mean / deviation).numpy() @ first, np.float32)
        self._nets = (((scaled, moved), last),)
        self.weights = np.zeros((1, self.weights.shape[1]), np.float32)


class HumanTerms(RewardModel):
    """The same, linear in the named terms: ridge regression, whose posterior gives the members."""

    def fit(self, packed: Packed) -> None:
        nothing = len(packed.terms) - 1
        down = packed.option[:, 0] == nothing
        pressed = np.where(down, packed.option[:, 1], packed.option[:, 0])
        x = packed.terms[pressed] / self.unit
        value = np.where(down, -packed.weight, packed.weight)
        precision = x.T @ x + RIDGE * np.eye(x.shape[1])
        mean, spread = np.linalg.solve(precision, x.T @ value), np.linalg.cholesky(np.linalg.inv(precision))
        draws = np.random.default_rng(self._seed).standard_normal((48, len(mean)))
        self.samples = np.asarray((mean + draws @ spread.T) / self.unit, np.float32)
        members = self.samples[: self.config.members]
        self.weights = members - members.mean(0) + np.asarray(mean / self.unit, np.float32)


class EvaluativeLearner(JointLearner):
    """Listens to presses, and to nothing else."""

    name: ClassVar[str] = "evaluative"
    kinds: ClassVar[frozenset[str]] = frozenset({"evaluation"})
    Config: ClassVar[type[JointConfig]] = EvaluativeConfig
    config: EvaluativeConfig

    def _reward_model(self) -> LearnedReward:
        if self.config.way != "tamer":
            return super()._reward_model()
        actions = int(getattr(self.task.world.action_space, "n", 0))
        if self.config.model == "terms" and not is_foreign(self.task):
            written = self.task.written_weights
            every = np.ones(len(written), np.bool_)
            return HumanTerms(written, every, actions, self.config.reward, self.seed)
        turns = turnings(self.task.world.symmetries, actions)
        return HumanReward(self.task.written_weights, turns, actions, self.config.net, self.seed)

    # COACH: a press speaks of the policy it was given to, so each moves it once and is then used up.

    def _fit(self, records: list[Record]) -> None:
        if self.config.way == "tamer":
            self.practice.ppo.gamma = self.config.gamma  # a press already speaks of much of what follows
        if self.config.way != "coach":
            super()._fit(records)
            return
        fresh = [r for r in records if isinstance(r, Evaluation) and r.id not in self._fitted]
        presses = [r for r in fresh if len(r.segment) > 1]
        if presses:
            self._coach(presses)
        self.practice.ppo.learn_nothing()  # where the policy is nowadays
        self._since_fit = self._steps_per_fit
        self._note_curve()

    def _coach(self, presses: list[Evaluation]) -> None:
        policy = self.practice.ppo.policy
        rate, turns = self.task.world.steps_per_second, self.task.world.symmetries or (None,)
        obs, actions, credit, owner = [], [], [], []
        value: list[float] = []
        for press in presses:
            segment = press.segment
            weights = press_weights(len(segment), press.delay_steps, press.rate or rate).clip(min=0.0)
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
            limit = evaluate(policy, sides[0], acted)[0] + self.config.reach * values[sides[3]].sign()
        adam = torch.optim.Adam(policy.parameters(), self.config.rate, betas=(0.0, 0.999))
        for _ in range(self.config.passes):
            log_pi, entropy, _ = evaluate(policy, sides[0], acted)
            near = torch.where(values[sides[3]] > 0.0, log_pi.minimum(limit), log_pi.maximum(limit))
            sums = torch.zeros(len(value), device=on).index_add(0, sides[3], near * sides[2])
            loss = coach(sums.unsqueeze(1), torch.ones((len(value), 1), device=on), values).mean()
            loss = loss - self.config.entropy * entropy
            adam.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
            adam.step()

    def snapshot(self) -> Snapshot:
        found = super().snapshot()
        return replace(found, reward=None, salience={}) if self.config.way == "coach" else found
