"""What a person's next seconds are best spent on: information about the reward, per second.

Every kind of feedback is a choice (see choices.py), so each has an expected information gain, the
mutual information of the answer and the reward, and each has a price: the seconds that it has taken
this person so far, or is expected to take.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from agents.feedback import Comparison, Demonstration, Record
from envs.trajectory import Trajectory

Float = NDArray[np.float64]
Believed = Callable[[Sequence[Trajectory]], NDArray[np.float32]]
"""clips -> their returns [samples, clips] by samples of what is believed about the reward."""
Trusted = Callable[[str], tuple[float, float]]
"""A kind of feedback -> how sharply it chooses, beside answers, and the share of it that counts."""
Kind = Literal["compare", "demo", "mark"]
MOST = 4
"""Clips in a question at most, and ways of going on between which a driver is thought to choose."""
WINDOWS = 4  # stretches of a demonstration that are reckoned together; more are not, so it is a bound
PICKS = 12  # demonstrations imagined
RECENT = 0.6
"""How much of the past a press mostly speaks of, against the two seconds before it [s]."""


@dataclass(frozen=True)
class Prices:
    """Seconds of a person's time. None: nothing is known of it and it is not suggested."""

    pair: float = 4.0
    further: float = 2.0  # each further clip of a ranking
    demo: float | None = None
    mark: float | None = None

    def of(self, clips: int) -> float:
        """Putting so many clips in order."""
        return self.pair + self.further * (clips - 2)


@dataclass(frozen=True)
class Suggestion:
    """What to ask for. clips: of a comparison or ranking, else 0. gain: expected [nats]."""

    kind: Kind
    clips: int
    gain: float
    seconds: float


def measured(usual: Prices, records: Sequence[Record], steps_per_second: float) -> Prices:
    """`usual`, with what this person's answers and drives have taken in the median in its place."""
    answers = [r for r in records if isinstance(r, Comparison) and r.seconds > 0.0]
    pairs = [a.seconds for a in answers if len(a.clips) == 2]
    pair = float(np.median(pairs)) if pairs else usual.pair
    more = [(a.seconds - pair) / (len(a.clips) - 2) for a in answers if len(a.clips) > 2]
    further = max(0.1, float(np.median(more))) if more else usual.further
    drives = [len(r.trajectory) / steps_per_second for r in records if isinstance(r, Demonstration)]
    demo = float(np.median(drives)) if drives and usual.demo is not None else usual.demo
    return replace(usual, pair=pair, further=further, demo=demo)


def entropy(p: Float) -> Float:
    """Of distributions over the last axis [nats]."""
    return np.asarray(-(p * np.log(np.maximum(p, 1e-12))).sum(-1))


def gain(p: Float) -> Float:
    """Mutual information of an answer and the reward, for p [..., S, A] of each answer under samples.

    H(mean p) - mean H(p): Houlsby et al. 2011, "Bayesian active learning", eq. 2.
    """
    return np.asarray(entropy(p.mean(-2)) - entropy(p).mean(-1))


def improvement(
    p: Float, worth: NDArray[np.floating[Any]], starts: NDArray[np.int64], weights: NDArray[np.float64]
) -> Float:
    """By how much better than today one would choose in each group, knowing the answer: the mean of it [...].

    p [..., S, A]: of each answer under samples of the reward; worth [S, N]: returns of all candidates; starts
    [G]: where each group of them begins; weights [G] of the groups in the mean. The expected value of
    information where each group is a decision to be made (Viappiani and Boutilier 2010, "Optimal Bayesian
    recommendation sets", section 3): what a weight is does not matter where the same would be done anyway.
    """
    answers = np.moveaxis(p, -1, -2)
    after = answers.reshape(-1, answers.shape[-1]) @ worth
    after /= np.maximum(answers.sum(-1), 1e-12).reshape(-1, 1)
    chosen = np.maximum.reduceat(after, starts, axis=1) @ weights
    known = (p.mean(-2) * chosen.reshape(answers.shape[:-1])).sum(-1)
    return np.asarray(known - np.maximum.reduceat(worth.mean(0), starts) @ weights) / len(starts)


def orders(worth: Float, noise: float) -> Float:
    """P of each order of n clips [..., n!] for their worth [..., n], as Plackett and Luce have it.

    noise: share of answers that are accidents, any order alike.
    """
    clips = worth.shape[-1]
    found = []
    for order in permutations(range(clips)):
        ahead = worth[..., order]
        log_p = np.zeros(worth.shape[:-1])
        for place in range(clips - 1):
            rest = ahead[..., place:]
            top = rest.max(-1)
            log_p += ahead[..., place] - top - np.log(np.exp(rest - top[..., None]).sum(-1))
        found.append(np.exp(log_p))
    return (1.0 - noise) * np.stack(found, -1) + noise / math.factorial(clips)


