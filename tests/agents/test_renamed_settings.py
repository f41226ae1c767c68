"""Settings of older versions."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from agents import learner_catalog
from agents.learners.pebble import PebbleConfig
from agents.queries.selection import QueryConfig
from agents.renamed_settings import _NAMES, current_name
from agents.rewards.linear_prior import LinearRewardConfig
from agents.rewards.risk_aversion import RiskAversion
from agents.rl.ppo import PPOConfig
from agents.training.trainer_config import TrainerConfig
from tests.agents.toy import toy


@pytest.mark.parametrize(
    ("config", "old", "new"),
    [
        (PPOConfig, "rows", "n_envs"),
        (QueryConfig, "by", "acquisition"),
        (LinearRewardConfig, "manner", "driving_offset"),
        (RiskAversion, "leeway", "tolerance"),
        (TrainerConfig, "shrink", "shrink_factor"),
    ],
)
def test_an_old_setting_is_told_what_it_is_called_now(config: Any, old: str, new: str) -> None:
    with pytest.raises(TypeError, match=f"has no '{old}': it is called '{new}' now"):
        config(**{old: 1})
    with pytest.raises(TypeError, match=f"it is called '{new}' now"):
        replace(config(), **{old: 1})


@pytest.mark.parametrize(
    ("learner", "old", "new"),
    [
        ("joint", "practice", "trainer"),
        ("joint", "prior_steps", "proxy_steps"),
        ("pebble", "off", "off_policy"),
        ("pebble", "cloning", "bc_coef"),
        ("evaluative", "way", "method"),
        ("shaping", "hidden", "hidden_units"),
        ("dagger", "hidden", "net_arch"),
        ("dagger", "rows", "n_envs"),
    ],
)
def test_an_old_setting_of_a_learner_is_told_too(learner: str, old: str, new: str) -> None:
    with pytest.raises(ValueError, match=f"no setting '{old}': it is called '{new}' now"):
        learner_catalog.make(learner, toy(), settings={old: 1})


def test_every_name_of_today_is_a_field_and_no_old_one_is() -> None:
    learners = [learner_catalog.find_entry(name).load().Config for name in learner_catalog.LEARNERS]
    assert set(learners) & set(_NAMES)
    assert PebbleConfig in _NAMES
    for config, names in _NAMES.items():
        assert is_dataclass(config)
        known = {field.name for field in fields(config)}
        assert set(names.values()) <= known
        assert not set(names) & known
        assert all(current_name(config, old) == new for old, new in names.items())
