"""What the learner shows of itself: policy, reward and curves as plain arrays (no torch).

The NumPy forward pass matches SB3's `predict` for MLP policies on Discrete and Box actions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from agents.feedback.records import Question, Suggestion
from agents.policies.policy_arrays import PolicyArrays
from agents.rewards.reward_arrays import RewardArrays

PolicyEvaluator = Callable[[PolicyArrays], dict[str, float]]
"""Series of the curves that only watch, by their names: no learner learns from them."""


@dataclass(frozen=True)
class CurvePoint:
    """One point of the learning curves; `values` holds every series by its name."""

    wall_seconds: float
    env_steps: int
    answers: int
    values: dict[str, float]


@dataclass(frozen=True)
class Snapshot:
    """One moment of a learner. feedback_seq: the newest store record that it has learned from."""

    learner: str
    step: int
    feedback_seq: int
    env_steps: int
    policy: PolicyArrays | None
    reward: RewardArrays | None
    curve: tuple[CurvePoint, ...] = ()
    questions: tuple[Question, ...] = ()
    phase: str = ""
    """What the learner is doing, for the status line: "learning from the written reward", ..."""
    feedback_counts: dict[str, int] = field(default_factory=dict)
    """How many standing records of each kind it has learned from."""
    saliency: dict[str, float] = field(default_factory=dict)
    """What the reward goes by, see `agents.rewards.saliency.salience`: the strongest first."""
    warnings: tuple[str, ...] = ()
    """Sentences for the person: a reward that is being gamed, answers that contradict each other."""
    raters: dict[str, dict[str, float]] = field(default_factory=dict)
    """What is believed of each rater: answers, beta, side, error (see
    `agents.inference.rater_reliability`)."""
    rater_differences: dict[str, dict[str, float]] = field(default_factory=dict)
    """Raters who want something else than those followed: by how many deviations more of which term."""
    followed_raters: tuple[str, ...] = ()
    """The raters whose common reward is learned, where others want something else; else empty."""
    suggestion: Suggestion | None = None
    """What would tell most for each second of the person's time, as whoever runs the learner asked it."""
