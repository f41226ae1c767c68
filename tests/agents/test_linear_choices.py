"""The quick likelihood of linear rewards says what losses.choice says, for any choices."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.choices import KINDS, Choice, Option, pack
from agents.learned_reward import choices_loss
from agents.linear_choices import LinearChoices
from envs.trajectory import Trajectory


def _option(random: np.random.Generator) -> Option:
    terms = random.standard_normal((1, 3)).astype(np.float32)
    seen = np.zeros((2, 1), np.float32)
    return Option(
        Trajectory("t", np.zeros((2, 0)), np.zeros(2, np.uint64), seen, np.zeros(1, np.int64), terms)
    )


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 4), min_size=1, max_size=6).map(lambda n: [*n, 2]))
def test_it_is_the_same_as_the_loss(seed: int, options: list[int]) -> None:
    random = np.random.default_rng(seed)
    choices = [
        Choice(
            KINDS[int(random.integers(len(KINDS)))],
            (*(_option(random) for _ in range(n - 1)), None if random.random() < 0.2 else _option(random)),
            noise=float(random.choice([np.nan, 0.3])),
        )
        for n in options
    ]
    packed = pack(choices)
    weights = random.standard_normal((5, 3)).astype(np.float32) * 3.0
    trust = np.exp(random.standard_normal((5, len(KINDS)))).astype(np.float32)
    which = random.random(len(choices)) < 0.7
    which[-1] = True
    quick = LinearChoices(packed, packed.terms, 0.1, which)
    assert list(quick.choices) == [i for i, n in enumerate(options) if n > 1 and which[i]]
    returns = torch.from_numpy(weights @ packed.terms.T)
    loss = choices_loss(returns, torch.from_numpy(trust), packed, 0.1).numpy()
    found = quick.log_likelihoods(weights, trust)
    np.testing.assert_allclose(found, -loss[:, quick.choices], rtol=2e-4, atol=1e-5)


def test_a_choice_between_two_by_hand() -> None:
    one, two = (_option(np.random.default_rng(seed)) for seed in (0, 1))
    packed = pack([Choice("comparison", (one, two))])
    features = np.array([[2.0], [1.0], [0.0]], np.float32)
    quick = LinearChoices(packed, features, 0.1, np.ones(1, np.bool_))
    found = float(
        quick.log_likelihoods(np.array([[1.0]], np.float32), np.array([[3.0] * 4], np.float32))[0, 0]
    )
    assert found == pytest.approx(np.log(0.9 / (1 + np.exp(-3.0)) + 0.05), rel=1e-5)
