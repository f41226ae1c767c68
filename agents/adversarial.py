"""`gail` and `airl`: a discriminator tells the person's steps from the agent's; fooling it is the reward.

Both at a fixed horizon, so that no end of an episode leaks reward: a drive that came to rest before
the horizon is filled up with the rest. The clock and the end are no input. `airl` splits its logit
so that what is shown, kept and transferred is the reward without its shaping.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from agents.bc import CloningConfig, cloner_of
from agents.checkpoint import Arrays
from agents.choices import Packed
from agents.cloning import driven_by_person, filled
from agents.feedback import Record
from agents.joint import JointConfig, JointLearner, Prior
from agents.learned_reward import Float, LearnedReward
from agents.losses import adversarial, airl_logit
from agents.networks import log_prob, mlp_layers, small_net
from agents.practice import PracticeConfig
from agents.reward_net import turnings
from agents.snapshot import PolicyArrays, RewardArrays, Turns, reward_inputs
from envs.trajectory import Trajectory
from envs.world import Task

MOST_ENTROPY = 0.1
Steps = tuple[Float, Any, Float, Float]
"""(obs [L, D], actions [L] or [L, C], next_obs [L, D], terms [L, M])"""


@dataclass(frozen=True)
class DiscriminatorConfig:
    """How the discriminator learns."""

    hidden: int = 32
    updates: int = 12  # minibatches after each rollout
    batch: int = 512  # steps of each side in one
    rate: float = 3e-3
    decay: float = 1e-2  # weight decay: few demonstrations are soon known by heart
    warm: int = 60  # minibatches when demonstrations have come


@dataclass(frozen=True)
class AdversarialConfig(JointConfig):
    """`joint`'s, and the discriminator's."""

    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    clone: CloningConfig = field(default_factory=lambda: CloningConfig(updates=500, rate=3e-3))
    cloning: float | None = 0.3  # weight of cloning beside PPO
    practice: PracticeConfig = field(default_factory=lambda: PracticeConfig(skips=False))
    """An adversary must meet rest to know what it is worth."""


class Discriminator(LearnedReward):
    """Its logit is the reward; with `shaped` it is AIRL's, g + gamma h' - h - log pi."""

    def __init__(
        self,
        task: Task,
        turns: tuple[Turns, ...],
        one_hot: int,
        shaped: bool,
        gamma: float,
        config: DiscriminatorConfig,
        seed: int,
    ) -> None:
        super().__init__(one_hot, seed)
        self.config, self._turns, self._shaped, self._gamma = config, turns, shaped, gamma
        self._random = np.random.default_rng([seed, 8])
        obs, actions = len(task.world.obs_names), one_hot or int(np.prod(task.world.action_space.shape or 1))
        self._sizes, self._terms = (2 * obs + actions, obs), len(task.world.terms)
        self.forget()

    def forget(self) -> None:
        self.net = small_net(self._sizes[0], self.config.hidden, self._seed)
        self.potential = small_net(self._sizes[1], self.config.hidden, self._seed + 1)
        parameters = [*self.net.parameters(), *self.potential.parameters()]
        self._adam = torch.optim.AdamW(parameters, self.config.rate, weight_decay=self.config.decay)
        self._known = False

    def improve(self, expert: Steps, agent: Steps, policy: PolicyArrays, updates: int) -> float:
        """Minibatches of telling the two apart; the mean loss."""
        total, half = 0.0, self.config.batch
        target = torch.cat([torch.ones(half), torch.zeros(half)])
        for _ in range(updates):
            sides = [self._draw(steps, half) for steps in (expert, agent)]
            obs, actions, after = (np.concatenate(pair) for pair in zip(*sides, strict=True))
            logit = self._logit(obs, actions, after, policy)
            loss = adversarial(logit, target).mean()
            self._adam.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self._adam.step()
            total += float(loss.detach())
        self._known = True
        return total / updates

    def _draw(self, steps: Steps, count: int) -> tuple[Any, Any, Any]:
        pick = self._random.integers(len(steps[0]), size=count)
        return steps[0][pick], steps[1][pick], steps[2][pick]

    def _logit(self, obs: Any, actions: Any, after: Any, policy: PolicyArrays) -> Tensor:
        turns = self._turns[int(self._random.integers(len(self._turns)))] if self._turns else None
        x = torch.from_numpy(reward_inputs(obs, actions, after, self.one_hot, turns))
        reward: Tensor = self.net(x).squeeze(-1)
        if not self._shaped:
            return reward
        h, h_after = (self.potential(torch.from_numpy(o)).squeeze(-1) for o in (obs, after))
        log_pi = torch.from_numpy(np.asarray(log_prob(policy, obs, actions), np.float32))
        return airl_logit(reward, h, h_after, log_pi, self._gamma)

    def arrays(self) -> RewardArrays:
        """The reward to show and to transfer: for `airl` without its shaping."""
        none = np.zeros((1, self._terms), np.float32)
        turns = self._turns[0] if self._turns else None
        nets = (mlp_layers(self.net),) if self._known else ()
        squash: Any = "" if self._shaped else "softplus"  # -log(1 - D) of the expert's probability D
        return RewardArrays(none, nets, self.shift, self.scale, self.one_hot, turns, squash=squash)

    # What `joint` asks of a reward and an adversary has no use for.

    @property
    def has_samples(self) -> bool:
        return False

    def set_units(self, clips: list[Float]) -> None:
        pass

    def fit(self, packed: Packed) -> None:
        raise TypeError("a discriminator learns from steps, not from choices")

    def scramble(self) -> None:
        self.forget()

    def returns(self, packed: Packed) -> Float:
        raise TypeError("a discriminator knows no choices")

    def believed(self, clips: Sequence[Trajectory]) -> Float:
        raise TypeError("a discriminator has no samples")

    def facts(self) -> dict[str, Any]:
        return {
            "shift": self.shift,
            "scale": self.scale,
            "known": self._known,
            "random": self._random.bit_generator.state,
        }

    def state(self) -> Arrays:
        both = {"net": self.net, "potential": self.potential}
        return {
            f"reward.{name}.{key}": value.detach().numpy()
            for name, part in both.items()
            for key, value in part.state_dict().items()
        }

    def restore(self, facts: dict[str, Any], arrays: Arrays) -> None:
        self.shift, self.scale, self._known = facts["shift"], facts["scale"], facts["known"]
        self._random.bit_generator.state = facts["random"]
        for name, part in (("net", self.net), ("potential", self.potential)):
            head = f"reward.{name}."
            own = {
                k[len(head) :]: torch.from_numpy(v.copy()) for k, v in arrays.items() if k.startswith(head)
            }
            part.load_state_dict(own)


def steps_of(recordings: Sequence[Trajectory]) -> Steps:
    """All their steps, side by side."""
    return (
        np.concatenate([t.observations[:-1] for t in recordings]),
        np.concatenate([t.actions for t in recordings]),
        np.concatenate([t.observations[1:] for t in recordings]),
        np.concatenate([t.terms for t in recordings]),
    )


class GailLearner(JointLearner):
    """Generative adversarial imitation (Ho and Ermon 2016): do what can't be told from the person."""

    name: ClassVar[str] = "gail"
    kinds: ClassVar[frozenset[str]] = frozenset({"demonstration"})
    Config: ClassVar[type[JointConfig]] = AdversarialConfig
    shaped: ClassVar[bool] = False
    config: AdversarialConfig
    model: Discriminator

    def _reward_model(self) -> LearnedReward:
        world = self.task.world
        actions = int(getattr(world.action_space, "n", 0))
        gamma = self.config.practice.ppo.gamma
        turns, config = turnings(world.symmetries, actions), self.config.discriminator
        return Discriminator(self.task, turns, actions, self.shaped, gamma, config, self.seed)

    def __init__(self, task: Task, *, seed: int = 0, prior: Prior = "none", config: Any = None) -> None:
        super().__init__(task, seed=seed, prior=prior, config=config)
        assert self.config.cloning is not None
        self.cloner = cloner_of(task, self.config.clone, seed, self.config.cloning)
        self.practice.ppo.auxiliary = self.cloner.loss

    def _fit(self, records: list[Record]) -> None:
        self._since_fit = 0
        self._take_expert(records)
        if self._expert is None:
            self.model.forget()
            self._to_clone = 0
            self._pay()
        else:
            self._to_clone = self.config.clone.updates
            self._adam = torch.optim.AdamW(
                self.practice.ppo.policy.parameters(), weight_decay=self.config.clone.decay
            )
            if self._to_clone == 0:
                self._begin()

    def _take_expert(self, records: list[Record]) -> None:
        driven = [filled(self.task, t) for t in driven_by_person(records)]
        self._expert = steps_of(driven) if driven else None

    _expert: Steps | None = None
    _to_clone: int = 0
    """Minibatches of cloning before the game begins: from a clone on there is less to find by chance."""

    def _clone(self) -> None:
        config = self.config.clone
        for _ in range(config.burst):
            rate = config.rate * self._to_clone / config.updates
            self.cloner.improve(self.practice.ppo.policy, self._adam, rate)
            self._to_clone -= 1
        if self._to_clone <= 0:
            self._begin()

    def _begin(self) -> None:
        """Look at what it does before anything is paid, and tell it from the person's."""
        self.practice.ppo.learn_nothing()
        self._improve(self.config.discriminator.warm)
        self._pay()

    def _improve(self, updates: int) -> None:
        agent = self.practice.newest_steps()
        if agent is not None and self._expert is not None:
            loss = self.model.improve(self._expert, agent, self.practice.policy, updates)
            self.inference.agreement["discriminator's loss"] = loss

    def _burst(self) -> int:
        if self._to_clone > 0:
            self._clone()
            return 0
        steps = super()._burst()
        if not self._in_prior and self._fitted:
            if self._expert is None:  # going on from a checkpoint, which holds no feedback
                self._take_expert(self._standing())
            self._improve(self.config.discriminator.updates)
            self._pay()
        return steps

    def _pay(self) -> None:
        if self._in_prior:
            written = RewardArrays(self.task.written_weights[None])
            self.practice.set_reward(written)
        else:
            super()._pay()


class AirlLearner(GailLearner):
    """Adversarial inverse RL (Fu, Luo and Levine 2018): the same, with a reward that transfers."""

    name: ClassVar[str] = "airl"
    shaped: ClassVar[bool] = True

    def _pay(self) -> None:
        super()._pay()
        if not self._in_prior:  # its policy is the soft one: entropy counts as much as reward does
            self.practice.ppo.ent_coef = float(np.clip(1.0 / (self.practice.unit or 1.0), 0.01, MOST_ENTROPY))
