"""Symmetric views of a world: the same step turned, as reward nets see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agents.rewards.reward_arrays import CanonicalView
from envs.world import Array


def canonical_views(
    symmetries: Sequence[tuple[Array, Array]], n_actions: int, mask_variant_inputs: bool = False
) -> tuple[CanonicalView, ...]:
    """The ways to turn each action to the first one that it can be turned to; the mirror is a second.

    mask_variant_inputs: an action that no turn changes sees only what no turn changes.
    """
    if not symmetries or not n_actions:
        return ()
    first = [min(int(action_of[a]) for _, action_of in symmetries) for a in range(n_actions)]
    found = [[order for order, to in symmetries if to[a] == first[a]] for a in range(n_actions)]
    ways = min(len(orders) for orders in found)
    turns = tuple(
        CanonicalView(np.stack([orders[w] for orders in found]), np.array(first)) for w in range(ways)
    )
    return _mask_variant_inputs(turns, symmetries) if mask_variant_inputs else turns


def invariant_inputs(views: Sequence[CanonicalView]) -> NDArray[np.bool_]:
    """Which numbers of what is seen no turn moves, [D]."""
    wide = views[0].orders.shape[1]
    return np.asarray(
        np.all([((t.orders == np.arange(wide)) | (t.orders == wide)).all(0) for t in views], axis=0)
    )


def _mask_variant_inputs(
    views: Sequence[CanonicalView], symmetries: Sequence[tuple[Array, Array]]
) -> tuple[CanonicalView, ...]:
    stays = invariant_inputs(views)
    none = np.array([all(int(to[a]) == a for _, to in symmetries) for a in range(len(views[0].actions))])
    return tuple(replace(t, orders=np.where(none[:, None] & ~stays, len(stays), t.orders)) for t in views)
