"""A learned reward to practise on that promises only what is sure.

The posterior's mean pays a little for whatever nobody was asked about, and an agent that practises
long finds it: it bumps into walls forty times an episode because bumps, of which the answers say
nothing, came out at +0.5. So practice maximises the mean return less its deviation over the posterior: the
soft-robust objective of Brown, Niekum and Petrik 2020 ("Bayesian robust optimization for imitation
learning", section 4.1), with the deviation for the tail. Doubt is reckoned on what is done beyond multiples
of what people drove and of what they preferred. A net that tells terms itself has faults besides that no
question is about, so there doing less of something than people did is in doubt too. On the world's own terms
it is not, and some doubt is let be: after ten answers most is in doubt by a nat or two, and in Rooms shunning
it all cost more than it saved, while shunning none of it lost LanesMerge, where the doubt was of 20 to 40.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.renamed_settings import renamed_settings

Float = NDArray[np.float64]


def counts_beyond_usual(
    counts: Any, usual_counts: Any, covariance: Float, penalise_deficits: bool = True
) -> Float:
    """What is done beyond multiples of what people chose: counts - c usual, [M], c >= 0 for the least doubt.

    counts [M]: terms per episode; usual [M] or [K, M]: the same of what was chosen, in K ways, at any scale.
    Doing more or less of the usual mixture of terms says nothing about the terms' weights relative to each
    other, so uncertainty along that direction is not counted. penalise_deficits: whether it counts where less
    is done.
    """
    counts, usual_counts = np.asarray(counts, np.float64), np.atleast_2d(np.asarray(usual_counts, np.float64))
    beyond, least = counts, float(counts @ covariance @ counts)
    for number in range(1, len(usual_counts) + 1):
        for ways in combinations(
            usual_counts, number
        ):  # the best c >= 0 is the best without that bound for some
            rows = np.stack(ways)
            times = np.linalg.lstsq(rows @ covariance @ rows.T, rows @ covariance @ counts, rcond=None)[0]
            left = counts - times @ rows
            doubt = float(left @ covariance @ left)
            if doubt < least and (times >= 0.0).all():
                beyond, least = left, doubt
    return beyond if penalise_deficits else np.where(beyond * counts > 0.0, beyond, 0.0)


@renamed_settings(leeway="tolerance", less="penalise_deficits")
@dataclass(frozen=True)
class RiskAversion:
    """How doubt about what an episode is worth is shunned."""

    deviations: float = 1.0  # of an episode's return, that are taken off its mean
    tolerance: float = 0.5  # a deviation that is of little concern [nats]
    penalise_deficits: bool = True  # whether doing less of something than people did is in doubt too


def risk_adjusted_return(samples: Any, counts: Any, usual_counts: Any, aversion: RiskAversion) -> float:
    """Mean less so many deviations of an episode's return [nats]; samples [S, M] of the weights."""
    mean, covariance = mean_and_covariance(samples)
    doubt = counts_beyond_usual(counts, usual_counts, covariance, aversion.penalise_deficits)
    deviation = float(np.sqrt(doubt @ covariance @ doubt + aversion.tolerance**2))
    return float(mean @ np.asarray(counts)) - aversion.deviations * deviation


def risk_adjusted_weights(samples: Any, counts: Any, usual_counts: Any, aversion: RiskAversion) -> Float:
    """The gradient of `sure_return` by the counts: weights [M] on which a policy that does `counts` improves.

    (c stands still: where `less` counts, the deviation doesn't change with it at its best value.)
    """
    mean, covariance = mean_and_covariance(samples)
    doubt = counts_beyond_usual(counts, usual_counts, covariance, aversion.penalise_deficits)
    pull = covariance @ doubt
    shunned = aversion.deviations * pull / np.sqrt(doubt @ pull + aversion.tolerance**2)
    return np.asarray(
        mean - (shunned if aversion.penalise_deficits else np.where(doubt != 0.0, shunned, 0.0))
    )


def is_credibly_better(samples: Any, counts: Any, other_counts: Any, deviations: float) -> bool:
    """Whether episodes with `counts` [M] of each term are surely better than those with `other_counts` [M].

    Their gain must be so many of its own deviations over the samples [S, M]: what the two have in common is
    in no doubt (the baseline regret of Brown et al. 2020).
    """
    gained = np.asarray(samples, np.float64) @ (np.asarray(counts) - np.asarray(other_counts))
    return bool(gained.mean() > deviations * gained.std())


def mean_and_covariance(samples: Any) -> tuple[Float, Float]:
    """Mean [M] and covariance [M, M] of samples [S, M]."""
    values = np.asarray(samples, np.float64)
    centred = values - values.mean(0)
    return values.mean(0), np.asarray(centred.T @ centred / len(values))
