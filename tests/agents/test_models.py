"""The face that users of Stable-Baselines3 know."""

from __future__ import annotations

from pathlib import Path

import gymnasium
import numpy as np
import pytest
from stable_baselines3.common.callbacks import BaseCallback

from agents.base_model import resolve_task
from agents.models import BC, CPL, DAgger, Preferences
from agents.rl.ppo import PPOConfig
from agents.teachers.synthetic import make_teacher
from agents.training.trainer_config import TrainerConfig
from envs.gym_env import TaskEnv
from tests.agents.toy import toy

ROOMS = "teachbox/RoomsTidy-v0"


def test_it_asks_its_teacher_while_it_learns() -> None:
    model = Preferences("MlpPolicy", toy(), teacher="rational", answers=12, prior="none")
    model.learn(20_000)
    assert model.learner.snapshot().feedback_counts == {"comparison": 12}
    assert 20_000 <= model.num_timesteps < 30_000
    model.learn(5_000)
    assert model.num_timesteps >= 25_000


def test_a_function_of_your_own_answers() -> None:
    asked = []
    careful = make_teacher("rational", toy())

    def me(question):
        asked.append(question)
        return careful.compare(question)

    Preferences("MlpPolicy", toy(), teacher=me, answers=4, prior="none").learn(5_000)
    assert len(asked) == 4


class _Stops(BaseCallback):
    calls = 0

    def _on_step(self) -> bool:
        self.calls += 1
        assert self.model.policy is not None
        return self.calls < 3


def test_callbacks_of_sb3_and_plain_ones_end_it() -> None:
    model = Preferences("MlpPolicy", toy(), teacher="rational", answers=4, prior="none")
    callback = _Stops()
    model.learn(10**7, callback)
    assert callback.calls == 3
    before = model.num_timesteps
    model.learn(10**7, lambda *_: False)
    assert model.num_timesteps - before < 10_000


def test_predict_takes_one_or_many_and_save_and_load_keep_the_policy(tmp_path: Path) -> None:
    env = TaskEnv(ROOMS)
    model = CPL("MlpPolicy", env, prior="none", seed=3)
    obs, _ = env.reset(seed=1)
    action, _ = model.predict(obs, deterministic=True)
    assert np.ndim(action) == 0
    many, _ = model.predict(np.stack([obs] * 7), deterministic=True)
    assert many.tolist() == [action] * 7
    env.step(action)
    model.save(tmp_path / "a")
    again = CPL.load(tmp_path / "a")
    random = np.random.default_rng(0).standard_normal((500, len(obs))).astype(np.float32)
    np.testing.assert_array_equal(
        model.predict(random, deterministic=True)[0], again.predict(random, deterministic=True)[0]
    )
    values, others = (one.learner.trainer.algorithm.policy.state_dict() for one in (model, again))
    assert all(bool((values[name] == others[name]).all()) for name in values)


def test_bc_and_dagger_learn_until_nothing_is_left() -> None:
    teacher = make_teacher("rational", toy())
    model = BC("MlpPolicy", toy(), settings={"n_updates": 100})
    model.add_feedback([teacher.demonstrate(seed) for seed in range(3)]).learn(10**6)
    assert model.num_timesteps == 100
    dagger = DAgger(
        "MlpPolicy", toy(), expert=lambda obs: np.ones(len(obs), int), rounds=2, settings={"n_updates": 100}
    )
    dagger.learn(10**6)
    assert dagger.learner.rounds == 2
    assert (dagger.predict(np.zeros((50, 6)), deterministic=True)[0] == 1).mean() > 0.9


@pytest.mark.parametrize("kind", [BC, DAgger])
def test_a_clone_of_any_width_goes_on(kind: type[BC], tmp_path: Path) -> None:
    drives = [make_teacher("rational", toy()).demonstrate(seed) for seed in range(3)]
    obs = np.random.default_rng(0).standard_normal((50, 6)).astype(np.float32)
    for name, config in (("own", {}), ("other", {"net_arch": (16, 8), "n_members": 1})):
        model = (
            kind("MlpPolicy", toy(), settings={"n_updates": 50, **config}).add_feedback(drives).learn(10**6)
        )
        model.save(tmp_path / name)
        again = kind.load(tmp_path / name, toy())
        assert again.learner.config.n_members == model.learner.config.n_members
        said = model.predict(obs, deterministic=True)[0]
        np.testing.assert_array_equal(again.predict(obs, deterministic=True)[0], said)


def test_cpl_ends_when_it_has_had_its_steps() -> None:
    few = TrainerConfig(ppo=PPOConfig(n_envs=8, n_steps=16, batch_size=64))
    model = CPL(
        "MlpPolicy", toy(), teacher="rational", answers=4, settings={"proxy_steps": 64, "trainer": few}
    ).learn(1_000)
    assert model.learner.snapshot().feedback_counts == {"comparison": 4}
    assert 1_000 <= model.num_timesteps < 1_200


def test_mistakes_are_sentences() -> None:
    with pytest.raises(ValueError, match="toy shows none: use 'MlpPolicy'"):
        Preferences("CnnPolicy", toy())
    with pytest.raises(ValueError, match="device 'tpu' is not trained on"):
        BC("MlpPolicy", toy(), device="tpu")
    with pytest.raises(ValueError, match="42 is no world to learn in"):
        resolve_task(42)
    with pytest.raises(ValueError, match="did you mean"):
        BC("MlpPolicy", "teachbox/RoomsTidi-v0")
    model = BC("MlpPolicy", toy())
    with pytest.raises(ValueError, match="6 numbers, not 5"):
        model.predict(np.zeros(5))
    with pytest.raises(ValueError, match="NaN"):
        model.predict(np.full(6, np.nan))
    assert resolve_task(gymnasium.make("CartPole-v1")).id == "CartPole-v1"
