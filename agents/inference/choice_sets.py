"""All feedback as choices; demonstrations are choices among what else could be driven from there."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from agents.feedback.choices import (
    Choice,
    Option,
    choices_from_comparison,
    choices_from_correction,
    choices_from_evaluation,
    overlapping_windows,
)
from agents.feedback.records import Comparison, Correction, Demonstration, Evaluation, Record
from agents.inference.futures import add_futures
from agents.policies.rollouts import PolicyVariant, moment_at, rollout_clips
from envs.trajectory import Trajectory
from envs.world import Task

MAX_STEP_COUNT = 2.0
"""How many times a step of a demonstration counts, though it lies in more stretches than that."""


def demonstration_choices(
    task: Task,
    record: Demonstration,
    variants: Sequence[PolicyVariant],
    length: int,
    random: np.random.Generator,
    rollouts_per_variant: int = 2,
    stride: int = 8,
) -> list[Choice]:
    """The demonstration cut into stretches, each chosen over `rollouts_per_variant` drives of every variant
    from its start.

    Maximum-entropy inverse RL with sampled alternatives (Ziebart et al. 2008; Finn et al. 2016): the
    alternatives come from the policies of the present and the past, as guided cost learning does it.
    """
    driven = record.trajectory
    if not task.can_restore and driven.seed is None:
        return []  # recorded elsewhere, and nobody knows how to run it again: it can only be cloned
    end = _active_length(driven)
    stretches = [
        (start, stop) for start, stop in overlapping_windows(len(driven), length, stride) if start < end
    ]
    moments = [moment_at(task, driven, start) for start, _ in stretches]
    acting = [variant for variant in variants for _ in range(rollouts_per_variant)]
    clips = rollout_clips(
        task,
        [m for m in moments for _ in acting],
        [v for _ in moments for v in acting],
        [stop - start for start, stop in stretches for _ in acting],
        random,
    )
    found, weight = [], min(1.0, MAX_STEP_COUNT * stride / length)
    for i, (start, stop) in enumerate(stretches):
        others = clips[i * len(acting) : (i + 1) * len(acting)]
        options = (Option(driven.clip(start, stop)), *(Option(clip) for clip in others))
        found.append(Choice("demonstration", options, weight, record.id))
    return found


def _active_length(trajectory: Trajectory) -> int:
    """The step from which nothing happens any more: who has finished has not chosen rest over all else.

    Where nothing happens at all, rest is what was shown.
    """
    happened = np.flatnonzero(trajectory.terms.any(1))
    return int(happened[-1]) + 1 if len(happened) else len(trajectory)


def choice_sets(
    task: Task, records: Sequence[Record], variants: Sequence[PolicyVariant], length: int, seed: int
) -> list[Choice]:
    """Every record as choices, with what judged clips lead to under the first of `variants`.

    Alternatives to demonstrations are driven anew, by today's `variants`.
    """
    found: list[Choice] = []
    for record in records:
        if isinstance(record, Comparison):
            found += choices_from_comparison(record)
        elif isinstance(record, Evaluation):
            found += choices_from_evaluation(record, task.world.steps_per_second)
        elif isinstance(record, Correction):
            found += choices_from_correction(record)
        elif isinstance(record, Demonstration):
            word = int(hashlib.sha256(record.id.encode()).hexdigest()[:8], 16)
            random = np.random.default_rng([seed, word])
            found += demonstration_choices(task, record, variants, length, random)
    if not variants:
        return found
    return add_futures(task, found, variants[0], np.random.default_rng([seed, len(found)]))
