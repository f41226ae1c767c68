"""On-policy training: PPO on the current reward, with restarts."""

from __future__ import annotations

from dataclasses import replace

import torch

from agents import checkpoint
from agents.checkpoint import StateDict
from agents.policies.from_torch import policy_arrays
from agents.policies.policy_arrays import PolicyArrays
from agents.policies.rollouts import Moment, StepTerms
from agents.rewards.reward_arrays import RewardArrays
from agents.rl.ppo import AuxiliaryLoss, IncrementalPPO
from agents.rl.rollout_collection import Rollout
from agents.training.exploration import Exploration, can_explore
from agents.training.rare_events import RareEvents
from agents.training.restarts import RestartSelection
from agents.training.rollout_trainer import RolloutTrainer, make_env
from agents.training.scaled_reward import ScaledReward
from agents.training.trainer_config import TrainerConfig
from agents.training.trainer_protocol import EpisodeValue, TermCounts
from envs.world import Task


class PolicyTrainer(RolloutTrainer[IncrementalPPO]):
    """Trains a policy by PPO."""

    def __init__(
        self,
        task: Task,
        seed: int,
        config: TrainerConfig,
        episode_value: EpisodeValue | None = None,
        auxiliary_loss: AuxiliaryLoss | None = None,
    ) -> None:
        """episode_value: selects the best policy. auxiliary_loss: a further loss of the policy."""
        self.config, ppo = config, config.ppo
        if task.is_costly:  # few rows, longer rollouts
            batch = 64 if ppo.policy == "CnnPolicy" else 256
            ppo = replace(ppo, n_envs=8, n_steps=256, batch_size=batch)
        reward = ScaledReward(task)
        env = make_env(task, seed, ppo.n_envs, config.skip_absorbing, reward)
        super().__init__(task, env, IncrementalPPO.for_env(env, ppo, seed=seed), reward, config.temperatures)
        self.algorithm.auxiliary_loss = auxiliary_loss
        self.events = RareEvents(task, seed)
        self.exploration = Exploration(task, seed) if can_explore(task) else None
        network = self.algorithm.policy
        self.restarts = RestartSelection(task, seed, network, self.history, config, episode_value)

    @property
    def policy(self) -> PolicyArrays:
        return policy_arrays(self.algorithm.policy)

    @property
    def shown_policy(self) -> PolicyArrays:
        """The policy that is shown to the person: that of a further try only once the try has ended."""
        return self.restarts.candidate_policy or self.policy

    @property
    def rollout(self) -> Rollout | None:
        return self.algorithm.rollout

    @property
    def rare_moments(self) -> list[Moment]:
        """States from shortly before rare events."""
        if self.exploration is None:
            return self.events.moments
        if not self.exploration.has_run:
            self.exploration.run()
            starts = [(m.recording, m.recording_step) for m in self.exploration.moments if m.recording]
            self.env.begin_at(starts)
        return self.exploration.moments

    def set_further_terms(self, terms: StepTerms, counts: TermCounts | None) -> TermCounts | None:
        self.restarts.further_terms = terms
        super().set_further_terms(terms, counts)
        return counts if counts is None or self._counts_all(counts) else self.restarts.count_terms()

    def set_reward(self, reward: RewardArrays | None) -> None:
        self.restarts.begin_reward()
        super().set_reward(reward)

    def train_iteration(self) -> int:
        """One rollout and its update; the number of environment steps."""
        parameters = self.restarts.parameters()
        self.history.add(self.env_steps, self.policy)
        self.algorithm.train_iteration()
        assert self.rollout is not None
        self.events.add_transitions(self.rollout.transitions)
        self.iterations += 1
        if self.reward_scale is None:
            self._update_reward_scale()
        assert self.term_counts is not None
        self.restarts.add_iteration(self.term_counts, self.learned_return, parameters)
        return int(self.algorithm.n_steps * self.algorithm.n_envs)

    def shrink_last_layer(self) -> None:
        """Make the policy less certain, so that it explores under a new reward.

        A policy that was trained to the end explores no more. The weights of its last layer are shrunk before
        training continues (Ash and Adams 2020, "On warm-starting neural network training").
        """
        with torch.no_grad():
            for value in self.algorithm.policy.action_net.parameters():
                value.mul_(self.config.shrink_factor)

    # Stopping and going on.

    def state_dict(self) -> StateDict:
        network, random = self.algorithm.policy, self.algorithm.random.bit_generator.state
        rollouts, restarts = super().state_dict(), self.restarts.state_dict()
        arrays = checkpoint.policy_state(network, network.optimizer) | rollouts.arrays | restarts.arrays
        return StateDict({**rollouts.facts, **restarts.facts, "random": random}, arrays)

    def load_state_dict(self, state: StateDict, reward: RewardArrays | None) -> None:
        self.restarts.load_state_dict(state)
        network = self.algorithm.policy
        checkpoint.restore_policy(network, network.optimizer, state.arrays)
        super().load_state_dict(state, reward)
        self.algorithm.random.bit_generator.state = state.facts["random"]
        if self.task.can_restore:
            self.algorithm._last_obs = self._put_states(state.arrays)
