"""A small discrete world as tables: every state that can be reached, where each action leads, what it pays.

For exact inverse RL. The world must be deterministic but for its starts. States that differ only in
what changes nothing later (the clock, where the robot looks, what is merely counted) are one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from envs.simulation import Simulation
from envs.world import Array, Task

BATCH = 4096


class TooManyStates(ValueError):
    """The world can't be put into tables; the text is a sentence."""


@dataclass(frozen=True)
class TabularMDP:
    """S states, A actions, M terms. State 0 is where it began.

    after [S, A] the next state; terms [S, A, M] float32; states [S, K] one state of the world for each.
    """

    next_states: NDArray[np.int64]
    terms: NDArray[np.float32]
    states: Array
    _numbers: dict[bytes, int]
    _canonical: Callable[[Array], Array]

    def __len__(self) -> int:
        return len(self.next_states)

    def state_indices(self, states: Array) -> NDArray[np.int64]:
        """Which of the S states these [N, K] are; KeyError for one that was not reached."""
        return np.array([self._numbers[row.tobytes()] for row in self._canonical(states)])


def canonical_form(task: Task) -> Callable[[Array], Array]:
    """What makes states equal that differ only in what changes nothing later."""
    clock = task.world.clock

    def timeless(states: Array) -> Array:
        found = np.array(states)
        found[:, clock] = 0
        return found

    hook = task.world.hooks.merge_states
    return timeless if hook is None else lambda states: hook(timeless(states))


def enumerate_states(task: Task, state: Array, most: int = 20_000) -> TabularMDP:
    """All states that can be reached from `state` [K]; TooManyStates when there are over `most`."""
    space = task.world.action_space
    if not isinstance(space, spaces.Discrete) or not task.can_restore:
        raise TooManyStates(f"{task.id} has no states that can be counted: it is continuous")
    merge, actions = canonical_form(task), int(space.n)
    found, numbers = [merge(state[None])[0]], {}
    numbers[found[0].tobytes()] = 0
    after: list[Array] = []
    terms: list[Array] = []
    sim, done = Simulation(task, BATCH, auto_reset=False), 0
    per = BATCH // actions
    every = np.ones(BATCH, np.bool_)
    while done < len(found):
        batch = np.stack(found[done : done + per])
        origin = np.resize(np.repeat(np.arange(len(batch)), actions), BATCH)
        acts = np.resize(np.tile(np.arange(actions), len(batch)), BATCH)
        sim.set_states(every, batch[origin], np.zeros(BATCH, np.uint64))
        step = sim.step(acts)
        used = len(batch) * actions
        led = merge(step.last_states[:used])
        links = np.zeros(used, np.int64)
        for i, row in enumerate(led):
            word = row.tobytes()
            number = numbers.get(word)
            if number is None:
                number = numbers[word] = len(found)
                found.append(row)
                if number >= most:
                    raise TooManyStates(f"{task.id} has over {most} states from here: too many for tables")
            links[i] = number
        after.append(links.reshape(-1, actions))
        terms.append(step.terms[:used].reshape(-1, actions, step.terms.shape[1]).copy())
        done += len(batch)
    return TabularMDP(np.concatenate(after), np.concatenate(terms), np.stack(found), numbers, merge)
