"""What learners need of whatever trains their policy, on-policy or off-policy."""

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
"""How much of each term there is in an episode [M]."""
EpisodeValue = Callable[[TermCounts], float | None]
"""What an episode with so much of each term is worth; None: not known."""
IsCrediblyBetter = Callable[[TermCounts, TermCounts], bool]
"""Whether episodes with so much of each term are surely worth more than those with so much."""


class Restarts(Protocol):
    """Training on one reward again from another starting point, and the choice of the best policy found."""

    @property
    def is_restarting(self) -> bool:
        """Whether a further try is being made."""
        ...

    @property
    def can_restart(self) -> bool:
        """Whether a further try on this reward would begin elsewhere than those made."""
        ...

    @property
    def is_warm_starting(self) -> bool:
        """Whether it must imitate demonstrations before it can train."""
        ...

    def warm_start_some(self) -> int:
        """Some minibatches of imitation; the number of environment steps, which is none."""
        ...

    def set_demonstrations(self, records: Sequence[Record]) -> None:
        """What a try may begin by imitating."""
        ...

    def mark_restart_point(self) -> None:
        """The policy of now is what can be started over from."""
        ...

    def return_to_restart_point(self) -> bool:
        """Go back to that policy, or else to the untaught one; False: it can't go back."""
        ...

    def restart(self, counts: TermCounts) -> None:
        """Train on this reward once more, and keep the best policy so far aside."""
        ...

    def restore_candidate(self, counts: TermCounts | None) -> TermCounts | None:
        """Go back to the policy kept aside, if there is one; its counts, else the `counts` given."""
        ...

    def accept_or_revert(
        self, counts: TermCounts | None, is_credibly_better: IsCrediblyBetter
    ) -> TermCounts | None:
        """The end of the last try: the best policy is kept; its counts."""
        ...

    def keep_early_policy(self, before: float, now: float) -> None:
        """Told the shares of training before and now, so that a policy of early on can be kept aside."""
        ...

    def reset_recent_policies(self) -> None:
        """What was thought of the newest policies counts no more: the reward is another one."""
        ...


class Trainer(Protocol):
    """Trains one policy in many rows at once, on whatever the reward is now."""

    iterations: int
    """Iterations of training so far."""

    @property
    def algorithm(self) -> Any:
        """The model of Stable-Baselines3 that it trains."""
        ...

    @property
    def restarts(self) -> Restarts: ...

    @property
    def env_steps(self) -> int:
        """Environment steps so far."""
        ...

    @property
    def policy(self) -> PolicyArrays:
        """The policy of now."""
        ...

    @property
    def shown_policy(self) -> PolicyArrays:
        """The policy to be seen: nothing of a further try until it has ended."""
        ...

    @property
    def term_counts(self) -> TermCounts | None:
        """Each term per episode [M + K] in the newest rollout; None before the first."""
        ...

    def set_further_terms(self, terms: StepTerms, counts: TermCounts | None) -> TermCounts | None:
        """Count these K as well, beside the M that the world names; `counts` of an episode with them."""
        ...

    @property
    def learned_return(self) -> float:
        """The newest rollout's learned reward per episode, in the reward's own unit."""
        ...

    @property
    def rare_moments(self) -> list[Moment]:
        """Moments shortly before something happened that happens seldom."""
        ...

    def set_reward(self, reward: RewardArrays | None) -> None:
        """Train on another reward from now on; None pays nothing."""
        ...

    def update_reward_weights(self, reward: RewardArrays) -> None:
        """Go on with the same reward, weighed a little differently: its scale and the best policy stay."""
        ...

    def train_iteration(self) -> int:
        """One rollout and its updates; the number of environment steps."""
        ...

    def shrink_last_layer(self) -> None:
        """Make a policy that long training has left sure of itself explore again."""
        ...

    def newest_steps(self) -> Steps | None:
        """The newest rollout, one row for each step; None before the first."""
        ...

    def curve_values(self) -> dict[str, float]:
        """What the learning curves show of training by now."""
        ...

    def variants(self) -> list[PolicyVariant]:
        """Ways of acting to compare in clips."""
        ...

    def moments(self, random: np.random.Generator) -> list[Moment]:
        """Where the policy is nowadays."""
        ...

    def state_dict(self) -> StateDict:
        """What a checkpoint keeps of it."""
        ...

    def load_state_dict(self, state: StateDict, reward: RewardArrays | None) -> None:
        """Go on from what a checkpoint kept. reward: what it trains on, which the learner keeps."""
        ...
