"""The generators that torch and NumPy share with the whole process, kept apart for one user of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from agents.checkpoint import StateDict


class GlobalRandomness:
    """States of torch's and NumPy's global generators that nobody else draws from.

    Stable-Baselines3 seeds the global generators when a model is made, and draws from them.
    """

    def __init__(self) -> None:
        self._torch: torch.Tensor | None = None
        self._numpy: Any = None

    @contextmanager
    def swapped_in(self) -> Iterator[None]:
        """Within this context the global generators go on from the states kept here; the first time they go
        on from where they are. Afterwards they are as they were before."""
        shared = np.random.get_state(legacy=False)
        with torch.random.fork_rng(devices=[]):
            if self._torch is not None:
                torch.set_rng_state(self._torch)
                np.random.set_state(self._numpy)
            try:
                yield
            finally:
                self._torch, self._numpy = torch.get_rng_state(), np.random.get_state(legacy=False)
                np.random.set_state(shared)

    def state_dict(self) -> StateDict:
        """NumPy's state as JSON, torch's as an array."""
        assert self._torch is not None
        state = self._numpy["state"]
        facts = {"key": state["key"].tolist(), "pos": int(state["pos"])}
        return StateDict(facts, {"torch": self._torch.numpy()})

    def load_state_dict(self, state: StateDict) -> None:
        self._torch = torch.from_numpy(state.arrays["torch"].copy())
        numpy_state = {"key": np.array(state.facts["key"], np.uint32), "pos": state.facts["pos"]}
        self._numpy = {"bit_generator": "MT19937", "state": numpy_state, "has_gauss": 0, "gauss": 0.0}
