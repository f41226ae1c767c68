"""What the person did at the wheel, as examples for a policy: demonstrations and takeovers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agents.feedback.records import Record
from agents.imitation.dataset import (
    Symmetries,
    agreed,
    awake,
    driven_by_person,
    examples,
    refused,
    turned,
)
from agents.imitation.ensemble import outputs
from agents.losses import cloning, refusal
from agents.policies.distributions import gaussian
from envs.trajectory import Trajectory
from envs.world import Array, Task

REFUSALS = 64
"""Refused steps in a minibatch."""

PLENTY = 70
"""Numbers seen from which on one can often be told from the others. Where fewer are seen, none is hidden."""


class Cloner:
    """Behavioural cloning as a loss beside another one, or alone."""

    def __init__(
        self,
        symmetries: Symmetries,
        weight: float,
        seed: int,
        blind: float = 0.0,
        idle: int = -1,
        sharp: float = 1.0,
        against: float = 0.0,
        members: int = 1,
    ) -> None:
        """blind: share of the numbers seen that are hidden at each minibatch (Srivastava et al. 2014).
        idle: the action that is no contradiction of any other. sharp: by how much more surely the policy
        acts than the person's likeliest one would, its logits being fitted divided by so much.
        against: weight of never doing again what somebody took over from. members: of the policy's net, each
        of which learns from minibatches of its own (see `agents.imitation.ensemble`)."""
        self.weight, self._blind, self._sharp, self._against = weight, blind, sharp, against
        self._members = members
        self._symmetries, self._batch, self._idle = symmetries, 256, idle
        self._random = np.random.default_rng([seed, 2])
        self.conflicts = 0.0
        """Share of steps in which the person did what they mostly didn't, where things looked the same."""
        self._obs: torch.Tensor | None = None
        self._actions = torch.zeros(0)
        self._refused: tuple[torch.Tensor, torch.Tensor] | None = None

    def take(self, records: Sequence[Record]) -> None:
        """Learn from these records from now on."""
        self.learn_from(driven_by_person(records))

    def learn_from(self, driven: Sequence[Trajectory]) -> None:
        """Learn from these drives from now on."""
        if not driven:
            self._obs = None
            return
        obs, actions = examples(driven, ())
        actions, self.conflicts = agreed(obs, actions, self._idle)
        kept = awake(obs, actions, self._idle)
        self._set(*turned(obs[kept], actions[kept], self._symmetries))

    def refuse(self, records: Sequence[Record]) -> None:
        """Keep from now on from what the agent did in these takeovers where the person did otherwise."""
        found = refused(records) if self._against else None
        self._refused = None if found is None else _tensors(*turned(*found, self._symmetries))

    def add(self, obs: NDArray[np.float32], actions: Array) -> None:
        """Further examples, [B, D] and [B] or [B, C], beside what was taken."""
        more_obs, more = turned(obs, actions, self._symmetries)
        if self._obs is not None:
            more_obs = np.concatenate([self._obs.numpy(), more_obs])
            more = np.concatenate([self._actions.numpy(), more])
        self._set(more_obs, more)

    def _set(self, obs: NDArray[np.float32], actions: Array) -> None:
        self._obs, self._actions = _tensors(obs, actions)

    @property
    def has_examples(self) -> bool:
        return self._obs is not None

    def loss(self, policy: Any) -> torch.Tensor | None:
        """Weighted cross-entropy of a policy on a minibatch, or None without examples."""
        if self._obs is None or self.weight == 0.0:
            return None
        obs, actions = self._drawn(self._obs, self._actions, self._batch, policy.device)
        if actions.dtype != torch.int64:
            out = outputs(policy, obs, self._members)
            return -self.weight * gaussian(out, actions, policy.log_std).mean()
        known = obs.shape[1]
        if self._refused is not None:
            others = self._drawn(*self._refused, REFUSALS, policy.device)
            obs, actions = torch.cat([obs, others[0]], 1), torch.cat([actions, others[1]], 1)
        logits = outputs(policy, obs, self._members) / self._sharp
        loss = cloning(logits[:, :known].flatten(0, 1), actions[:, :known].flatten()).mean()
        if self._refused is not None:
            again = refusal(logits[:, known:].flatten(0, 1), actions[:, known:].flatten())
            loss = loss + self._against * again.mean()
        return self.weight * loss

    def improve(self, policy: Any, adam: torch.optim.Optimizer, rate: float) -> float:
        """One step of `adam` at this rate down the loss of a policy that examples are known for; the loss."""
        loss = self.loss(policy)
        assert loss is not None
        adam.param_groups[0]["lr"] = rate
        adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        return float(loss.detach())

    def _drawn(
        self, obs: torch.Tensor, actions: torch.Tensor, most: int, device: torch.device
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """A minibatch of `most` steps for each member on `device`, [K, B, D] and [K, B] or [K, B, C], some of
        what is seen hidden."""
        size = (self._members, min(most, len(obs)))
        pick = torch.from_numpy(self._random.integers(len(obs), size=size))
        obs, actions = obs[pick], actions[pick]
        if self._blind:
            obs = obs * torch.from_numpy(self._random.random(obs.shape, np.float32) >= self._blind)
        return obs.to(device), actions.to(device)

    def state(self) -> Any:
        return self._random.bit_generator.state

    def restore(self, state: Any) -> None:
        self._random.bit_generator.state = state


def _tensors(obs: NDArray[np.float32], actions: Array) -> tuple[torch.Tensor, torch.Tensor]:
    return (
        torch.from_numpy(np.ascontiguousarray(obs, np.float32)),
        torch.from_numpy(np.ascontiguousarray(actions)),
    )


@dataclass(frozen=True)
class CloningConfig:
    """How `bc` spends its time."""

    updates: int = 1_000  # minibatches on one state of the feedback, then it waits
    burst: int = 50  # of them in a step
    rate: float = 5e-3  # Adam's, falling to nothing over the updates
    decay: float = 1e-2  # weight decay
    hidden: tuple[int, ...] = (128, 128)  # of each of its nets, and
    members: int = 1  # how many there are, side by side in the policy (see `agents.imitation.ensemble`)
    blind: float = 0.4  # share of what is seen that a minibatch hides (dropout), where PLENTY is seen
    sharp: float = 2.0  # what is left to chance is less than in what was driven: slips add up
    against: float = 0.3  # weight of what the agent did where somebody took over: that is refused
    device: str = "auto"  # where the policy is trained, see `agents.torch_runtime`

    def __post_init__(self) -> None:
        if not isinstance(self.members, int) or self.members < 1:
            raise ValueError(f"members {self.members!r} is no number of nets: give 1 or more")
        if self.members > 1 and not self.hidden:
            raise ValueError(
                f"{self.members} members need hidden layers to be apart in: give hidden=(64, 64)"
            )

    @property
    def widths(self) -> tuple[int, ...]:
        """Of the policy's hidden layers, all members together."""
        return tuple(self.members * width for width in self.hidden)


def cloner_of(task: Task, config: CloningConfig, seed: int, weight: float = 1.0) -> Cloner:
    """The loss that follows from a configuration."""
    blind = config.blind if len(task.world.obs_names) >= PLENTY else 0.0
    return Cloner(
        task.world.symmetries,
        weight,
        seed,
        blind=blind,
        idle=task.world.idle_action,
        sharp=config.sharp,
        against=config.against,
        members=config.members,
    )
