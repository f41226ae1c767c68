"""What the person did at the wheel, as examples for a policy: demonstrations and takeovers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agents.checkpoint import StateDict
from agents.feedback.records import Record
from agents.imitation.dataset import (
    Symmetries,
    augment_by_symmetry,
    elapsing_inputs,
    human_trajectories,
    limit_idle_steps,
    overridden_actions,
    resolve_conflicts,
    static_steps,
    training_examples,
)
from agents.imitation.ensemble import member_outputs
from agents.losses import cloning, unlikelihood
from agents.policies.distributions import gaussian_log_prob
from agents.policies.normalising_torch import normalising_extractors
from agents.policies.obs_normalisation import ObsNormalisation, normalisation_of
from agents.renamed_settings import renamed_settings
from envs.trajectory import Trajectory
from envs.world import Array, Task

OVERRIDDEN_BATCH_SIZE = 64
"""Refused steps in a minibatch."""

MIN_INPUTS_FOR_DROPOUT = 70
"""Numbers seen from which on one can often be told from the others. Where fewer are seen, none is hidden."""


class Cloner:
    """Behavioural cloning as a loss beside another one, or alone."""

    def __init__(
        self,
        symmetries: Symmetries,
        weight: float,
        seed: int,
        input_dropout: float = 0.0,
        idle_action: int = -1,
        logit_temperature: float = 1.0,
        unlikelihood_weight: float = 0.0,
        n_members: int = 1,
        obs_ranges: NDArray[np.float32] | None = None,
    ) -> None:
        """input_dropout: share of the numbers seen that are hidden at each minibatch (Srivastava et al.
        2014). idle_action: the action that is no contradiction of any other. logit_temperature: by how much
        more surely the policy acts than the person's likeliest one would, its logits being fitted divided by
        so much. unlikelihood_weight: weight of never doing again what somebody took over from. n_members: of
        the policy's net, each of which learns from minibatches of its own (see
        `agents.imitation.ensemble`). obs_ranges: see `Task.obs_ranges`."""
        self._obs_ranges = obs_ranges
        self.normalisation: ObsNormalisation | None = None
        """Of what is seen in the drives, where its scale isn't known."""
        self.weight, self._input_dropout, self._logit_temperature, self._unlikelihood_weight = (
            weight,
            input_dropout,
            logit_temperature,
            unlikelihood_weight,
        )
        self._n_members = n_members
        self._symmetries, self._batch_size, self._idle_action = symmetries, 256, idle_action
        self._random = np.random.default_rng([seed, 2])
        self.conflict_share = 0.0
        """Share of steps in which the person did what they mostly didn't, where things looked the same."""
        self._obs: torch.Tensor | None = None
        self._actions = torch.zeros(0)
        self._overridden: tuple[torch.Tensor, torch.Tensor] | None = None

    def set_records(self, records: Sequence[Record]) -> None:
        """Learn from these records from now on."""
        self.set_trajectories(human_trajectories(records))

    def set_trajectories(self, trajectories: Sequence[Trajectory]) -> None:
        """Learn from these drives from now on."""
        if not trajectories:
            self._obs = None
            return
        obs, actions = training_examples(trajectories, ())
        self.normalisation = normalisation_of(obs, self._obs_ranges)
        seen = obs if self.normalisation is None else self.normalisation(obs)
        shown = ~elapsing_inputs(trajectories)
        timeless, is_static = seen[:, shown], static_steps(trajectories, shown)
        actions, self.conflict_share = resolve_conflicts(timeless, actions, self._idle_action)
        kept = limit_idle_steps(timeless, actions, self._idle_action, is_static=is_static)
        self._set_examples(*augment_by_symmetry(obs[kept], actions[kept], self._symmetries))

    def set_overridden_actions(self, records: Sequence[Record]) -> None:
        """Keep from now on from what the agent did in these takeovers where the person did otherwise."""
        found = overridden_actions(records) if self._unlikelihood_weight else None
        self._overridden = None if found is None else _tensors(*augment_by_symmetry(*found, self._symmetries))

    def add_examples(self, obs: NDArray[np.float32], actions: Array) -> None:
        """Further examples, [B, D] and [B] or [B, C], beside what was taken."""
        more_obs, more = augment_by_symmetry(obs, actions, self._symmetries)
        if self._obs is not None:
            more_obs = np.concatenate([self._obs.numpy(), more_obs])
            more = np.concatenate([self._actions.numpy(), more])
        self._set_examples(more_obs, more)

    def _set_examples(self, obs: NDArray[np.float32], actions: Array) -> None:
        self._obs, self._actions = _tensors(obs, actions)

    @property
    def has_examples(self) -> bool:
        return self._obs is not None

    def normalise_policy(self, policy: Any) -> None:
        """Let an SB3 policy that normalises what it sees do so by the examples alone."""
        if self._obs is not None:
            for extractor in normalising_extractors(policy):
                extractor.restart(self._obs.numpy())

    def loss(self, policy: Any) -> torch.Tensor | None:
        """Weighted cross-entropy of a policy on a minibatch, or None without examples."""
        if self._obs is None or self.weight == 0.0:
            return None
        obs, actions = self._sample_batch(self._obs, self._actions, self._batch_size, policy.device)
        if actions.dtype != torch.int64:
            out = member_outputs(policy, obs, self._n_members)
            return -self.weight * gaussian_log_prob(out, actions, policy.log_std).mean()
        known = obs.shape[1]
        if self._overridden is not None:
            others = self._sample_batch(*self._overridden, OVERRIDDEN_BATCH_SIZE, policy.device)
            obs, actions = torch.cat([obs, others[0]], 1), torch.cat([actions, others[1]], 1)
        logits = member_outputs(policy, obs, self._n_members) / self._logit_temperature
        loss = cloning(logits[:, :known].flatten(0, 1), actions[:, :known].flatten()).mean()
        if self._overridden is not None:
            again = unlikelihood(logits[:, known:].flatten(0, 1), actions[:, known:].flatten())
            loss = loss + self._unlikelihood_weight * again.mean()
        return self.weight * loss

    def train_step(self, policy: Any, optimizer: torch.optim.Optimizer, learning_rate: float) -> float:
        """One step of `optimizer` at this rate down the loss of a policy that examples are known for; the
        loss."""
        loss = self.loss(policy)
        assert loss is not None
        optimizer.param_groups[0]["lr"] = learning_rate
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return float(loss.detach())

    def _sample_batch(
        self, obs: torch.Tensor, actions: torch.Tensor, batch_size: int, device: torch.device
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """A minibatch of `batch_size` steps for each member on `device`, [K, B, D] and [K, B] or [K, B, C],
        some of what is seen hidden."""
        size = (self._n_members, min(batch_size, len(obs)))
        pick = torch.from_numpy(self._random.integers(len(obs), size=size))
        obs, actions = obs[pick], actions[pick]
        if self._input_dropout:
            kept = torch.from_numpy(self._random.random(obs.shape, np.float32) >= self._input_dropout)
            if self.normalisation is None:
                obs = obs * kept
            else:  # what is hidden looks as usual
                obs = torch.where(kept, obs, torch.from_numpy(self.normalisation.mean))
        return obs.to(device), actions.to(device)

    def state_dict(self) -> StateDict:
        return StateDict(self._random.bit_generator.state)

    def load_state_dict(self, state: StateDict) -> None:
        self._random.bit_generator.state = state.facts


def _tensors(obs: NDArray[np.float32], actions: Array) -> tuple[torch.Tensor, torch.Tensor]:
    return (
        torch.from_numpy(np.ascontiguousarray(obs, np.float32)),
        torch.from_numpy(np.ascontiguousarray(actions)),
    )


@renamed_settings(
    updates="n_updates",
    burst="updates_per_step",
    rate="learning_rate",
    decay="weight_decay",
    hidden="net_arch",
    members="n_members",
    blind="input_dropout",
    sharp="logit_temperature",
    against="unlikelihood_weight",
)
@dataclass(frozen=True)
class CloningConfig:
    """How `bc` spends its time."""

    n_updates: int = 1_000  # minibatches on one state of the feedback, then it waits
    updates_per_step: int = 50  # of them in a step
    learning_rate: float = 5e-3  # Adam's, falling to nothing over the updates
    weight_decay: float = 1e-2  # weight decay
    net_arch: tuple[int, ...] = (128, 128)  # of each of its nets, and
    n_members: int = 1  # how many there are, side by side in the policy (see `agents.imitation.ensemble`)
    # share of what is seen that a minibatch hides (dropout), where there are MIN_INPUTS_FOR_DROPOUT
    input_dropout: float = 0.4
    logit_temperature: float = 2.0  # what is left to chance is less than in what was driven: slips add up
    unlikelihood_weight: float = 0.3  # weight of what the agent did where somebody took over: that is refused
    device: str = "auto"  # where the policy is trained, see `agents.torch_runtime`

    def __post_init__(self) -> None:
        if not isinstance(self.n_members, int) or self.n_members < 1:
            raise ValueError(f"n_members {self.n_members!r} is no number of nets: give 1 or more")
        if self.n_members > 1 and not self.net_arch:
            raise ValueError(
                f"{self.n_members} members need hidden layers to be apart in: give net_arch=(64, 64)"
            )

    @property
    def policy_net_arch(self) -> tuple[int, ...]:
        """Of the policy's hidden layers, all members together."""
        return tuple(self.n_members * width for width in self.net_arch)


def make_cloner(task: Task, config: CloningConfig, seed: int, weight: float = 1.0) -> Cloner:
    """The loss that follows from a configuration."""
    blind = config.input_dropout if len(task.world.obs_names) >= MIN_INPUTS_FOR_DROPOUT else 0.0
    return Cloner(
        task.world.symmetries,
        weight,
        seed,
        input_dropout=blind,
        idle_action=task.world.idle_action,
        logit_temperature=config.logit_temperature,
        unlikelihood_weight=config.unlikelihood_weight,
        n_members=config.n_members,
        obs_ranges=task.obs_ranges,
    )
