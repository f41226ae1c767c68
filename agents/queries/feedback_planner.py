"""Which kind of feedback gives most information per second of the person's time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from agents.feedback.feedback_kind import COMPARISON, DEMONSTRATION, EVALUATION
from agents.feedback.records import Comparison, Demonstration, Record, Suggestion
from agents.queries.acquisition import choice_probabilities, information_gain, rankings
from envs.trajectory import Trajectory

if TYPE_CHECKING:
    from agents.queries.acquisition import Float, SampledReturns

KindRationality = Callable[[str], tuple[float, float]]
"""A kind of feedback -> how sharply it chooses, beside answers, and the share of it that counts."""
MOST = 4
"""Clips in a question at most, and ways of going on between which a driver is thought to choose."""
WINDOWS = 4  # stretches of a demonstration that are reckoned together; more are not, so it is a bound
PICKS = 12  # demonstrations imagined
RECENT = 0.6
"""How much of the past a press mostly speaks of, against the two seconds before it [s]."""


@dataclass(frozen=True)
class FeedbackCosts:
    """Seconds of a person's time. None: nothing is known of it and it is not suggested."""

    pair: float = 4.0
    further: float = 2.0  # each further clip of a ranking
    demonstration: float | None = None
    evaluation: float | None = None

    def of(self, clips: int) -> float:
        """Putting so many clips in order."""
        return self.pair + self.further * (clips - 2)


def measured_costs(usual: FeedbackCosts, records: Sequence[Record], steps_per_second: float) -> FeedbackCosts:
    """`usual`, with what this person's answers and drives have taken in the median in its place."""
    answers = [r for r in records if isinstance(r, Comparison) and r.seconds > 0.0]
    pairs = [a.seconds for a in answers if len(a.clips) == 2]
    pair = float(np.median(pairs)) if pairs else usual.pair
    more = [(a.seconds - pair) / (len(a.clips) - 2) for a in answers if len(a.clips) > 2]
    further = max(0.1, float(np.median(more))) if more else usual.further
    drives = [len(r.trajectory) / steps_per_second for r in records if isinstance(r, Demonstration)]
    demo = float(np.median(drives)) if drives and usual.demonstration is not None else usual.demonstration
    return replace(usual, pair=pair, further=further, demonstration=demo)


def demonstration_gain(worth: Float, noise: float, windows: int, random: np.random.Generator) -> float:
    """A demonstration's gain: in each of `windows` stretches the best of what can be done is chosen.

    worth [G, S, K]: of K clips from each of G moments. The stretches' choices are taken together, so
    that what two of them both tell counts once.
    """
    p, found = choice_probabilities(worth, noise), []
    for _ in range(PICKS):
        picked = random.choice(len(p), min(windows, WINDOWS, len(p)), replace=False)
        joint = p[picked[0]]
        for group in picked[1:]:
            joint = (joint[:, :, None] * p[group][:, None, :]).reshape(len(joint), -1)
        found.append(float(information_gain(joint)))
    return float(np.mean(found))


def evaluation_gain(
    clips: Sequence[Trajectory], believed: SampledReturns, noise: float, rate: float
) -> float:
    """A press's gain, the mean over moments of what the agent does: + or - for the last steps."""
    last, both = max(1, round(RECENT * rate)), round(2 * rate)
    ends = [clip.clip(max(0, len(clip) - both), len(clip)) for clip in clips]
    parts = [clip.clip(max(0, len(clip) - last), len(clip)) for clip in ends]
    shares = np.array([len(part) / len(end) for part, end in zip(parts, ends, strict=True)])
    returns = believed([*parts, *ends]).astype(np.float64)
    worth = np.clip(returns[:, : len(parts)] - shares * returns[:, len(parts) :], -50.0, 50.0).T
    p = (1.0 - noise) / (1.0 + np.exp(-worth)) + noise / 2.0
    return float(information_gain(np.stack([p, 1.0 - p], -1)).mean())


def _fully(kind: str) -> tuple[float, float]:
    return 1.0, 1.0


def suggestion(
    groups: Sequence[Sequence[Trajectory]],
    believed: SampledReturns | None,
    prices: FeedbackCosts,
    noise: float,
    rate: float,
    random: np.random.Generator,
    trusted: KindRationality = _fully,
) -> Suggestion | None:
    """The most information for each second. None where there is nothing to judge by.

    While nothing is believed yet, what costs least for each stretch that it speaks of.
    """
    groups = [group for group in groups if len(group) == len(groups[0])]
    if not groups:
        return None
    steps = max(len(clip) for group in groups for clip in group)
    if believed is None:
        stretches = None if prices.demonstration is None else max(1.0, prices.demonstration * rate / steps)
        if (
            prices.demonstration is not None
            and stretches is not None
            and prices.demonstration / stretches < prices.pair
        ):
            return Suggestion(DEMONSTRATION.name, 0, 0.0, prices.demonstration)
        return Suggestion(COMPARISON.name, 2, 0.0, prices.pair)
    returns = believed([clip for group in groups for clip in group]).astype(np.float64)
    worth = returns.reshape(len(returns), len(groups), -1).transpose(1, 0, 2)
    found = []
    for clips in range(2, min(MOST, worth.shape[-1]) + 1):
        gains, _ = rankings(worth, clips, noise)
        found.append(Suggestion(COMPARISON.name, clips, float(gains.max()), prices.of(clips)))
    if prices.demonstration is not None:
        windows = max(1, round(prices.demonstration * rate / steps))
        sharp, share = trusted("demonstration")
        told = share * demonstration_gain(sharp * worth[..., :MOST], noise, windows, random)
        found.append(Suggestion(DEMONSTRATION.name, 0, told, prices.demonstration))
    if prices.evaluation is not None:
        sharp, share = trusted("evaluation")
        shown = evaluation_gain([group[0] for group in groups], lambda c: sharp * believed(c), noise, rate)
        found.append(Suggestion(EVALUATION.name, 0, share * shown, prices.evaluation))
    return max(found, key=lambda one: one.gain / one.seconds)
