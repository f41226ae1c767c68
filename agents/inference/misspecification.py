"""A sentence for the person where the named terms can't explain what was said."""

from __future__ import annotations

import math

from agents.rewards.base import Reward

MAX_ODDS = 1_000
"""Odds beyond this are not told apart."""


def misspecification_warning(reward: Reward | None) -> str:
    """That something matters which no term names, how surely, and what it most likely is; empty: it doesn't.

    The odds are those of the evidence, see `agents.rewards.derived_selection`.
    """
    log_odds = None if reward is None else reward.unnamed_log_odds
    if reward is None or log_odds is None or log_odds <= 0.0:
        return ""
    odds = math.exp(min(log_odds, math.log(MAX_ODDS)))
    told = f"more than {MAX_ODDS:,} to 1" if odds >= MAX_ODDS else f"{max(2, round(odds))} to 1"
    guesses = " and ".join(name.replace("_", " ") for name in reward.derived_terms.names)
    return (
        f"Something matters to you that no term names (odds {told}): most likely {guesses}. "
        "Rank clips that differ in it, or drive once more as you mean it."
    )
