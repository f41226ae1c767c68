"""How a kernel is compiled: the same plain Python source, with numba or without.

`@kernel` marks a function written in the subset of Python that numba understands. With
``TEACHBOX_KERNEL=plain`` in the environment (read once, at import) it stays plain Python and
numba is never imported: nothing then waits for the compiler. Otherwise it is compiled at first
use and cached on disk. The two differ in the last bits of floats, so recordings say which made them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

MODE: str = "plain" if os.environ.get("TEACHBOX_KERNEL", "compiled") == "plain" else "compiled"


def kernel(function: F) -> F:
    """Compile `function` with numba, or leave it as it is in plain mode."""
    if MODE == "plain":
        return function
    from numba import njit

    return njit(cache=True, error_model="numpy", inline="never")(function)  # type: ignore[return-value]


_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


@kernel
def next_word(rng: np.ndarray, row: int) -> np.uint64:
    """Advance row `row`'s random word and return 64 fresh bits (SplitMix64, Steele et al. 2014)."""
    rng[row] = rng[row] + _GOLDEN
    z = rng[row]
    z = (z ^ (z >> _S30)) * _MIX_A
    z = (z ^ (z >> _S27)) * _MIX_B
    return z ^ (z >> _S31)


if MODE == "plain":  # the word is meant to wrap around
    next_word = np.errstate(over="ignore")(next_word)


@kernel
def uniform(rng: np.ndarray, row: int) -> float:
    """A float in [0, 1) from row `row`'s random word."""
    return float(next_word(rng, row) >> _S11) * (1.0 / 9007199254740992.0)


@kernel
def below(rng: np.ndarray, row: int, n: int) -> int:
    """An integer in [0, n) from row `row`'s random word."""
    return int(uniform(rng, row) * n)
