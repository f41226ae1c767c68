"""SB3's SAC (Box actions) and DQN (Discrete) as `pebble` makes them, and as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3 import DQN, SAC

from agents.policies.from_torch import mlp_layers
from agents.policies.normalising_torch import normalising_extractors, normalising_kwargs
from agents.policies.policy_arrays import PolicyArrays
from agents.renamed_settings import renamed_settings
from agents.rl.replay_buffer import RelabelledBuffer
from agents.rl.silent_logger import silent_logger
from agents.rl.vec_env import SimulationVecEnv
from agents.torch_runtime import resolve_device
from envs.world import Task

Float = NDArray[np.float32]
MAX_BUFFER_BYTES = 2**28
"""Of the replay buffer; worlds that show pictures keep fewer steps."""


@renamed_settings(
    rows="n_envs",
    steps="train_freq",
    updates="gradient_steps",
    batch="batch_size",
    rate="learning_rate",
    look="n_steps",
    capacity="buffer_size",
    hidden="net_arch",
    calm="final_entropy_share",
    calming="entropy_decay_steps",
    neighbours="k_neighbours",
    others="n_neighbour_candidates",
)
@dataclass(frozen=True)
class OffPolicyConfig:
    """How DQN or SAC practises."""

    n_envs: int = 64  # environments stepped at once
    train_freq: int = 16  # steps of each row in a rollout
    gradient_steps: int = 32  # minibatches after each rollout
    batch_size: int = 512
    learning_rate: float = 1e-3  # Adam's
    gamma: float = 0.97  # at 0.99 action values of DQN rise and fall with each reward
    n_steps: int = 5  # steps of reward before the value of where they led (n-step return)
    tau: float = 0.02  # how far the target net follows at each minibatch
    buffer_size: int = 200_000  # steps kept
    net_arch: tuple[int, ...] = (64, 64)
    final_entropy_share: float = 0.05  # share of the largest entropy that DQN's way of trying comes down to
    entropy_decay_steps: int = 30_000  # environment steps in which it does
    k_neighbours: int = 5  # the k of the entropy by nearest neighbours
    n_neighbour_candidates: int = 1024  # states among which neighbours are looked for
    device: str = "auto"  # where nets are trained, see `agents.torch_runtime`


def make_algorithm(env: SimulationVecEnv, task: Task, config: OffPolicyConfig, seed: int) -> DQN | SAC:
    """A fresh DQN or SAC, by the task's actions."""
    discrete = isinstance(task.world.action_space, spaces.Discrete)
    each = len(task.world.obs_names) * 8 + len(task.world.terms) * 4
    more: dict[str, Any] = {"target_update_interval": 10**9} if discrete else {"tau": config.tau}
    model = (DQN if discrete else SAC)(
        "MlpPolicy",
        env,
        learning_rate=config.learning_rate,
        buffer_size=min(config.buffer_size, MAX_BUFFER_BYTES // each),
        batch_size=config.batch_size,
        gamma=config.gamma,
        replay_buffer_class=RelabelledBuffer,
        replay_buffer_kwargs={
            "n_terms": len(task.world.terms),
            "symmetries": task.world.symmetries,
            "n_steps": config.n_steps,
            "gamma": config.gamma,
        },
        policy_kwargs={"net_arch": list(config.net_arch), **normalising_kwargs(task)},
        seed=seed,
        device=resolve_device(config.device),
        **more,
    )
    model.set_logger(silent_logger())
    return model


def off_policy_arrays(model: DQN | SAC, logit_scale: float = 1.0) -> PolicyArrays:
    """DQN: action values times `logit_scale` as logits. SAC: its squashed Gaussian, deviations by the
    state."""
    extractors = normalising_extractors(model.policy)
    known = extractors[0].to_arrays() if extractors else None
    if isinstance(model, DQN):
        *inner, (weight, bias) = mlp_layers(model.q_net.q_net)
        scaled = np.float32(logit_scale)
        return PolicyArrays(
            (*inner, (weight * scaled, bias * scaled)), "discrete", activation="relu", normalisation=known
        )
    actor: Any = model.actor
    *inner, (mean, mean_bias), (spread, spread_bias) = mlp_layers(actor.latent_pi, actor.mu, actor.log_std)
    last = np.concatenate([mean, spread], 1), np.concatenate([mean_bias, spread_bias])
    space = model.action_space
    assert isinstance(space, spaces.Box)
    low, high = (np.asarray(bound, np.float32).reshape(-1) for bound in (space.low, space.high))
    return PolicyArrays(
        (*inner, last), "squashed", low=low, high=high, activation="relu", normalisation=known
    )


def _linear_layers(*parts: torch.nn.Module) -> list[torch.nn.Linear]:
    return [m for part in parts for m in part.modules() if isinstance(m, torch.nn.Linear)]


def set_layers(model: DQN | SAC, policy: PolicyArrays) -> None:
    """Set the acting net to `policy`. ValueError, a sentence, where the shapes are others."""
    own = off_policy_arrays(model)
    if [w.shape for w, _ in own.layers] != [w.shape for w, _ in policy.layers] or own.kind != policy.kind:
        raise ValueError(
            f"a {policy.kind} policy with layers of {[w.shape[1] for w, _ in policy.layers[:-1]]} can't be "
            f"gone on from: here they are {own.kind}, of {[w.shape[1] for w, _ in own.layers[:-1]]}"
        )
    layers = list(policy.layers)
    for extractor in normalising_extractors(model.policy):
        extractor.set_known(policy.normalisation)
    if isinstance(model, SAC):
        weight, bias = layers.pop()
        half = weight.shape[1] // 2
        layers += [(weight[:, :half], bias[:half]), (weight[:, half:], bias[half:])]
        actor: Any = model.actor
        nets = [_linear_layers(actor.latent_pi, actor.mu, actor.log_std)]
    else:
        nets = [_linear_layers(model.q_net), _linear_layers(model.q_net_target)]
    for net in nets:
        for linear, (weight, bias) in zip(net, layers, strict=True):
            linear.weight.data.copy_(torch.from_numpy(weight.T.copy()))
            linear.bias.data.copy_(torch.from_numpy(bias))


def trained_parts(model: DQN | SAC) -> dict[str, tuple[Any, Any]]:
    """Everything that is trained, with its optimiser."""
    if isinstance(model, DQN):
        return {"whole": (model.policy, model.policy.optimizer)}
    entropy = torch.nn.ParameterDict({"log": model.log_ent_coef})
    return {
        "actor": (model.actor, model.actor.optimizer),
        "critic": (model.critic, model.critic.optimizer),
        "target": (model.critic_target, torch.optim.SGD(model.critic_target.parameters())),
        "entropy": (entropy, model.ent_coef_optimizer),
    }


def logit_scale_for_entropy(values: Float, entropy_share: float) -> float:
    """The factor by which action values [N, A] are logits of that share of the largest mean entropy."""
    low, high, most = -6.0, 12.0, np.log(values.shape[1])
    values = values - values.max(1, keepdims=True)
    for _ in range(24):
        middle = (low + high) / 2
        p = np.exp(values * np.exp(middle))
        p /= p.sum(1, keepdims=True)
        entropy = float(-(p * np.log(np.maximum(p, 1e-12))).sum(1).mean())
        low, high = (middle, high) if entropy > entropy_share * most else (low, middle)
    return float(np.exp(low))
