"""A learned reward as plain arrays: an ensemble over terms, nets and potentials. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from agents.policies.obs_normalisation import ObsNormalisation
from agents.policies.policy_arrays import Float, Layers, forward
from envs.trajectory import Trajectory

Steps = tuple[Float, Any, Float, Float]
"""(obs [L, D], actions [L] or [L, C], next_obs [L, D], terms [L, M]) of L steps."""


def trajectory_steps(trajectories: Sequence[Trajectory]) -> Steps:
    """All steps of the recordings (at least one), in order."""
    return (
        np.concatenate([t.observations[:-1] for t in trajectories]),
        np.concatenate([t.actions for t in trajectories]),
        np.concatenate([t.observations[1:] for t in trajectories]),
        np.concatenate([t.terms for t in trajectories]),
    )


@dataclass(frozen=True)
class CanonicalView:
    """How the view of a step is turned so that its action always points the same way.

    orders [A, D]: where each number is found when action a was taken (D: nowhere, it is left out);
    actions [A]: what a then is.
    """

    orders: NDArray[np.int64]
    actions: NDArray[np.int64]


@dataclass(frozen=True)
class RewardArrays:
    """A learned reward: an ensemble of E members, each linear in the terms plus a small net.

    weights [E, M] on terms; nets[e] on the input made by `reward_inputs` (empty: no net part).
    potential: a net on observations; gamma * potential(s') - potential(s) is added, which changes no
    optimum (Ng, Harada and Russell 1999). squash "softplus" bends the nets' part. scale and shift
    normalise the mean over members for showing (mean 0, deviation 1 on recent steps). normalisation: how
    observations are brought to one scale first, where the world's is unknown.
    """

    weights: Float
    nets: tuple[Layers, ...] = ()
    shift: float = 0.0
    scale: float = 1.0
    one_hot: int = 0  # number of discrete actions, 0 for Box
    turns: CanonicalView | None = None
    potential: Layers = ()
    gamma: float = 1.0
    squash: Literal["", "softplus"] = ""
    normalisation: ObsNormalisation | None = None

    def member_rewards(self, obs: Float, actions: Any, next_obs: Float, terms: Float) -> Float:
        """Each member's reward [E, N], unnormalised."""
        out = np.asarray(terms @ self.weights.T, np.float32).T
        if self.normalisation is not None:
            obs, next_obs = self.normalisation(obs), self.normalisation(next_obs)
        if self.nets:
            x = self.net_inputs(obs, actions, next_obs)
            nets = np.stack([forward(net, x, "tanh")[:, 0] for net in self.nets])
            out = out + (np.logaddexp(0.0, nets) if self.squash else nets)
        if self.potential:
            before, after = (
                forward(self.potential, np.asarray(o, np.float32))[:, 0] for o in (obs, next_obs)
            )
            out = out + (self.gamma * after - before)
        return out

    def net_inputs(self, obs: Float, actions: Any, next_obs: Float) -> Float:
        """What the nets see of steps; their width tells whether they see rise and fall apart."""
        acts = self.one_hot or np.asarray(actions).reshape(len(obs), -1).shape[1]
        apart = self.nets[0][0][0].shape[0] == 3 * obs.shape[1] + acts
        return reward_inputs(obs, actions, next_obs, self.one_hot, self.turns, apart)

    def __call__(self, obs: Float, actions: Any, next_obs: Float, terms: Float) -> Float:
        """The mean over members [N], normalised."""
        mean = self.member_rewards(obs, actions, next_obs, terms).mean(axis=0)
        return np.asarray((mean - self.shift) * self.scale, np.float32)


def reward_inputs(
    obs: Float,
    actions: Any,
    next_obs: Float,
    one_hot: int,
    view: CanonicalView | None = None,
    split_changes: bool = False,
) -> Float:
    """The net's input: observation, its change, the action; turned by `view`. [N, 2 D + A].

    split_changes: rise and fall of each number in place of its change, [N, 3 D + A].
    """
    change = next_obs - obs
    if view is not None:
        order = view.orders[np.asarray(actions)]
        obs, change = (np.take_along_axis(np.pad(part, ((0, 0), (0, 1))), order, 1) for part in (obs, change))
        actions = view.actions[np.asarray(actions)]
    act = (
        np.eye(one_hot, dtype=np.float32)[np.asarray(actions)] if one_hot else np.asarray(actions, np.float32)
    )
    changes = (np.maximum(change, 0.0), np.maximum(-change, 0.0)) if split_changes else (change,)
    return np.concatenate([obs, *changes, act.reshape(len(obs), -1)], axis=1)
