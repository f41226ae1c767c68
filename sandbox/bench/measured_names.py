"""What can be measured by name, by the words that the command line takes."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

LearnerSet = Literal[
    "table", "joint", "preferences", "minute", "imitation", "loophole", "care", "questions", "cost"
]
"""See `SETS` in sandbox/bench/learning/experiment_sets.py."""


class TrialPart(StrEnum):  # typer takes lists of these alone
    """See `PARTS` in sandbox/bench/durability/run.py."""

    KILL = "kill"
    WINDOW = "window"
    POWER = "power"
    RATERS = "raters"
    RATERS_SERVER = "raters-server"
    SERVER = "server"
    LEARNER = "learner"
    FUZZ = "fuzz"
