"""What the learner shows of itself: policy, reward and curves as plain arrays (no torch).

The NumPy forward pass matches SB3's `predict` for MLP policies on Discrete and Box actions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from agents.eyes import Eyes
from agents.feedback import Question
from agents.worth import Suggestion

Float = NDArray[np.float32]
Layers = tuple[tuple[Float, Float], ...]
"""(weight [in, out], bias [out]) of each layer."""
LOG_STD = (-20.0, 2.0)
"""Bounds of a squashed policy's logs of deviations, as in Stable-Baselines3's SAC."""


def forward(layers: Layers, x: Float, activation: Literal["tanh", "relu"] = "tanh") -> Float:
    """An MLP's output [N, out] for x [N, in]: the activation after all layers but the last."""
    for index, (weight, bias) in enumerate(layers):
        x = x @ weight + bias
        if index < len(layers) - 1:
            x = np.tanh(x) if activation == "tanh" else np.maximum(x, 0.0)
    return x


@dataclass(frozen=True)
class PolicyArrays:
    """An MLP policy. kind "discrete": outputs are logits; "gaussian": means, with log_std [C]; "squashed":
    means and logs of deviations [2 C], through tanh and stretched to low..high (SAC's). eyes: what the
    layers see of an observation in place of itself (a "CnnPolicy")."""

    layers: Layers
    kind: Literal["discrete", "gaussian", "squashed"]
    log_std: Float | None = None
    low: Float | None = None
    high: Float | None = None
    activation: Literal["tanh", "relu"] = "tanh"
    eyes: Eyes | None = None

    @property
    def inputs(self) -> int:
        """How many numbers an observation has."""
        wide = int(self.layers[0][0].shape[0])
        return wide if self.eyes is None else wide - self.eyes.dense[1].size + self.eyes.fold.size

    def seen(self, obs: Float) -> Float:
        """What the layers see of observations [N, D]."""
        obs = np.asarray(obs, np.float32)
        return obs if self.eyes is None else self.eyes(obs)

    def act(
        self, obs: Float, random: np.random.Generator | None = None, temperature: float = 1.0
    ) -> NDArray[Any]:
        """Actions [N] or [N, C] for obs [N, D]: sampled when `random` is given, else the best."""
        out: NDArray[Any] = forward(self.layers, self.seen(obs), self.activation)
        if self.kind == "discrete":
            if random is None:
                return out.argmax(axis=1)
            gumbel = random.gumbel(size=out.shape)
            return np.asarray((out / temperature + gumbel).argmax(axis=1))
        if self.kind == "squashed":
            return self._squashed(out, random, temperature)
        if random is not None and self.log_std is not None:
            noise = random.standard_normal(out.shape).astype(np.float32)
            out = out + temperature * np.exp(self.log_std) * noise
        return out if self.low is None else np.clip(out, self.low, self.high)

    def _squashed(self, out: Float, random: np.random.Generator | None, temperature: float) -> Float:
        assert self.low is not None
        assert self.high is not None
        mean, log_std = np.split(out, 2, axis=1)
        if random is not None:
            noise = random.standard_normal(mean.shape).astype(np.float32)
            mean = mean + temperature * np.exp(log_std.clip(*LOG_STD)) * noise
        return np.asarray(self.low + 0.5 * (np.tanh(mean) + 1.0) * (self.high - self.low), np.float32)


@dataclass(frozen=True)
class Turns:
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
    normalise the mean over members for showing (mean 0, deviation 1 on recent steps).
    """

    weights: Float
    nets: tuple[Layers, ...] = ()
    shift: float = 0.0
    scale: float = 1.0
    one_hot: int = 0  # number of discrete actions, 0 for Box
    turns: Turns | None = None
    potential: Layers = ()
    gamma: float = 1.0
    squash: Literal["", "softplus"] = ""

    def members(self, obs: Float, actions: Any, next_obs: Float, terms: Float) -> Float:
        """Each member's reward [E, N], unnormalised."""
        out = np.asarray(terms @ self.weights.T, np.float32).T
        if self.nets:
            x = self.inputs(obs, actions, next_obs)
            nets = np.stack([forward(net, x, "tanh")[:, 0] for net in self.nets])
            out = out + (np.logaddexp(0.0, nets) if self.squash else nets)
        if self.potential:
            before, after = (
                forward(self.potential, np.asarray(o, np.float32))[:, 0] for o in (obs, next_obs)
            )
            out = out + (self.gamma * after - before)
        return out

    def inputs(self, obs: Float, actions: Any, next_obs: Float) -> Float:
        """What the nets see of steps; their width tells whether they see rise and fall apart."""
        acts = self.one_hot or np.asarray(actions).reshape(len(obs), -1).shape[1]
        apart = self.nets[0][0][0].shape[0] == 3 * obs.shape[1] + acts
        return reward_inputs(obs, actions, next_obs, self.one_hot, self.turns, apart)

    def __call__(self, obs: Float, actions: Any, next_obs: Float, terms: Float) -> Float:
        """The mean over members [N], normalised."""
        mean = self.members(obs, actions, next_obs, terms).mean(axis=0)
        return np.asarray((mean - self.shift) * self.scale, np.float32)


def reward_inputs(
    obs: Float, actions: Any, next_obs: Float, one_hot: int, turns: Turns | None = None, apart: bool = False
) -> Float:
    """The net's input: observation, its change, the action; turned by `turns`. [N, 2 D + A].

    apart: rise and fall of each number in place of its change, [N, 3 D + A].
    """
    change = next_obs - obs
    if turns is not None:
        order = turns.orders[np.asarray(actions)]
        obs, change = (np.take_along_axis(np.pad(part, ((0, 0), (0, 1))), order, 1) for part in (obs, change))
        actions = turns.actions[np.asarray(actions)]
    act = (
        np.eye(one_hot, dtype=np.float32)[np.asarray(actions)] if one_hot else np.asarray(actions, np.float32)
    )
    changes = (np.maximum(change, 0.0), np.maximum(-change, 0.0)) if apart else (change,)
    return np.concatenate([obs, *changes, act.reshape(len(obs), -1)], axis=1)


@dataclass(frozen=True)
class CurvePoint:
    """One point of the learning curves; `values` holds every series by its name."""

    wall_seconds: float
    env_steps: int
    answers: int
    values: dict[str, float]


@dataclass(frozen=True)
class Snapshot:
    """One moment of a learner. feedback_seq: the newest store record that it has learned from."""

    learner: str
    step: int
    feedback_seq: int
    env_steps: int
    policy: PolicyArrays | None
    reward: RewardArrays | None
    curve: tuple[CurvePoint, ...] = ()
    questions: tuple[Question, ...] = ()
    phase: str = ""
    """What the learner is doing, for the status line: "learning from the written reward", ..."""
    uses: dict[str, int] = field(default_factory=dict)
    """How many standing records of each kind it has learned from."""
    salience: dict[str, float] = field(default_factory=dict)
    """What the reward goes by, see `agents.explain.salience`: the strongest first."""
    warnings: tuple[str, ...] = ()
    """Sentences for the person: a reward that is being gamed, answers that contradict each other."""
    raters: dict[str, dict[str, float]] = field(default_factory=dict)
    """What is believed of each rater: answers, beta, side, error (see `agents.faith`)."""
    parting: dict[str, dict[str, float]] = field(default_factory=dict)
    """Raters who want something else than those followed: by how many deviations more of which term."""
    followed: tuple[str, ...] = ()
    """The raters whose common reward is learned, where others want something else; else empty."""
    suggestion: Suggestion | None = None
    """What would tell most for each second of the person's time, as whoever runs the learner asked it."""
