"""Practice off-policy: SB3's DQN (Discrete) and SAC (Box) on a replay buffer that is relabelled.

What was once tried teaches again under every new reward, so that a reward that changes costs no new
steps (Lee, Smith and Abbeel 2021, "PEBBLE", section 4.3). Rollouts run many rows at once and act by the
snapshot's own forward pass: what is shown is what is tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import SAC
from stable_baselines3.common.logger import configure
from stable_baselines3.common.utils import polyak_update

from agents import checkpoint
from agents.checkpoint import Arrays
from agents.policies.policy_arrays import PolicyArrays, forward
from agents.rewards.reward_arrays import RewardArrays
from agents.rl.ppo import Rollout
from agents.rl.replay_buffer import RelabelledBuffer, nearest
from agents.rl.sac_dqn import OffPolicyConfig, algorithm, off_policy_arrays, parts, put_layers, sharpness
from agents.rl.vec_env import SimulationVecEnv
from agents.torch_runtime import one_thread
from agents.training.policy_history import PolicyHistory
from agents.training.rare_events import RareEvents
from agents.training.restarts import Candidate, Counts, RecentPolicies
from agents.training.trainer import PolicyTrainer, TrainerConfig
from agents.training.warm_start import BCWarmStart
from envs.simulate import is_external, simulate
from envs.world import Task

Float = NDArray[np.float32]
KEPT_BYTES = 2**23
"""Of the newest steps, in a checkpoint."""
_KEPT = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts", "terms")


class OffPolicyTrainer(PolicyTrainer):
    """What `Practice` is to PPO; `ppo` is SB3's DQN or SAC here."""

    ppo: Any

    def __init__(self, task: Task, seed: int, config: OffPolicyConfig) -> None:
        self.task, self.off = task, config
        self.config = TrainerConfig()
        rows, steps = (8, 128) if is_external(task) else (config.n_envs, config.n_steps)
        sim = simulate(task, rows, seed=seed * 1_000_003 + 17, skips=self.config.skips_rest)
        self.env = SimulationVecEnv(sim, self._reward_of, stagger=np.random.default_rng([seed, 3]))
        with self._own_randomness():
            self.ppo = algorithm(self.env, task, config, seed)
            self._torch = torch.get_rng_state()
            self._numpy = np.random.RandomState(seed)
        self.ppo.set_logger(configure(None, []))
        self.ppo.rollout, self.ppo.random = Rollout(), np.random.default_rng(seed)
        self.ppo.n_steps = steps
        self.events = RareEvents(task, seed)
        self.history, self.warm_start = PolicyHistory(), BCWarmStart(task, seed, None)
        self._clones = self._cloned = False
        self.iterations, self.exploring = 0, False
        self._reward: RewardArrays | None = None
        self._mean_reward, self.reward_scale, self._sharp = 0.0, None, 1.0
        self.recent_policies, self.episode_value = RecentPolicies(self.config.window, self.config.blend), None
        self._since_origin, self.is_at_restart_point = 0, True
        self._first, self._early = None, None
        self.env.reset()

    _torch: Any = None
    _numpy: Any = None

    @property
    def buffer(self) -> RelabelledBuffer:
        found: RelabelledBuffer = self.ppo.replay_buffer
        return found

    @property
    def policy(self) -> PolicyArrays:
        return off_policy_arrays(self.ppo, self._sharp)

    def adopt(self, policy: PolicyArrays) -> None:
        """Go on from another policy of this shape; its value function is not known."""
        put_layers(self.ppo, policy)
        self._sharp = 1.0

    def mark_restart_point(self) -> None:
        """Nothing: all that it once did is in the buffer, and is learned from again with every reward."""

    def shrink_last_layer(self) -> None:
        """Nothing: DQN and SAC go on trying as they are set to."""

    def return_to_restart_point(self) -> bool:
        return False

    def keep_early_policy(self, before: float, now: float) -> None:
        """Nothing: a policy that is put back would be without its value function."""

    def set_reward(self, reward: RewardArrays | None) -> None:
        super().set_reward(reward)
        self._relabel()

    def _relabel(self) -> None:
        if not self.exploring:
            self.buffer.relabel(self._reward_of, self._rest)

    @property
    def _rest(self) -> float:
        """What resting for ever after an early end is worth at the step that ends."""
        return self.ppo.gamma / (1.0 - self.ppo.gamma) * self.env.at_rest() if self.env.skipped else 0.0

    def train_iteration(self) -> int:
        """One rollout, and minibatches of all that is kept."""
        self.history.keep(self.env_steps, self.policy)
        with one_thread():
            self._collect()
            self.iterations += 1
            if self.reward_scale is None:
                self._measure_reward_scale()
                self._relabel()
            with self._own_randomness():
                self._train()
        self._adjust_temperature()
        return int(self.ppo.n_steps * self.env.num_envs)

    def _collect(self) -> None:
        sim, policy, random = self.env.simulation, self.policy, self.ppo.random
        discrete, buffer, first = policy.kind == "discrete", self.buffer, self.buffer.pos
        log: list[tuple[Any, ...]] = []
        keep, skipped = int(random.integers(self.ppo.n_steps)), self.env.skipped
        for t in range(self.ppo.n_steps):
            if t == keep:
                self.ppo.rollout.states, self.ppo.rollout.rng = sim.states.copy(), sim.rng.copy()
            obs = sim.obs.copy()
            actions = policy.act(obs, random)
            step = sim.step(actions)
            after, terms = step.last_obs.copy(), step.terms.copy()
            over = step.ended & (after[:, -1] == 1.0) & is_external(self.task)
            did = actions if discrete else self.ppo.policy.scale_action(actions)
            buffer.put(obs, after, did, terms, step.ended, over)
            log.append((obs, actions, after, terms))
        self.ppo.num_timesteps += self.ppo.n_steps * sim.rows
        obs, actions, after, terms = (np.stack(part) for part in zip(*log, strict=True))
        self._note(obs, actions.reshape(*obs.shape[:2], -1), after, terms, first)
        rested = self.env.skipped - skipped
        if rested and not self.exploring:
            self.ppo.rollout.reward_sum += rested * self.env.at_rest()
        self.ppo.rollout.episodes += rested / self.task.horizon

    def _note(self, obs: Float, actions: Any, after: Float, terms: Float, first: int) -> None:
        """Pay for the newest rollout, and keep it for curves and questions."""
        facts, total = self.ppo.rollout, obs.shape[0] * obs.shape[1]
        facts.obs, facts.actions, facts.next_obs, facts.terms = obs, actions, after, terms
        facts.terms_sum = terms.sum((0, 1))
        facts.terms_mean = facts.terms_sum / total
        facts.episodes = total / self.task.horizon
        paid = self._rewards(after)
        at = (first + np.arange(len(obs))) % self.buffer.buffer_size
        self.buffer.rewards[at] = paid.reshape(obs.shape[:2])
        if not self.exploring:
            self.buffer.rewards[at] += self._rest * self.buffer.early_ends(at)
        facts.reward_sum = float(paid.sum())

    def _rewards(self, after: Float) -> Float:
        if not self.exploring:
            steps = self.newest_steps()
            assert steps is not None
            return self._reward_of(*steps)
        seen = after.reshape(-1, after.shape[-1])
        rows = self.env.num_envs
        count = self.buffer.moments * rows  # each state once: a copy would be its own neighbour
        pick = self.ppo.random.choice(count, min(self.off.others, count), replace=False)
        found = nearest(seen, self.buffer.observations[pick // rows, pick % rows], self.off.neighbours)
        return np.asarray((found - found.mean()) / max(float(found.std()), 1e-3), np.float32)

    def _train(self) -> None:
        model, chunk = self.ppo, 1 if isinstance(self.ppo, SAC) else 4
        if chunk == 1:
            model.train(self.off.gradient_steps, self.off.batch_size)
            return
        for _ in range(self.off.gradient_steps // chunk):
            model.train(chunk, self.off.batch_size)
            tau = 1.0 - (1.0 - self.off.tau) ** chunk
            polyak_update(model.q_net.parameters(), model.q_net_target.parameters(), tau)

    def _adjust_temperature(self) -> None:
        if isinstance(self.ppo, SAC):
            return
        facts, policy = self.ppo.rollout, off_policy_arrays(self.ppo, 1.0)
        seen = facts.obs.reshape(-1, facts.obs.shape[-1])[:1024]
        share = max(self.off.calm, 0.95 * (1.0 - self.env_steps / self.off.calming))
        if self.exploring:
            share = max(share, 0.5)
        self._sharp = sharpness(forward(policy.layers, seen, policy.activation), share)

    def select_best(self, counts: Counts | None) -> Candidate:
        """Nothing to go back to: old steps are practised on as long as they are kept."""
        return Candidate(-np.inf, counts, {}, self.policy)

    @contextmanager
    def _own_randomness(self) -> Iterator[None]:
        """SB3 draws from the generators that all share: for a while those are this practice's own."""
        shared = np.random.get_state(legacy=False)
        with torch.random.fork_rng(devices=[]):
            if self._torch is not None:
                torch.set_rng_state(self._torch)
                np.random.set_state(self._numpy.get_state(legacy=False))
            try:
                yield
            finally:
                if self._torch is not None:
                    self._torch = torch.get_rng_state()
                    self._numpy.set_state(np.random.get_state(legacy=False))
                np.random.set_state(shared)

    # Stopping and going on.

    def facts(self) -> dict[str, Any]:
        numpy = self._numpy.get_state(legacy=False)
        word = {"key": numpy["state"]["key"].tolist(), "pos": int(numpy["state"]["pos"])}
        return {**super().facts(), "sharp": self._sharp, "exploring": self.exploring, "numpy": word}

    def state(self) -> Arrays:
        """The nets, their optimisers and the newest steps."""
        found: Arrays = {"torch": self._torch.numpy(), "sim.states": self.env.simulation.states}
        found["sim.rng"] = self.env.simulation.rng
        for name, (part, adam) in parts(self.ppo).items():
            held = checkpoint.policy_state(part, adam)
            found |= {f"{name}.{key}": value.copy() for key, value in held.items()}
        found |= self.history.state()
        buffer, n = self.buffer, self.buffer.moments
        each = buffer.observations[0].nbytes * 2 + 1
        order = (buffer.pos + np.arange(n)) % n if buffer.full else np.arange(n)
        newest = order[-max(1, KEPT_BYTES // each) :]
        for name in _KEPT:
            found[f"replay.{name}"] = getattr(buffer, name)[newest]
        return found

    def restore(self, facts: dict[str, Any], arrays: Arrays, reward: RewardArrays | None) -> None:
        for name, (part, adam) in parts(self.ppo).items():
            head = f"{name}."
            own = {k[len(head) :]: v for k, v in arrays.items() if k.startswith(head)}
            checkpoint.restore_policy(part, adam, own)
        self._torch = torch.from_numpy(arrays["torch"].copy())
        word = facts["numpy"]
        key = np.array(word["key"], np.uint32)
        self._numpy.set_state({"bit_generator": "MT19937", "state": {"key": key, "pos": word["pos"]}})
        self._sharp, self.exploring = facts["sharp"], facts["exploring"]
        self._restore_rest(facts, arrays, reward)
        buffer, n = self.buffer, len(arrays["replay.rewards"])
        for name in _KEPT:
            getattr(buffer, name)[:n] = arrays[f"replay.{name}"]
        buffer.pos, buffer.full = n % buffer.buffer_size, n == buffer.buffer_size
        if not is_external(self.task):
            self._put(arrays["sim.states"], arrays["sim.rng"])
