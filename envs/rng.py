"""Random numbers inside kernels: one 64-bit word per row, so that a row's future is its own."""

from __future__ import annotations

import numpy as np

from envs.kernels import kernel, mode

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
    return np.uint64(z ^ (z >> _S31))


if mode() == "plain":  # the word is meant to wrap around
    next_word = np.errstate(over="ignore")(next_word)


@kernel
def uniform(rng: np.ndarray, row: int) -> float:
    """A float in [0, 1) from row `row`'s random word."""
    return float(next_word(rng, row) >> _S11) * (1.0 / 9007199254740992.0)


@kernel
def below(rng: np.ndarray, row: int, n: int) -> int:
    """An integer in [0, n) from row `row`'s random word."""
    return int(uniform(rng, row) * n)
