"""Off-policy training: SB3's DQN (Discrete) and SAC (Box) on a replay buffer whose rewards are relabelled.

All old steps are learned from again under each new reward, so a changed reward costs no new steps (Lee, Smith
and Abbeel 2021, "PEBBLE", section 4.3). Rollouts run many rows at once and act by the arrays of the snapshot,
so the policy that is shown is the one that acts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3 import DQN, SAC
from stable_baselines3.common.utils import polyak_update

from agents import checkpoint
from agents.checkpoint import StateDict
from agents.policies.normalising_torch import normalising_extractors
from agents.policies.policy_arrays import PolicyArrays, forward
from agents.policies.rollouts import Moment
from agents.rewards.reward_arrays import RewardArrays
from agents.rl.replay_buffer import RelabelledBuffer, log_knn_distance
from agents.rl.rollout_collection import Rollout, Transitions, collect_transitions
from agents.rl.sac_dqn import (
    OffPolicyConfig,
    logit_scale_for_entropy,
    make_algorithm,
    off_policy_arrays,
    set_layers,
    trained_parts,
)
from agents.torch_runtime import single_thread
from agents.training.global_randomness import GlobalRandomness
from agents.training.no_restarts import NoRestarts
from agents.training.rollout_trainer import RolloutTrainer, make_env
from agents.training.scaled_reward import ScaledReward
from agents.training.trainer_config import TrainerConfig
from envs.world import Task

Float = NDArray[np.float32]
MAX_CHECKPOINT_REPLAY_BYTES = 2**23
"""Size of the newest steps that a checkpoint keeps [bytes]."""
DQN_CHUNK = 4
"""How many minibatches of DQN one call of `train` uses; the target network is updated after each call."""


class OffPolicyTrainer(RolloutTrainer[DQN | SAC]):
    """Trains a policy by DQN or SAC."""

    def __init__(self, task: Task, seed: int, config: OffPolicyConfig) -> None:
        self.off_policy = config
        rows, self._n_steps = (8, 128) if task.is_costly else (config.n_envs, config.train_freq)
        defaults, reward = TrainerConfig(), ScaledReward(task)
        env = make_env(task, seed, rows, defaults.skip_absorbing, reward)
        self._global_randomness = GlobalRandomness()
        with self._global_randomness.swapped_in():
            model = make_algorithm(env, task, config, seed)
        super().__init__(task, env, model, reward, defaults.temperatures)
        self.restarts = NoRestarts()
        self.is_exploring = False
        """Whether it is rewarded for visiting new states, whatever the learned reward."""
        self._random = np.random.default_rng(seed)
        self._rollout: Rollout | None = None
        self._logit_scale = 1.0
        self.env.reset()

    @property
    def buffer(self) -> RelabelledBuffer:
        found = self.algorithm.replay_buffer
        assert isinstance(found, RelabelledBuffer)
        return found

    @property
    def policy(self) -> PolicyArrays:
        return off_policy_arrays(self.algorithm, self._logit_scale)

    @property
    def shown_policy(self) -> PolicyArrays:
        """The policy that is shown to the person."""
        return self.policy

    @property
    def rollout(self) -> Rollout | None:
        return self._rollout

    @property
    def rare_moments(self) -> list[Moment]:
        """Always empty: the preferences it learns from are about whole policies, not about rare events."""
        return []

    def set_policy(self, policy: PolicyArrays) -> None:
        """Continue from another policy of this shape. Its value function is not known."""
        set_layers(self.algorithm, policy)
        self._logit_scale = 1.0

    def shrink_last_layer(self) -> None:
        """Nothing: DQN and SAC explore as much as they are set to."""

    def set_reward(self, reward: RewardArrays | None) -> None:
        super().set_reward(reward)
        self._relabel()

    def _relabel(self) -> None:
        if not self.is_exploring:
            self.buffer.relabel(self.scaled_reward, self._absorbing_return)

    @property
    def _absorbing_return(self) -> float:
        """The return of the absorbing steps after an early end, as it is added to the step that ends the
        episode."""
        gamma = self.algorithm.gamma
        return gamma / (1.0 - gamma) * self.env.absorbing_reward() if self.env.skipped_steps else 0.0

    def train_iteration(self) -> int:
        """One rollout, then updates on minibatches from the replay buffer."""
        self.history.add(self.env_steps, self.policy)
        with single_thread():
            self._rollout = self._collect()
            self.iterations += 1
            if self.reward_scale is None:
                self._update_reward_scale()
                self._relabel()
            with self._global_randomness.swapped_in():
                self._train()
        self._adjust_logit_scale(self._rollout.transitions)
        return int(self._n_steps * self.env.num_envs)

    def _collect(self) -> Rollout:
        """Add one rollout to the buffer, with the current reward."""
        made, buffer = collect_transitions(self.env, self._sample, self._n_steps, self._random), self.buffer
        self.algorithm.num_timesteps += made.ended.size
        for extractor in normalising_extractors(self.algorithm.policy):
            extractor.add(made.steps[0])
        at = (buffer.pos + np.arange(len(made.obs))) % buffer.buffer_size
        self._fill_buffer(made)
        rewards = self._rewards(made)
        buffer.rewards[at] = rewards.reshape(made.ended.shape)
        if not self.is_exploring:
            buffer.rewards[at] += self._absorbing_return * buffer.early_ends(at)
        at_rest = self.env.absorbing_reward() if made.skipped_steps and not self.is_exploring else 0.0
        return Rollout.from_rewards(made, rewards, at_rest, self.task.horizon)

    def _sample(self, obs: Float) -> tuple[Any, Any]:
        """Actions, and the same actions as columns [N, C]."""
        actions = self.policy.act(obs, self._random)
        return actions, actions.reshape(len(obs), -1)

    def _fill_buffer(self, transitions: Transitions) -> None:
        """Keep the steps, without their rewards. Only where rows can't be restored episodes end early."""
        over = transitions.ended & (transitions.next_obs[..., -1] == 1.0) & (not self.task.can_restore)
        for t in range(len(transitions.obs)):
            actions = transitions.actions[t]
            if not transitions.is_discrete:
                actions = self.algorithm.policy.scale_action(actions)
            self.buffer.add_steps(
                transitions.obs[t],
                transitions.next_obs[t],
                actions,
                transitions.terms[t],
                transitions.ended[t],
                over[t],
            )

    def _rewards(self, transitions: Transitions) -> Float:
        """Rewards of steps; while exploring, the distance of each state from the states visited before."""
        if not self.is_exploring:
            return self.scaled_reward(*transitions.steps)
        seen = transitions.steps[2]
        rows = self.env.num_envs
        count = self.buffer.n_stored_steps * rows  # each state once: a copy would be its own neighbour
        pick = self._random.choice(count, min(self.off_policy.n_neighbour_candidates, count), replace=False)
        near = self.buffer.observations[pick // rows, pick % rows]
        if (known := self.policy.normalisation) is not None:
            seen, near = known(seen), known(near)
        found = log_knn_distance(seen, near, self.off_policy.k_neighbours)
        return np.asarray((found - found.mean()) / max(float(found.std()), 1e-3), np.float32)

    def _train(self) -> None:
        model, config = self.algorithm, self.off_policy
        if isinstance(model, SAC):
            model.train(config.gradient_steps, config.batch_size)
            return
        for _ in range(config.gradient_steps // DQN_CHUNK):
            model.train(DQN_CHUNK, config.batch_size)
            tau = 1.0 - (1.0 - config.tau) ** DQN_CHUNK
            polyak_update(model.q_net.parameters(), model.q_net_target.parameters(), tau)

    def _adjust_logit_scale(self, transitions: Transitions) -> None:
        """Scale DQN's action values so that the policy has the entropy that is scheduled by now."""
        if isinstance(self.algorithm, SAC):
            return
        policy, seen = off_policy_arrays(self.algorithm, 1.0), transitions.steps[0][:1024]
        share = max(
            self.off_policy.final_entropy_share,
            0.95 * (1.0 - self.env_steps / self.off_policy.entropy_decay_steps),
        )
        if self.is_exploring:
            share = max(share, 0.5)
        self._logit_scale = logit_scale_for_entropy(
            forward(policy.layers, policy.extract_features(seen), policy.activation), share
        )

    # Stopping and going on.

    def state_dict(self) -> StateDict:
        """The nets, their optimisers and the newest steps."""
        rollouts, randomness = super().state_dict(), self._global_randomness.state_dict()
        facts = {
            **rollouts.facts,
            "random": self._random.bit_generator.state,
            "sharp": self._logit_scale,
            "exploring": self.is_exploring,
            "numpy": randomness.facts,
        }
        found = rollouts.arrays | randomness.arrays
        for name, (part, adam) in trained_parts(self.algorithm).items():
            held = checkpoint.policy_state(part, adam)
            found |= {f"{name}.{key}": value.copy() for key, value in held.items()}
        each = self.buffer.observations[0].nbytes * 2 + 1
        found |= self.buffer.newest(max(1, MAX_CHECKPOINT_REPLAY_BYTES // each))
        return StateDict(facts, found)

    def load_state_dict(self, state: StateDict, reward: RewardArrays | None) -> None:
        facts, arrays = state.facts, state.arrays
        for name, (part, adam) in trained_parts(self.algorithm).items():
            head = f"{name}."
            own = {k[len(head) :]: v for k, v in arrays.items() if k.startswith(head)}
            checkpoint.restore_policy(part, adam, own)
        self._global_randomness.load_state_dict(StateDict(facts["numpy"], arrays))
        self._logit_scale, self.is_exploring = facts["sharp"], facts["exploring"]
        self._random.bit_generator.state = facts["random"]
        super().load_state_dict(state, reward)
        self.buffer.restore_newest(arrays)
        if self.task.can_restore:
            self._put_states(arrays)
