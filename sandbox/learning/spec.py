"""What a learner process is started with. Only the standard library here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class WorkerSpec:
    """What a learner process needs to know. `make` and `world` are import paths, "module:function"."""

    folder: str  # the session's: checkpoints and learner.log go here
    store: str  # path or URL
    task: str
    options: Mapping[str, Any] = field(default_factory=dict)
    learner: str = "joint"
    seed: int = 0
    prior: str = "written"
    clips: int = 2  # in the questions that are kept ready
    follow: str = ""  # whose reward, where raters want different things: a rater's id
    paused: bool = False
    niceness: int = 10
    checkpoint_seconds: float = 5.0
    make: str = "agents.learner_catalog:make"
    world: str = "envs.task_catalog:task"


def describe(error: BaseException) -> str:
    """An error as one line for the screen."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
