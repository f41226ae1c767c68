"""Off-policy training: SB3's DQN (Discrete) and SAC (Box) on a replay buffer that is relabelled.

What was once tried teaches again under every new reward, so that a reward that changes costs no new
steps (Lee, Smith and Abbeel 2021, "PEBBLE", section 4.3). Rollouts run many rows at once and act by the
snapshot's own forward pass: what is shown is what is tried.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3 import DQN, SAC
from stable_baselines3.common.utils import polyak_update

from agents import checkpoint
from agents.checkpoint import Arrays
from agents.policies.policy_arrays import PolicyArrays, forward
from agents.policies.rollouts import Moment
from agents.rewards.reward_arrays import RewardArrays
from agents.rl.replay_buffer import RelabelledBuffer, nearest
from agents.rl.rollout_collection import Rollout, Transitions, collect
from agents.rl.sac_dqn import OffPolicyConfig, algorithm, off_policy_arrays, parts, put_layers, sharpness
from agents.torch_runtime import one_thread
from agents.training.global_randomness import GlobalRandomness
from agents.training.no_restarts import NoRestarts
from agents.training.rollout_trainer import RolloutTrainer, make_env
from agents.training.scaled_reward import ScaledReward
from agents.training.trainer_config import TrainerConfig
from envs.world import Task

Float = NDArray[np.float32]
KEPT_BYTES = 2**23
"""Of the newest steps, in a checkpoint."""
DQN_CHUNK = 4
"""Minibatches of DQN in one call of `train`; its target net follows after each call."""


class OffPolicyTrainer(RolloutTrainer[DQN | SAC]):
    """Trains a policy by DQN or SAC."""

    def __init__(self, task: Task, seed: int, config: OffPolicyConfig) -> None:
        self.off = config
        rows, self._n_steps = (8, 128) if task.is_costly else (config.n_envs, config.n_steps)
        defaults, reward = TrainerConfig(), ScaledReward(task)
        env = make_env(task, seed, rows, defaults.skips_rest, reward)
        self._global_randomness = GlobalRandomness()
        with self._global_randomness.swapped_in():
            model = algorithm(env, task, config, seed)
        super().__init__(task, env, model, reward, defaults.temperatures)
        self.restarts = NoRestarts()
        self.exploring = False
        """Whether it is paid for being where it has not been, whatever the reward."""
        self._random = np.random.default_rng(seed)
        self._rollout: Rollout | None = None
        self._sharp = 1.0
        self.env.reset()

    @property
    def buffer(self) -> RelabelledBuffer:
        found = self.algorithm.replay_buffer
        assert isinstance(found, RelabelledBuffer)
        return found

    @property
    def policy(self) -> PolicyArrays:
        return off_policy_arrays(self.algorithm, self._sharp)

    @property
    def shown(self) -> PolicyArrays:
        """The policy to be seen."""
        return self.policy

    @property
    def rollout(self) -> Rollout | None:
        return self._rollout

    @property
    def rare_moments(self) -> list[Moment]:
        """None are kept: its answers are to whole ways of acting."""
        return []

    def adopt(self, policy: PolicyArrays) -> None:
        """Go on from another policy of this shape; its value function is not known."""
        put_layers(self.algorithm, policy)
        self._sharp = 1.0

    def shrink_last_layer(self) -> None:
        """Nothing is shrunk: DQN and SAC keep exploring as much as they are set to."""

    def set_reward(self, reward: RewardArrays | None) -> None:
        super().set_reward(reward)
        self._relabel()

    def _relabel(self) -> None:
        if not self.exploring:
            self.buffer.relabel(self.scaled_reward, self._rest)

    @property
    def _rest(self) -> float:
        """What resting for ever after an early end is worth at the step that ends."""
        gamma = self.algorithm.gamma
        return gamma / (1.0 - gamma) * self.env.at_rest() if self.env.skipped else 0.0

    def train_iteration(self) -> int:
        """One rollout, and minibatches of all that is kept."""
        self.history.keep(self.env_steps, self.policy)
        with one_thread():
            self._rollout = self._collect()
            self.iterations += 1
            if self.reward_scale is None:
                self._measure_reward_scale()
                self._relabel()
            with self._global_randomness.swapped_in():
                self._train()
        self._adjust_temperature(self._rollout.transitions)
        return int(self._n_steps * self.env.num_envs)

    def _collect(self) -> Rollout:
        """One rollout into the buffer, paid by the reward of now."""
        made, buffer = collect(self.env, self._sample, self._n_steps, self._random), self.buffer
        self.algorithm.num_timesteps += made.ended.size
        at = (buffer.pos + np.arange(len(made.obs))) % buffer.buffer_size
        self._fill_buffer(made)
        rewards = self._rewards(made)
        buffer.rewards[at] = rewards.reshape(made.ended.shape)
        if not self.exploring:
            buffer.rewards[at] += self._rest * buffer.early_ends(at)
        at_rest = self.env.at_rest() if made.skipped and not self.exploring else 0.0
        return Rollout.paid(made, rewards, at_rest, self.task.horizon)

    def _sample(self, obs: Float) -> tuple[Any, Any]:
        """Actions, and the same with one row of columns for each [N, C]."""
        actions = self.policy.act(obs, self._random)
        return actions, actions.reshape(len(obs), -1)

    def _fill_buffer(self, made: Transitions) -> None:
        """Keep the steps, without their rewards. Only where rows can't be restored episodes end early."""
        over = made.ended & (made.next_obs[..., -1] == 1.0) & (not self.task.can_restore)
        for t in range(len(made.obs)):
            actions = made.actions[t]
            if not made.is_discrete:
                actions = self.algorithm.policy.scale_action(actions)
            self.buffer.put(made.obs[t], made.next_obs[t], actions, made.terms[t], made.ended[t], over[t])

    def _rewards(self, made: Transitions) -> Float:
        """By the reward, or while it explores by how far each state is from those met before."""
        if not self.exploring:
            return self.scaled_reward(*made.steps)
        seen = made.steps[2]
        rows = self.env.num_envs
        count = self.buffer.moments * rows  # each state once: a copy would be its own neighbour
        pick = self._random.choice(count, min(self.off.others, count), replace=False)
        found = nearest(seen, self.buffer.observations[pick // rows, pick % rows], self.off.neighbours)
        return np.asarray((found - found.mean()) / max(float(found.std()), 1e-3), np.float32)

    def _train(self) -> None:
        model, config = self.algorithm, self.off
        if isinstance(model, SAC):
            model.train(config.gradient_steps, config.batch_size)
            return
        for _ in range(config.gradient_steps // DQN_CHUNK):
            model.train(DQN_CHUNK, config.batch_size)
            tau = 1.0 - (1.0 - config.tau) ** DQN_CHUNK
            polyak_update(model.q_net.parameters(), model.q_net_target.parameters(), tau)

    def _adjust_temperature(self, made: Transitions) -> None:
        """Sharpen DQN's action values to the entropy that is due by now."""
        if isinstance(self.algorithm, SAC):
            return
        policy, seen = off_policy_arrays(self.algorithm, 1.0), made.steps[0][:1024]
        share = max(self.off.calm, 0.95 * (1.0 - self.env_steps / self.off.calming))
        if self.exploring:
            share = max(share, 0.5)
        self._sharp = sharpness(forward(policy.layers, seen, policy.activation), share)

    # Stopping and going on.

    def facts(self) -> dict[str, Any]:
        return {
            **super().facts(),
            "random": self._random.bit_generator.state,
            "sharp": self._sharp,
            "exploring": self.exploring,
            "numpy": self._global_randomness.numpy_facts(),
        }

    def state(self) -> Arrays:
        """The nets, their optimisers and the newest steps."""
        found = super().state() | {"torch": self._global_randomness.torch_array()}
        for name, (part, adam) in parts(self.algorithm).items():
            held = checkpoint.policy_state(part, adam)
            found |= {f"{name}.{key}": value.copy() for key, value in held.items()}
        each = self.buffer.observations[0].nbytes * 2 + 1
        return found | self.buffer.newest(max(1, KEPT_BYTES // each))

    def restore(self, facts: dict[str, Any], arrays: Arrays, reward: RewardArrays | None) -> None:
        for name, (part, adam) in parts(self.algorithm).items():
            head = f"{name}."
            own = {k[len(head) :]: v for k, v in arrays.items() if k.startswith(head)}
            checkpoint.restore_policy(part, adam, own)
        self._global_randomness.restore(facts["numpy"], arrays["torch"])
        self._sharp, self.exploring = facts["sharp"], facts["exploring"]
        self._random.bit_generator.state = facts["random"]
        super().restore(facts, arrays, reward)
        self.buffer.put_newest(arrays)
        if self.task.can_restore:
            self._put_states(arrays)
