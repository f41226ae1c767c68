"""Every learner with the face that users of Stable-Baselines3 know: a policy name and an environment.

    model = Preferences("MlpPolicy", gymnasium.make("CartPole-v1"), teacher="rational", answers=50)
    model.learn(100_000, progress_bar=True)
    action, _ = model.predict(obs)
    model.save("cartpole")

Underneath is the learner of the same name in `agents.learner_catalog` (attribute `learner`), which learns
from the records given to `add_feedback`, from a teacher who is asked on the way, or from both. `save` writes
a bundle (JSON and safetensors, nothing pickled); `agents.io.sb3_zip.write` makes a zip of it for SB3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents.base_model import BaseModel, ModelOptions
from agents.imitation.cloner import CloningConfig
from agents.io.agent_bundle import Agent
from agents.learners.dagger import DaggerConfig
from agents.rl.sac_dqn import OffPolicyConfig

Expert = Callable[[NDArray[np.float32]], ArrayLike]
"""Observations [N, D] -> actions [N] or [N, C]."""


class Joint(BaseModel):
    """One reward from all feedback, then PPO. Settings {"model": "net"}: a reward on observations."""

    name = "joint"


class Preferences(BaseModel):
    """A reward from comparisons and rankings (Christiano et al. 2017), then PPO."""

    name = "preferences"


class Pebble(BaseModel):
    """The same with SAC or DQN, relabelled replay and unsupervised pre-training (Lee et al. 2021)."""

    name = "pebble"
    supports_images = False

    def _with_device(self, device: str, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        off_policy = settings.get("off_policy", OffPolicyConfig())
        return {**settings, "off_policy": replace(off_policy, device=device)}

    def _set_policy(self, agent: Agent) -> None:
        self.learner.trainer.set_policy(agent.policy)


class Evaluative(BaseModel):
    """From presses of + and -. The setting `method` is "choice", "tamer" or "coach"."""

    name = "evaluative"


class Shaping(BaseModel):
    """Presses added to the written reward. Settings {"potential": True} keep its optimum (Ng et al. 1999)."""

    name = "shaping"


class CPL(BaseModel):
    """Comparisons straight to a policy, without a reward (Hejna et al. 2024)."""

    name = "cpl"


class MaxEnt(BaseModel):
    """The reward under which demonstrations are likely (Ziebart et al. 2010), then PPO."""

    name = "maxent"


class GAIL(BaseModel):
    """Does what a discriminator can't tell from demonstrations (Ho and Ermon 2016)."""

    name = "gail"


class AIRL(BaseModel):
    """The same with a reward that transfers to other layouts (Fu, Luo and Levine 2018)."""

    name = "airl"


class BC(BaseModel):
    """Imitates demonstrations (Pomerleau 1991); `learn` counts minibatches, not environment steps."""

    name = "bc"
    supports_images = False
    config_class: ClassVar[type[CloningConfig]] = CloningConfig

    def _with_device(self, device: str, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**settings, "device": device}

    @classmethod
    def _settings_for_agent(cls, agent: Agent) -> Mapping[str, Any]:
        found = tuple(weight.shape[1] for weight, _ in agent.policy.layers[:-1])
        return {} if found == cls.config_class().policy_net_arch else {"net_arch": found, "n_members": 1}


class DAgger(BC):
    """With `expert`, a function from observations [N, D] to actions, it asks about the states it visits."""

    name = "dagger"
    config_class = DaggerConfig

    def __init__(
        self,
        policy: str,
        env: Any,
        *,
        expert: Expert | None = None,
        rounds: int = 5,
        **options: Unpack[ModelOptions],
    ) -> None:
        super().__init__(policy, env, **options)
        self._expert, self._rounds = expert, rounds

    @classmethod
    def load(
        cls,
        folder: str | Path,
        env: Any = None,
        *,
        expert: Expert | None = None,
        rounds: int = 5,
        **options: Unpack[ModelOptions],
    ) -> Self:
        """See `BaseModel.load`; `expert` and `rounds` are not in the bundle."""
        made = super().load(folder, env, **options)
        made._expert, made._rounds = expert, rounds
        return made

    def _has_more_to_do(self, share: float) -> bool:
        if self._expert is None or self.learner.rounds >= self._rounds:
            return False
        self.learner.query_expert(self._expert)
        return True
