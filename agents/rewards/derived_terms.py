"""Terms that nobody named: functions of what is seen in a step, beside the world's own terms.

Each is one hidden unit on a reward net's inputs: a number as it is after the step, its rise, its fall, a
bend tanh((number - knot) / width), or a bend of two numbers together. A reward is as linear in them as in the
named terms, so whatever reckons with sums of terms reckons with them as well. Wide first layers under a last
one that is learned: Rahimi and Recht 2008.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.checkpoint import Arrays
from agents.policies.policy_arrays import Layers
from agents.rewards.reward_arrays import reward_inputs
from envs.trajectory import Trajectory

Float = NDArray[np.float32]
LINEAR_SCALE = 0.01
"""How small the inputs of a straight unit are, so that its tanh bends nothing."""


def _no_array(*shape: int) -> Float:
    return np.zeros(shape, np.float32)


@dataclass(frozen=True)
class DerivedTerms:
    """K terms: gain * (tanh(x @ into + bias) - rest) of the inputs x [N, 3 D + A] of a step.

    into [3 D + A, K]; bias, gain, rest [K]. group [K]: the component that each belongs to; names: what each
    component is a function of.
    """

    into: Float = field(default_factory=lambda: _no_array(0, 0))
    bias: Float = field(default_factory=lambda: _no_array(0))
    gain: Float = field(default_factory=lambda: _no_array(0))
    rest: Float = field(default_factory=lambda: _no_array(0))
    group: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    names: tuple[str, ...] = ()
    one_hot: int = 0

    def __len__(self) -> int:
        return len(self.bias)

    def __call__(self, obs: Float, actions: Any, next_obs: Float) -> Float:
        """The terms [N, K] of N steps."""
        if not len(self):
            return _no_array(len(obs), 0)
        x = step_inputs(obs, actions, next_obs, self.one_hot)
        return np.asarray((np.tanh(x @ self.into + self.bias) - self.rest) * self.gain, np.float32)

    def of(self, steps: Trajectory) -> Float:
        """The terms [T, K] of the steps of a recording."""
        return self(steps.observations[:-1], steps.actions, steps.observations[1:])

    def layers(self, weights: Float) -> Layers:
        """The net on a step's inputs whose output is terms @ weights [K]."""
        out = (self.gain * weights).astype(np.float32)
        always = np.array([-float(out @ self.rest)], np.float32)
        return (self.into, self.bias), (out[:, None], always)

    def join(self, other: DerivedTerms) -> DerivedTerms:
        """These and the others."""
        if not len(self):
            return other
        return DerivedTerms(
            np.concatenate([self.into, other.into], 1),
            np.concatenate([self.bias, other.bias]),
            np.concatenate([self.gain, other.gain]),
            np.concatenate([self.rest, other.rest]),
            np.concatenate([self.group, other.group + len(self.names)]),
            (*self.names, *other.names),
            self.one_hot,
        )

    def state_arrays(self) -> Arrays:
        """What a checkpoint keeps, beside the names."""
        return {
            "reward.derived.into": self.into,
            "reward.derived.bias": self.bias,
            "reward.derived.gain": self.gain,
            "reward.derived.rest": self.rest,
            "reward.derived.group": self.group,
        }

    @classmethod
    def from_state(cls, arrays: Arrays, names: Sequence[str], one_hot: int) -> DerivedTerms:
        """What `state_arrays` gave; none in a checkpoint of an older version."""
        if "reward.derived.into" not in arrays:
            return cls(one_hot=one_hot)

        def part(name: str) -> Any:
            return arrays[f"reward.derived.{name}"].copy()

        return cls(
            part("into"), part("bias"), part("gain"), part("rest"), part("group"), tuple(names), one_hot
        )


def step_inputs(obs: Float, actions: Any, next_obs: Float, one_hot: int) -> Float:
    """What a reward net sees of steps: [obs, rise, fall, action], [N, 3 D + A]."""
    acts: Any = np.asarray(actions).reshape(len(obs), -1)
    acts = acts[:, 0].astype(np.int64) if one_hot else acts
    return np.asarray(reward_inputs(obs, acts, next_obs, one_hot, None, split_changes=True), np.float32)
