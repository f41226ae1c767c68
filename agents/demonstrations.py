"""Demonstrations as choices: what the person drove, among what else could be driven from there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agents.choices import Choice, Option, windows
from agents.feedback import Demonstration
from agents.rollouts import Variant, moment_of, roll
from envs.world import Task


def of_demonstration(
    task: Task,
    record: Demonstration,
    variants: Sequence[Variant],
    length: int,
    random: np.random.Generator,
    each: int = 2,
) -> list[Choice]:
    """The demonstration cut into stretches, each chosen over `each` drives of every variant from its start.

    Maximum-entropy inverse RL with sampled alternatives (Ziebart et al. 2008; Finn et al. 2016): the
    alternatives come from the policies of the present and the past, as guided cost learning does it.
    """
    driven = record.trajectory
    stretches = windows(driven, length)
    moments = [moment_of(task, driven, start) for start, _ in stretches]
    acting = [variant for variant in variants for _ in range(each)]
    clips = roll(
        task,
        [m for m in moments for _ in acting],
        [v for _ in moments for v in acting],
        [stop - start for start, stop in stretches for _ in acting],
        random,
    )
    found = []
    for i, (start, stop) in enumerate(stretches):
        others = clips[i * len(acting) : (i + 1) * len(acting)]
        options = (Option(driven.clip(start, stop)), *(Option(clip) for clip in others))
        found.append(Choice("demonstration", options, 1.0, record.id))
    return found
