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
ADAM_BETAS, ADAM_EPS = (0.9, 0.999), 1e-5
"""Adam's (Kingma & Ba 2015); eps as SB3 sets it."""


@dataclass(frozen=True)
class Batch:
    """Steps to learn from. actions: [B] int64, or [B, C] as drawn, before clipping."""

    obs: Float  # [B, D]
    actions: NDArray[Any]
    old_log_prob: Float  # [B], of the policy that acted
    advantages: Float  # [B]
    returns: Float  # [B]

    def select(self, rows: NDArray[np.int64]) -> Batch:
        """Some of the steps."""
        return Batch(
            self.obs.take(rows, 0),
            self.actions.take(rows, 0),
            self.old_log_prob.take(rows),
            self.advantages.take(rows),
            self.returns.take(rows),
        )


@dataclass(frozen=True)
class LossCoefficients:
    """What each part of the loss counts, and how far the policy may move."""

    clip_range: float
    vf_coef: float
    ent_coef: float


class FlatPolicy:
    """An SB3 MLP policy whose parameters, gradients and moments are flat arrays, the actor's first."""

    def __init__(self, policy: ActorCriticPolicy, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer
        self.relu = policy.activation_fn is nn.ReLU
        self.discrete = isinstance(policy.action_space, spaces.Discrete)
        extractor = policy.mlp_extractor
        std = [] if self.discrete else [policy.log_std]
        actor = [*std, *_linear_parameters(extractor.policy_net, policy.action_net)]
        self.parameters = [*actor, *_linear_parameters(extractor.value_net, policy.value_net)]
        self.n_actor_numbers = sum(p.numel() for p in actor)
        size = sum(p.numel() for p in self.parameters)
        self.values, self.grads, self.first_moment, self.second_moment, self._scratch = np.zeros(
            (5, size), np.float32
        )
        values, grads = self._views(self.values), self._views(self.grads)
        for param, view in zip(self.parameters, values, strict=True):
            view[...] = param.detach().numpy()
            param.data = torch.from_numpy(view)
        first, middle = len(std), len(actor)
        self.log_std, self.log_std_grad = values[0], grads[0]  # of Box actions
        self.actor, self.actor_grads = _as_layers(values[first:middle]), _as_layers(grads[first:middle])
        self.critic, self.critic_grads = _as_layers(values[middle:]), _as_layers(grads[middle:])
        self._moments = list(
            zip(self._views(self.first_moment), self._views(self.second_moment), strict=True)
        )
        self.step_count = 0
        self.share_memory()

    def _views(self, flat: Float) -> list[Float]:
        ends = np.cumsum([p.numel() for p in self.parameters])
        parts = np.split(flat, ends[:-1])
        return [part.reshape(p.shape) for part, p in zip(parts, self.parameters, strict=True)]

    def share_memory(self) -> None:
        """Take Adam's moments from the torch optimiser, then share memory with it (loading parts them)."""
        known = self.optimizer.state
        self.step_count = max((int(known[p]["step"]) for p in self.parameters if known.get(p)), default=0)
        for param, (mean, square) in zip(self.parameters, self._moments, strict=True):
            state = known[param]
            if not state:
                mean[...], square[...] = 0.0, 0.0
            elif state["exp_avg"].data_ptr() != mean.ctypes.data:
                mean[...], square[...] = state["exp_avg"].numpy(), state["exp_avg_sq"].numpy()
            state["step"] = torch.tensor(float(self.step_count))
            state["exp_avg"], state["exp_avg_sq"] = torch.from_numpy(mean), torch.from_numpy(square)

    def clip_gradients(self, max_grad_norm: float) -> None:
        """Shorten the gradients of actor and critic, each by itself, to norm `max_grad_norm`."""
        for part in (self.grads[: self.n_actor_numbers], self.grads[self.n_actor_numbers :]):
            norm = float(np.sqrt(np.dot(part, part)))
            if norm > max_grad_norm:
                part *= max_grad_norm / (norm + 1e-6)

    def adam_step(self, learning_rate: float) -> None:
        """One step of Adam against the gradients."""
        self.step_count += 1
        scratch, (one, two) = self._scratch, ADAM_BETAS
        self.first_moment *= one
        self.first_moment += np.multiply(self.grads, 1.0 - one, out=scratch)
        np.multiply(self.grads, self.grads, out=scratch)
        self.second_moment *= two
        self.second_moment += np.multiply(scratch, 1.0 - two, out=scratch)
        np.sqrt(self.second_moment, out=scratch)
        scratch /= float(np.sqrt(1.0 - two**self.step_count))
        scratch += ADAM_EPS
        np.divide(self.first_moment, scratch, out=scratch)
        self.values -= np.multiply(scratch, learning_rate / (1.0 - one**self.step_count), out=scratch)

    def sync_step_count(self) -> None:
        """Let the torch optimiser know how many steps were made."""
        for param in self.parameters:
            self.optimizer.state[param]["step"].fill_(float(self.step_count))

    def add_gradients(self, loss: torch.Tensor) -> None:
        """Add the gradients of a loss in torch of the same parameters."""
        found = torch.autograd.grad(loss, self.parameters, allow_unused=True)
        for grad, view in zip(found, self._views(self.grads), strict=True):
            if grad is not None:
                view += grad.numpy()


def compute_gradients(flat: FlatPolicy, batch: Batch, weights: LossCoefficients) -> None:
    """Overwrite `flat.grads` with those of value_weight * MSE - clipped surrogate - entropy_weight * H."""
    actor, critic = _forward(flat.actor, batch.obs, flat.relu), _forward(flat.critic, batch.obs, flat.relu)
    slope = _logit_gradient if flat.discrete else _mean_gradient
    _backward(flat.actor, flat.actor_grads, actor, slope(flat, actor[-1], batch, weights), flat.relu)
    error = critic[-1] - batch.returns[:, None]
    error *= 2.0 * weights.vf_coef / len(error)
    _backward(flat.critic, flat.critic_grads, critic, error, flat.relu)


def _logit_gradient(flat: FlatPolicy, logits: Float, batch: Batch, weights: LossCoefficients) -> Float:
    """d loss / d logits [B, A]. Worked on as [A, B]: sums over few actions are then fast."""
    count, each = len(logits), np.arange(len(logits))
    log_p = np.ascontiguousarray(logits.T)
    log_p -= log_p.max(0)
    log_p -= np.log(np.exp(log_p).sum(0))
    p = np.exp(log_p)
    push = _surrogate_gradient(log_p[batch.actions, each], batch, weights)
    slope = log_p - (p * log_p).sum(0)  # d(-H)/d logits = p (log p + H)
    slope *= weights.ent_coef / count
    slope -= push
    slope *= p
    slope[batch.actions, each] += push
    return np.asarray(slope.T)


def _mean_gradient(flat: FlatPolicy, means: Float, batch: Batch, weights: LossCoefficients) -> Float:
    """d loss / d means [B, C]; writes that of log_std, whose entropy is log_std + constants."""
    scaled = (batch.actions - means) / np.exp(flat.log_std)
    log_prob = (-0.5 * scaled**2 - flat.log_std - 0.5 * np.float32(np.log(2 * np.pi))).sum(1)
    push = _surrogate_gradient(log_prob, batch, weights)[:, None]
    flat.log_std_grad[...] = (push * (scaled**2 - 1.0)).sum(0) - weights.ent_coef
    return np.asarray(push * scaled / np.exp(flat.log_std), np.float32)


def _surrogate_gradient(log_prob: Float, batch: Batch, weights: LossCoefficients) -> Float:
    """d(-mean of the clipped surrogate) / d log-probability [B]: none where clipping holds."""
    ratio = np.exp(log_prob - batch.old_log_prob)
    far = np.where(batch.advantages > 0, ratio > 1 + weights.clip_range, ratio < 1 - weights.clip_range)
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


def _backward(layers: Layers, grads: Layers, activations: list[Float], gradient: Float, relu: bool) -> None:
    """Write the gradients of all layers, given what `_forward` found (used up) and d loss / d output."""
    ones = np.ones(len(gradient), np.float32)
    for index in reversed(range(len(layers))):
        below, (weight_grad, bias_grad) = activations[index], grads[index]
        np.dot(gradient.T, below, out=weight_grad)
        np.dot(ones, gradient, out=bias_grad)
        if index:
            gradient = np.dot(gradient, layers[index][0])
            if relu:
                gradient *= below > 0
            else:
                below *= below
                gradient *= np.subtract(1.0, below, out=below)


def _linear_parameters(*parts: nn.Module) -> list[torch.Tensor]:
    """Weight and bias of each linear layer, in order."""
    found = [m for part in parts for m in part.modules() if isinstance(m, nn.Linear)]
    return [p for layer in found for p in (layer.weight, layer.bias)]


def _as_layers(arrays: list[Float]) -> Layers:
    return list(zip(arrays[::2], arrays[1::2], strict=True))
