"""A plain regret model to compare with: logistic in the regret, linear in the weights by successor features.

After Knox et al. 2022 ("Models of human preference for learning reward functions"): the value of a cell under
weights w is the soft maximum over a fixed set of policies of their successor features times w; a drive is
worth its sum plus the change of that value; P(first) is a sigmoid of the difference; a tie is half of each.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sandbox.bench.people.people_answers import SAME, SECOND, Measured
from sandbox.bench.people.people_grid import TERMS, PeopleGrid
from sandbox.bench.people.people_plan import best_policy, successor_features

Float = NDArray[np.float64]

POLICIES = 60
"""How many policies the value is the maximum over; each is best under random weights."""
DISCOUNT = 0.99
TEMPERATURE = 0.1
STEPS, RATE = 400, 0.05
SHRINK = 1e-5
"""Weight of the squared weights in the loss, by answer."""


@cache
def features_of(grid: PeopleGrid) -> Tensor:
    """Successor features [P, S, M] of policies that are best under random weights."""
    random = np.random.default_rng(0)
    found = []
    for _ in range(POLICIES):
        weights = random.standard_normal(len(TERMS)) * np.array([1.0, 20.0, 20.0, 2.0, 2.0, 2.0])
        weights[0] = -abs(weights[0])  # who gains by driving on drives for ever
        found.append(successor_features(grid, best_policy(grid, weights), DISCOUNT))
    return torch.tensor(np.stack(found), dtype=torch.float32)


def learn_regret(grid: PeopleGrid, some: Measured, answers: NDArray[np.int64], seed: int) -> Float:
    """Weights [M] from answers [N] to measured pairs [N, 2]; zeros from none."""
    if not len(answers):
        return np.zeros(len(TERMS))
    ahead = features_of(grid)
    start, end = ahead[:, some.start.ravel()], ahead[:, some.end.ravel()]
    sums = torch.tensor(some.terms.reshape(-1, len(TERMS)), dtype=torch.float32)
    liked = torch.tensor(
        np.where(answers == SAME, 0.5, (answers == SECOND).astype(float)), dtype=torch.float32
    )
    generator = torch.Generator().manual_seed(seed)
    weights = (0.01 * torch.randn(len(TERMS), generator=generator)).requires_grad_()
    optimiser = torch.optim.Adam([weights], lr=RATE)
    for _ in range(STEPS):
        worth = sums @ weights + _soft_maximum(end @ weights) - _soft_maximum(start @ weights)
        gap = worth[1::2] - worth[::2]
        loss = (
            torch.nn.functional.binary_cross_entropy_with_logits(gap, liked) + SHRINK * weights.square().sum()
        )
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return np.asarray(weights.detach().numpy(), np.float64)


def _soft_maximum(values: Tensor) -> Tensor:
    """Over policies [P, N] -> [N]; the mean of the values, weighted by their softmax."""
    share = torch.softmax(values / TEMPERATURE, 0)
    return (share * values).sum(0)
