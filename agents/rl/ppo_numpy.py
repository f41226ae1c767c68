"""PPO's update of an SB3 MLP policy by hand: forward, backward, clipping and Adam in NumPy.

For nets of 64 units torch spends most of its time around the arithmetic. Here the parameters of the
torch policy become views of one flat array, as do Adam's moments, so that whatever changes one
changes the other: the policy predicts, saves and loads as ever. Same losses and gradients as torch's
(`agents.rl.ppo_torch` and Schulman et al. 2017, eq. 7 and 9); a test holds them together.

B is a minibatch, D the observation, A the logits or means, H a layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import nn

Layers = list[tuple["Float", "Float"]]
"""(weight [out, in], bias [out]) of each layer, as torch has them."""
Float = NDArray[np.float32]
BETAS, EPS = (0.9, 0.999), 1e-5
"""Adam's (Kingma & Ba 2015); eps as SB3 sets it."""


@dataclass(frozen=True)
class Batch:
    """Steps to learn from. actions: [B] int64, or [B, C] as drawn, before clipping."""

    obs: Float  # [B, D]
    actions: NDArray[Any]
    log_prob: Float  # [B], of the policy that acted
    advantages: Float  # [B]
    returns: Float  # [B]

    def take(self, rows: NDArray[np.int64]) -> Batch:
        """Some of the steps."""
        return Batch(
            self.obs.take(rows, 0),
            self.actions.take(rows, 0),
            self.log_prob.take(rows),
            self.advantages.take(rows),
            self.returns.take(rows),
        )


@dataclass(frozen=True)
class Weights:
    """What each part of the loss counts, and how far the policy may move."""

    clip: float
    value: float
    entropy: float


