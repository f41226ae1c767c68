"""SB3's PPO in short bursts: the same algorithm with a lean rollout and a lean update.

Rollouts act by the NumPy forward pass straight on the Simulation, score the whole rollout with
the reward in one call (so the reward is frozen within a rollout) and bootstrap at the horizon.
On any other environment it is SB3's own rollout. Schedules are constant: progress never ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from agents.policies.cnn import image_slice
from agents.policies.cnn_torch import ImageExtractor
from agents.policies.from_torch import policy_arrays, value_layers
from agents.policies.normalising_torch import NormalisingExtractor, normalising_kwargs
from agents.policies.policy_arrays import PolicyArrays, forward
from agents.renamed_settings import renamed_settings
from agents.rl.ppo_numpy import ADAM_EPS, Batch, FlatPolicy, LossCoefficients, compute_gradients
from agents.rl.ppo_torch import ForwardFunction, forward_functions, update_policy
from agents.rl.rollout_collection import Rollout, collect_transitions
from agents.rl.silent_logger import silent_logger
from agents.rl.vec_env import SimulationVecEnv
from agents.torch_runtime import resolve_device, single_thread

N_NORMALISING_STEPS = 32
"""Steps of each row by which observations of no known scale are first normalised."""
AuxiliaryLoss = Callable[[Any], torch.Tensor | None]


@renamed_settings(
    rows="n_envs",
    steps="n_steps",
    batch="batch_size",
    epochs="n_epochs",
    rate="learning_rate",
    lam="gae_lambda",
    entropy="ent_coef",
    clip="clip_range",
    hidden="net_arch",
    value_weight="vf_coef",
    grad_norm="max_grad_norm",
)
@dataclass(frozen=True)
class PPOConfig:
    """How a burst learns."""

    n_envs: int = 256  # environments stepped at once
    n_steps: int = 16  # steps of each row in a rollout
    batch_size: int = 512  # minibatch [steps]
    n_epochs: int = 2  # four of batches of 2,048 learn no more from a step
    learning_rate: float = 2e-3  # Adam's
    gamma: float = 0.99  # at 0.97 and 0.98 seeds stood still in RoomsKeys, where a bump costs at once
    gae_lambda: float = 0.95  # of the generalised advantage
    ent_coef: float = 0.01
    clip_range: float = 0.2
    net_arch: tuple[int, ...] = (64, 64)
    activation: Literal["tanh", "relu"] = "tanh"  # relu is faster a step but learns less from it
    policy: Literal["MlpPolicy", "CnnPolicy"] = "MlpPolicy"  # the second for pictures
    device: str = "auto"  # where nets are trained, see `agents.torch_runtime`
    vf_coef: float = 0.5
    max_grad_norm: float = 0.5


class IncrementalPPO(PPO):
    """PPO whose `burst` is one rollout and its update (tens of milliseconds)."""

    auxiliary_loss: AuxiliaryLoss | None = None
    """An extra loss of the policy at each minibatch (cloning), or None."""

    @classmethod
    def for_env(cls, env: VecEnv, config: PPOConfig, seed: int = 0) -> IncrementalPPO:
        """A fresh learner on `env`."""
        looks: dict[str, Any] = {}
        if config.policy == "CnnPolicy":
            assert isinstance(env, SimulationVecEnv)
            image = image_slice(env.simulation.task)
            looks = {
                "features_extractor_class": ImageExtractor,
                "features_extractor_kwargs": {"image": image},
            }
        elif isinstance(env, SimulationVecEnv):
            looks = normalising_kwargs(env.simulation.task)
        return cls(
            config.policy,
            env,
            n_steps=config.n_steps,
            batch_size=min(config.batch_size, config.n_steps * env.num_envs),
            n_epochs=config.n_epochs,
            learning_rate=config.learning_rate,
            gamma=config.gamma,
            gae_lambda=config.gae_lambda,
            ent_coef=config.ent_coef,
            clip_range=config.clip_range,
            vf_coef=config.vf_coef,
            max_grad_norm=config.max_grad_norm,
            policy_kwargs={
                "net_arch": list(config.net_arch),
                "activation_fn": torch.nn.ReLU if config.activation == "relu" else torch.nn.Tanh,
                **looks,
            },
            seed=seed,
            device=resolve_device(config.device, config.policy),
        )

    def _setup_model(self) -> None:
        super()._setup_model()
        if self.tensorboard_log is None and not self.verbose:
            self.set_logger(silent_logger())
        self.rollout: Rollout | None = None
        self.random = np.random.default_rng(self.seed)
        params = list(self.policy.parameters())
        self.policy.optimizer = torch.optim.Adam(params, lr=self.lr_schedule(1.0), eps=ADAM_EPS, fused=True)
        by_torch = isinstance(self.policy.features_extractor, ImageExtractor) or self.device.type != "cpu"
        self.flat_policy = None if by_torch else FlatPolicy(self.policy, self.policy.optimizer)

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "flat_policy", "rollout", "auxiliary_loss"]

    def train_iteration(self) -> None:
        """One rollout and its update."""
        self.learn(self.n_steps * self.n_envs, log_interval=10**9, reset_num_timesteps=False)

    def learn(self, *args: Any, **kwargs: Any) -> IncrementalPPO:
        with single_thread():
            super().learn(*args, **kwargs)
        return self

    def collect_only(self) -> None:
        """One rollout without an update, to see what is paid; its steps don't count."""
        self._setup_learn(0, None, reset_num_timesteps=False)
        assert isinstance(self.env, SimulationVecEnv)
        self._collect(self.env, self.rollout_buffer, self.n_steps)

    def collect_rollouts(
        self, env: VecEnv, callback: BaseCallback, rollout_buffer: RolloutBuffer, n_rollout_steps: int
    ) -> bool:
        if not isinstance(env, SimulationVecEnv):
            return super().collect_rollouts(env, callback, rollout_buffer, n_rollout_steps)
        callback.on_rollout_start()
        self._collect(env, rollout_buffer, n_rollout_steps)
        self.num_timesteps += n_rollout_steps * env.num_envs
        callback.update_locals(locals())
        callback.on_rollout_end()
        return callback.on_step()

    def _collect(self, env: SimulationVecEnv, buffer: RolloutBuffer, steps: int) -> None:
        """One rollout into the buffer, and its advantages."""
        self._update_normalisation(env)
        policy = policy_arrays(self.policy)
        outputs, values = self._forward_functions(policy)
        sampler = _Sampler(policy, outputs, self.random)
        buffer.reset()
        made = collect_transitions(env, sampler, steps, self.random)
        buffer.observations[:], buffer.actions[:] = made.obs, made.actions
        buffer.log_probs[:] = np.stack(sampler.log_probs)
        reward = made.override_rewards if made.override_rewards is not None else env.reward(*made.steps)
        buffer.rewards[:] = np.asarray(reward, np.float32).reshape(made.ended.shape)
        all_values = values(made.steps[0]).reshape(made.ended.shape)
        after = np.empty_like(all_values)  # an observation is the next one of its row, but at an end
        after[:-1] = all_values[1:]
        rest = made.ended.copy()
        rest[-1] = True
        after[rest] = values(made.next_obs[rest])[:, 0]
        at_rest = env.absorbing_reward() if made.skipped_steps else 0.0
        if made.skipped_steps:  # who rests is paid the same for ever: that needs no guess
            after[made.ended & (made.next_obs[..., -1] == 1.0)] = at_rest / (1.0 - self.gamma)
        buffer.values[:] = all_values
        _compute_advantages(buffer, after, made.ended, self.gamma, self.gae_lambda)
        buffer.pos, buffer.full = steps, True
        self._last_obs = env.simulation.obs.copy()
        self._last_episode_starts = made.ended[-1].copy()
        self.rollout = Rollout.from_rewards(made, buffer.rewards, at_rest, env.simulation.task.horizon)

    def _update_normalisation(self, env: SimulationVecEnv) -> None:
        """Count in what the last rollout saw, which was learned from as it looked then; before the first one
        a few steps are made for it."""
        extractor = self.policy.features_extractor
        if not isinstance(extractor, NormalisingExtractor):
            return
        if extractor.is_untaught:
            policy = policy_arrays(self.policy)
            sampler = _Sampler(policy, self._forward_functions(policy)[0], self.random)
            extractor.add(
                collect_transitions(env, sampler, N_NORMALISING_STEPS, self.random).steps[0],
            )
        elif self.rollout is not None:
            extractor.add(self.rollout.transitions.steps[0])

    def _forward_functions(self, policy: PolicyArrays) -> tuple[ForwardFunction, ForwardFunction]:
        """Logits or means, and values, of observations."""
        if self.flat_policy is None:
            return forward_functions(self.policy)
        worth = value_layers(self.policy)
        return (
            lambda obs: forward(policy.layers, policy.extract_features(obs), policy.activation),
            lambda obs: forward(worth, policy.extract_features(obs), policy.activation),
        )

    def train(self) -> None:
        """PPO's clipped update (Schulman et al. 2017, eq. 7 and 9), by hand or, without `flat_policy`, by
        torch."""
        buffer, flat = self.rollout_buffer, self.flat_policy
        total = buffer.buffer_size * buffer.n_envs
        actions = buffer.actions.reshape(total, -1)
        discrete = isinstance(self.action_space, spaces.Discrete)
        gains = buffer.advantages.reshape(total)
        seen = buffer.observations.reshape(total, -1)
        if flat is not None:
            seen = policy_arrays(self.policy).extract_features(seen)
        whole = Batch(
            obs=seen,
            actions=actions[:, 0].astype(np.int64) if discrete else actions,
            old_log_prob=buffer.log_probs.reshape(total),
            advantages=(gains - gains.mean()) / (gains.std() + 1e-8),
            returns=buffer.returns.reshape(total),
        )
        clip = float(self.clip_range(1.0))  # type: ignore[operator]
        weights = LossCoefficients(clip, self.vf_coef, self.ent_coef)
        rate = self.policy.optimizer.param_groups[0]["lr"]
        if flat is not None:
            flat.share_memory()
        for _ in range(self.n_epochs):
            order = self.random.permutation(total)
            for start in range(0, total, self.batch_size):
                batch = whole.select(order[start : start + self.batch_size])
                extra = self.auxiliary_loss(self.policy) if self.auxiliary_loss is not None else None
                if flat is None:
                    update_policy(self.policy, batch, weights, self.max_grad_norm, extra)
                    continue
                compute_gradients(flat, batch, weights)
                if extra is not None:
                    flat.add_gradients(extra)
                flat.clip_gradients(self.max_grad_norm)
                flat.adam_step(rate)
        if flat is not None:
            flat.sync_step_count()
        self._n_updates += self.n_epochs


