"""What the person did at the wheel, as examples for a policy: demonstrations and takeovers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agents.committee import outputs
from agents.feedback import Correction, Demonstration, Record
from agents.losses import cloning, refusal
from agents.ppo_torch import gaussian
from agents.rollouts import is_foreign, simulate
from envs.trajectory import Trajectory
from envs.world import Array, Task

Symmetries = tuple[tuple[Array, Array], ...]
REFUSALS = 64
"""Refused steps in a minibatch."""


def driven_by_person(records: Sequence[Record]) -> list[Trajectory]:
    """Every stretch that the person drove."""
    found = [r.trajectory for r in records if isinstance(r, Demonstration)]
    return found + [r.person for r in records if isinstance(r, Correction)]


def refused(records: Sequence[Record]) -> tuple[NDArray[np.float32], Array] | None:
    """(obs [B, D], actions [B]) of what the agent did where somebody at the wheel first did otherwise.

    None where there is no such thing, or actions are no choice among a few.
    """
    obs, actions = [], []
    for record in records:
        if not isinstance(record, Correction) or record.agent.actions.ndim > 1:
            continue
        agent, person = record.agent, record.person
        least = min(len(agent), len(person))
        apart = np.flatnonzero(agent.actions[:least] != person.actions[:least])
        if len(apart):
            obs.append(agent.observations[apart[0]])
            actions.append(agent.actions[apart[0]])
    return (np.stack(obs), np.array(actions)) if obs else None


def examples(trajectories: Sequence[Trajectory], symmetries: Symmetries) -> tuple[NDArray[np.float32], Array]:
    """(obs [B, D], actions [B] or [B, C]) of all steps, seen in every turn and mirror of the world."""
    obs = np.concatenate([t.observations[:-1] for t in trajectories])
    actions = np.concatenate([t.actions for t in trajectories])
    return turned(obs, actions, symmetries)


def turned(
    obs: NDArray[np.float32], actions: Array, symmetries: Symmetries
) -> tuple[NDArray[np.float32], Array]:
    """The same steps seen in every turn and mirror of the world."""
    if not symmetries:
        return obs, actions
    seen = [(obs[:, order], actions_of[actions]) for order, actions_of in symmetries]
    return np.concatenate([o for o, _ in seen]), np.concatenate([a for _, a in seen])


def filled(task: Task, driven: Trajectory) -> Trajectory:
    """A drive that came to rest before the horizon, with the rest up to the horizon; others unchanged.

    At rest means that standing still changes nothing that is seen. What lies after a drive was kept
    counts too: else being done would look like something the person never did.
    """
    if is_foreign(task) or not len(driven):
        return driven
    left = task.horizon - int(driven.states[-1][task.world.clock])
    sim = simulate(task, 1, auto_reset=False)
    sim.fork(0, driven, len(driven))
    record, idle = sim.recorder(0, driver=driven.driver), task.idle(1)
    for _ in range(left):
        before = sim.obs.copy()
        step = sim.step(idle)
        if not np.array_equal(before, step.last_obs):
            return driven
        record.add(idle[0], step.terms[0], step.last_states[0], int(sim.rng[0]), step.last_obs[0])
    if not len(record):
        return driven
    rest = record.trajectory()
    return Trajectory(
        task=driven.task,
        states=np.concatenate([driven.states, rest.states[1:]]),
        rng=np.concatenate([driven.rng, rest.rng[1:]]),
        observations=np.concatenate([driven.observations, rest.observations[1:]]),
        actions=np.concatenate([driven.actions, rest.actions.astype(driven.actions.dtype)]),
        terms=np.concatenate([driven.terms, rest.terms]),
        driver=driven.driver,
        kernel=driven.kernel,
        options=driven.options,
    )


def whole_drives(task: Task, records: Sequence[Record]) -> list[Trajectory]:
    """Every stretch that the person drove, drives with the rest they came to."""
    drives = [filled(task, r.trajectory) for r in records if isinstance(r, Demonstration)]
    return drives + [r.person for r in records if isinstance(r, Correction)]


def agreed(
    obs: NDArray[np.float32], actions: Array, idle: int = -1, near: float = 0.05
) -> tuple[Array, float]:
    """(actions [B], share changed): where states look the same, what was done there most.

    The same is what rounds to the same multiples of `near`. People who take two ways round one thing
    would else be followed half and half by a policy without a memory. Who pauses doesn't contradict who
    moves: steps of `idle` are left as they are. So are actions of a Box.
    """
    moved = np.flatnonzero(actions != idle) if actions.ndim == 1 else np.zeros(0, np.int64)
    if not len(moved):
        return actions, 0.0
    did = actions[moved]
    _, where = np.unique(np.round(obs[moved] / near).astype(np.int64), axis=0, return_inverse=True)
    where = where.ravel()
    counts = np.zeros((int(where.max()) + 1, int(did.max()) + 1))
    np.add.at(counts, (where, did), 1)
    most = counts[where, did] == counts.max(1)[where]  # an even number of times each: nobody can say
    settled = actions.copy()
    settled[moved] = np.where(most, did, counts.argmax(1)[where])
    return settled, float(1.0 - most.mean())


def awake(
    obs: NDArray[np.float32], actions: Array, idle: int, most: int = 3, near: float = 0.05
) -> NDArray[np.bool_]:
    """[B] which steps to learn from: of rests that look the same `most` at most, and all else.

    Else whoever comes home early teaches little but resting: two steps in three of a short drive.
    """
    keep = np.ones(len(obs), np.bool_)
    rests = np.flatnonzero(actions == idle) if actions.ndim == 1 else np.zeros(0, np.int64)
    if not len(rests):
        return keep
    _, group = np.unique(np.round(obs[rests] / near).astype(np.int64), axis=0, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    in_order = group.ravel()[order]
    nth = np.arange(len(order)) - np.searchsorted(in_order, in_order)
    keep[rests[order[nth >= most]]] = False
    return keep


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
        of which learns from minibatches of its own (see `agents.committee`)."""
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
