"""Whether the agent exploits a fault of the learned reward (reward hacking, overoptimization)."""

from __future__ import annotations

from collections import deque

import numpy as np

from agents.checkpoint import StateDict

HISTORY_LENGTH = 6
"""Rounds of practice that are looked at, the newest."""
MIN_HISTORY = 4
MIN_AGREEMENT_DROP = 0.15
"""Share of new answers by which the reward must predict them worse than before."""
GOOD_AGREEMENT = 0.7
"""Where this share of new answers is predicted, nothing is wrong yet."""


class OveroptimizationMonitor:
    """Warns when the learned return rises while the reward predicts new answers worse.

    Gao, Schulman and Hilton 2023, "Scaling laws for reward model overoptimization": as a policy is optimized
    against a learned reward, that reward goes on rising while the true one falls. The true one is not known
    here; how well new answers are predicted before the reward learns from them stands in for it.
    """

    def __init__(self) -> None:
        self.history: deque[tuple[float, float]] = deque(maxlen=HISTORY_LENGTH)
        """(learned return per episode, share of new answers predicted right) of each round, oldest first."""

    def record(self, learned_return: float, agreement: float) -> None:
        """Add a round of practice.

        learned_return: the return per episode that practice reached, by the learned reward. agreement: the
        share of new answers that this reward predicted, before it was fitted to them.
        """
        self.history.append((learned_return, agreement))

    def state_dict(self) -> StateDict:
        return StateDict({"history": list(self.history)})

    def load_state_dict(self, state: StateDict) -> None:
        """Add the rounds that a checkpoint kept, oldest first."""
        self.history.extend((learned, agreement) for learned, agreement in state.facts["history"])

    @property
    def warning(self) -> str:
        """A sentence for the person; empty while nothing is wrong.

        The later half of the rounds is compared with the earlier half.
        """
        if len(self.history) < MIN_HISTORY:
            return ""
        half = len(self.history) // 2
        returns, agreement = np.array(self.history).T
        rises = returns[half:].mean() > returns[:half].mean() + 1e-6
        before, now = agreement[:half].mean(), agreement[half:].mean()
        if rises and now < before - MIN_AGREEMENT_DROP and now < GOOD_AGREEMENT:
            return (
                f"The learned reward rises, but new answers are foreseen in {now:.0%} where it was "
                f"{before:.0%}: the agent may be using a fault of it. Answer a few more."
            )
        return ""
