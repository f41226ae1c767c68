"""The contract of trainers, on-policy and off-policy: all that learners ask of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from agents.checkpoint import StateDict
from agents.feedback.records import Record
from agents.policies.policy_arrays import PolicyArrays
from agents.policies.rollouts import Moment, PolicyVariant, StepTerms
from agents.rewards.reward_arrays import RewardArrays
from agents.rl.rollout_collection import Steps

TermCounts = NDArray[np.float32]
"""Counts of each term in an episode [M]."""
EpisodeValue = Callable[[TermCounts], float | None]
"""The value of an episode with these counts; None: not known."""
IsCrediblyBetter = Callable[[TermCounts, TermCounts], bool]
"""Whether episodes with the first counts are credibly better than those with the second."""


class Restarts(Protocol):
    """Training on one reward again from another starting point, and the choice of the best policy found."""

    @property
    def is_restarting(self) -> bool:
        """Whether a further try is running."""
        ...

    @property
    def can_restart(self) -> bool:
        """Whether a further try on this reward would start from a policy that no earlier try has started
        from."""
        ...

    @property
    def is_warm_starting(self) -> bool:
        """Whether it must imitate demonstrations before it can train."""
        ...

    def warm_start_some(self) -> int:
        """Some minibatches of imitation. Returns the number of environment steps, which is 0."""
        ...

    def set_demonstrations(self, records: Sequence[Record]) -> None:
        """Set the demonstrations that a further try may imitate first."""
        ...

    def mark_restart_point(self) -> None:
        """Remember the current policy as the restart point."""
        ...

    def return_to_restart_point(self) -> bool:
        """Go back to the policy of the restart point, or to the untrained one; False if it can't."""
        ...

    def restart(self, counts: TermCounts) -> None:
        """Train on this reward once more, and set the best policy so far aside."""
        ...

    def restore_candidate(self, counts: TermCounts | None) -> TermCounts | None:
        """Go back to the policy that was set aside. Returns its counts; without one, `counts`."""
        ...

    def accept_or_revert(
        self, counts: TermCounts | None, is_credibly_better: IsCrediblyBetter
    ) -> TermCounts | None:
        """The last try has ended: keep the best policy, and return its counts."""
        ...

    def keep_early_policy(self, before: float, now: float) -> None:
        """Set the policy aside once enough was trained; shares: how much was done before and is done now."""
        ...

    def reset_recent_policies(self) -> None:
        """Forget the values of the newest policies: the reward has changed."""
        ...


class Trainer(Protocol):
    """Trains one policy in many rows at once, on the current reward."""

    iterations: int
    """How many training iterations were made."""

    @property
    def algorithm(self) -> Any:
        """The model of Stable-Baselines3 that it trains."""
        ...

    @property
    def restarts(self) -> Restarts: ...

    @property
    def env_steps(self) -> int:
        """How many environment steps were made."""
        ...

    @property
    def policy(self) -> PolicyArrays:
        """The current policy."""
        ...

    @property
    def shown_policy(self) -> PolicyArrays:
        """The policy that is shown to the person: that of a further try only once the try has ended."""
        ...

    @property
    def term_counts(self) -> TermCounts | None:
        """Each term per episode [M + K] in the newest rollout; None before the first."""
        ...

    def set_further_terms(self, terms: StepTerms, counts: TermCounts | None) -> TermCounts | None:
        """Count these K terms too, beside the M that the world names. Returns the `counts` of an episode with
        them."""
        ...

    @property
    def learned_return(self) -> float:
        """The newest rollout's learned reward per episode, unscaled."""
        ...

    @property
    def rare_moments(self) -> list[Moment]:
        """States from shortly before rare events."""
        ...

    def set_reward(self, reward: RewardArrays | None) -> None:
        """Train on another reward from now on; None: all rewards are 0."""
        ...

    def update_reward_weights(self, reward: RewardArrays) -> None:
        """Continue with slightly different weights of the same reward; its scale and the best policy stay."""
        ...

    def train_iteration(self) -> int:
        """One rollout and its updates; the number of environment steps."""
        ...

    def shrink_last_layer(self) -> None:
        """Make a policy that was trained for long explore again."""
        ...

    def newest_steps(self) -> Steps | None:
        """The newest rollout, one row for each step; None before the first."""
        ...

    def curve_values(self) -> dict[str, float]:
        """Values of the learning curve that training can give now."""
        ...

    def variants(self) -> list[PolicyVariant]:
        """Policies to draw clips from."""
        ...

    def moments(self, random: np.random.Generator) -> list[Moment]:
        """States that the current policy visits, to start clips from."""
        ...

    def state_dict(self) -> StateDict:
        """What a checkpoint keeps of it."""
        ...

    def load_state_dict(self, state: StateDict, reward: RewardArrays | None) -> None:
        """Restore what a checkpoint kept. reward: the one to train on, which the learner keeps."""
        ...
