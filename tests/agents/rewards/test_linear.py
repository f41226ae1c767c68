"""The posterior over the terms: right where it is known exactly, and led by answers, not by the prior."""

from __future__ import annotations

import numpy as np
import pytest

from agents.feedback.choices import Choice, Option, choices_from_comparison, pack_choices
from agents.feedback.records import Comparison
from agents.queries.d_optimal import DOptimalDesign
from agents.queries.selection import disagreement, pair_information_gain
from agents.rewards.linear import LinearReward
from agents.rewards.linear_prior import LinearRewardConfig
from agents.rewards.net import NetConfig, NetReward
from agents.rewards.slice_sampler import sample_chains
from envs.trajectory import Trajectory

TRUE = np.array([1.0, -1.5, 0.5], np.float32)
WRITTEN = np.array([1.0, 0.0, 0.0], np.float32)


def _clip(terms: np.ndarray, obs: np.ndarray | None = None) -> Trajectory:
    seen = np.zeros((2, 2), np.float32) if obs is None else obs
    return Trajectory("t", np.zeros((2, 0)), np.zeros(2, np.uint64), seen, np.zeros(1, np.int64), terms[None])


def _answers(count: int, seed: int, sign: float = 1.0) -> list[Choice]:
    random, found = np.random.default_rng(seed), []
    for _ in range(count):
        one, two = random.integers(0, 4, (2, 3)).astype(np.float32)
        better = sign * float((one - two) @ TRUE) > 0
        pair = (one, two) if better else (two, one)
        found.append(Choice("comparison", tuple(Option(_clip(t)) for t in pair)))
    return found


def _fitted(choices: list[Choice], seed: int = 0) -> LinearReward:
    model = LinearReward(WRITTEN, np.ones(3, np.bool_), 0, LinearRewardConfig(), seed)
    model.set_term_scales([o.term_sums() for c in choices for o in c.options if o])
    packed = pack_choices(choices)
    model.fit(packed)
    model.fit(packed)
    return model


def test_elliptical_slices_find_a_gaussian_posterior() -> None:
    # Prior N(0, 1), likelihood N(y = 2; x, 0.5^2): posterior mean 1.6, deviation 0.447.
    random = np.random.default_rng(0)
    start = random.standard_normal((400, 1), np.float32)
    kept, last = sample_chains(lambda x: -0.5 * ((x[:, 0] - 2.0) / 0.5) ** 2, start, 40, 10, random)
    assert kept.shape == (4000, 1)
    np.testing.assert_array_equal(kept[-400:], last)
    assert kept.mean() == pytest.approx(1.6, abs=0.05)
    assert kept.std() == pytest.approx(0.447, abs=0.05)


def test_what_the_written_reward_leaves_out_is_thought_to_cost_a_little_until_answers_tell() -> None:
    config = LinearRewardConfig(proxy_weight=2.0, unmentioned_weight=-0.5)
    model = LinearReward(np.array([0.0, 3.0, -1.5], np.float32), np.ones(3, np.bool_), 0, config)
    np.testing.assert_allclose(model.prior_mean(), [-0.5, 2.0, -1.0])
    knows_nothing = LinearReward(np.zeros(3, np.float32), np.ones(3, np.bool_), 0, config)
    np.testing.assert_array_equal(knows_nothing.prior_mean(), 0.0)


def test_twenty_answers_order_unseen_pairs_and_reversed_ones_the_other_way() -> None:
    unseen = pack_choices(_answers(200, seed=99))
    for seed in range(3):
        assert _fitted(_answers(20, seed), seed).agreement(unseen) > 0.7
        assert _fitted(_answers(20, seed, sign=-1.0), seed).agreement(unseen) < 0.3


def test_without_answers_the_written_reward_is_all_that_is_believed() -> None:
    model = LinearReward(WRITTEN, np.ones(3, np.bool_), 0, LinearRewardConfig())
    np.testing.assert_array_equal(model.arrays().weights, np.repeat(WRITTEN[None], 5, 0))
    fitted = _fitted(_answers(10, 0))
    fitted.reset()
    np.testing.assert_array_equal(fitted.arrays().weights, model.arrays().weights)


def test_terms_that_may_not_be_used_get_no_weight() -> None:
    model = LinearReward(WRITTEN, np.array([True, False, True]), 0, LinearRewardConfig())
    model.fit(pack_choices(_answers(20, 0)))
    assert np.all(model.arrays().weights[:, 1] == 0.0)


def test_members_have_the_posteriors_mean() -> None:
    model = _fitted(_answers(15, 1))
    np.testing.assert_allclose(model.weights.mean(0), model.samples.mean(0), atol=1e-5)


