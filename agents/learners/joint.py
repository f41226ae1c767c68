"""`joint`, the default learner: one reward from all kinds of feedback, then PPO on it."""

from __future__ import annotations

from typing import ClassVar

from agents.feedback.feedback_kind import ALL_KINDS
from agents.learners.reward_learner import RewardLearner


class JointLearner(RewardLearner):
    """Learns from demonstrations, comparisons, evaluations and corrections together."""

    name: ClassVar[str] = "joint"
    kinds: ClassVar[frozenset[str]] = ALL_KINDS
