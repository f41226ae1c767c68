"""The reward that a policy is trained on, scaled so that values stay near one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.rewards.reward_arrays import RewardArrays
from agents.rl.ppo import discounted_return_std
from agents.rl.rollout_collection import Steps
from envs.simulate import absorbing_step
from envs.world import Task


class ScaledReward:
    """A reward minus its mean, divided by the standard deviation of its discounted sums. It can be replaced.

    Subtracting the mean does not change which policy is best, because all episodes have the same length.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self.reward: RewardArrays | None = None
        """None: all rewards are 0."""
        self.mean = 0.0
        self.centres: NDArray[np.float32] | None = None
        """What each member of the ensemble thinks of the usual step [E], where nothing is named."""
        self.scale: float | None = None
        """The number by which rewards are divided; None before the first rollout."""

    def __call__(self, obs: Any, actions: Any, next_obs: Any, terms: Any) -> NDArray[np.float32]:
        """Scaled rewards of N steps [N]."""
        if self.reward is None:
            return np.zeros(len(obs), np.float32)
        mean = self._sure_rewards((obs, actions, next_obs, terms))
        return np.asarray((mean - self.mean) / (self.scale or 1.0), np.float32)

    def _sure_rewards(self, steps: Steps) -> NDArray[np.float32]:
        """The mean over the ensemble [N]; where nothing is named, only what its members agree on.

        There a reward is mostly rare events among many steps that are worth the same, and a net's errors on
        those would add up: whoever stood where they are largest earned more than at any goal. So what a step
        is worth beside the usual one counts as far as it is more than the members' deviation.
        """
        assert self.reward is not None
        members = self.reward.member_rewards(*steps)
        if self.centres is None or len(members) != len(self.centres):
            return np.asarray(members.mean(0))
        beside = members - self.centres[:, None]
        mean = beside.mean(0)
        sure = np.sign(mean) * np.maximum(np.abs(mean) - beside.std(0), 0.0)
        return np.asarray(self.centres.mean() + sure, np.float32)

    def update_scale(self, steps: Steps | None, rows: int, gamma: float, skips_absorbing: bool) -> None:
        """Estimate mean and scale from a rollout. skips_absorbing: steps after an early end are not in it."""
        if steps is None or self.reward is None:
            self.scale = None
            return
        self.centres = None
        if not self._task.names_terms:
            self.centres = np.median(self.reward.member_rewards(*steps), axis=1)
        mean = self._sure_rewards(steps)
        self.mean = float(mean.mean())
        if skips_absorbing:  # what follows an early end counts with the step that ends
            rest = float(self._sure_rewards(absorbing_step(self._task)).mean()) - self.mean
            mean = mean + (steps[2][:, -1] == 1.0) * np.float32(rest * gamma / (1.0 - gamma))
        self.scale = discounted_return_std(mean.reshape(-1, rows), gamma)