def test_careless_demonstrations_lose_trust_to_careful_comparisons() -> None:
    careful = _answers(30, 0)
    against = [Choice("demonstration", c.options) for c in _answers(30, 1, sign=-1.0)]
    agreeing = [Choice("demonstration", c.options) for c in _answers(30, 1)]
    contradicted, confirmed = _fitted(careful + against), _fitted(careful + agreeing)
    assert contradicted.tempering_weights[1] < 0.1 < 0.7 < confirmed.tempering_weights[1]
    assert confirmed.kind_rationality[1] > 0.5
    assert contradicted.rationality("demonstration")[1] < 0.1
    again = LinearReward(WRITTEN, np.ones(3, np.bool_), 0, LinearRewardConfig())
    again.load_state_dict(contradicted.state_dict())
    assert again.rationality("demonstration") == contradicted.rationality("demonstration")
    assert _fitted(agreeing).rationality("demonstration")[1] == pytest.approx(
        0.51
    )  # nothing says how far yet
    assert _fitted(careful + against).agreement(pack_choices(_answers(100, 9))) > 0.8


def test_the_net_learns_what_no_term_names() -> None:
    random, choices = np.random.default_rng(0), []
    for _ in range(60):
        pair = random.standard_normal((2, 2, 2)).astype(np.float32)
        pair = pair if pair[0, 0, 0] > pair[1, 0, 0] else pair[::-1]
        choices.append(Choice("comparison", tuple(Option(_clip(np.zeros(3, np.float32), o)) for o in pair)))
    model = NetReward(np.zeros(3, np.float32), (), 2, NetConfig())
    model.fit(pack_choices(choices[:50]))
    assert model.agreement(pack_choices(choices[50:])) >= 0.8


def test_information_is_highest_where_the_answer_is_open() -> None:
    samples = np.array([[1.0, 3.0], [1.0, -3.0]], np.float32)
    known, open_pair, same = np.array([[3.0, 0.0], [0.0, 3.0], [0.0, 0.0]], np.float32)
    gains = pair_information_gain(np.stack([known, open_pair, same]) @ samples.T)
    assert gains[1] > 0.4 > gains[0]
    assert gains[2] == pytest.approx(0.0, abs=1e-9)


def test_agreement_counts_ties_as_half() -> None:
    clips = tuple(_clip(t) for t in np.array([[1, 0, 0], [0, 1, 0]], np.float32))
    model = _fitted(_answers(20, 0))
    assert model.agreement(pack_choices(choices_from_comparison(Comparison(clips, (0, 0))))) == pytest.approx(
        0.5
    )


def test_disagreement_by_hand() -> None:
    # Two samples, gaps log 3 and -log 3: P is 0.75 and 0.25 (times 0.9), deviation 0.225.
    gaps = np.log(3.0) * np.array([[1.0, -1.0], [1.0, 1.0]], np.float32)
    np.testing.assert_allclose(disagreement(gaps), [0.225, 0.0], atol=1e-6)


def test_first_questions_cover_every_term() -> None:
    coverage, random = DOptimalDesign(3), np.random.default_rng(0)
    # Twenty groups differ in the first term, one in the second and one in the third.
    kinds = [0] * 20 + [1, 2]
    groups = []
    for kind in kinds:
        clips = [_clip(np.zeros(3, np.float32)), _clip(np.eye(3, dtype=np.float32)[kind])]
        clips[1].observations[0, 0] = random.random()
        groups.append(tuple(clips))
    picked = [
        int(abs(b.terms.sum(0) - a.terms.sum(0)).argmax()) for _, (a, b) in coverage.select_pairs(groups, 3)
    ]
    assert sorted(picked) == [0, 1, 2]


def test_a_habit_in_one_term_does_not_silence_what_else_a_drive_shows() -> None:
    """Drives leave what the first term counts, answers prize it, and of the third only drives speak."""
    random = np.random.default_rng(3)
    habit = TRUE * np.array([-1.0, 1.0, 1.0], np.float32)
    drives, answers = [], []
    for _ in range(30):
        ways = random.integers(0, 4, (4, 3)).astype(np.float32)
        order = np.argsort(-(ways @ habit))
        drives.append(Choice("demonstration", tuple(Option(_clip(ways[i])) for i in order)))
    for choice in _answers(12, 5):
        judged = [o.term_sums() * np.array([1.0, 1.0, 0.0], np.float32) for o in choice.options if o]
        answers.append(Choice("comparison", tuple(Option(_clip(t)) for t in judged)))
    told = {}
    for manner in (0.0, 0.5):
        model = LinearReward(
            WRITTEN,
            np.ones(3, np.bool_),
            0,
            LinearRewardConfig(driving_offset=manner, unmentioned_weight=0.0),
        )
        for _ in range(3):
            model.fit(pack_choices([*drives, *answers]))
        told[manner] = model.samples.mean(0) / model.samples.std(0)
    assert told[0.5][0] > 1.0
    assert told[0.5][2] > 0.5
    assert told[0.5][2] > 1.7 * told[0.0][2]
