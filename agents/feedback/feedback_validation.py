"""Checks the records that reach a learner: a record that does not fit the learner's world is left out, and a
sentence says why.

All learners use these checks, so that no network is trained on a recording of another world, on NaN, or on an
action that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from gymnasium import spaces

from agents.feedback.records import Comparison, Correction, Demonstration, Evaluation, Record, kind_of
from envs.trajectory import Trajectory
from envs.world import Task

BOUND_TOLERANCE = 1e-4
"""How far an action may lie outside the bounds of its Box [share of the box's width]: rounding differs
between machines."""
MIN_TIED_ANSWERS = 5
"""The person is warned if they have given so many answers and all of them are ties."""


def record_clips(record: Record) -> tuple[Trajectory, ...]:
    """Every recording in a record."""
    if isinstance(record, Demonstration):
        return (record.trajectory,)
    if isinstance(record, Evaluation):
        return (record.segment,)
    if isinstance(record, Comparison):
        return record.clips
    return (record.agent, record.person) if isinstance(record, Correction) else ()


def why_invalid(task: Task, record: Record) -> str | None:
    """Why the record can't be used in `task`, as a sentence; None if it can."""
    if isinstance(record, Evaluation) and not np.isfinite(record.value):
        return f"A press has the value {record.value}: give -2, -1, 1 or 2."
    for clip in record_clips(record):
        wrong = _why_invalid_clip(task, clip)
        if wrong is not None:
            return f"A {kind_of(record)} was not used: its recording {wrong}."
    return None


def _why_invalid_clip(task: Task, clip: Trajectory) -> str | None:
    world, space = task.world, task.world.action_space
    if clip.task != task.id:
        return f"is of {clip.task}, and this learner is in {task.id}"
    for name, array, wide in (
        ("observations", clip.observations, len(world.obs_names)),
        ("terms", clip.terms, len(world.terms)),
    ):
        if len(clip) and array.shape[1:] != (wide,):
            return f"is of another version: {name} of shape {list(array.shape)} are not {wide} a step"
        if not np.isfinite(array).all():
            return f"has {name} that are NaN or infinite"
    if not len(clip):
        return None
    if isinstance(space, spaces.Discrete):
        if clip.actions.ndim != 1 or clip.actions.dtype.kind not in "iu":
            return f"has actions of shape {list(clip.actions.shape)}, where {task.id} takes one number a step"
        odd = clip.actions[(clip.actions < 0) | (clip.actions >= space.n)]
        return f"has the action {odd[0]}, and the actions are 0 to {space.n - 1}" if len(odd) else None
    if clip.actions.shape[1:] != space.shape:
        return (
            f"has actions of shape {list(clip.actions.shape)}, where {task.id} takes {space.shape[0]} a step"
        )
    slack = BOUND_TOLERANCE * (space.high - space.low)
    inside = (clip.actions >= space.low - slack) & (clip.actions <= space.high + slack)  # NaN is outside
    return None if inside.all() else f"has the action {clip.actions[~inside][0]}, outside its space"


class FeedbackBuffer(dict[str, Record]):
    """The records that a learner was given and that fit its world, by id, in order."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task = task
        self.invalid: dict[str, str] = {}
        """Sentences, by the ids of records that don't fit."""

    def add(self, records: Iterable[Record]) -> None:
        """Keep the records that are new and fit."""
        for record in records:
            if record.id in self or record.id in self.invalid:
                continue
            wrong = why_invalid(self.task, record)
            if wrong is None:
                self[record.id] = record
            else:
                self.invalid[record.id] = wrong

    def warnings(self, active: Sequence[Record]) -> tuple[str, ...]:
        """Sentences for the person: which records were left out, and that all answers are ties."""
        count, found = len(self.invalid), []
        if count:
            more = f" ({count - 1} more were, too.)" if count > 1 else ""
            found.append(next(reversed(self.invalid.values())) + more)
        answers = [r for r in active if isinstance(r, Comparison) and r.verdict == "ranked"]
        if len(answers) >= MIN_TIED_ANSWERS and all(len(set(r.ranks)) == 1 for r in answers):
            found.append(
                f"All {len(answers)} answers are ties. A tie tells the learner little: "
                "rank clips that differ more."
            )
        return tuple(found)


def check_kinds(name: str, kinds: Iterable[str], records: Iterable[Record]) -> None:
    """Raise ValueError, a sentence, if the learner `name` does not learn from the kind of one of these
    records."""
    able = {*kinds, "undo"}
    for record in records:
        if kind_of(record) not in able:
            kinds_told = ", ".join(sorted(able - {"undo"}))
            raise ValueError(f"{name} learns nothing from a {kind_of(record)}: give it {kinds_told}")
