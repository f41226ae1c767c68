"""Earlier policies of the agent, spread over its training, to draw clips from and to compare demonstrations
with.

A policy may stop doing something that it did before. Clips of its earlier versions still show it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from agents.checkpoint import Arrays, StateDict
from agents.policies.policy_arrays import PolicyArrays, layer_arrays, read_layers

MAX_POLICIES = 4
"""How many earlier policies are kept."""
MIN_STEPS_BETWEEN = 40_000
"""Fewest environment steps between two policies that are kept."""


def index_to_evict(times: Sequence[int]) -> int:
    """Which of the policies recorded at these times (three or more) to drop: the one that has the nearest
    neighbours for its age. The older policies are, the wider apart they are therefore kept. The first and the
    last are never dropped."""
    ages = [times[-1] - at + 1 for at in times[1:-1]]
    gaps = [after - before for before, after in zip(times[:-2], times[2:], strict=True)]
    return 1 + int(np.argmin(np.array(gaps) / np.array(ages)))


class PolicyHistory:
    """Earlier policies with the number of environment steps at which each was recorded, oldest first."""

    def __init__(self) -> None:
        self._policies: list[tuple[int, PolicyArrays]] = []
        self.rejected: PolicyArrays | None = None
        """The newest policy that was trained for long and then rejected for an earlier one."""

    def __iter__(self) -> Iterator[tuple[int, PolicyArrays]]:
        return iter(self._policies)

    def add(self, env_steps: int, policy: PolicyArrays) -> None:
        """Keep a policy, unless the last one was recorded too recently."""
        if self._policies and env_steps - self._policies[-1][0] < MIN_STEPS_BETWEEN:
            return
        self._policies.append((env_steps, policy))
        if len(self._policies) > MAX_POLICIES:
            untaught = self._policies[0][0] == 0
            del self._policies[0 if untaught else index_to_evict([one for one, _ in self._policies])]

    # Stopping and going on.

    @property
    def env_steps(self) -> list[int]:
        return [at for at, _ in self._policies]

    def state_dict(self) -> StateDict:
        """The number of steps of each policy, and its layers."""
        found: Arrays = {}
        for index, (_, policy) in enumerate(self._policies):
            found |= layer_arrays(f"past.{index}", policy.folded().layers)
        if self.rejected is not None:
            found |= layer_arrays("past.given up", self.rejected.folded().layers)
        return StateDict({"past": self.env_steps}, found)

    def load_state_dict(self, state: StateDict, like: PolicyArrays) -> None:
        """Restore the policies. like: a policy of the same architecture."""
        like = replace(like, normalisation=None)  # theirs is folded into their layers
        times, arrays = state.facts["past"], state.arrays
        self._policies.clear()
        given_up = read_layers("past.given up", arrays)
        self.rejected = replace(like, layers=given_up) if given_up and like.eyes is None else None
        for index, at in enumerate(times if like.eyes is None else ()):  # layers alone are kept
            layers = read_layers(f"past.{index}", arrays)
            self._policies.append((at, replace(like, layers=layers)))
