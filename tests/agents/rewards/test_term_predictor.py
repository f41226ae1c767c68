"""What a net learns before any answer: to tell the world's events from what is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agents.feedback.choices import Choice, Option, pack_choices
from agents.learners.joint_config import JointConfig, make_reward
from agents.rewards.additive import AdditiveReward
from agents.rewards.net import NetConfig
from agents.rewards.term_predictor import TermPredictor, TermPredictorConfig
from envs import task_catalog as worlds
from envs.trajectory import Trajectory

QUICK = TermPredictorConfig(n_initial_updates=600, n_refit_updates=50)
WIDE = 6


def _steps(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers, and two events: the first two agree (no sum of the two tells it), and never."""
    seen = np.random.default_rng(seed).standard_normal((count, WIDE)).astype(np.float32)
    agree = seen[:, 0] * seen[:, 1] > 0.5
    return seen, np.stack([agree, np.zeros(count)], 1).astype(np.float32)


def _taught(steps: int = 8_000) -> TermPredictor:
    found = TermPredictor(2, 0, QUICK)
    found.add_clips(*_steps(steps, 1))
    assert found.train()
    return found


def test_nothing_is_told_before_anything_was_seen() -> None:
    assert not TermPredictor(2, 0).train()


def test_an_event_is_told_that_no_sum_of_numbers_tells() -> None:
    found = _taught()
    seen, terms = _steps(4_000, 2)
    unit = terms[:, 0].std()
    told = found.predict(seen)
    assert 1.0 - ((told[:, 0] - terms[:, 0] / unit) ** 2).mean() > 0.6
    assert np.abs(told[:, 1]).max() < 0.3  # what never happened is not imagined
    into, bias, last, rest = found.layers
    np.testing.assert_allclose(np.tanh(seen @ into + bias) @ last + rest, told, atol=1e-5)


def test_what_becomes_known_of_a_term_changes_its_unit_and_nothing_else_that_is_told() -> None:
    found = _taught()
    seen, terms = _steps(4_000, 3)
    before = found.predict(seen)[:, 0] * found._scales[2][0]
    found._set_scales(seen, np.float32(3.0) * terms)
    np.testing.assert_allclose(found.predict(seen)[:, 0] * found._scales[2][0], before, rtol=1e-3, atol=1e-4)


def test_it_goes_on_learning_what_practice_has_come_to() -> None:
    found = _taught()
    seen, terms = _steps(2_000, 4)
    seen[:, 2] += 4.0  # somewhere it never was
    terms[:, 1] = seen[:, 3] > 0.0

    def wrong() -> float:
        return float(((found.predict(seen)[:, 1] - terms[:, 1]) ** 2).mean())

    before = wrong()
    found.add_clips(seen, terms)
    for _ in range(30):
        found.train_some()
    assert wrong() < 0.5 * before


def test_of_all_that_was_seen_the_first_is_kept_as_likely_as_the_last() -> None:
    of_first = []
    for seed in range(60):
        found = TermPredictor(
            2, seed, TermPredictorConfig(steps_per_rollout=20, max_rollouts=5, max_clip_sets=1)
        )
        for at in range(20):
            found.add_rollout(np.full((100, WIDE), at, np.float32), np.zeros((100, 2), np.float32))
        found.add_clips(*_steps(300, seed))
        kept = [float(inputs[0, 0]) for inputs, _ in found._rollouts.pieces]
        assert len(kept) == 5
        assert all(len(inputs) == 20 for inputs, _ in found._rollouts.pieces)
        assert len(found._clips.pieces[0][0]) == 300
        of_first.append(np.mean(np.array(kept) < 10))
    assert 0.4 < np.mean(of_first) < 0.6


def _clip(seed: int) -> Trajectory:
    seen, terms = _steps(9, seed)
    zeros = np.zeros(9, np.uint64)
    return Trajectory("t", np.zeros((9, 0)), zeros, seen, np.zeros(8, np.int64), terms[1:])


def _choices(count: int, first: int) -> list[Choice]:
    """The better one of two clips has the event less often; what it looks like is in what comes."""
    found = []
    for at in range(count):
        clips = sorted((_clip(first + 2 * at), _clip(first + 2 * at + 1)), key=lambda c: c.terms[:, 0].sum())
        if clips[0].terms[:, 0].sum() < clips[1].terms[:, 0].sum():
            found.append(Choice("comparison", (Option(clips[0]), Option(clips[1]))))
    return found


def _reward(sees: bool) -> AdditiveReward:
    model = AdditiveReward(np.array([0.0, 1.0], np.float32), 3, NetConfig())
    model.term_predictor.config = QUICK
    for seed in range(40) if sees else ():
        seen, terms = _steps(201, 10_000 + seed)
        model.observe_rollout(seen[:-1], np.zeros(200, np.int64), seen[1:], terms[1:])
    model.fit(pack_choices(_choices(20, 0)))
    return model


def test_few_answers_do_where_the_event_is_known_already() -> None:
    unheard = pack_choices(_choices(150, 1_000))
    told, raw = _reward(sees=True), _reward(sees=False)
    assert told.agreement(unheard) > 0.75
    assert told.agreement(unheard) > raw.agreement(unheard) + 0.1
    assert told.max_episodes_per_fit(20) > raw.max_episodes_per_fit(
        20
    )  # what is told is not outwitted so soon