class FlatPolicy:
    """An SB3 MLP policy whose parameters, gradients and moments are flat arrays, the actor's first."""

    def __init__(self, policy: ActorCriticPolicy, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer
        self.relu = policy.activation_fn is nn.ReLU
        self.discrete = isinstance(policy.action_space, spaces.Discrete)
        extractor = policy.mlp_extractor
        std = [] if self.discrete else [policy.log_std]
        actor = [*std, *_linear(extractor.policy_net, policy.action_net)]
        self.parameters = [*actor, *_linear(extractor.value_net, policy.value_net)]
        self.cut = sum(p.numel() for p in actor)
        size = sum(p.numel() for p in self.parameters)
        self.values, self.grads, self.mean, self.square, self._scratch = np.zeros((5, size), np.float32)
        values, grads = self._views(self.values), self._views(self.grads)
        for param, view in zip(self.parameters, values, strict=True):
            view[...] = param.detach().numpy()
            param.data = torch.from_numpy(view)
        first, middle = len(std), len(actor)
        self.log_std, self.log_std_grad = values[0], grads[0]  # of Box actions
        self.actor, self.actor_grads = _pairs(values[first:middle]), _pairs(grads[first:middle])
        self.critic, self.critic_grads = _pairs(values[middle:]), _pairs(grads[middle:])
        self._moments = list(zip(self._views(self.mean), self._views(self.square), strict=True))
        self.steps = 0
        self.share_memory()

    def _views(self, flat: Float) -> list[Float]:
        ends = np.cumsum([p.numel() for p in self.parameters])
        parts = np.split(flat, ends[:-1])
        return [part.reshape(p.shape) for part, p in zip(parts, self.parameters, strict=True)]

    def share_memory(self) -> None:
        """Take Adam's moments from the torch optimiser, then share memory with it (loading parts them)."""
        known = self.optimizer.state
        self.steps = max((int(known[p]["step"]) for p in self.parameters if known.get(p)), default=0)
        for param, (mean, square) in zip(self.parameters, self._moments, strict=True):
            state = known[param]
            if not state:
                mean[...], square[...] = 0.0, 0.0
            elif state["exp_avg"].data_ptr() != mean.ctypes.data:
                mean[...], square[...] = state["exp_avg"].numpy(), state["exp_avg_sq"].numpy()
            state["step"] = torch.tensor(float(self.steps))
            state["exp_avg"], state["exp_avg_sq"] = torch.from_numpy(mean), torch.from_numpy(square)

    def clip(self, most: float) -> None:
        """Shorten the gradients of actor and critic, each by itself, to norm `most`."""
        for part in (self.grads[: self.cut], self.grads[self.cut :]):
            norm = float(np.sqrt(np.dot(part, part)))
            if norm > most:
                part *= most / (norm + 1e-6)

    def step(self, rate: float) -> None:
        """One step of Adam against the gradients."""
        self.steps += 1
        scratch, (one, two) = self._scratch, BETAS
        self.mean *= one
        self.mean += np.multiply(self.grads, 1.0 - one, out=scratch)
        np.multiply(self.grads, self.grads, out=scratch)
        self.square *= two
        self.square += np.multiply(scratch, 1.0 - two, out=scratch)
        np.sqrt(self.square, out=scratch)
        scratch /= float(np.sqrt(1.0 - two**self.steps))
        scratch += EPS
        np.divide(self.mean, scratch, out=scratch)
        self.values -= np.multiply(scratch, rate / (1.0 - one**self.steps), out=scratch)

    def sync_step_count(self) -> None:
        """Let the torch optimiser know how many steps were made."""
        for param in self.parameters:
            self.optimizer.state[param]["step"].fill_(float(self.steps))

    def add(self, loss: torch.Tensor) -> None:
        """Add the gradients of a loss in torch of the same parameters."""
        found = torch.autograd.grad(loss, self.parameters, allow_unused=True)
        for grad, view in zip(found, self._views(self.grads), strict=True):
            if grad is not None:
                view += grad.numpy()


def gradients(flat: FlatPolicy, batch: Batch, weights: Weights) -> None:
    """Overwrite `flat.grads` with those of value_weight * MSE - clipped surrogate - entropy_weight * H."""
    actor, critic = _forward(flat.actor, batch.obs, flat.relu), _forward(flat.critic, batch.obs, flat.relu)
    slope = _discrete_slope if flat.discrete else _gaussian_slope
    _backward(flat.actor, flat.actor_grads, actor, slope(flat, actor[-1], batch, weights), flat.relu)
    error = critic[-1] - batch.returns[:, None]
    error *= 2.0 * weights.value / len(error)
    _backward(flat.critic, flat.critic_grads, critic, error, flat.relu)


def _discrete_slope(flat: FlatPolicy, logits: Float, batch: Batch, weights: Weights) -> Float:
    """d loss / d logits [B, A]. Worked on as [A, B]: sums over few actions are then fast."""
    count, each = len(logits), np.arange(len(logits))
    log_p = np.ascontiguousarray(logits.T)
    log_p -= log_p.max(0)
    log_p -= np.log(np.exp(log_p).sum(0))
    p = np.exp(log_p)
    push = _surrogate_slope(log_p[batch.actions, each], batch, weights)
    slope = log_p - (p * log_p).sum(0)  # d(-H)/d logits = p (log p + H)
    slope *= weights.entropy / count
    slope -= push
    slope *= p
    slope[batch.actions, each] += push
    return np.asarray(slope.T)


def _gaussian_slope(flat: FlatPolicy, means: Float, batch: Batch, weights: Weights) -> Float:
    """d loss / d means [B, C]; writes that of log_std, whose entropy is log_std + constants."""
    scaled = (batch.actions - means) / np.exp(flat.log_std)
    log_prob = (-0.5 * scaled**2 - flat.log_std - 0.5 * np.float32(np.log(2 * np.pi))).sum(1)
    push = _surrogate_slope(log_prob, batch, weights)[:, None]
    flat.log_std_grad[...] = (push * (scaled**2 - 1.0)).sum(0) - weights.entropy
    return np.asarray(push * scaled / np.exp(flat.log_std), np.float32)


def _surrogate_slope(log_prob: Float, batch: Batch, weights: Weights) -> Float:
    """d(-mean of the clipped surrogate) / d log-probability [B]: none where clipping holds."""
    ratio = np.exp(log_prob - batch.log_prob)
    far = np.where(batch.advantages > 0, ratio > 1 + weights.clip, ratio < 1 - weights.clip)
    slope = np.where(far, np.float32(0.0), batch.advantages * ratio)
    slope /= -len(slope)
    return np.asarray(slope, np.float32)


def _forward(layers: Layers, obs: Float, relu: bool) -> list[Float]:
    """[obs, every hidden layer after its activation, output]."""
    found = [obs]
    for index, (weight, bias) in enumerate(layers):
        x = np.dot(found[-1], weight.T)
        x += bias
        if index < len(layers) - 1:
            (np.maximum(x, 0.0, out=x) if relu else np.tanh(x, out=x))
        found.append(x)
    return found


def _backward(layers: Layers, grads: Layers, seen: list[Float], slope: Float, relu: bool) -> None:
    """Write the gradients of all layers, given what `_forward` found (used up) and d loss / d output."""
    ones = np.ones(len(slope), np.float32)
    for index in reversed(range(len(layers))):
        below, (weight_grad, bias_grad) = seen[index], grads[index]
        np.dot(slope.T, below, out=weight_grad)
        np.dot(ones, slope, out=bias_grad)
        if index:
            slope = np.dot(slope, layers[index][0])
            if relu:
                slope *= below > 0
            else:
                below *= below
                slope *= np.subtract(1.0, below, out=below)


def _linear(*parts: nn.Module) -> list[torch.Tensor]:
    """Weight and bias of each linear layer, in order."""
    found = [m for part in parts for m in part.modules() if isinstance(m, nn.Linear)]
    return [p for layer in found for p in (layer.weight, layer.bias)]


def _pairs(arrays: list[Float]) -> Layers:
    return list(zip(arrays[::2], arrays[1::2], strict=True))
