"""How far each kind of feedback is trusted: by how well it foresees the answers to questions.

Somebody who drives over-cautiously collects less than the agent does, and the likelihood of such drives
says that litter is worthless, louder than ten answers can say otherwise: it takes each stretch for a
choice of its own. So each kind's likelihood is raised to a power (its share), and the share's posterior
is what the answers give it, had they been foreseen from that kind alone: p(answers | drives^share).
A likelihood tempered because its model is wrong: Grünwald and van Ommen 2017, "Inconsistency of Bayesian
inference for misspecified linear models", section 4; their share is chosen by prediction too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from agents.rewards.slice_sampler import LogLikelihood, sample_chains

WEIGHTS = (1.0, 0.3, 0.1, 0.0)
WEIGHT_PRIOR = (0.4, 0.3, 0.2, 0.1)
"""Of the shares, before an answer: drives are clear, and yet each is not as many choices as it has parts."""
EXPECTED_WEIGHT = sum(share * prior for share, prior in zip(WEIGHTS, WEIGHT_PRIOR, strict=True))
_N_MOVES, _SAMPLES_PER_CHAIN = 60, 4


def tempering_weights(
    answers: LogLikelihood, kinds: Mapping[str, LogLikelihood], chains: int, size: int, seed: int
) -> dict[str, float]:
    """The posterior mean of each kind's share.

    answers, kinds: log-likelihoods [chains] of whitened parameters [chains, size]; the parameters' prior
    is standard normal.
    """
    found = {}
    for name, likelihood in kinds.items():
        logs = [
            math.log(prior) + _log_predictive_density(answers, likelihood, share, chains, size, seed)
            for share, prior in zip(WEIGHTS, WEIGHT_PRIOR, strict=True)
        ]
        weights = np.exp(np.array(logs) - max(logs))
        found[name] = float(weights @ np.array(WEIGHTS) / weights.sum())
    return found


def _log_predictive_density(
    answers: LogLikelihood, kind: LogLikelihood, weight: float, chains: int, size: int, seed: int
) -> float:
    """log p(answers | kind^share): their mean likelihood over what the kind alone leaves possible."""
    random = np.random.default_rng(seed)
    start = random.standard_normal((chains * (1 if weight else _SAMPLES_PER_CHAIN), size), np.float32)
    if weight:
        start, _ = sample_chains(
            lambda x: np.float32(weight) * kind(x), start, _N_MOVES, _SAMPLES_PER_CHAIN, random
        )
    logs = answers(start).astype(np.float64)
    return float(logs.max() + np.log(np.exp(logs - logs.max()).mean()))
