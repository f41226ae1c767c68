"""The likelihood of choices as a function of the numbers that are sampled for a linear reward."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.feedback.choices import PackedChoices
from agents.rewards.best_future import BestFuture
from agents.rewards.choice_likelihood import LinearChoiceLikelihood
from agents.rewards.linear_prior import LinearPrior
from agents.rewards.slice_sampler import LogLikelihood

Float = NDArray[np.float32]


class LinearLikelihoods:
    """Likelihoods of these choices, of all of them or of some kinds."""

    def __init__(
        self,
        packed: PackedChoices,
        features: Float,
        prior: LinearPrior,
        moments: tuple[Float, Float],
        term_scale: Float,
    ) -> None:
        """features [S + 1, F]: see `TermSums.features`. moments: see `LinearPrior.moments`.

        term_scale [M]: usual amounts of the named terms.
        """
        self._packed, self._features, self._prior, self._moments = packed, features, prior, moments
        self._n_named = len(term_scale)
        self.best_future = BestFuture(packed, term_scale)

    def of(self, included: NDArray[np.bool_], tempering: Float) -> LogLikelihood:
        """log P of the `included` [B] choices together, each kind's to the power of its share [kinds]."""
        packed, ahead = self._packed, self.best_future
        choices = LinearChoiceLikelihood(packed, self._features, self._prior.config.error_rate, included)
        counts = (packed.weight * tempering[packed.kind])[choices.choice_indices].astype(np.float32)

        def log_likelihood(x: Float) -> Float:
            found = self._prior.parameters(x, self._moments)
            further = ahead(found.weights[:, : self._n_named], found.future_share) if ahead else None
            return choices.log_likelihood(found.weights, found.rationality, counts, found.tie_band, further)

        return log_likelihood

    def of_all(self, tempering: Float) -> LogLikelihood:
        """The same of all choices."""
        return self.of(np.ones(len(self._packed), np.bool_), tempering)
