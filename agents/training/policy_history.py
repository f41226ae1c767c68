"""Earlier policies of one that practises, some from each time, for clips and for what else could be done.

A policy that does nothing any more did something once: clips of its earlier versions can still be shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from agents.checkpoint import Arrays, StateDict
from agents.policies.policy_arrays import PolicyArrays, layer_arrays, read_layers

MAX_POLICIES = 4
"""Earlier policies kept."""
MIN_STEPS_BETWEEN = 40_000
"""Environment steps between them, at least."""


def index_to_evict(times: Sequence[int]) -> int:
    """Which of the policies kept at these times (three or more) to let go: that with the nearest neighbours
    for its age. So they stand the wider apart the older they are; the first and the last stay."""
    ages = [times[-1] - at + 1 for at in times[1:-1]]
    gaps = [after - before for before, after in zip(times[:-2], times[2:], strict=True)]
    return 1 + int(np.argmin(np.array(gaps) / np.array(ages)))


class PolicyHistory:
    """Policies by the environment steps that they were met at, the oldest first."""

    def __init__(self) -> None:
        self._policies: list[tuple[int, PolicyArrays]] = []
        self.rejected: PolicyArrays | None = None
        """What long practice came to last, where that was not kept."""

    def __iter__(self) -> Iterator[tuple[int, PolicyArrays]]:
        return iter(self._policies)

    def add(self, env_steps: int, policy: PolicyArrays) -> None:
        """Remember a policy, if the last was long enough ago."""
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
        """When each acted, and their layers."""
        found: Arrays = {}
        for index, (_, policy) in enumerate(self._policies):
            found |= layer_arrays(f"past.{index}", policy.folded().layers)
        if self.rejected is not None:
            found |= layer_arrays("past.given up", self.rejected.folded().layers)
        return StateDict({"past": self.env_steps}, found)

    def load_state_dict(self, state: StateDict, like: PolicyArrays) -> None:
        """Go on from what was kept. like: a policy of the form that they had."""
        like = replace(like, normalisation=None)  # theirs is folded into their layers
        times, arrays = state.facts["past"], state.arrays
        self._policies.clear()
        given_up = read_layers("past.given up", arrays)
        self.rejected = replace(like, layers=given_up) if given_up and like.eyes is None else None
        for index, at in enumerate(times if like.eyes is None else ()):  # layers alone are kept
            layers = read_layers(f"past.{index}", arrays)
            self._policies.append((at, replace(like, layers=layers)))