def test_practice_questions_and_the_reward_itself_agree_and_it_comes_back_as_it_was() -> None:
    model = _reward(sees=True)
    clips = [_clip(seed) for seed in range(20)]
    believed = model.sampled_returns(clips).mean(0)
    steps = [(c.observations[:-1], c.actions, c.observations[1:], c.terms) for c in clips]
    paid = [float(model.arrays().member_rewards(*one).mean(0).sum()) for one in steps]
    np.testing.assert_allclose(paid, believed, atol=2e-2)
    sure = model.risk_adjusted_arrays(*np.zeros((2, 2), np.float32))
    np.testing.assert_allclose([float(sure.member_rewards(*one).sum()) for one in steps], paid, atol=1e-2)
    again = AdditiveReward(np.array([0.0, 1.0], np.float32), 3, NetConfig(), seed=9)
    again.load_state_dict(model.state_dict())
    np.testing.assert_allclose(again.sampled_returns(clips), model.sampled_returns(clips), atol=1e-5)
    for one in (model, again):
        one.observe_rollout(*steps[0])  # practice goes on with what came back
    assert len(again.arrays().nets) == len(model.arrays().nets)


def test_what_is_told_says_what_an_episode_is_worth_and_when_an_agent_has_come_to_do_nothing() -> None:
    told, raw = _reward(sees=True), _reward(sees=False)
    nothing, often = np.zeros(2, np.float32), np.array([40.0, 0.0], np.float32)
    assert told._term_weight_samples.mean(0)[0] < 0.0  # the event was always chosen against
    assert told.is_idle(nothing)
    assert not told.is_idle(often)
    sure = told.risk_adjusted_return(often, nothing)
    assert sure is not None
    assert sure < float(told._term_weight_samples.mean(0) @ often)
    assert raw.risk_adjusted_return(often, nothing) is None
    assert not raw.is_idle(nothing)
    clip = _clip(3)
    steps = clip.observations[:-1], clip.actions, clip.observations[1:], clip.terms
    doubted, mean = (
        float(told.risk_adjusted_arrays(counts, nothing).member_rewards(*steps).sum())
        for counts in (often, nothing)
    )
    assert doubted != pytest.approx(mean, abs=1e-3)


def test_what_hardly_ever_happens_is_worth_no_more_each_time_than_what_often_does() -> None:
    """The second event comes in one pair only, and there it was chosen: an accident must not make it dear."""
    choices = _choices(40, 0)
    once = [o.steps for o in choices[-1].options if o]
    terms = [one.terms.copy() for one in once]
    terms[0][0, 1] = 1.0
    seldom = Choice(
        "comparison", tuple(Option(replace(c, terms=t)) for c, t in zip(once, terms, strict=True))
    )
    model = AdditiveReward(np.array([0.01, 0.0], np.float32), 3, NetConfig())
    model.term_predictor.config = QUICK
    for seed in range(40):
        seen, counted = _steps(201, 20_000 + seed)
        counted[:, 1] = seen[:, 3] > 3.0  # once in 740 steps
        model.observe_rollout(seen[:-1], np.zeros(200, np.int64), seen[1:], counted[1:])
    model.fit(pack_choices([*choices[:-1], seldom]))
    prior = model.additive_config.predicted_term_std * np.sqrt(0.5 / model.config.linear_l2_coef)
    assert model._term_weight_samples.std(0)[1] < 1.5 * prior


def test_where_there_is_no_clip_nothing_is_learned_from_it() -> None:
    model = AdditiveReward(np.array([0.01, 0.0], np.float32), 3, NetConfig())
    model.observe_clips([])
    assert not model.term_predictor.train()


def test_withdrawn_answers_leave_no_reward_that_practice_could_bring_back() -> None:
    model = _reward(sees=True)
    model.reset()
    seen, terms = _steps(201, 1)
    model.observe_rollout(seen[:-1], np.zeros(200, np.int64), seen[1:], terms[1:])
    assert not model.has_samples
    model.fit(pack_choices(_choices(20, 0)))
    model.randomise()
    model.observe_rollout(seen[:-1], np.zeros(200, np.int64), seen[1:], terms[1:])
    assert not model.arrays().nets


@pytest.mark.parametrize("world", ["RoomsTidy", "LanesMerge", "RoverDeliver"])
def test_from_nothing_means_that_what_may_matter_is_not_known_either(world: str) -> None:
    task, config = worlds.task(f"teachbox/{world}-v0"), JointConfig(model="net")
    written, nothing = (make_reward(task, config, prior, 0) for prior in ("written", "none"))
    assert isinstance(written, AdditiveReward)
    assert written.term_predictor.n_terms == len(task.world.term_names)
    assert not (isinstance(nothing, AdditiveReward) and nothing.term_predictor.n_terms)


def test_nobody_elses_world_is_told_about() -> None:
    model = make_reward(worlds.task("CartPole-v1"), JointConfig(), "none", 0)
    assert not isinstance(model, AdditiveReward)
