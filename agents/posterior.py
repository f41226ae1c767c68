"""Samples from a Gaussian prior times any likelihood, by elliptical slice sampling.

Murray, Adams and MacKay 2010, "Elliptical slice sampling", figure 2; many chains side by side. It
has no step size to tune, and with ten numbers and a hundred answers it takes milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

LogLikelihood = Callable[[Tensor], Tensor]
"""[chains, P] -> [chains]"""

_MOST_SHRINKS = 40


def elliptical_step(
    x: Tensor, log_like: Tensor, log_likelihood: LogLikelihood, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """One move of every chain; x [chains, P] has a standard normal prior. Returns (x, log_like)."""
    chains = len(x)
    other = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    height = log_like + torch.log(torch.rand(chains, generator=generator, dtype=x.dtype).clamp(min=1e-12))
    angle = torch.rand(chains, generator=generator, dtype=x.dtype) * (2.0 * math.pi)
    low, high = angle - 2.0 * math.pi, angle.clone()
    found, found_like = x.clone(), log_like.clone()
    open_rows = torch.arange(chains)
    for _ in range(_MOST_SHRINKS):
        turn = angle[open_rows].unsqueeze(1)
        proposal = x[open_rows] * torch.cos(turn) + other[open_rows] * torch.sin(turn)
        like = log_likelihood(proposal)
        good = like > height[open_rows]
        found[open_rows[good]], found_like[open_rows[good]] = proposal[good], like[good]
        open_rows = open_rows[~good]
        if len(open_rows) == 0:
            break
        at = angle[open_rows]
        low[open_rows] = torch.where(at < 0, at, low[open_rows])
        high[open_rows] = torch.where(at >= 0, at, high[open_rows])
        fresh = torch.rand(len(open_rows), generator=generator, dtype=x.dtype)
        angle[open_rows] = low[open_rows] + fresh * (high[open_rows] - low[open_rows])
    return found, found_like


@torch.no_grad()
def sample(
    log_likelihood: LogLikelihood, start: Tensor, moves: int, keep: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Run `moves` moves from `start` [chains, P], keeping the states of the last `keep` moves.

    Returns (all kept [keep * chains, P], the last [chains, P]).
    """
    x, like = start, log_likelihood(start)
    kept = []
    for move in range(moves):
        x, like = elliptical_step(x, like, log_likelihood, generator)
        if move >= moves - keep:
            kept.append(x)
    return torch.cat(kept), x
