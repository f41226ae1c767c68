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
from agents.policies.cnn_torch import PictureExtractor
from agents.policies.from_torch import policy_arrays, value_layers
from agents.policies.policy_arrays import PolicyArrays, forward
from agents.rl.ppo_numpy import EPS, Batch, FlatPolicy, Weights, gradients
from agents.rl.ppo_torch import Net, nets, update
from agents.rl.vec_env import SimulationVecEnv
from agents.torch_runtime import chosen, one_thread

AuxiliaryLoss = Callable[[Any], torch.Tensor | None]


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


@dataclass
class Rollout:
    """What the newest rollout saw, for curves and questions. T steps, N rows."""

    reward_sum: float = 0.0  # learned reward, summed
    terms_sum: NDArray[Any] | None = None  # [M]
    terms_mean: NDArray[Any] | None = None  # per step [M]
    episodes: float = 0.0  # T * N / horizon
    obs: NDArray[Any] | None = None  # [T, N, D]
    actions: NDArray[Any] | None = None
    next_obs: NDArray[Any] | None = None
    terms: NDArray[Any] | None = None  # [T, N, M]
    states: NDArray[Any] | None = None  # [N, K] at a random step, for clips to start from
    rng: NDArray[Any] | None = None  # [N]
    kept: int = 0  # which step that was


class BurstPPO(PPO):
    """PPO whose `burst` is one rollout and its update (tens of milliseconds)."""

    auxiliary: AuxiliaryLoss | None = None
    """An extra loss of the policy at each minibatch (cloning), or None."""

    @classmethod
    def on(cls, env: VecEnv, config: PPOConfig, seed: int = 0) -> BurstPPO:
        """A fresh learner on `env`."""
        looks: dict[str, Any] = {}
        if config.policy == "CnnPolicy":
            assert isinstance(env, SimulationVecEnv)
            fold = image_slice(env.simulation.task)
            looks = {
                "features_extractor_class": PictureExtractor,
                "features_extractor_kwargs": {"fold": fold},
            }
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
            device=chosen(config.device, config.policy),
        )

    def _setup_model(self) -> None:
        super()._setup_model()
        self.rollout = Rollout()
        self.random = np.random.default_rng(self.seed)
        params = list(self.policy.parameters())
        self.policy.optimizer = torch.optim.Adam(params, lr=self.lr_schedule(1.0), eps=EPS, fused=True)
        by_torch = isinstance(self.policy.features_extractor, PictureExtractor) or self.device.type != "cpu"
        self.flat = None if by_torch else FlatPolicy(self.policy, self.policy.optimizer)

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "flat", "facts", "auxiliary"]

    def train_iteration(self) -> None:
        """One rollout and its update."""
        self.learn(self.n_steps * self.n_envs, log_interval=10**9, reset_num_timesteps=False)

    def learn(self, *args: Any, **kwargs: Any) -> BurstPPO:
        with one_thread():
            super().learn(*args, **kwargs)
        return self

    def learn_nothing(self) -> None:
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
        sim, rows = env.simulation, env.num_envs
        policy = policy_arrays(self.policy)
        outputs, values = self._nets(policy)
        discrete = policy.kind == "discrete"
        buffer.reset()
        next_obs = np.zeros((steps, rows, sim.obs.shape[1]), np.float32)
        terms = np.zeros((steps, rows, len(sim.task.world.terms)), np.float32)
        ended = np.zeros((steps, rows), np.bool_)
        keep, obs, skipped = int(self.random.integers(steps)), sim.obs, env.skipped
        for t in range(steps):
            if t == keep:
                self.rollout.states, self.rollout.rng = sim.states.copy(), sim.rng.copy()
                self.rollout.kept = keep
            out = outputs(obs)
            if discrete:
                actions, log_prob = _sample(out, self.random)
                buffer.actions[t, :, 0] = actions
            else:
                assert policy.log_std is not None
                noise = self.random.standard_normal(out.shape).astype(np.float32)
                raw = out + np.exp(policy.log_std) * noise
                log_prob = (-0.5 * noise**2 - policy.log_std - 0.5 * np.log(2 * np.pi)).sum(1)
                buffer.actions[t], actions = raw, np.clip(raw, policy.low, policy.high)
            buffer.observations[t], buffer.log_probs[t] = obs, log_prob
            before = sim.states.copy() if env.judge is not None else sim.states
            step = sim.step(actions)
            if env.judge is not None:
                buffer.rewards[t] = env.judge(before, step.terms, step.last_states)
            next_obs[t], terms[t], ended[t], obs = step.last_obs, step.terms, step.ended, step.obs
        flat = (steps * rows, -1)
        acted = buffer.actions.reshape(flat)
        acted = acted[:, 0].astype(np.int64) if discrete else acted
        seen = buffer.observations.reshape(flat)
        if env.judge is None:
            reward = env.reward(seen, acted, next_obs.reshape(flat), terms.reshape(flat))
            buffer.rewards[:] = np.asarray(reward, np.float32).reshape(steps, rows)
        all_values = values(seen).reshape(steps, rows)
        after = np.empty_like(all_values)  # an observation is the next one of its row, but at an end
        after[:-1] = all_values[1:]
        rest = ended.copy()
        rest[-1] = True
        after[rest] = values(next_obs[rest])[:, 0]
        if env.skipped > skipped:  # who rests is paid the same for ever: that needs no guess
            after[ended & (next_obs[..., -1] == 1.0)] = env.at_rest() / (1.0 - self.gamma)
        buffer.values[:] = all_values
        _advantages(buffer, after, ended, self.gamma, self.gae_lambda)
        buffer.pos, buffer.full = steps, True
        self._last_obs = obs.copy()
        self._last_episode_starts = ended[-1].copy()
        self._note(sim.task.horizon, buffer, next_obs, terms)
        if env.skipped > skipped:
            self.rollout.reward_sum += (env.skipped - skipped) * env.at_rest()
            self.rollout.episodes += (env.skipped - skipped) / sim.task.horizon

    def _nets(self, policy: PolicyArrays) -> tuple[Net, Net]:
        """Logits or means, and values, of observations."""
        if self.flat is None:
            return nets(self.policy)
        worth = value_layers(self.policy)
        return (
            lambda obs: forward(policy.layers, policy.seen(obs), policy.activation),
            lambda obs: forward(worth, policy.seen(obs), policy.activation),
        )

    def _note(self, horizon: int, buffer: RolloutBuffer, next_obs: Any, terms: Any) -> None:
        facts, total = self.rollout, terms.shape[0] * terms.shape[1]
        facts.reward_sum = float(buffer.rewards.sum())
        facts.terms_sum = terms.sum((0, 1))
        facts.terms_mean = facts.terms_sum / total
        facts.episodes = total / horizon
        facts.obs, facts.actions = buffer.observations.copy(), buffer.actions.copy()
        facts.next_obs, facts.terms = next_obs, terms

    def train(self) -> None:
        """PPO's clipped update (Schulman et al. 2017, eq. 7 and 9), by hand or, without `flat`, by torch."""
        buffer, flat = self.rollout_buffer, self.flat
        total = buffer.buffer_size * buffer.n_envs
        actions = buffer.actions.reshape(total, -1)
        discrete = isinstance(self.action_space, spaces.Discrete)
        gains = buffer.advantages.reshape(total)
        whole = Batch(
            obs=buffer.observations.reshape(total, -1),
            actions=actions[:, 0].astype(np.int64) if discrete else actions,
            log_prob=buffer.log_probs.reshape(total),
            advantages=(gains - gains.mean()) / (gains.std() + 1e-8),
            returns=buffer.returns.reshape(total),
        )
        clip = float(self.clip_range(1.0))  # type: ignore[operator]
        weights = Weights(clip, self.vf_coef, self.ent_coef)
        rate = self.policy.optimizer.param_groups[0]["lr"]
        if flat is not None:
            flat.share_memory()
        for _ in range(self.n_epochs):
            order = self.random.permutation(total)
            for start in range(0, total, self.batch_size):
                batch = whole.take(order[start : start + self.batch_size])
                extra = self.auxiliary(self.policy) if self.auxiliary is not None else None
                if flat is None:
                    update(self.policy, batch, weights, self.max_grad_norm, extra)
                    continue
                gradients(flat, batch, weights)
                if extra is not None:
                    flat.add(extra)
                flat.clip(self.max_grad_norm)
                flat.step(rate)
        if flat is not None:
            flat.sync_step_count()
        self._n_updates += self.n_epochs


