"""A policy that imitates the demonstrations, as a start for reinforcement learning.

If a task needs many steps in the right order, random exploration hardly ever finds them, however well the
reward is known. A demonstration shows them (Rajeswaran et al. 2018, "Learning complex dexterous manipulation
with deep reinforcement learning and demonstrations", section 4.2).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch

from agents.feedback.records import Correction, Demonstration, Record
from agents.imitation.cloner import CloningConfig, make_cloner
from agents.imitation.dataset import padded_trajectories
from envs.world import Task

Parameters = dict[str, Any]


class BCWarmStart:
    """Clones the demonstrations, some minibatches at a time. It always starts from new weights, so the result
    does not depend on how often it is interrupted."""

    def __init__(self, task: Task, seed: int, initial_policy: Any) -> None:
        """initial_policy: an SB3 actor-critic policy of the right shape."""
        self.task, self.seed, self.config = task, seed, CloningConfig()
        self._initial_policy = copy.deepcopy(initial_policy)
        self._records: list[Demonstration | Correction] = []
        self._reset()

    def set_demonstrations(self, records: Sequence[Record]) -> None:
        """Clone again if the demonstrations have changed. Corrections alone are not enough."""
        drives = [r for r in records if isinstance(r, Demonstration)]
        takeovers = [r for r in records if isinstance(r, Correction)]
        heard: list[Demonstration | Correction] = [*drives, *takeovers] if drives else []
        if [r.id for r in heard] != [r.id for r in self._records]:
            self._records = heard
            self._reset()

    def _reset(self) -> None:
        self._updates_left = self.config.n_updates
        self._cloner: Any = None

    @property
    def has_demonstrations(self) -> bool:
        """Whether there is a demonstration to imitate."""
        return bool(self._records)

    def train_some(self) -> bool:
        """Some more minibatches. Returns whether cloning is finished."""
        config = self.config
        if self._cloner is None:
            self._cloner = make_cloner(self.task, config, self.seed)
            self._cloner.set_trajectories(padded_trajectories(self.task, self._records))
            self._cloner.set_overridden_actions(self._records)
            self._policy = copy.deepcopy(self._initial_policy)
            self._cloner.normalise_policy(self._policy)
            self._optimizer = torch.optim.AdamW(
                self._policy.parameters(), config.learning_rate, weight_decay=config.weight_decay
            )
        for _ in range(min(config.updates_per_step, self._updates_left)):
            self._cloner.train_step(
                self._policy, self._optimizer, config.learning_rate * self._updates_left / config.n_updates
            )
            self._updates_left -= 1
        return self._updates_left <= 0

    def parameters_with_critic(self, critic: Parameters) -> Parameters:
        """The parameters of the clone, with the value function of `critic`, a policy of the same shape."""
        mine = {name: value.clone() for name, value in self._policy.state_dict().items()}
        return mine | {name: value for name, value in critic.items() if "value" in name}
