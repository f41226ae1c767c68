"""Symmetric views of a world: the same step turned, as reward nets see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agents.rewards.reward_arrays import Turns
from envs.world import Array


def canonical_views(
    symmetries: Sequence[tuple[Array, Array]], actions: int, blind: bool = False
) -> tuple[Turns, ...]:
    """The ways to turn each action to the first one that it can be turned to; the mirror is a second.

    blind: an action that no turn changes sees only what no turn changes.
    """
    if not symmetries or not actions:
        return ()
    first = [min(int(action_of[a]) for _, action_of in symmetries) for a in range(actions)]
    found = [[order for order, to in symmetries if to[a] == first[a]] for a in range(actions)]
    ways = min(len(orders) for orders in found)
    turns = tuple(Turns(np.stack([orders[w] for orders in found]), np.array(first)) for w in range(ways))
    return _blinded(turns, symmetries) if blind else turns


def invariant_inputs(turns: Sequence[Turns]) -> NDArray[np.bool_]:
    """Which numbers of what is seen no turn moves, [D]."""
    wide = turns[0].orders.shape[1]
    return np.asarray(
        np.all([((t.orders == np.arange(wide)) | (t.orders == wide)).all(0) for t in turns], axis=0)
    )


def _blinded(turns: Sequence[Turns], symmetries: Sequence[tuple[Array, Array]]) -> tuple[Turns, ...]:
    stays = invariant_inputs(turns)
    none = np.array([all(int(to[a]) == a for _, to in symmetries) for a in range(len(turns[0].actions))])
    return tuple(replace(t, orders=np.where(none[:, None] & ~stays, len(stays), t.orders)) for t in turns)
