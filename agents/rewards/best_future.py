"""What clips lead to under the best of several policies, which depends on the reward.

Who judges a clip by where it leads thinks of acting well from there on. Under a reward that is only guessed
at yet, the best of a set of policies bounds what acting well would come to (generalised policy improvement,
Barreto et al. 2017, "Successor features for transfer in reinforcement learning", theorem 1).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agents.feedback.choices import Future, PackedChoices

Float = NDArray[np.float32]


class BestFuture:
    """Futures of options by policy, as one array for all; nothing where no option's future is known so."""

    def __init__(self, packed: PackedChoices, term_scale: Float) -> None:
        """term_scale [M]: usual amounts of the named terms, in which weights are given."""
        known = [(at, f.by_policy) for at, f in enumerate(packed.futures) if f is not None and f.by_policy]
        self._n_options = len(packed.futures) + 1
        self._options = np.array([at for at, _ in known], np.int64)
        rows, places = np.nonzero(packed.mask)
        rater = np.zeros(self._n_options, np.int64)
        rater[packed.option_index[rows, places]] = np.maximum(packed.rater[rows], 0)
        self._rater = rater[self._options]
        if known:
            self._sums, self._places = _distinct([moment for _, both in known for moment in both], term_scale)

    def __bool__(self) -> bool:
        return len(self._options) > 0

    def __call__(self, weights: Float, shares: Float) -> Float:
        """Worth [E, S + 1] of where each option leads, under weights [E, M] per usual amount.

        shares [E, raters]: how much of it counts for who answered.
        """
        found = np.zeros((len(weights), self._n_options), np.float32)
        best = np.einsum("em,rpm->erp", weights, self._sums, optimize=True).max(2)[:, self._places]
        found[:, self._options] = (best[:, ::2] - best[:, 1::2]) * shares[:, self._rater]
        return found


def _distinct(moments: Sequence[Float], term_scale: Float) -> tuple[Float, NDArray[np.int64]]:
    """(sums of distinct moments [R, P, M] in usual amounts, which of them each moment is)."""
    every = np.stack(moments).astype(np.float32)
    flat, places = np.unique(every.reshape(len(every), -1), axis=0, return_inverse=True)
    return flat.reshape(-1, *every.shape[1:]) / term_scale, places.ravel()


def best_future_worth(future: Future | None, weights: Float) -> Float:
    """What is to come at a clip's end less at its start by the best policy [E], for weights [E, M]."""
    if future is None or future.by_policy is None:
        return np.zeros(len(weights), np.float32)
    end, start = ((weights @ moment.T).max(1) for moment in future.by_policy)
    return np.asarray(end - start, np.float32)
