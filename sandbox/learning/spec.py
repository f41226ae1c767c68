"""What a learner process is started with. Nothing is imported here that takes time to come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agents.learners.protocol import Learner
    from envs.world import Task

LearnerFactory = Callable[..., "Learner"]
"""make(name, task, *, seed, prior): a fresh learner."""
TaskFactory = Callable[..., "Task"]
"""make_task(id, **options): the task."""


@dataclass(frozen=True)
class WorkerSpec:
    """What a learner process needs to know.

    make, make_task: in place of the catalogues; functions of a module's top level, as they are sent by name.
    """

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
    make: LearnerFactory | None = None
    make_task: TaskFactory | None = None

    def learner_factory(self) -> LearnerFactory:
        """What makes this process's learners."""
        if self.make is not None:
            return self.make
        from agents.learner_catalog import make

        return make

    def task_factory(self) -> TaskFactory:
        """What makes this process's task."""
        if self.make_task is not None:
            return self.make_task
        from envs.task_catalog import task

        return task


def describe(error: BaseException) -> str:
    """An error as one line for the screen."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
