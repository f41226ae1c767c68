"""What a clip leads to: drives on from its end and from its start, by the policy as it is now.

People judge a clip by where it leads as well as by what happens in it (Knox et al. 2022, "Models of human
preference for learning reward functions"). So an option is worth its sum plus alpha times (what is to come at
its end less at its start). What is to come is linear in the reward, so it is kept as sums of terms (successor
features, Dayan 1993), estimated by driving on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from agents.feedback.choices import Choice, Future, Option
from agents.policies.rollouts import PolicyVariant, moment_at, rollout_clips
from envs.trajectory import Trajectory
from envs.world import Task

JUDGED_KINDS = ("comparison", "correction")
"""Kinds of feedback in which whole stretches of steps are judged, by where they lead as well."""
MAX_STEPS = 60_000
"""Steps that are driven in all, to the horizon: the fewer clips there are, the more exactly each is known."""
MAX_DRIVES = 32
"""Drives from each end."""


def add_futures(
    task: Task,
    choices: Sequence[Choice],
    policy: PolicyVariant,
    random: np.random.Generator,
    n_drives: int | None = None,
) -> list[Choice]:
    """The same choices, with what their options lead to under `policy`.

    n_drives: from each end; None: as many as MAX_STEPS allows. Unchanged where no state can be restored. An
    option that stands in several choices is driven on from once.
    """
    if not task.can_restore:
        return list(choices)
    options = {
        id(option): option
        for choice in choices
        if choice.kind in JUDGED_KINDS
        for option in choice.options
        if option is not None and option.step_weights is None and len(option.steps)
    }
    if not options:
        return list(choices)
    if n_drives is None:
        n_drives = int(np.clip(MAX_STEPS // max(1, _n_steps(task, options.values())), 1, MAX_DRIVES))
    ends = _drives(
        task, [(option.steps, len(option.steps)) for option in options.values()], policy, random, n_drives
    )
    starts = _drives(task, [(option.steps, 0) for option in options.values()], policy, random, n_drives)
    known = {
        key: replace(option, future=_future(option, from_end, from_start))
        for (key, option), from_end, from_start in zip(options.items(), ends, starts, strict=True)
    }
    return [
        replace(choice, options=tuple(known.get(id(option), option) for option in choice.options))
        for choice in choices
    ]


def _n_steps(task: Task, options: Iterable[Option]) -> int:
    """Steps from both ends of each to the horizon."""
    return sum(moment_at(task, one.steps, at).steps_left for one in options for at in (0, len(one.steps)))


def _drives(
    task: Task,
    places: Sequence[tuple[Trajectory, int]],
    policy: PolicyVariant,
    random: np.random.Generator,
    n_drives: int,
) -> list[list[Trajectory]]:
    """Drives to the horizon from each (recording, step), none at the horizon; equal moments share theirs."""
    moments = [moment_at(task, recording, at) for recording, at in places]
    words = [moment.state.tobytes() for moment in moments]
    distinct = {word: moment for word, moment in zip(words, moments, strict=True) if moment.steps_left > 0}
    rows = [
        replace(moment, rng=int(random.integers(2**63)))
        for moment in distinct.values()
        for _ in range(n_drives)
    ]
    clips = rollout_clips(task, rows, [policy] * len(rows), [m.steps_left for m in rows], random)
    driven = {word: clips[i * n_drives : (i + 1) * n_drives] for i, word in enumerate(distinct)}
    return [driven.get(word, []) for word in words]


def _future(option: Option, from_end: Sequence[Trajectory], from_start: Sequence[Trajectory]) -> Future:
    drives = (*from_end, *from_start)
    weights = (*(1.0 / len(from_end) for _ in from_end), *(-1.0 / len(from_start) for _ in from_start))
    sums = np.zeros(option.steps.terms.shape[1], np.float32)
    for weight, drive in zip(weights, drives, strict=True):
        sums += np.float32(weight) * drive.terms.sum(0)
    return Future(sums, drives, weights)
