"""A world whose state also remembers something of the whole drive, for wishes about order and history.

The memory stands at the end of the state, so that a true reward, which sees states alone, can speak of it,
and so that forks, recordings and plans over states keep working. The physics underneath is unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from envs.world import Array, Kernel, World, WorldHooks


@dataclass(frozen=True)
class Memory:
    """What is remembered, `size` numbers a row.

    begin(states [N, K]) -> [N, size] at the start of an episode; after(memory [N, size], before [N, K],
    terms [N, M], after [N, K]) -> [N, size] after a step. Neither changes what it is given.
    """

    size: int
    begin: Callable[[Array], Array]
    after: Callable[[Array, Array, Array, Array], Array]


def remembering(world: World, memory: Memory, *, shown: bool = False) -> World:
    """The same world with `memory` at the end of its states; `shown`: at the end of its observations too.

    Its hooks are left out but for `merge_states`, since they read states without a memory.
    """
    known, size = world.state_size, memory.size
    more = tuple(f"memory_{k}" for k in range(size)) if shown else ()
    merge = world.hooks.merge_states

    def canonical_form(states: Array) -> Array:
        found = states.copy()
        found[:, :known] = states[:, :known] if merge is None else merge(states[:, :known])
        return found

    def placements(state: Array) -> tuple[Array, Array]:
        states, where = world.placements(state[:known])
        return np.concatenate([states, np.repeat(state[None, known:], len(states), 0)], 1), where

    return replace(
        world,
        kernel=_kernel(world, memory, shown),
        state_size=known + size,
        obs_names=(*world.obs_names, *more),
        obs_shape=(len(world.obs_names) + len(more),) if shown else world.obs_shape,
        symmetries=() if shown else world.symmetries,
        placements=placements,
        agent_position=lambda states: world.agent_position(states[..., :known]),
        hooks=WorldHooks(merge_states=canonical_form),
    )


def _kernel(world: World, memory: Memory, shown: bool) -> Kernel:
    """The world's kernel on the states without the memory, then the memory; plain code over all rows."""
    known, seen = world.state_size, len(world.obs_names)

    def reset(params: Array, which: Array, rng: Array, states: Array, aux: Array) -> None:
        inner = np.ascontiguousarray(states[:, :known])
        world.kernel.fastest().reset(params, which, rng, inner, aux)
        states[which, :known] = inner[which]
        states[which, known:] = memory.begin(inner[which])

    def step(params: Array, actions: Array, rng: Array, states: Array, aux: Array, terms: Array) -> None:
        before = np.ascontiguousarray(states[:, :known])
        inner = before.copy()
        world.kernel.fastest().step(params, actions, rng, inner, aux, terms)
        states[:, known:] = memory.after(states[:, known:].copy(), before, terms, inner)
        states[:, :known] = inner

    def observe(params: Array, states: Array, aux: Array, obs: Array) -> None:
        inner = np.ascontiguousarray(obs[:, :seen])
        world.kernel.fastest().observe(params, np.ascontiguousarray(states[:, :known]), aux, inner)
        obs[:, :seen] = inner
        if shown:
            obs[:, seen:] = states[:, known:]

    def refresh(params: Array, which: Array, states: Array, aux: Array) -> None:
        world.kernel.fastest().refresh(params, which, np.ascontiguousarray(states[:, :known]), aux)

    parts: tuple[Callable[..., Any], ...] = (reset, step, observe, refresh)
    return Kernel(*parts)
