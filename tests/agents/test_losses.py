"""Every formula against numbers worked by hand, and the properties that must hold."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import tensor

from agents import losses
from agents.feedback.choices import delayed_credit

worths = st.lists(st.floats(-20, 20, allow_nan=False), min_size=2, max_size=4)


def test_bradley_terry_by_hand() -> None:
    # sigma(log 3) = 0.75; with 10% accidents p = 0.9 * 0.75 + 0.05 = 0.725.
    first, second = tensor([math.log(3.0)]), tensor([0.0])
    assert losses.bradley_terry(first, second, tensor([1.0])).item() == pytest.approx(-math.log(0.725))
    assert losses.bradley_terry(first, second, tensor([0.0])).item() == pytest.approx(-math.log(0.275))
    tie = -0.5 * (math.log(0.725) + math.log(0.275))
    assert losses.bradley_terry(first, second, tensor([0.5])).item() == pytest.approx(tie)
    clean = losses.bradley_terry(first, second, tensor([1.0]), error_rate=0.0)
    assert clean.item() == pytest.approx(-math.log(0.75))


def test_bradley_terry_is_clipped_and_bounded() -> None:
    far = losses.bradley_terry(tensor([1e6]), tensor([0.0]), tensor([0.0]))
    assert far.item() == pytest.approx(-math.log(0.05))
    bare = losses.bradley_terry(tensor([1e6]), tensor([0.0]), tensor([0.0]), error_rate=0.0)
    assert bare.item() == pytest.approx(50.0)


def test_choice_by_hand() -> None:
    # exp gives 1, 2, 5 of 8; the second with 10% accidents among three: 0.9 * 2/8 + 0.1/3.
    returns = torch.log(tensor([[1.0, 2.0, 5.0]]))
    assert losses.choice(returns, tensor([1]), error_rate=0.0).item() == pytest.approx(-math.log(0.25))
    noisy = losses.choice(returns, tensor([1]), error_rate=0.1).item()
    assert noisy == pytest.approx(-math.log(0.9 * 0.25 + 0.1 / 3))
    two_left = losses.choice(returns, tensor([1]), tensor([[True, True, False]]), error_rate=0.1).item()
    assert two_left == pytest.approx(-math.log(0.9 * 2 / 3 + 0.05))


def test_plackett_luce_by_hand() -> None:
    # Worths 1, 2, 5 in exp; order third, second, first: 5/8 * 2/3 * 1.
    returns = torch.log(tensor([1.0, 2.0, 5.0]))
    found = losses.plackett_luce(returns, (2, 1, 0), error_rate=0.0).item()
    assert found == pytest.approx(-math.log(5 / 8 * 2 / 3))
    # First two tied behind the third: the mean of both orders.
    tied = losses.plackett_luce(returns, (1, 1, 0), error_rate=0.0).item()
    assert tied == pytest.approx(-0.5 * (math.log(5 / 8 * 2 / 3) + math.log(5 / 8 * 1 / 3)))


@settings(max_examples=50, deadline=None)
@given(st.floats(-20, 20), st.floats(-20, 20), st.sampled_from([(0, 1), (1, 0), (0, 0)]))
def test_plackett_luce_of_two_is_bradley_terry(one: float, two: float, ranks: tuple[int, int]) -> None:
    target = 0.5 if ranks == (0, 0) else float(ranks == (0, 1))
    first, second = tensor([one], dtype=torch.float64), tensor([two], dtype=torch.float64)
    pair = losses.bradley_terry(first, second, tensor([target], dtype=torch.float64)).item()
    assert losses.plackett_luce(torch.cat([first, second]), ranks).item() == pytest.approx(pair, rel=1e-6)


@settings(max_examples=50, deadline=None)
@given(worths, st.floats(-30, 30))
def test_adding_a_constant_to_all_returns_changes_nothing(worth: list[float], constant: float) -> None:
    returns = tensor(worth, dtype=torch.float64)
    ranks = tuple(range(len(worth)))
    moved = losses.plackett_luce(returns + constant, ranks).item()
    assert losses.plackett_luce(returns, ranks).item() == pytest.approx(moved, rel=1e-6, abs=1e-9)


def test_demonstration_by_hand() -> None:
    # 4 / (4 + 1 + 3) without densities.
    shown, others = torch.log(tensor([4.0])), torch.log(tensor([[1.0, 3.0]]))
    assert losses.demonstration(shown, others).item() == pytest.approx(math.log(2.0))
    # Importance weights: mean of 1/0.5 and 3/0.25 is 7, plus the demonstration's own 4.
    log_q = torch.log(tensor([[0.5, 0.25]]))
    assert losses.demonstration(shown, others, log_q).item() == pytest.approx(math.log(11 / 4))


def test_evaluation_by_hand() -> None:
    # Credit (0, 1), rewards (-log 3, log 3), mean 0: the credited step is log 3 better than the mean.
    rewards, credit = tensor([[-math.log(3.0), math.log(3.0)]]), tensor([[0.0, 1.0]])
    plus = losses.evaluation(rewards, credit, tensor([1.0]), error_rate=0.0)
    assert plus.item() == pytest.approx(-math.log(0.75))
    strong = losses.evaluation(rewards, credit, tensor([-2.0]), error_rate=0.0)
    assert strong.item() == pytest.approx(-2 * math.log(0.25))
    steady = losses.evaluation(torch.full((1, 2), 7.0), credit, tensor([1.0]), error_rate=0.0)
    assert steady.item() == pytest.approx(math.log(2.0))


def test_press_weights_credit_reaction_time_and_sum_to_nothing() -> None:
    weights = delayed_credit(20, 0.0, 10.0)
    assert weights.sum() == pytest.approx(0.0, abs=1e-5)
    assert 16 <= weights.argmax() <= 18  # 0.15 to 0.35 s before the press
    assert weights[0] < 0


def test_correction_and_cloning_by_hand() -> None:
    found = losses.correction(tensor([math.log(3.0)]), tensor([0.0]), error_rate=0.0)
    assert found.item() == pytest.approx(-math.log(0.75))
    logits = torch.log(tensor([[1.0, 3.0]]))
    assert losses.cloning(logits, tensor([1])).item() == pytest.approx(-math.log(0.75))
    assert losses.unlikelihood(logits, tensor([1])).item() == pytest.approx(-math.log(0.25))
    assert losses.unlikelihood(logits, tensor([0])).item() == pytest.approx(-math.log(0.75))


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(ValueError, match=r"target should have shape \(2,\), not \(3,\)"):
        losses.bradley_terry(torch.zeros(2), torch.zeros(2), torch.zeros(3))
    with pytest.raises(ValueError, match="ranks should have shape"):
        losses.plackett_luce(torch.zeros(3), (0, 1))


def test_adversaries_by_hand() -> None:
    # sigma(log 3) = 0.75: -log 0.75 for the expert, -log 0.25 for the agent.
    logits = torch.full((2,), math.log(3.0))
    found = losses.adversarial(logits, tensor([1.0, 0.0]))
    assert found.tolist() == pytest.approx([-math.log(0.75), -math.log(0.25)])
    # g = 2, h(s) = 1, h(s') = 4, gamma 0.5, pi = 1/4: f = 2 + 2 - 1 = 3, logit 3 + log 4.
    logit = losses.airl_logit(tensor([2.0]), tensor([1.0]), tensor([4.0]), tensor([-math.log(4.0)]), 0.5)
    assert logit.item() == pytest.approx(3.0 + math.log(4.0))


def test_contrastive_preferences_by_hand() -> None:
    # Chosen -2, other -6, alpha 0.5, bias 0.5: 0.5 * (-2 + 3) = 0.5.
    found = losses.contrastive(tensor([-2.0]), tensor([-6.0]), tensor([1.0]), alpha=0.5, bias=0.5)
    assert found.item() == pytest.approx(math.log(1 + math.exp(-0.5)))
    # Without the bias it is Bradley-Terry on alpha times the log-likelihoods.
    plain = losses.contrastive(tensor([-2.0]), tensor([-6.0]), tensor([1.0]), alpha=0.5, bias=1.0)
    wanted = losses.bradley_terry(tensor([-1.0]), tensor([-3.0]), tensor([1.0]), error_rate=0.0)
    assert plain.item() == pytest.approx(wanted.item())
    tie = losses.contrastive(tensor([-2.0]), tensor([-2.0]), tensor([0.5]), alpha=0.5, bias=1.0)
    assert tie.item() == pytest.approx(math.log(2.0))


def test_tamer_coach_and_shaping_by_hand() -> None:
    assert losses.tamer(tensor([0.25]), tensor([1.0])).item() == pytest.approx(0.5625)
    log_pi, credit = tensor([[-1.0, -2.0]]), tensor([[0.5, 1.0]])
    assert losses.coach(log_pi, credit, tensor([2.0])).item() == pytest.approx(5.0)
    assert losses.coach(log_pi, credit, tensor([-1.0])).item() == pytest.approx(-2.5)
    assert losses.shaping(tensor([2.0]), tensor([3.0]), 0.9).item() == pytest.approx(0.7)
