"""Which kind of feedback gives most information per second of the person's time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from agents.feedback.feedback_kind import COMPARISON, DEMONSTRATION, EVALUATION
from agents.feedback.records import Comparison, Demonstration, Record, Suggestion
from agents.queries.acquisition import choice_probabilities, information_gain, ranking_gains
from envs.trajectory import Trajectory

if TYPE_CHECKING:
    from agents.queries.acquisition import Float, SampledReturns

KindRationality = Callable[[str], tuple[float, float]]
"""A kind of feedback -> how sharply it chooses, beside answers, and the share of it that counts."""
MAX_CLIPS = 4
"""Clips in a question at most, and ways of going on between which a driver is thought to choose."""
MAX_WINDOWS = 4  # stretches of a demonstration that are reckoned together; more are not, so it is a bound
N_IMAGINED_DEMONSTRATIONS = 12  # demonstrations imagined
EVALUATED_SECONDS = 0.6
"""How much of the past a press mostly speaks of, against the two seconds before it [s]."""


@dataclass(frozen=True)
class FeedbackCosts:
    """Seconds of a person's time. None: nothing is known of it and it is not suggested."""

    pair: float = 4.0
    further_clip: float = 2.0  # each further clip of a ranking
    demonstration: float | None = None
    evaluation: float | None = None

    def ranking(self, clips: int) -> float:
        """Putting so many clips in order."""
        return self.pair + self.further_clip * (clips - 2)


def measure_costs(
    default: FeedbackCosts, records: Sequence[Record], steps_per_second: float
) -> FeedbackCosts:
    """`default`, with what this person's answers and drives have taken in the median in its place."""
    answers = [r for r in records if isinstance(r, Comparison) and r.seconds > 0.0]
    pairs = [a.seconds for a in answers if len(a.clips) == 2]
    pair = float(np.median(pairs)) if pairs else default.pair
    more = [(a.seconds - pair) / (len(a.clips) - 2) for a in answers if len(a.clips) > 2]
    further = max(0.1, float(np.median(more))) if more else default.further_clip
    drives = [len(r.trajectory) / steps_per_second for r in records if isinstance(r, Demonstration)]
    demo = float(np.median(drives)) if drives and default.demonstration is not None else default.demonstration
    return replace(default, pair=pair, further_clip=further, demonstration=demo)


def demonstration_gain(returns: Float, error_rate: float, windows: int, random: np.random.Generator) -> float:
    """A demonstration's gain: in each of `windows` stretches the best of what can be done is chosen.

    returns [G, S, K]: of K clips from each of G moments. The stretches' choices are taken together, so
    that what two of them both tell counts once.
    """
    p, found = choice_probabilities(returns, error_rate), []
    for _ in range(N_IMAGINED_DEMONSTRATIONS):
        picked = random.choice(len(p), min(windows, MAX_WINDOWS, len(p)), replace=False)
        joint = p[picked[0]]
        for group in picked[1:]:
            joint = (joint[:, :, None] * p[group][:, None, :]).reshape(len(joint), -1)
        found.append(float(information_gain(joint)))
    return float(np.mean(found))


def evaluation_gain(
    clips: Sequence[Trajectory], sampled_returns: SampledReturns, error_rate: float, steps_per_second: float
) -> float:
    """A press's gain, the mean over moments of what the agent does: + or - for the last steps."""
    last, both = max(1, round(EVALUATED_SECONDS * steps_per_second)), round(2 * steps_per_second)
    ends = [clip.clip(max(0, len(clip) - both), len(clip)) for clip in clips]
    parts = [clip.clip(max(0, len(clip) - last), len(clip)) for clip in ends]
    shares = np.array([len(part) / len(end) for part, end in zip(parts, ends, strict=True)])
    returns = sampled_returns([*parts, *ends]).astype(np.float64)
    worth = np.clip(returns[:, : len(parts)] - shares * returns[:, len(parts) :], -50.0, 50.0).T
    p = (1.0 - error_rate) / (1.0 + np.exp(-worth)) + error_rate / 2.0
    return float(information_gain(np.stack([p, 1.0 - p], -1)).mean())


def _unit_rationality(kind: str) -> tuple[float, float]:
    return 1.0, 1.0


def suggest_feedback(
    groups: Sequence[Sequence[Trajectory]],
    sampled_returns: SampledReturns | None,
    costs: FeedbackCosts,
    error_rate: float,
    steps_per_second: float,
    random: np.random.Generator,
    rationality: KindRationality = _unit_rationality,
) -> Suggestion | None:
    """The most information for each second. None where there is nothing to judge by.

    While nothing is believed yet, what costs least for each stretch that it speaks of.
    """
    groups = [group for group in groups if len(group) == len(groups[0])]
    if not groups:
        return None
    steps = max(len(clip) for group in groups for clip in group)
    if sampled_returns is None:
        stretches = (
            None if costs.demonstration is None else max(1.0, costs.demonstration * steps_per_second / steps)
        )
        if (
            costs.demonstration is not None
            and stretches is not None
            and costs.demonstration / stretches < costs.pair
        ):
            return Suggestion(DEMONSTRATION.name, 0, 0.0, costs.demonstration)
        return Suggestion(COMPARISON.name, 2, 0.0, costs.pair)
    returns = sampled_returns([clip for group in groups for clip in group]).astype(np.float64)
    worth = returns.reshape(len(returns), len(groups), -1).transpose(1, 0, 2)
    found = []
    for clips in range(2, min(MAX_CLIPS, worth.shape[-1]) + 1):
        gains, _ = ranking_gains(worth, clips, error_rate)
        found.append(Suggestion(COMPARISON.name, clips, float(gains.max()), costs.ranking(clips)))
    if costs.demonstration is not None:
        windows = max(1, round(costs.demonstration * steps_per_second / steps))
        sharp, share = rationality("demonstration")
        told = share * demonstration_gain(sharp * worth[..., :MAX_CLIPS], error_rate, windows, random)
        found.append(Suggestion(DEMONSTRATION.name, 0, told, costs.demonstration))
    if costs.evaluation is not None:
        sharp, share = rationality("evaluation")
        shown = evaluation_gain(
            [group[0] for group in groups], lambda c: sharp * sampled_returns(c), error_rate, steps_per_second
        )
        found.append(Suggestion(EVALUATION.name, 0, share * shown, costs.evaluation))
    return max(found, key=lambda one: one.gain / one.seconds)
