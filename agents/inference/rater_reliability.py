"""How far answers can be believed: each rater's care, and answers that contradict the rest.

A rater answers P(first) = (1 - error) sigmoid(beta * gap + side) + error / 2, where gap is by how much the
learned return of the first clip is higher [nats]. The three numbers are estimated for each rater on
a grid, under priors that a careful person meets; the error rate goes back into the likelihood, so
that whoever answers at random soon counts for nothing.

Where the reward can explain anything, answers at random as well, each of several raters is judged by what
was foreseen of their answers before these were learned from (prequentially, Dawid 1984).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.checkpoint import StateDict
from agents.feedback.choices import Future
from agents.feedback.records import Comparison
from agents.rewards.base import ChoiceReward

Float = NDArray[np.float64]
BETAS = np.array([0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8])
POSITION_BIASES = np.linspace(-3.0, 3.0, 13)
ERROR_RATES = np.linspace(0.0, 1.0, 21)
RANDOM_RATER_SHARE = 0.1  # share of raters who answer by chance
MIN_ANSWERS = 8  # answers before anything is said of a rater
CONTRADICTION_PROBABILITY = 0.12  # an answer less likely than this contradicts the rest


KEYS = ("answers", "beta", "side", "error")
"""What a checkpoint calls the fields of RaterParams."""


@dataclass(frozen=True)
class RaterParams:
    """What is believed of a rater. error_rate: the share of answers that mean nothing."""

    answers: int
    beta: float = 1.0
    position_bias: float = 0.0
    error_rate: float = 0.1


def estimate_rater(gaps: Float, first_preferred: NDArray[np.bool_]) -> RaterParams:
    """Posterior means on the grid. gaps [N] in nats; first_preferred [N]: the first clip was preferred.

    Priors: log beta N(0, 0.4) (the reward's own unit says the rest), side N(0, 0.7); error Beta(1, 4) of most
    people, and one in ten answers by chance: Beta(4, 1).
    """
    beta, side, error = np.meshgrid(BETAS, POSITION_BIASES, ERROR_RATES, indexing="ij")
    care = (1.0 - RANDOM_RATER_SHARE) * 4.0 * (1.0 - 0.98 * error) ** 3 + RANDOM_RATER_SHARE * 4.0 * error**3
    log_prior = -0.5 * (np.log(beta) / 0.4) ** 2 - 0.5 * (side / 0.7) ** 2 + np.log(care)
    x = np.clip(beta[..., None] * gaps + side[..., None], -50.0, 50.0)
    p = (1.0 - error[..., None]) / (1.0 + np.exp(-x)) + error[..., None] / 2.0
    log_post = log_prior + np.log(np.where(first_preferred, p, 1.0 - p).clip(1e-9)).sum(-1)
    weight = np.exp(log_post - log_post.max())
    weight /= weight.sum()
    means = [float((weight * part).sum()) for part in (beta, side, error)]
    return RaterParams(len(gaps), *means)


@dataclass(frozen=True)
class AnsweredPair:
    """An answered pair. return_gap: by how much the first's learned return is higher [nats]."""

    id: str
    rater: str
    return_gap: float
    first_preferred: bool

    def probability(self, rater_params: RaterParams) -> float:
        """How likely this answer was, as the rater is known, without their accidents."""
        x = float(np.clip(rater_params.beta * self.return_gap + rater_params.position_bias, -50.0, 50.0))
        return 1.0 / (1.0 + np.exp(-x if self.first_preferred else x))


def answered_pairs(
    answers: Sequence[Comparison],
    raters: Mapping[str, str],
    reward: ChoiceReward,
    futures: Mapping[int, Future | None],
    *,
    use_mean_probability: bool = False,
) -> list[AnsweredPair]:
    """Strictly answered pairs, with what the reward says of them: the mean gap, or `use_mean_probability` the
    log-odds of the mean probability, which are near zero where the reward's samples disagree.

    futures: what clips lead to, by the clip's `id()`.
    """
    asked = [a for a in answers if a.verdict == "ranked" and len(a.clips) == 2 and a.ranks[0] != a.ranks[1]]
    if not asked:
        return []
    clips = [clip for answer in asked for clip in answer.clips]
    ahead = [futures.get(id(clip)) for clip in clips]
    returns = reward.sampled_returns(clips, ahead).astype(np.float64)
    gaps = returns[:, ::2] - returns[:, 1::2]
    if use_mean_probability:
        chance = (1.0 / (1.0 + np.exp(-np.clip(gaps, -50.0, 50.0)))).mean(0).clip(1e-6, 1.0 - 1e-6)
        gap = np.log(chance / (1.0 - chance))
    else:
        gap = gaps.mean(0)
    return [
        AnsweredPair(a.id, raters.get(a.id, ""), float(by), a.ranks[0] < a.ranks[1])
        for a, by in zip(asked, gap, strict=True)
    ]


class RaterReliability:
    """What is believed of the raters, renewed at each fit."""

    def __init__(self) -> None:
        self.raters: dict[str, RaterParams] = {}
        self.contradictory: list[str] = []
        """Ids of answers that contradict the rest, the least likely first."""
        self._predictions: dict[str, float] = {}  # gap by answer, before it was learned from

    def record_predictions(self, pairs: Sequence[AnsweredPair]) -> None:
        """Remember what was foreseen of answers that have not been learned from."""
        for pair in pairs:
            self._predictions.setdefault(pair.id, pair.return_gap)

    def update(self, pairs: Sequence[AnsweredPair]) -> None:
        """Estimate every rater anew from all pairs."""
        self.raters = {}
        names = sorted({pair.rater for pair in pairs})
        foreseen = self._predictions if len(names) > 1 else {}  # one alone is not told from the others
        for rater in names:
            own = [pair for pair in pairs if pair.rater == rater]
            if len(own) >= MIN_ANSWERS:
                gaps = np.array([foreseen.get(p.id, p.return_gap) for p in own])
                first = np.array([p.first_preferred for p in own])
                self.raters[rater] = estimate_rater(gaps, first)
        usual = RaterParams(0)
        found = [(pair.probability(self.raters.get(pair.rater, usual)), pair.id) for pair in pairs]
        self.contradictory = (
            [id for p, id in sorted(found) if p < CONTRADICTION_PROBABILITY]
            if len(pairs) >= MIN_ANSWERS
            else []
        )

    def error_rate(self, rater: str, default: float) -> float:
        """The share of a rater's answers to take for accidents; `default` for one who is not known yet."""
        return self.raters[rater].error_rate if rater in self.raters else default

    def state_dict(self) -> StateDict:
        """What a checkpoint keeps, under the keys of its first version."""
        raters = {
            rater: dict(
                zip(KEYS, (known.answers, known.beta, known.position_bias, known.error_rate), strict=True)
            )
            for rater, known in self.raters.items()
        }
        return StateDict({"raters": raters, "doubtful": self.contradictory, "foreseen": self._predictions})

    def load_state_dict(self, state: StateDict) -> None:
        facts = state.facts
        self.raters = {
            rater: RaterParams(*(known[key] for key in KEYS)) for rater, known in facts["raters"].items()
        }
        self.contradictory = list(facts["doubtful"])
        self._predictions = dict(facts.get("foreseen", {}))
