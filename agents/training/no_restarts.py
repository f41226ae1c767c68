"""Restarts of off-policy training: there are none.

All steps stay in the replay buffer and are learned from again under every reward, and a policy that was set
aside would lack its value function. So there is one try, and its end is kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from agents.feedback.records import Record
from agents.training.trainer_protocol import IsCrediblyBetter, TermCounts


class NoRestarts:
    """Training continues from the current policy, whatever the reward."""

    is_restarting: bool = False
    can_restart: bool = False
    is_warm_starting: bool = False

    def warm_start_some(self) -> int:
        return 0

    def set_demonstrations(self, records: Sequence[Record]) -> None:
        """Nothing: no try begins by imitation."""

    def mark_restart_point(self) -> None:
        """Nothing: no try starts from elsewhere."""

    def return_to_restart_point(self) -> bool:
        return False

    def restart(self, counts: TermCounts) -> None:
        """The next try continues from this one."""

    def restore_candidate(self, counts: TermCounts | None) -> TermCounts | None:
        return counts

    def accept_or_revert(
        self, counts: TermCounts | None, is_credibly_better: IsCrediblyBetter
    ) -> TermCounts | None:
        return counts

    def keep_early_policy(self, before: float, now: float) -> None:
        """No policy is kept aside."""

    def reset_recent_policies(self) -> None:
        """No policy is kept aside."""