def _sample(logits: NDArray[Any], random: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
    """Actions [N] drawn from logits [N, A], and their log-probabilities."""
    logits = logits - logits.max(1, keepdims=True)
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    below = np.exp(log_p).cumsum(1) < random.random((len(logits), 1), np.float32)
    actions = np.minimum(below.sum(1), logits.shape[1] - 1)
    return actions, log_p[np.arange(len(actions)), actions]


def _advantages(
    buffer: RolloutBuffer, after: NDArray[Any], ended: NDArray[Any], gamma: float, lam: float
) -> None:
    """Generalised advantages [T, N] (Schulman et al. 2016, eq. 16), bootstrapped at every end."""
    delta = buffer.rewards + gamma * after - buffer.values
    last = np.zeros(delta.shape[1], np.float32)
    for t in reversed(range(len(delta))):
        last = delta[t] + gamma * lam * np.where(ended[t], 0.0, last)
        buffer.advantages[t] = last
    buffer.returns[:] = buffer.advantages + buffer.values


def discounted_deviation(reward: NDArray[Any], gamma: float) -> float:
    """Deviation over rows of the discounted sum of a rollout's rewards [T, N], at least 0.001.

    Dividing by it keeps values near one whatever the reward's unit (as SB3's VecNormalize does).
    """
    weights = gamma ** np.arange(len(reward))
    return max(float((weights[:, None] * reward).sum(0).std()), 1e-3)
