"""Whether something matters that no term names, and what: by marginal likelihoods of answers.

A reward of the named terms alone is held against ones that are linear in derived terms as well. The evidence
of each is Laplace's approximation (MacKay 1992, "Bayesian interpolation", and 2003, section 27), averaged
over how much such a term may matter and over all candidates, so that the more there are the less each is
believed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agents.feedback.choices import CHOICE_KINDS, PackedChoices
from agents.rewards.derived_candidates import pair_candidates, single_candidates
from agents.rewards.derived_terms import DerivedTerms
from agents.rewards.evidence import laplace_evidence
from agents.rewards.step_table import StepTable

Float = NDArray[np.float32]
Float64 = NDArray[np.float64]
PRIOR = 0.1
"""How likely it is that something matters that no term names."""
SIZES = (1.5, 4.0)
"""How much a component may matter: the prior deviation of its worth, in gaps between judged clips [nats]."""
MIN_ANSWERS = 8
"""Fewer comparisons than this tell too little."""
MAX_COMPONENTS = 4
N_PAIRED = 6
"""Numbers of which pairs are tried: those that by themselves explain most."""
FURTHER_MARGIN = 1.0
"""Evidence that a further component must have beyond its share among the candidates [nats]."""
MAX_DRIVES, MAX_ALTERNATIVES = 60, 4
"""Stretches of demonstrations that are looked at, and options of each."""


@dataclass(frozen=True)
class Selection:
    """What was found. terms: none where named terms do; std [K] prior deviations of their weights.

    log_odds: that something unnamed matters, against that nothing does [nats]; None: not looked yet.
    """

    terms: DerivedTerms
    std: Float
    log_odds: float | None = None


@dataclass(frozen=True)
class Problem:
    """Choices to explain. features [S + 1, F] of the named terms; mean, std [F]: their weights' prior.

    future_share: of what an option leads to, that counts. kinds [kinds]: how sharply each kind chooses.
    """

    packed: PackedChoices
    features: Float64
    mean: Float64
    std: Float64
    rationality: Float64
    future_share: float
    error_rate: float


def select_derived_terms(
    problem: Problem, steps: StepTable, future: StepTable, names: Sequence[str], one_hot: int
) -> Selection:
    """The derived terms that the evidence asks for.

    steps, future: of the judged options, and of what they lead to. names [D] of the numbers seen.
    """
    packed = problem.packed
    nothing = Selection(DerivedTerms(one_hot=one_hot), np.zeros(0, np.float32))
    if float(packed.weight[packed.kind == CHOICE_KINDS.index("comparison")].sum()) < MIN_ANSWERS:
        return nothing
    search = _Search(_thinned(problem), steps, future)
    singles = single_candidates(packed.obs, packed.actions, packed.next_obs, names, one_hot)
    gains = search.gains(singles)
    numbers = _numbers(singles, gains, packed.obs.shape[1])
    n_inputs = 3 * packed.obs.shape[1] + (one_hot or packed.actions.shape[1])
    pairs = pair_candidates(packed.next_obs, numbers, names, n_inputs, one_hot)
    candidates = [*singles, *pairs]
    gains = np.concatenate([gains, search.gains(pairs)]) if pairs else gains
    log_odds = math.log(PRIOR / (1.0 - PRIOR)) + _log_mean_exp(gains)
    if log_odds <= 0.0:
        return replace(nothing, log_odds=log_odds)
    least = math.log(len(candidates)) + FURTHER_MARGIN
    while len(search.found) < MAX_COMPONENTS:
        best = int(gains.max(1).argmax())
        search.add(candidates[best], SIZES[int(gains[best].argmax())])
        gains = search.gains(candidates)
        if gains.max() < least:
            break
    return Selection(search.terms, search.std, log_odds)


def _numbers(singles: Sequence[DerivedTerms], gains: Float64, width: int) -> list[int]:
    """The numbers whose level explains most, the best first."""
    order = [int(i) for i in np.argsort(-gains.max(1))]
    seen = [
        int(np.flatnonzero(singles[i].into[:width].any(1))[0]) for i in order if singles[i].into[:width].any()
    ]
    return list(dict.fromkeys(seen))[:N_PAIRED]


def _log_mean_exp(logs: Float64) -> float:
    top = float(logs.max())
    return top + math.log(float(np.exp(logs - top).mean()))


def _thinned(problem: Problem) -> Problem:
    """Without most stretches of demonstrations: each is looked at with a few of its alternatives."""
    packed = problem.packed
    driven = np.flatnonzero(packed.kind == CHOICE_KINDS.index("demonstration"))
    few = driven[:: max(1, len(driven) // MAX_DRIVES)]
    rows = np.sort(np.concatenate([np.flatnonzero(packed.kind != CHOICE_KINDS.index("demonstration")), few]))
    mask = packed.mask[rows][:, : 1 + MAX_ALTERNATIVES]
    thin = replace(
        packed,
        option_index=packed.option_index[rows][:, : 1 + MAX_ALTERNATIVES],
        mask=mask,
        kind=packed.kind[rows],
        weight=packed.weight[rows],
        error_rate=packed.error_rate[rows],
        rater=packed.rater[rows],
        has_band=packed.has_band[rows],
        is_tie=packed.is_tie[rows],
    )
    return replace(problem, packed=thin)


class _Search:
    """Adds components one by one."""

    def __init__(self, problem: Problem, steps: StepTable, future: StepTable) -> None:
        self.problem, self.terms = problem, DerivedTerms()
        self._steps, self._future = steps, future
        self.std = np.zeros(0, np.float32)
        self.found: list[str] = []
        self._features, self._mean = problem.features, problem.mean
        self._variance = problem.std**2
        self._evidence, self._start = self._evaluate(self._features, self._mean, self._variance, problem.mean)
        self._scaled: dict[int, tuple[DerivedTerms, DerivedTerms, Float64]] = {}

    def gains(self, candidates: Sequence[DerivedTerms]) -> Float64:
        """log Bayes factor of each further component at each of SIZES [C, sizes]."""
        self.prepare(candidates)
        found = np.full((len(candidates), len(SIZES)), -np.inf)
        for i, one in enumerate(candidates):
            if one.names[0] in self.found:
                continue
            sums = self._scaled[id(one)][2]
            features = np.concatenate([self._features, sums], 1)
            mean = np.append(self._mean, np.zeros(sums.shape[1]))
            start = np.append(self._start, np.zeros(sums.shape[1]))
            for j, size in enumerate(SIZES):
                variance = np.append(self._variance, np.full(sums.shape[1], size**2 / sums.shape[1]))
                found[i, j] = self._evaluate(features, mean, variance, start)[0] - self._evidence
        return found

    def add(self, one: DerivedTerms, size: float) -> None:
        """Take up a component, at this size."""
        _, scaled, sums = self._scaled[id(one)]
        count = sums.shape[1]
        self.terms, self.found = self.terms.join(scaled), [*self.found, one.names[0]]
        self.std = np.append(self.std, np.full(count, size / math.sqrt(count), np.float32)).astype(np.float32)
        self._features = np.concatenate([self._features, sums], 1)
        self._mean = np.append(self._mean, np.zeros(count))
        self._variance = np.append(self._variance, np.full(count, size**2 / count))
        start = np.append(self._start, np.zeros(count))
        self._evidence, self._start = self._evaluate(self._features, self._mean, self._variance, start)

    def _evaluate(
        self, features: Float64, mean: Float64, variance: Float64, start: Float64
    ) -> tuple[float, Float64]:
        of = self.problem
        return laplace_evidence(of.packed, features, mean, variance, of.rationality, of.error_rate, start)

    def prepare(self, candidates: Sequence[DerivedTerms]) -> None:
        """Reckon the sums of all candidates at once, each in gaps between judged options."""
        fresh = [one for one in candidates if id(one) not in self._scaled]
        if not fresh:
            return
        joined = fresh[0]
        for one in fresh[1:]:
            joined = joined.join(one)
        packed, share = self.problem.packed, self.problem.future_share
        sums = self._steps.sums(joined) + share * self._future.sums(joined)
        gaps = (sums[packed.option_index] - sums[packed.option_index[:, :1]])[packed.mask]
        scale = np.sqrt((gaps**2).sum(0) / max(1, int((packed.mask.sum(1) - 1).sum())))
        start = 0
        for one in fresh:
            own = slice(start, start + len(one))
            start += len(one)
            usual = np.maximum(scale[own], 1e-2 * max(float(scale[own].max()), 1e-4))
            scaled = replace(one, gain=(one.gain / usual).astype(np.float32))
            self._scaled[id(one)] = one, scaled, np.clip(sums[:, own] / usual, -50.0, 50.0)
