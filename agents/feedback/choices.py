"""All kinds of feedback in one form: a choice among options, each a weighted stretch of steps.

Every kind of feedback is a choice of one thing over others (Jeon, Milli and Dragan 2020, "Reward-rational
(implicit) choice"). In a comparison the options are the clips shown. In a demonstration they are the
demonstration and other drives from the same state. In a correction they are what the person did and what the
agent did. An evaluation is a choice between the buttons + and -. No torch here; `losses.choice` computes the
likelihood.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.feedback.records import Comparison, Correction, Evaluation
from envs.trajectory import Trajectory

Float = NDArray[np.float32]

CHOICE_KINDS = ("comparison", "demonstration", "correction", "evaluation")
"""The kinds of feedback that become choices. Each has its own rationality (see the glossary)."""
BEHAVIOUR_KINDS = ("demonstration", "correction")
"""Kinds in which the person acts in the world."""


@dataclass(frozen=True)
class Future:
    """Estimated return after the end of a stretch of steps, minus the estimated return from its start.

    It is estimated from drives that start at either end. term_sums [M]: the mean terms of the drives from the
    end minus the mean terms of those from the start. drives: these drives; weights: how much each counts in
    these means, negative for drives from the start.
    by_policy: what each of P policies meets from the end on, and from the start on, [P, M] each, where
    several are known; then the best of them counts in place of `term_sums`, which depends on the reward.
    """

    term_sums: Float
    drives: tuple[Trajectory, ...] = ()
    weights: tuple[float, ...] = ()
    by_policy: tuple[Float, Float] | None = None


@dataclass(frozen=True)
class Option:
    """A stretch of steps. Its return is the weighted sum of its rewards (step_weights None: all weights are
    1).

    future: what happens after it, which people take into account in part; None: not known.
    """

    steps: Trajectory
    step_weights: Float | None = None
    future: Future | None = None

    def term_sums(self) -> Float:
        """Weighted sum of the terms, [M]."""
        if self.step_weights is None:
            return np.asarray(self.steps.terms.sum(0), np.float32)
        return np.asarray(self.step_weights @ self.steps.terms, np.float32)


@dataclass(frozen=True)
class Choice:
    """One choice: the first of `options` was chosen. weight: how often it counts. An option None has the
    return 0."""

    kind: str
    options: tuple[Option | None, ...]
    weight: float = 1.0
    record_id: str = ""
    error_rate: float = math.nan
    """Probability that this person answers at random; NaN: the usual one."""
    rater: str | None = None
    """Who answered, if the error rates of several raters are estimated together; else None."""
    is_tie: bool = False
    """Whether the person called the options equally good. There is then a second choice with the options
    swapped."""


def strict_orders(ranks: Sequence[int]) -> list[tuple[int, ...]]:
    """All strict orders (indices, best first) that agree with `ranks` (0 the best, equal is a tie)."""
    found = permutations(range(len(ranks)))
    return [o for o in found if all(ranks[a] <= ranks[b] for a, b in pairwise(o))]


def choices_from_comparison(record: Comparison) -> list[Choice]:
    """The choices of a ranking by the Plackett-Luce model: the best of all clips, then the best of the rest,
    ...

    A ranking with ties stands for all strict orders that agree with it, each with the same weight. A tie of
    two clips is marked as well (`is_tie`): likelihoods with a tie band treat it as Rao and Kupper (1967) do,
    see `PackedChoices`.
    """
    if record.verdict != "ranked":
        return []
    clips = [Option(clip) for clip in record.clips]
    open_orders = strict_orders(record.ranks)
    found: dict[tuple[int, ...], float] = {}
    for order in open_orders:
        for place in range(len(order) - 1):
            key = (order[place], *sorted(order[place + 1 :]))
            found[key] = found.get(key, 0.0) + 1.0 / len(open_orders)
    is_tie = len(clips) == 2 and len(open_orders) == 2
    return [
        Choice("comparison", tuple(clips[i] for i in key), weight, record.id, is_tie=is_tie)
        for key, weight in found.items()
    ]


def choices_from_correction(record: Correction) -> list[Choice]:
    """The person's steps are chosen over the agent's steps from the same state; both are cut to the same
    length."""
    steps = min(len(record.person), len(record.agent))
    if steps == 0:
        return []
    both = (Option(record.person.clip(0, steps)), Option(record.agent.clip(0, steps)))
    return [Choice("correction", both, 1.0, record.id)]


PRESS_DELAY_S = 0.28
"""Scale of the gamma(2, scale) density of the time between an event and the press about it [s]. Its mode."""


def press_credit(age_s: Any) -> Any:
    """How much of the credit for a press a moment `age_s` seconds before it gets (age_s >= 0; not
    normalised).

    TAMER's credit assignment (Knox and Stone 2009, section 4.2): the density of the person's delay. It is
    highest at `PRESS_DELAY_S`.
    """
    return age_s * np.exp(-age_s / PRESS_DELAY_S)


def delayed_credit(steps: int, delay_steps: float, steps_per_second: float) -> Float:
    """The credit of each step for a press [steps]: gamma(2, 0.28 s) credit minus its mean over the segment.

    It is scaled so that the largest credit is 1 before the mean is subtracted. The delay is as in TAMER (Knox
    and Stone 2009); that a press is an advantage is as in COACH (MacGlashan et al. 2017).
    """
    age = (np.arange(steps, 0, -1) - 0.5 + delay_steps) / steps_per_second
    credit = press_credit(age)
    credit = credit / credit.sum()
    return np.asarray((credit - 1.0 / steps) / credit.max(), np.float32)


def choices_from_evaluation(record: Evaluation, steps_per_second: float) -> list[Choice]:
    """The choice that a press stands for: + says that the credited steps were better than the rest of the
    segment, - that they were worse."""
    steps = len(record.segment)
    if steps < 2 or record.value == 0:
        return []
    rate = record.rate or steps_per_second
    pressed = Option(record.segment, delayed_credit(steps, record.delay_steps, rate))
    options = (pressed, None) if record.value > 0 else (None, pressed)
    return [Choice("evaluation", options, abs(record.value), record.id)]


def overlapping_windows(steps: int, length: int, stride: int) -> list[tuple[int, int]]:
    """(start, stop) of overlapping windows over `steps` steps: one every `stride` steps, at most `length`
    long."""
    return [(start, min(start + length, steps)) for start in range(0, max(steps - stride // 2, 1), stride)]


@dataclass(frozen=True)
class PackedChoices:
    """Choices as arrays. B choices of up to C options; S distinct options of L steps in all.

    option [B, C] index into the options (S: nothing at all); mask [B, C]; kind, weight, noise [B]; rater [B]
    (a number for each, -1 where none is to be judged);
    term_sums [S + 1, M]; obs, next_obs [L, D], actions, step_weight [L], step_option [L] option of a step;
    futures [S], future_term_sums [S + 1, M]: what is to come at an option's end less at its start, 0 where
    that is not known;
    has_band [B]: answers that could have been a tie; is_tie [B]: one of the two rows of a tie.

    Rao and Kupper 1967, "Ties in paired-comparison experiments", eq. 2.2: of two clips the first is called
    better with probability sigmoid(gap - band), the second with sigmoid(-gap - band), and else "the same",
    which has probability sigmoid(gap - band) sigmoid(-gap - band) (exp(2 band) - 1).
    """

    option_index: NDArray[np.int64]
    mask: NDArray[np.bool_]
    kind: NDArray[np.int64]
    weight: Float
    term_sums: Float
    obs: Float
    next_obs: Float
    actions: NDArray[np.float32]
    step_weight: Float
    step_option: NDArray[np.int64]
    error_rate: Float
    rater: NDArray[np.int64]
    future_term_sums: Float
    has_band: NDArray[np.bool_]
    is_tie: NDArray[np.bool_]
    futures: tuple[Future | None, ...]

    def __len__(self) -> int:
        return len(self.option_index)


def pack_choices(choices: Sequence[Choice]) -> PackedChoices:
    """Choices (at least one) as arrays. An option that occurs in several choices is kept once."""
    slots: dict[int, int] = {}
    unique: list[Option] = []
    for choice in choices:
        for option in choice.options:
            if option is not None and id(option) not in slots:
                slots[id(option)] = len(unique)
                unique.append(option)
    width = max(len(choice.options) for choice in choices)
    index = np.full((len(choices), width), len(unique), np.int64)
    mask = np.zeros((len(choices), width), np.bool_)
    for row, choice in enumerate(choices):
        for place, option in enumerate(choice.options):
            index[row, place] = len(unique) if option is None else slots[id(option)]
            mask[row, place] = True
    raters = {name: i for i, name in enumerate(sorted({c.rater for c in choices if c.rater is not None}))}
    lengths = [len(option.steps) for option in unique]
    weights = [
        np.ones(len(o.steps), np.float32) if o.step_weights is None else o.step_weights for o in unique
    ]
    terms = np.stack([option.term_sums() for option in unique])
    nothing = np.zeros((1, terms.shape[1]), np.float32)
    future = [nothing[0] if option.future is None else option.future.term_sums for option in unique]
    return PackedChoices(
        option_index=index,
        mask=mask,
        kind=np.array([CHOICE_KINDS.index(choice.kind) for choice in choices]),
        weight=np.array([choice.weight for choice in choices], np.float32),
        term_sums=np.concatenate([terms, nothing]),
        obs=np.concatenate([o.steps.observations[:-1] for o in unique]),
        next_obs=np.concatenate([o.steps.observations[1:] for o in unique]),
        actions=np.concatenate(
            [o.steps.actions.astype(np.float32).reshape(len(o.steps), -1) for o in unique]
        ),
        step_weight=np.concatenate(weights),
        step_option=np.repeat(np.arange(len(unique)), lengths),
        error_rate=np.array([choice.error_rate for choice in choices], np.float32),
        rater=np.array([-1 if choice.rater is None else raters[choice.rater] for choice in choices]),
        future_term_sums=np.concatenate([np.stack(future).astype(np.float32), nothing]),
        futures=tuple(option.future for option in unique),
        has_band=np.array([c.kind == "comparison" and len(c.options) == 2 for c in choices]),
        is_tie=np.array([choice.is_tie for choice in choices]),
    )
