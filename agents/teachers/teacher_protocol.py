"""The contract of teachers, who answer in place of a person in studies, tours and `model.learn`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from agents.feedback.records import Comparison, Correction, Demonstration, Evaluation, Question
from envs.trajectory import Trajectory
from envs.world import Task


class UnknownTeacher(ValueError):
    """No teacher of that name, or one that can't be used; the text is a sentence."""


@runtime_checkable
class Teacher(Protocol):
    """All that is asked of a teacher of one task.

    `agents.teachers.synthetic.SyntheticTeacher` has all of it: a subclass overrides what it does otherwise.
    """

    @property
    def rater(self) -> str:
        """Who gave the newest record: the number of a member, "0" for one who teaches alone."""

    @property
    def members(self) -> Sequence[Teacher]:
        """The people who answer, in the order of their numbers; (self,) for one who teaches alone."""

    def compare(self, question: Question) -> Comparison:
        """Rank the question's clips, or skip it. Every question is answered by one record."""

    def demonstrate(self, seed: int) -> Demonstration:
        """Drive one episode from the start that this seed draws."""

    def evaluate(self, trajectory: Trajectory, step: int) -> Evaluation | None:
        """The press given when `step` of the trajectory is on screen; None for no press."""

    def where_to_correct(self, trajectory: Trajectory) -> int:
        """The step of the trajectory at which to take over from the agent."""

    def correct(self, trajectory: Trajectory, step: int) -> Correction | None:
        """Take over from the agent at `step`; None where the agent does well enough."""


TeacherFactory = Callable[[Task, int], Teacher]
"""(task, seed) -> a teacher of this task; a class whose constructor takes these two is one."""
REQUIRED_MEMBERS = tuple(name for name in vars(Teacher) if not name.startswith("_"))
"""The names of all that a teacher has."""
