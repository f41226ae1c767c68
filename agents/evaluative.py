"""`evaluative`: the reward from presses of + and - alone, with credit for delay (TAMER, COACH), then PPO."""

from __future__ import annotations

from typing import ClassVar

from agents.joint import JointLearner


class EvaluativeLearner(JointLearner):
    """`joint` that listens to presses, and to nothing else."""

    name: ClassVar[str] = "evaluative"
    kinds: ClassVar[frozenset[str]] = frozenset({"evaluation"})
