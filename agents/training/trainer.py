"""The agent's side of learning: PPO in bursts on whatever the reward is now, and what it has been.

Knows nothing of feedback. The reward comes in as plain arrays, and is divided by the deviation of
its discounted sums, so that values stay near one whatever its unit.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agents import checkpoint
from agents.checkpoint import Arrays
from agents.evaluation import scores
from agents.policies.from_torch import policy_arrays, random_policy
from agents.policies.policy_arrays import PolicyArrays
from agents.policies.rollouts import Moment, Variant, foreign_moments, fresh_moments, moments_of
from agents.rewards.reward_arrays import RewardArrays
from agents.rl.ppo import BurstPPO, PPOConfig, discounted_deviation
from agents.rl.vec_env import SimulationVecEnv
from agents.training.policy_history import PolicyHistory
from agents.training.rare_events import RareEvents
from agents.training.restarts import Candidate, RecentPolicies, RestartSelection
from agents.training.warm_start import BCWarmStart
from envs.simulate import is_external, resting, simulate
from envs.world import Array, Task

REJECTED_VARIANTS = 2
"""As often as any earlier policy, what was given up acts in clips: an answer is to settle it."""


@dataclass(frozen=True)
class TrainerConfig:
    """How the agent practises."""

    ppo: PPOConfig = field(default_factory=PPOConfig)
    temperatures: tuple[float, ...] = (1.5, 3.0)  # temperatures at which the policy also acts in clips
    shrink: float = 0.3  # what is left of the last layer's weights when a policy is softened
    skips_rest: bool = (
        True  # rest after an early end, in worlds of somebody else's: it is reckoned, not driven
    )
    window: int = 10  # rollouts that a policy's learned reward is judged by
    blend: float = 0.1  # share of the newest policy in the mean of the late ones
    evaluation_steps: int = 15_000  # steps of whole episodes that the end of a try is judged by
    value_margin: float = 0.02  # difference of an episode's worth that counts between two tries [nats]
    slack: float = 0.05  # share of the best learned reward that may be lost before going back


class PolicyTrainer(RestartSelection):
    """One agent practising in many rows at once."""

    def __init__(self, task: Task, seed: int, config: TrainerConfig) -> None:
        self.task, self.config = task, config
        ppo = config.ppo
        if is_external(task):  # steps one row at a time: few rows, longer rollouts
            batch = 64 if ppo.policy == "CnnPolicy" else 256
            ppo = replace(ppo, n_envs=8, n_steps=256, batch_size=batch)
        sim = simulate(task, ppo.n_envs, seed=seed * 1_000_003 + 17, skips=config.skips_rest)
        self.env = SimulationVecEnv(sim, self._reward_of, stagger=np.random.default_rng([seed, 3]))
        self.ppo = BurstPPO.on(self.env, ppo, seed=seed)
        self.events = RareEvents(task, seed)
        self.history = PolicyHistory()
        self.warm_start = BCWarmStart(task, seed, self.ppo.policy)
        self._clones = self._cloned = False  # whether a try is still to begin by imitating; whether one did
        self.iterations = 0
        self._reward: RewardArrays | None = None
        self._mean_reward = 0.0  # mean reward of a step; taking it off changes nothing at a fixed horizon
        self.reward_scale: float | None = None
        """What one unit of reward is divided by; None: not known before a rollout was seen."""
        self.recent_policies = RecentPolicies(config.window, config.blend)
        self._origin = self._parameters()
        self._since_origin = 0  # bursts since this policy was the one that can be started over from
        self.is_at_restart_point, self._first, self._early = True, None, None
        self.episode_value = None

    @property
    def env_steps(self) -> int:
        return int(self.ppo.num_timesteps)

    @property
    def policy(self) -> PolicyArrays:
        return policy_arrays(self.ppo.policy)

    def _reward_of(self, obs: Any, actions: Any, next_obs: Any, terms: Any) -> NDArray[np.float32]:
        if self._reward is None:
            return np.zeros(len(obs), np.float32)
        mean = self._reward.members(obs, actions, next_obs, terms).mean(0)
        return np.asarray((mean - self._mean_reward) / (self.reward_scale or 1.0), np.float32)

    def set_reward(self, reward: RewardArrays | None) -> None:
        """Practise on another reward from now on (None pays nothing)."""
        self._reward = reward
        self.recent_policies.reset()
        self._early = None
        self.is_at_restart_point, self._cloned = self._since_origin == 0, False
        self._measure_reward_scale()

    def update_reward_weights(self, reward: RewardArrays) -> None:
        """Go on with the same reward, weighed a little differently: its unit and the best policy stay."""
        self._reward = reward

    def _measure_reward_scale(self) -> None:
        steps = self.newest_steps()
        if steps is None or self._reward is None:
            self.reward_scale = None
            return
        mean = self._reward.members(*steps).mean(0)
        rows, gamma = self.env.num_envs, self.ppo.gamma
        self._mean_reward = float(mean.mean())
        if self.env.skipped:  # what follows an early end counts with the step that ends
            rest = float(self._reward.members(*resting(self.task)).mean()) - self._mean_reward
            mean = mean + (steps[2][:, -1] == 1.0) * np.float32(rest * gamma / (1.0 - gamma))
        self.reward_scale = discounted_deviation(mean.reshape(-1, rows), gamma)

    def newest_steps(self) -> tuple[Any, Any, Any, Any] | None:
        """(obs, actions, next_obs, terms) of the newest rollout, one row per step; None before the first."""
        facts = self.ppo.rollout
        if facts.obs is None or facts.actions is None or facts.next_obs is None or facts.terms is None:
            return None
        wide = facts.obs.shape[-1]
        actions = facts.actions.reshape(-1, facts.actions.shape[-1])
        if self.policy.kind == "discrete":
            actions = actions[:, 0].astype(np.int64)
        obs, after = facts.obs.reshape(-1, wide), facts.next_obs.reshape(-1, wide)
        return obs, actions, after, facts.terms.reshape(len(obs), -1)

    def train_iteration(self) -> int:
        """One rollout and its update; the number of environment steps."""
        before = self.policy
        parameters = self._parameters()
        self.history.keep(self.env_steps, before)
        self.ppo.train_iteration()
        self.events.add_rollout(self.ppo.rollout)
        self.iterations += 1
        self._since_origin += 1
        if self.reward_scale is None:
            self._measure_reward_scale()
        worth = (
            self.episode_value(self.term_counts)
            if self.episode_value and self.term_counts is not None
            else None
        )
        self.recent_policies.add(self.learned_return if worth is None else worth, parameters)
        return int(self.ppo.n_steps * self.ppo.n_envs)

    def _parameters(self) -> dict[str, Any]:
        return {name: value.clone() for name, value in self.ppo.policy.state_dict().items()}

    def _load(self, parameters: dict[str, Any]) -> None:
        self.ppo.policy.load_state_dict(parameters)

    def mark_restart_point(self) -> None:
        """The policy of now is what can be started over from."""
        self._origin, self._since_origin = self._parameters(), 0

    def shrink_last_layer(self) -> None:
        """Make the policy less sure of itself, so that it finds out what a new reward is worth.

        Who has practised to the end tries nothing else any more: the weights behind its actions are shrunk
        before it goes on (Ash and Adams 2020, "On warm-starting neural network training").
        """
        with torch.no_grad():
            for value in self.ppo.policy.action_net.parameters():
                value.mul_(self.config.shrink)

    @property
    def learned_return(self) -> float:
        """The newest rollout's learned reward per episode, in the reward's own unit."""
        paid = self.ppo.rollout.reward_sum / max(self.ppo.rollout.episodes, 1e-9)
        return paid * (self.reward_scale or 1.0) + self._mean_reward * self.task.horizon

    @property
    def term_counts(self) -> NDArray[np.float32] | None:
        """Each named term per episode [M], in the newest rollout; None before the first."""
        facts = self.ppo.rollout
        return None if facts.terms_sum is None else np.asarray(facts.terms_sum / facts.episodes, np.float32)

    def curve_values(self) -> dict[str, float]:
        """What the curves show of practice by now."""
        names = [f"term {name}" for name in self.task.world.term_names]
        terms = {} if self.term_counts is None else dict(zip(names, self.term_counts.tolist(), strict=True))
        unseen = (
            {} if is_external(self.task) else scores.curve_values(scores.evaluate(self.task, self.policy))
        )
        return {"learned reward": self.learned_return, **terms, **unseen}

    def variants(self) -> list[Variant]:
        """Ways of acting: the policy now, the same bolder, earlier ones, what was given up, chance."""
        now, name = self.policy, f"policy:{self.env_steps}"
        bolder = [Variant(now, temperature, name) for temperature in self.config.temperatures]
        earlier = [Variant(policy, 1.0, f"policy:{at}") for at, policy in self.history]
        given_up = (
            [Variant(self.history.rejected, 1.0, "given up")] * REJECTED_VARIANTS
            if self.history.rejected
            else []
        )
        unlearned = Variant(random_policy(now), 1.0, "random")
        return [Variant(now, 1.0, name), *bolder, *earlier, *given_up, unlearned]

    def moments(self, random: np.random.Generator) -> list[Moment]:
        """Where the policy is nowadays: every row at one step of the newest rollout."""
        if is_external(self.task):
            return foreign_moments(self.task, self.policy, random)
        facts = self.ppo.rollout
        if facts.states is None or facts.rng is None:
            return fresh_moments(self.task, 64, int(random.integers(2**31)))
        return moments_of(self.task, facts.states, facts.rng)

    # Stopping and going on.

    def facts(self) -> dict[str, Any]:
        first = self._first
        return {
            "env_steps": self.env_steps,
            "bursts": self.iterations,
            "usual": self._mean_reward,
            "unit": self.reward_scale,
            "past": self.history.times,
            "since_origin": self._since_origin,
            "began_anew": self.is_at_restart_point,
            "clones": [self._clones, self._cloned],
            "first": first and [first.value, np.asarray(first.counts).tolist()],
            "random": self.ppo.random.bit_generator.state,
        }

    def state(self) -> Arrays:
        found = checkpoint.policy_state(self.ppo.policy, self.ppo.policy.optimizer)
        found |= self.history.state()
        found |= {f"origin.{name}": value.cpu().numpy() for name, value in self._origin.items()}
        if self._first is not None:
            found |= {f"first.{name}": value.cpu().numpy() for name, value in self._first.parameters.items()}
        if self._early is not None:
            found |= {f"early.{name}": value.cpu().numpy() for name, value in self._early.items()}
        sim = self.env.simulation
        return found | {"sim.states": sim.states, "sim.rng": sim.rng}

    def restore(self, facts: dict[str, Any], arrays: Arrays, reward: RewardArrays | None) -> None:
        if facts.get("first") is not None:
            names = self.ppo.policy.state_dict()
            self.ppo.policy.load_state_dict({n: torch.from_numpy(arrays[f"first.{n}"]) for n in names})
            worth, counts = facts["first"]
            self._first = Candidate(worth, np.array(counts, np.float32), self._parameters(), self.policy)
        checkpoint.restore_policy(self.ppo.policy, self.ppo.policy.optimizer, arrays)
        if any(name.startswith("early.") for name in arrays):
            names = self.ppo.policy.state_dict()
            self._early = {n: torch.from_numpy(arrays[f"early.{n}"].copy()) for n in names}
        for name, value in self._origin.items():
            if f"origin.{name}" in arrays:  # an older version kept none
                value.copy_(torch.from_numpy(arrays[f"origin.{name}"]))
        self._restore_rest(facts, arrays, reward)
        if not is_external(self.task):
            self.ppo._last_obs = self._put(arrays["sim.states"], arrays["sim.rng"])

    def _restore_rest(self, facts: dict[str, Any], arrays: Arrays, reward: RewardArrays | None) -> None:
        """Everything but the networks and where the rows are."""
        self.ppo.num_timesteps, self.iterations = facts["env_steps"], facts["bursts"]
        self.ppo.random.bit_generator.state = facts["random"]
        self.history.restore(facts["past"], arrays, self.policy)
        self._reward, self.reward_scale, self._mean_reward = reward, facts["unit"], facts["usual"]
        self._since_origin = facts.get("since_origin", 1)
        self.is_at_restart_point = facts.get("began_anew", True)
        self._clones, self._cloned = facts.get("clones", (False, False))

    def _put(self, states: Array, rng: Array) -> Array:
        every = np.ones(self.env.num_envs, np.bool_)
        return self.env.simulation.put(every, states, rng).copy()
