"""A policy that does what the person did, for practice to begin from.

Where what is wanted takes many steps in the right order, chance hardly ever comes upon it, however well
the reward is known; a drive shows the way (Rajeswaran et al. 2018, "Learning complex dexterous manipulation
with deep reinforcement learning and demonstrations", section 4.2).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch

from agents.feedback.records import Correction, Demonstration, Record
from agents.imitation.cloner import CloningConfig, cloner_of
from agents.imitation.dataset import whole_drives
from envs.world import Task

Parameters = dict[str, Any]


class BCWarmStart:
    """Clones the drives heard so far, some minibatches at a time; always from nothing, so that it comes to
    the same however often it is stopped."""

    def __init__(self, task: Task, seed: int, untaught: Any) -> None:
        """untaught: an SB3 actor-critic policy of the shape to be made."""
        self.task, self.seed, self.config = task, seed, CloningConfig()
        self._untaught = copy.deepcopy(untaught)
        self._records: list[Demonstration | Correction] = []
        self._begin()

    def set_demonstrations(self, records: Sequence[Record]) -> None:
        """Clone anew if the demonstrations have changed. Corrections alone are not enough to begin from."""
        drives = [r for r in records if isinstance(r, Demonstration)]
        takeovers = [r for r in records if isinstance(r, Correction)]
        heard: list[Demonstration | Correction] = [*drives, *takeovers] if drives else []
        if [r.id for r in heard] != [r.id for r in self._records]:
            self._records = heard
            self._begin()

    def _begin(self) -> None:
        self._left = self.config.updates
        self._cloner: Any = None

    @property
    def is_known(self) -> bool:
        """Whether there is a drive to begin from."""
        return bool(self._records)

    def train_some(self) -> bool:
        """Some more minibatches; whether that was all."""
        config = self.config
        if self._cloner is None:
            self._cloner = cloner_of(self.task, config, self.seed)
            self._cloner.learn_from(whole_drives(self.task, self._records))
            self._cloner.refuse(self._records)
            self._policy = copy.deepcopy(self._untaught)
            self._adam = torch.optim.AdamW(self._policy.parameters(), config.rate, weight_decay=config.decay)
        for _ in range(min(config.burst, self._left)):
            self._cloner.improve(self._policy, self._adam, config.rate * self._left / config.updates)
            self._left -= 1
        return self._left <= 0

    def parameters(self, critic: Parameters) -> Parameters:
        """The clone's, with what `critic` (of a policy of this shape) thinks things are worth."""
        mine = {name: value.clone() for name, value in self._policy.state_dict().items()}
        return mine | {name: value for name, value in critic.items() if "value" in name}
