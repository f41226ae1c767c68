"""`preferences`: a reward from comparisons and rankings alone (Christiano et al. 2017)."""

from __future__ import annotations

from typing import ClassVar

from agents.learners.reward_learner import RewardLearner


class PreferencesLearner(RewardLearner):
    """`joint` that learns from comparisons alone."""

    name: ClassVar[str] = "preferences"
    kinds: ClassVar[frozenset[str]] = frozenset({"comparison"})
