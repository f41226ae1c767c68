"""Samples from a Gaussian prior times any likelihood, by elliptical slice sampling.

Murray, Adams and MacKay 2010, "Elliptical slice sampling", figure 2; many chains side by side. It
has no step size to tune, and with ten numbers and a hundred answers it takes milliseconds. No torch
here: its calls cost more than what they do to arrays as small as these.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
LogLikelihood = Callable[[Float], Float]
"""[chains, P] -> [chains]"""

_MAX_SHRINKS = 40
_KEPT_SHARE = 0.5
"""Effective share of the particles that one stage of annealing keeps at least."""
_MIN_STAGE = 1e-4
_FULL_CIRCLE = 2.0 * math.pi


def slice_step(
    x: Float, current: Float, log_likelihood: LogLikelihood, random: np.random.Generator
) -> tuple[Float, Float]:
    """One move of every chain; x [chains, P] has a standard normal prior. Returns (x, log_like)."""
    chains = len(x)
    other = random.standard_normal(x.shape, np.float32)
    height = current + np.log(np.maximum(random.random(chains, np.float32), 1e-12))
    angle = random.random(chains, np.float32) * np.float32(_FULL_CIRCLE)
    low, high = angle - np.float32(_FULL_CIRCLE), angle.copy()
    found, found_like = x.copy(), current.copy()
    rows = np.arange(chains)
    for _ in range(_MAX_SHRINKS):
        turn = angle[rows, None]
        proposal = x[rows] * np.cos(turn) + other[rows] * np.sin(turn)
        like = log_likelihood(proposal)
        good = like > height[rows]
        taken = rows[good]
        found[taken], found_like[taken] = proposal[good], like[good]
        rows = rows[~good]
        if len(rows) == 0:
            break
        at = angle[rows]
        low[rows] = np.where(at < 0, at, low[rows])
        high[rows] = np.where(at >= 0, at, high[rows])
        angle[rows] = low[rows] + random.random(len(rows), np.float32) * (high[rows] - low[rows])
    return found, found_like


def sample_chains(
    log_likelihood: LogLikelihood,
    start: Float,
    n_moves: int,
    samples_per_chain: int,
    random: np.random.Generator,
) -> tuple[Float, Float]:
    """Run `n_moves` moves from `start` [chains, P], keeping `samples_per_chain` states of each chain from the
    later half.

    Returns (all kept [keep * chains, P], the last [chains, P]).
    """
    x, like = start, log_likelihood(start)
    kept, stride = [], max(1, n_moves // (2 * samples_per_chain))
    for move in range(n_moves):
        x, like = slice_step(x, like, log_likelihood, random)
        if (left := n_moves - 1 - move) % stride == 0 and left < samples_per_chain * stride:
            kept.append(x)
    return np.concatenate(kept), x


def annealed_start(
    log_likelihood: LogLikelihood, particles: Float, n_moves: int, random: np.random.Generator
) -> Float:
    """Particles [n, P] of the posterior from as many of the prior, for chains to begin from.

    Where a likelihood has several peaks, a chain stays at the one it came upon first. So the likelihood is
    raised to a power that grows from 0 to 1; at each stage particles are drawn anew by their weights and make
    `n_moves` moves (Del Moral et al. 2006, "Sequential Monte Carlo samplers", section 3.3.2.3).
    """
    x, like, power = particles, log_likelihood(particles), 0.0
    while power < 1.0:
        before, power = power, _next_power(like, power)
        share = _normalised(like, power - before)
        x = x[random.choice(len(x), len(x), p=share)]

        def tempered(y: Float, power: float = power) -> Float:
            return np.asarray(power * log_likelihood(y), np.float32)

        _, x = sample_chains(tempered, x, n_moves, 1, random)
        like = log_likelihood(x)
    return x


def _next_power(like: Float, power: float) -> float:
    """The greatest power, up to 1, at which enough of the particles still count."""
    low, high = power, 1.0
    if _effective_share(like, high - power) >= _KEPT_SHARE:
        return high
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if _effective_share(like, middle - power) >= _KEPT_SHARE else (low, middle)
    return min(1.0, max(low, power + _MIN_STAGE))


def _normalised(like: Float, power: float) -> NDArray[np.float64]:
    weight = np.exp(power * (like.astype(np.float64) - like.max()))
    return np.asarray(weight / weight.sum(), np.float64)


def _effective_share(like: Float, power: float) -> float:
    """Effective number of particles with these log weights times `power`, as a share of all."""
    share = _normalised(like, power)
    return float(1.0 / (share**2).sum() / len(share))
