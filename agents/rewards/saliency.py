"""Why a learned reward says what it says: what it goes by, and the moments that it likes and dislikes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.policies.policy_arrays import Layers
from agents.rewards.reward_arrays import RewardArrays
from envs.trajectory import Trajectory
from envs.world import Task

Float = NDArray[np.float32]


def input_names(task: Task, one_hot: int, is_canonical: bool, split_changes: bool = False) -> tuple[str, ...]:
    """Names of a reward net's inputs: what is seen, its change (or rise and fall apart), the action.

    Where views are turned, directions are those of a world in which the action is the first of its kind.
    """
    seen = task.world.obs_names
    acts = task.world.action_names if one_hot else tuple(f"action {n}" for n in task.world.action_names)
    told = " (turned)" if is_canonical else ""
    kinds = ("rise of", "fall of") if split_changes else ("change of",)
    changes = [f"{kind} {n}{told}" for kind in kinds for n in seen]
    return (*(n + told for n in seen), *changes, *acts)


def input_gradients(layers: Layers, x: Float) -> Float:
    """d output / d input [N, I] of a tanh MLP with one output, at x [N, I] (the chain rule)."""
    hidden = [x]
    for weight, bias in layers[:-1]:
        hidden.append(np.tanh(hidden[-1] @ weight + bias))
    back = np.repeat(layers[-1][0].T, len(x), 0)
    for (weight, _), out in zip(reversed(layers[:-1]), reversed(hidden[1:]), strict=True):
        back = (back * (1.0 - out**2)) @ weight.T
    return np.asarray(back, np.float32)


def compute_saliency(
    task: Task,
    reward: RewardArrays,
    obs: Float,
    actions: Any,
    next_obs: Float,
    terms: Float,
    max_entries: int = 12,
) -> dict[str, float]:
    """How far each term and input moves the reward on these steps, the strongest first; signed.

    Terms: weight times the term's deviation. Inputs of a net: its mean slope (Simonyan et al. 2014)
    times the input's deviation. Both are in the reward's own unit.
    """
    moved = reward.weights.mean(0) * terms.std(0)
    found = dict(zip(task.world.term_names, moved.tolist(), strict=True))
    if reward.nets:
        if reward.normalisation is not None:
            obs, next_obs = reward.normalisation(obs), reward.normalisation(next_obs)
        x = reward.net_inputs(obs[:1000], actions[:1000], next_obs[:1000])
        slope = np.mean([input_gradients(net, x).mean(0) for net in reward.nets], axis=0)
        apart = x.shape[1] >= 3 * obs.shape[1]
        names = input_names(task, reward.one_hot, reward.turns is not None, apart)
        found |= dict(zip(names, (slope * x.std(0)).tolist(), strict=True))
    ordered = sorted(found.items(), key=lambda item: -abs(item[1]))
    return {name: value for name, value in ordered[:max_entries] if abs(value) > 1e-6}


@dataclass(frozen=True)
class StepReward:
    """A step of a recording and what it is worth."""

    recording: int
    step: int
    value: float


def extreme_steps(
    reward: RewardArrays, recordings: Sequence[Trajectory], count: int = 3
) -> tuple[list[StepReward], list[StepReward]]:
    """The steps that the reward likes most, best first, and those it dislikes most, worst first."""
    worth = [reward(t.observations[:-1], t.actions, t.observations[1:], t.terms) for t in recordings]
    every = [StepReward(i, step, float(w)) for i, row in enumerate(worth) for step, w in enumerate(row)]
    every.sort(key=lambda at: -at.value)
    return every[:count], every[::-1][:count]