def tops(worth: Float, noise: float) -> Float:
    """P of each of n to be chosen as the best [..., n]."""
    p = np.exp(worth - worth.max(-1, keepdims=True))
    return np.asarray((1.0 - noise) * p / p.sum(-1, keepdims=True) + noise / worth.shape[-1])


def of_drives(worth: Float, noise: float, windows: int, random: np.random.Generator) -> float:
    """A demonstration's gain: in each of `windows` stretches the best of what can be done is chosen.

    worth [G, S, K]: of K clips from each of G moments. The stretches' choices are taken together, so
    that what two of them both tell counts once.
    """
    p, found = tops(worth, noise), []
    for _ in range(PICKS):
        picked = random.choice(len(p), min(windows, WINDOWS, len(p)), replace=False)
        joint = p[picked[0]]
        for group in picked[1:]:
            joint = (joint[:, :, None] * p[group][:, None, :]).reshape(len(joint), -1)
        found.append(float(gain(joint)))
    return float(np.mean(found))


def of_presses(clips: Sequence[Trajectory], believed: Believed, noise: float, rate: float) -> float:
    """A press's gain, the mean over moments of what the agent does: + or - for the last steps."""
    last, both = max(1, round(RECENT * rate)), round(2 * rate)
    ends = [clip.clip(max(0, len(clip) - both), len(clip)) for clip in clips]
    parts = [clip.clip(max(0, len(clip) - last), len(clip)) for clip in ends]
    shares = np.array([len(part) / len(end) for part, end in zip(parts, ends, strict=True)])
    returns = believed([*parts, *ends]).astype(np.float64)
    worth = np.clip(returns[:, : len(parts)] - shares * returns[:, len(parts) :], -50.0, 50.0).T
    p = (1.0 - noise) / (1.0 + np.exp(-worth)) + noise / 2.0
    return float(gain(np.stack([p, 1.0 - p], -1)).mean())


def rankings(worth: Float, clips: int, noise: float) -> tuple[Float, list[tuple[int, ...]]]:
    """The gain [G, sets] of ranking each set of `clips` of the K clips, and the sets. worth [G, S, K]."""
    sets = list(combinations(range(worth.shape[-1]), clips))
    return np.stack([gain(orders(worth[..., s], noise)) for s in sets], -1), sets


def _fully(kind: str) -> tuple[float, float]:
    return 1.0, 1.0


def suggestion(
    groups: Sequence[Sequence[Trajectory]],
    believed: Believed | None,
    prices: Prices,
    noise: float,
    rate: float,
    random: np.random.Generator,
    trusted: Trusted = _fully,
) -> Suggestion | None:
    """The most information for each second. None where there is nothing to judge by.

    While nothing is believed yet, what costs least for each stretch that it speaks of.
    """
    groups = [group for group in groups if len(group) == len(groups[0])]
    if not groups:
        return None
    steps = max(len(clip) for group in groups for clip in group)
    if believed is None:
        stretches = None if prices.demo is None else max(1.0, prices.demo * rate / steps)
        if prices.demo is not None and stretches is not None and prices.demo / stretches < prices.pair:
            return Suggestion("demo", 0, 0.0, prices.demo)
        return Suggestion("compare", 2, 0.0, prices.pair)
    returns = believed([clip for group in groups for clip in group]).astype(np.float64)
    worth = returns.reshape(len(returns), len(groups), -1).transpose(1, 0, 2)
    found = []
    for clips in range(2, min(MOST, worth.shape[-1]) + 1):
        gains, _ = rankings(worth, clips, noise)
        found.append(Suggestion("compare", clips, float(gains.max()), prices.of(clips)))
    if prices.demo is not None:
        windows = max(1, round(prices.demo * rate / steps))
        sharp, share = trusted("demonstration")
        told = share * of_drives(sharp * worth[..., :MOST], noise, windows, random)
        found.append(Suggestion("demo", 0, told, prices.demo))
    if prices.mark is not None:
        sharp, share = trusted("evaluation")
        shown = of_presses([group[0] for group in groups], lambda c: sharp * believed(c), noise, rate)
        found.append(Suggestion("mark", 0, share * shown, prices.mark))
    return max(found, key=lambda one: one.gain / one.seconds)