class _Sampler:
    """Draws actions from the outputs of a net, and keeps their log-probabilities, [N] for each call."""

    def __init__(self, policy: PolicyArrays, outputs: ForwardFunction, random: np.random.Generator) -> None:
        """outputs: obs [N, D] -> logits [N, A], or the means [N, C] of a Gaussian policy."""
        self._policy, self._outputs, self._random = policy, outputs, random
        self.log_probs: list[NDArray[Any]] = []

    def __call__(self, obs: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Actions within their bounds, and as they were drawn [N, C]."""
        out, policy = self._outputs(obs), self._policy
        if policy.kind == "discrete":
            actions, log_prob = _sample_actions(out, self._random)
            self.log_probs.append(log_prob)
            return actions, actions[:, None]
        assert policy.log_std is not None
        noise = self._random.standard_normal(out.shape).astype(np.float32)
        drawn = out + np.exp(policy.log_std) * noise
        self.log_probs.append((-0.5 * noise**2 - policy.log_std - 0.5 * np.log(2 * np.pi)).sum(1))
        return np.clip(drawn, policy.low, policy.high), drawn


def _sample_actions(logits: NDArray[Any], random: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
    """Actions [N] drawn from logits [N, A], and their log-probabilities."""
    logits = logits - logits.max(1, keepdims=True)
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    below = np.exp(log_p).cumsum(1) < random.random((len(logits), 1), np.float32)
    actions = np.minimum(below.sum(1), logits.shape[1] - 1)
    return actions, log_p[np.arange(len(actions)), actions]


def _compute_advantages(
    buffer: RolloutBuffer, next_values: NDArray[Any], ended: NDArray[Any], gamma: float, gae_lambda: float
) -> None:
    """Generalised advantages [T, N] (Schulman et al. 2016, eq. 16), bootstrapped at every end."""
    delta = buffer.rewards + gamma * next_values - buffer.values
    last = np.zeros(delta.shape[1], np.float32)
    for t in reversed(range(len(delta))):
        last = delta[t] + gamma * gae_lambda * np.where(ended[t], 0.0, last)
        buffer.advantages[t] = last
    buffer.returns[:] = buffer.advantages + buffer.values


def discounted_return_std(reward: NDArray[Any], gamma: float, least: float = 1e-3) -> float:
    """Deviation over rows of the discounted sum of a rollout's rewards [T, N], at least `least`.

    Dividing by it keeps values near one whatever the reward's unit (as SB3's VecNormalize does).
    """
    weights = gamma ** np.arange(len(reward))
    return max(float((weights[:, None] * reward).sum(0).std()), least)
