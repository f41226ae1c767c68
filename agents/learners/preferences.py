"""`preferences`: the reward from comparisons, rankings and takeovers alone (Christiano et al. 2017)."""

from __future__ import annotations

from typing import ClassVar

from agents.learners.reward_learner import RewardLearner


class PreferencesLearner(RewardLearner):
    """`joint` that listens to what was preferred to what, and to nothing else."""

    name: ClassVar[str] = "preferences"
    kinds: ClassVar[frozenset[str]] = frozenset({"comparison"})
