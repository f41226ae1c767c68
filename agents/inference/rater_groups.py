"""Whether several people want the same: one reward for all of them, or rewards apart, by the evidence.

A careless rater and one who wants something else both contradict the rest. They differ in this: answers
of the one are explained by no reward, those of the other by a reward of their own. So the evidence
(marginal likelihood) of one shared reward is held against that of rewards apart, each with every rater's
error rate summed out; for carelessness the two come out alike, and the shared reward is kept.
Evidence by Laplace's approximation: MacKay 2003, "Information theory, inference, and learning
algorithms", section 27; the choice between pooled and separate is his Occam's razor, section 28.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.feedback.records import Comparison

Float = NDArray[np.float64]
MIN_ANSWERS_OF_RATER = 12  # answers of a rater before they can stand apart
EVIDENCE_MARGIN = 3.0  # by so much must the evidence for rewards apart be higher [nats]: twenty to one
MIN_DIFFERENCE = 1.5  # deviations by which two weights differ to be told
ERROR_RATES = torch.linspace(0.0, 1.0, 11, dtype=torch.float64)
"""Shares of accidents that are summed over; one rater in ten is taken to answer at random."""
_ERROR_RATE_PRIOR = (1.0 - ERROR_RATES) ** 3 * 0.9 / ((1.0 - ERROR_RATES) ** 3).sum()
_ERROR_RATE_PRIOR[-1] = 0.1
_MAX_NEWTON_STEPS = 60  # of Newton's method at most
_Loss = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class RaterAnswers:
    """One rater's strict answers: gaps [N, M], chosen clip less the other, in units of each term."""

    gaps: Float


def answers_by_rater(
    answers: Sequence[Comparison], raters: Mapping[str, str], term_scale: Float
) -> dict[str, RaterAnswers]:
    """Each rater's strict answers about pairs; term_scale [M]: a term's usual amount in a clip."""
    gaps: dict[str, list[Float]] = {}
    for one in answers:
        if one.verdict == "ranked" and len(one.clips) == 2 and one.ranks[0] != one.ranks[1]:
            better, worse = one.clips if one.ranks[0] < one.ranks[1] else one.clips[::-1]
            gap = (better.terms.sum(0) - worse.terms.sum(0)) / term_scale
            gaps.setdefault(raters.get(one.id, ""), []).append(np.asarray(gap, np.float64))
    return {rater: RaterAnswers(np.stack(rows)) for rater, rows in gaps.items()}


@dataclass(frozen=True)
class RewardFit:
    """What some raters want together: weights [M] per unit of each term, their deviations [M]."""

    raters: tuple[str, ...]
    mean: Float
    deviation: Float
    evidence: float
    """log marginal likelihood of all their answers [nats]."""


def log_likelihood(weights: Tensor, gaps: Tensor) -> Tensor:
    """log p(answers) of one rater: log sum_e p(e) prod_i [(1 - e) sigmoid(gap_i . w) + e/2], e the error."""
    x = (gaps @ weights).clamp(-50.0, 50.0)
    chances = (1.0 - ERROR_RATES[:, None]) * torch.sigmoid(x) + ERROR_RATES[:, None] / 2.0
    return torch.logsumexp(torch.log(_ERROR_RATE_PRIOR) + torch.log(chances.clamp(min=1e-9)).sum(1), 0)


def fit_group(
    answers: Mapping[str, RaterAnswers], raters: Sequence[str], mean: Float, deviation: Float
) -> RewardFit:
    """The reward that explains these raters' answers best, and its evidence, under N(mean, deviation^2)."""
    gaps = [torch.from_numpy(answers[rater].gaps) for rater in raters]
    centre, spread = torch.from_numpy(mean), torch.from_numpy(deviation)

    def loss(x: Tensor) -> Tensor:
        weights = centre + spread * x
        return 0.5 * (x @ x) - torch.stack([log_likelihood(weights, gap) for gap in gaps]).sum()

    average = torch.cat(gaps).mean(0) * spread
    starts = [torch.zeros_like(centre), 2.0 * average / average.norm().clamp(min=1e-9)]
    x, value, hessian = min(
        (_minimise_by_newton(loss, start) for start in starts), key=lambda found: float(found[1])
    )
    steep = torch.linalg.eigvalsh(hessian).clamp(min=0.1)
    evidence = -float(value) - 0.5 * float(torch.log(steep).sum())
    spreads = torch.linalg.inv(hessian).diagonal().clamp(min=0.0).sqrt() * spread
    return RewardFit(tuple(raters), (centre + spread * x).numpy(), spreads.numpy(), evidence)


def _minimise_by_newton(loss: _Loss, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Newton's method with steps halved until they help: where it ends, the loss and its Hessian there."""
    derivative = torch.func.grad(loss)
    curvature = torch.func.hessian(loss)
    value, one = loss(x), torch.eye(len(x), dtype=x.dtype)
    for _ in range(_MAX_NEWTON_STEPS):
        slope, bend = derivative(x), curvature(x)
        lowest = float(torch.linalg.eigvalsh(bend)[0])
        step = torch.linalg.solve(bend + one * max(0.0, 0.2 - lowest), slope)
        size = 1.0
        while size > 1e-4 and loss(x - size * step) > value:
            size /= 2.0
        after = loss(x - size * step)
        if size <= 1e-4 or value - after < 1e-6:
            break
        x, value = x - size * step, after
    return x, value, curvature(x)


def group_raters(answers: Mapping[str, RaterAnswers], mean: Float, deviation: Float) -> list[RewardFit]:
    """Raters in groups that want the same, those whose answers tell most first; one group if all agree.

    Each rater, in order of answers, joins the group with which one reward has most evidence, unless a
    reward of their own has more by MARGIN.
    """
    known = [rater for rater, some in answers.items() if len(some.gaps) >= MIN_ANSWERS_OF_RATER]
    known.sort(key=lambda rater: (-len(answers[rater].gaps), rater))
    found: list[RewardFit] = []
    for rater in known:
        alone = fit_group(answers, [rater], mean, deviation)
        joined = [fit_group(answers, [*group.raters, rater], mean, deviation) for group in found]
        gains = [
            one.evidence - group.evidence - alone.evidence for one, group in zip(joined, found, strict=True)
        ]
        best = int(np.argmax(gains)) if gains else -1
        if gains and gains[best] > -EVIDENCE_MARGIN:
            found[best] = joined[best]
        else:
            found.append(alone)
    return sorted(found, key=lambda group: -_evidence_over_chance(group, answers))


def _evidence_over_chance(group: RewardFit, answers: Mapping[str, RaterAnswers]) -> float:
    """By how much a reward explains their answers better than chance does [nats]: of careless raters, who
    may have said as much, hardly."""
    return group.evidence + math.log(2.0) * sum(len(answers[rater].gaps) for rater in group.raters)


def differing_terms(one: RewardFit, other: RewardFit, names: Sequence[str]) -> dict[str, float]:
    """The terms on which two wants part, the most first: deviations by which the first wants more of it."""
    apart = (one.mean - other.mean) / np.sqrt(one.deviation**2 + other.deviation**2 + 1e-12)
    order = np.argsort(-np.abs(apart))
    return {names[i]: float(apart[i]) for i in order if abs(apart[i]) >= MIN_DIFFERENCE or i == order[0]}
