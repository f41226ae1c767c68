"""Trajectories: what happened, kept so that any frame can be redrawn, forked or taken over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.world import NO_OPTIONS, Array


@dataclass(frozen=True, eq=False)
class Trajectory:
    """T steps of one row: T+1 moments, T actions. Two are the same only if they are one object.

    states [T+1, K]; rng [T+1] uint64, each row's random word at that moment (0 where unknown);
    observations [T+1, D] float32; actions [T] int64 or [T, C] float32; terms [T, M] float32.
    For a world of somebody else's K = 0: `seed` and `prefix` (the actions from the reset to the
    first moment) re-simulate it. `driver` says who acted ("person", "policy:<step>", "random").
    """

    task: str
    states: Array
    rng: NDArray[np.uint64]
    observations: NDArray[np.float32]
    actions: Array
    terms: NDArray[np.float32]
    driver: str = "person"
    kernel: str = "compiled"
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    prefix: Array | None = None

    def __post_init__(self) -> None:
        steps = len(self.actions)
        if len(self.observations) != steps + 1 or len(self.terms) != steps:
            raise ValueError(
                f"a trajectory of {steps} actions needs {steps + 1} observations and {steps} rows of "
                f"terms, not {len(self.observations)} and {len(self.terms)}"
            )

    def __len__(self) -> int:
        return len(self.actions)

    def clip(self, start: int, stop: int) -> Trajectory:
        """Steps start..stop-1 with the moments around them."""
        start, stop = max(0, start), min(stop, len(self))
        prefix = self.prefix
        if self.seed is not None:
            head = self.actions[:start]
            prefix = head if prefix is None else np.concatenate([prefix, head])
        return replace(
            self,
            states=self.states[start : stop + 1],
            rng=self.rng[start : stop + 1],
            observations=self.observations[start : stop + 1],
            actions=self.actions[start:stop],
            terms=self.terms[start:stop],
            prefix=prefix,
        )


class Recorder:
    """Collects one row's steps into a Trajectory; also what is kept so far, at any time."""

    def __init__(
        self,
        task: str,
        state: Array,
        rng: int,
        observation: Array,
        *,
        n_terms: int,
        driver: str = "person",
        kernel: str = "compiled",
        options: Mapping[str, Any] = NO_OPTIONS,
        seed: int | None = None,
        prefix: Array | None = None,
    ) -> None:
        """The first moment, and how many terms a step has; for the rest see `Trajectory`."""
        self._task, self._driver, self._kernel = task, driver, kernel
        self._options, self._seed, self._prefix = dict(options), seed, prefix
        self._n_terms = n_terms
        self._states = [np.array(state)]
        self._rng = [rng]
        self._observations = [np.array(observation, np.float32)]
        self._actions: list[Array] = []
        self._terms: list[Array] = []

    def __len__(self) -> int:
        return len(self._actions)

    def add(self, action: Any, terms: Array, state: Array, rng: int, observation: Array) -> None:
        one = np.array(action)
        self._actions.append(one.astype(np.float32 if one.dtype.kind == "f" else np.int64))
        self._terms.append(np.array(terms, np.float32))
        self._states.append(np.array(state))
        self._rng.append(rng)
        self._observations.append(np.array(observation, np.float32))

    def state(self, t: int) -> Array:
        """The state [K] at moment `t`."""
        return self._states[t]

    def trajectory(self) -> Trajectory:
        return Trajectory(
            task=self._task,
            states=np.stack(self._states),
            rng=np.array(self._rng, np.uint64),
            observations=np.stack(self._observations),
            actions=np.array(self._actions) if self._actions else np.zeros(0, np.int64),
            terms=np.array(self._terms, np.float32).reshape(len(self), self._n_terms),
            driver=self._driver,
            kernel=self._kernel,
            options=self._options,
            seed=self._seed,
            prefix=self._prefix,
        )
