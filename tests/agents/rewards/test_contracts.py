"""Every reward answers all that its contract says: one of choices, and one of a discriminator's steps."""

from __future__ import annotations

import numpy as np
import pytest

from agents.feedback.choices import Choice, Option, choices_from_evaluation, pack_choices
from agents.feedback.records import Evaluation
from agents.inference.reward_inference import RewardInference
from agents.learners.joint_config import JointConfig, make_reward
from agents.rewards.base import ChoiceReward, Reward
from agents.rewards.discriminator import Discriminator, DiscriminatorConfig
from agents.rewards.linear_prior import LinearRewardConfig
from agents.rewards.net import NetConfig
from agents.rewards.reward_arrays import trajectory_steps
from agents.rewards.shaping_rewards import AddedReward, PotentialConfig, PotentialReward
from agents.rewards.tamer import TamerLinearReward, TamerNetReward
from envs.trajectory import Trajectory
from tests.agents.feedback.test_choices import _drives
from tests.agents.toy import toy

TASK = toy()
WRITTEN = TASK.proxy_weights
SEEN = len(TASK.world.obs_names)


def _discriminator() -> Discriminator:
    return Discriminator(TASK, (), 5, True, 0.9, DiscriminatorConfig(), 0)


CHOICE_REWARDS = {
    "terms": lambda: make_reward(TASK, JointConfig(), "written", 0),
    "net": lambda: make_reward(TASK, JointConfig(model="net"), "none", 0),
    "additive": lambda: make_reward(TASK, JointConfig(model="net"), "written", 0),
    "potential": lambda: PotentialReward(WRITTEN, 5, SEEN, 0.9, PotentialConfig(1.0, 8, 5, 0.03), 0),
    "added": lambda: AddedReward(WRITTEN, 5, LinearRewardConfig(), 1.0, 0),
    "tamer net": lambda: TamerNetReward(WRITTEN, (), 5, NetConfig(), 0),
    "tamer terms": lambda: TamerLinearReward(
        WRITTEN, np.ones(len(WRITTEN), np.bool_), 5, LinearRewardConfig(), 0
    ),
}


def _choices(clips: list[Trajectory]) -> list[Choice]:
    presses = [Evaluation(clip, value) for clip, value in zip(clips, (1.0, -1.0), strict=False)]
    return [choice for press in presses for choice in choices_from_evaluation(press, 5.0)]


@pytest.mark.parametrize("name", CHOICE_REWARDS)
def test_a_reward_of_choices_answers_everything(name: str) -> None:
    clips, model = _drives(2), CHOICE_REWARDS[name]()
    assert isinstance(model, ChoiceReward)
    model.set_term_scales([clip.terms.sum(0) for clip in clips])
    packed = pack_choices(_choices(clips))
    model.fit(packed)
    model.refine(packed)
    _answers(model, clips)
    assert model.has_samples
    assert model.returns(packed).shape == (len(packed.term_sums),)
    believed = model.sampled_returns(clips)
    assert believed.shape == (len(believed), 2)
    assert np.isfinite(believed).all()
    assert 0.0 <= model.agreement(packed) <= 1.0
    inference = RewardInference(model, len(WRITTEN))
    assert inference.sampled_returns == model.sampled_returns
    model.reset()
    assert inference.sampled_returns is None


def _answers(model: Reward, clips: list[Trajectory]) -> None:
    """What practice and the screen ask of any reward."""
    steps = trajectory_steps(clips)
    model.observe_rollout(*steps)
    model.observe_clips(clips)
    model.normalise(*steps)
    counts, usual = steps[3].sum(0), np.zeros((2, len(WRITTEN)), np.float32)
    assert model.risk_adjusted_arrays(counts, usual)(*steps).shape == (len(steps[0]),)
    assert isinstance(model.risk_adjusted_return(counts, usual), float | None)
    assert isinstance(model.is_credibly_better(counts, counts), bool)
    assert isinstance(model.is_idle(counts), bool)
    assert model.max_episodes_per_fit(3) > 0
    assert len(model.rationality("demonstration")) == 2


def test_a_discriminator_is_no_reward_of_choices() -> None:
    clips, model = _drives(3), _discriminator()
    assert not isinstance(model, ChoiceReward)
    _answers(model, clips)
    inference = RewardInference(model, len(WRITTEN))
    inference.raters["one"] = "me"
    inference.fit([Choice("demonstration", (Option(clips[0]), Option(clips[1])))], [], ())
    inference.record_predictions([], [], ())
    inference.reset()
    assert inference.sampled_returns is None
    assert inference.error_rate is None
    assert not inference.refine_if_due(0.0, 1.0)
    assert inference.warnings(TASK.world.term_names) == ()


def test_a_potential_can_be_asked_what_to_give_next() -> None:
    from agents import learner_catalog

    learner = learner_catalog.make(
        "shaping", TASK, settings={"potential": True, "n_updates": 5, "proxy_steps": 0}
    )
    clips = _drives(2)
    learner.observe(1, [Evaluation(clips[0], 1.0), Evaluation(clips[1], -1.0)])
    while not learner.reward.has_samples:  # type: ignore[attr-defined]
        learner.step()
    assert learner.suggest() is not None  # type: ignore[attr-defined]
