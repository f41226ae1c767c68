"""TAMER's human reward, a net or linear in the terms, fitted to evaluations with credit for delay."""

from __future__ import annotations

import numpy as np
import torch

from agents.feedback.choices import PackedChoices
from agents.losses import tamer
from agents.policies.from_torch import mlp_layers
from agents.rewards.linear import LinearReward
from agents.rewards.net import NetReward

RIDGE_PRECISION = 1.0


class TamerNetReward(NetReward):
    """TAMER's H(s, a): a net whose credited sum over a segment is the press's value."""

    def fit(self, packed: PackedChoices) -> None:
        packed = self._normalised(packed)
        x = self._inputs(packed, self._views[0] if self._views else None)
        mean, deviation = x.mean(0), x.std(0).clamp(min=0.05)
        x = (x - mean) / deviation
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._seed)
            net = torch.nn.Sequential(
                torch.nn.Linear(x.shape[1], 32), torch.nn.Tanh(), torch.nn.Linear(32, 1)
            )
        adam = torch.optim.AdamW(net.parameters(), 0.01, weight_decay=0.1)
        owner, credit = torch.from_numpy(packed.step_option), torch.from_numpy(packed.step_weight)
        nothing = len(packed.term_sums) - 1
        option = packed.option_index[:, :2]
        sign = np.where(option[:, 0] == nothing, -1.0, 1.0).astype(np.float32)
        pressed = torch.from_numpy(np.where(option[:, 0] == nothing, option[:, 1], option[:, 0]))
        value = torch.from_numpy(sign * packed.weight)
        for _ in range(200):
            steps = net(x).squeeze(-1) * credit
            sums = torch.zeros(len(packed.term_sums)).index_add(0, owner, steps)
            loss = tamer(sums[pressed], value).mean()
            adam.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            adam.step()
        (first, bias), last = mlp_layers(net)
        scaled = first / deviation.numpy()[:, None]
        moved = np.asarray(bias - (mean / deviation).numpy() @ first, np.float32)
        self._nets = (((scaled, moved), last),)
        self.weights = np.zeros((1, self.weights.shape[1]), np.float32)


class TamerLinearReward(LinearReward):
    """The same, linear in the named terms: ridge regression, whose posterior gives the members."""

    def fit(self, packed: PackedChoices) -> None:
        nothing = len(packed.term_sums) - 1
        down = packed.option_index[:, 0] == nothing
        pressed = np.where(down, packed.option_index[:, 1], packed.option_index[:, 0])
        x = packed.term_sums[pressed] / self.term_scale
        value = np.where(down, -packed.weight, packed.weight)
        precision = x.T @ x + RIDGE_PRECISION * np.eye(x.shape[1])
        mean, spread = np.linalg.solve(precision, x.T @ value), np.linalg.cholesky(np.linalg.inv(precision))
        draws = np.random.default_rng(self._seed).standard_normal((48, len(mean)))
        self.samples = np.asarray((mean + draws @ spread.T) / self.term_scale, np.float32)
        members = self.samples[: self.config.n_members]
        self.weights = members - members.mean(0) + np.asarray(mean / self.term_scale, np.float32)
