"""Practice off-policy: SB3's DQN (Discrete) and SAC (Box) on a replay buffer that is relabelled.

What was once tried teaches again under every new reward, so that a reward that changes costs no new
steps (Lee, Smith and Abbeel 2021, "PEBBLE", section 4.3). Rollouts run many rows at once and act by the
snapshot's own forward pass: what is shown is what is tried.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3 import DQN, SAC
from stable_baselines3.common.buffers import NStepReplayBuffer
from stable_baselines3.common.logger import configure
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from stable_baselines3.common.utils import polyak_update

from agents import checkpoint
from agents.checkpoint import Arrays
from agents.networks import mlp_layers
from agents.ppo import RolloutFacts
from agents.practice import Practice, PracticeConfig
from agents.rollouts import is_foreign, simulate
from agents.snapshot import PolicyArrays, RewardArrays, forward
from agents.threads import one_thread
from agents.vec_env import SimulationVecEnv
from envs.world import Array, Task

Float = NDArray[np.float32]
MOST_BYTES = 2**28
"""Of the replay buffer; worlds that show pictures keep fewer steps."""
KEPT_BYTES = 2**23
"""Of the newest steps, in a checkpoint."""


@dataclass(frozen=True)
class OffPolicyConfig:
    """How DQN or SAC practises."""

    rows: int = 64  # environments stepped at once
    steps: int = 16  # steps of each row in a rollout
    updates: int = 64  # minibatches after each rollout
    batch: int = 256
    rate: float = 1e-3  # Adam's
    gamma: float = 0.99
    look: int = 3  # steps of reward before the value of where they led (n-step return)
    tau: float = 0.02  # how far the target net follows at each minibatch
    capacity: int = 200_000  # steps kept
    hidden: tuple[int, ...] = (64, 64)
    calm: float = 0.1  # share of the largest entropy that DQN's way of trying comes down to
    calming: int = 30_000  # environment steps in which it does
    neighbours: int = 5  # the k of the entropy by nearest neighbours
    others: int = 1024  # states among which neighbours are looked for


class RelabelledBuffer(NStepReplayBuffer):
    """SB3's n-step replay buffer that keeps the terms too, so that rewards can be worked out anew."""

    def __init__(
        self, *args: Any, terms: int, symmetries: Sequence[tuple[Array, Array]] = (), **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self.terms = np.zeros((self.buffer_size, self.n_envs, terms), np.float32)
        self._symmetries = tuple(symmetries)

    @property
    def moments(self) -> int:
        """How many steps of each row it holds."""
        return self.buffer_size if self.full else self.pos

    def put(self, obs: Float, after: Float, actions: Any, terms: Float, ended: Any) -> None:
        """One step of every row, without its reward. An end is the horizon's: bootstrapped over."""
        at = self.pos
        self.observations[at], self.next_observations[at], self.terms[at] = obs, after, terms
        self.actions[at] = np.asarray(actions).reshape(self.n_envs, -1)
        self.dones[at] = self.timeouts[at] = ended
        self.pos = (at + 1) % self.buffer_size
        self.full |= self.pos == 0

    def relabel(self, reward: Callable[[Float, Any, Float, Float], Float], part: int = 16_384) -> None:
        """Every kept step's reward, by `reward(obs, actions, next_obs, terms)`."""
        n, rows = self.moments, self.n_envs
        if n == 0:
            return
        whole = [a[:n].reshape(n * rows, -1) for a in (self.observations, self.next_observations, self.terms)]
        actions: Any = self.actions[:n].reshape(n * rows, -1)
        if isinstance(self.action_space, spaces.Discrete):
            actions = actions[:, 0]
        found = [
            reward(
                whole[0][i : i + part], actions[i : i + part], whole[1][i : i + part], whole[2][i : i + part]
            )
            for i in range(0, n * rows, part)
        ]
        self.rewards[:n] = np.concatenate(found).reshape(n, rows)

    def _get_samples(self, batch_inds: Any, env: Any = None) -> ReplayBufferSamples:
        """A minibatch, seen in a turn or mirror of the world drawn at random."""
        drawn = super()._get_samples(batch_inds, env)
        if not self._symmetries:
            return drawn
        order, to = self._symmetries[np.random.randint(len(self._symmetries))]
        turned = torch.from_numpy(order)
        return drawn._replace(
            observations=drawn.observations[:, turned],
            next_observations=drawn.next_observations[:, turned],
            actions=torch.from_numpy(np.asarray(to))[drawn.actions],
        )


def nearest(states: Float, others: Float, k: int) -> Float:
    """log(1 + distance) from each state [N, D] to its k-th nearest of `others` [M, D], itself aside.

    A particle estimate of the entropy of the states visited, up to constants: Lee et al. 2021, eq. 4
    and 5 (there without the 1, which keeps it finite where states repeat).
    """
    square = (states**2).sum(1)[:, None] + (others**2).sum(1) - 2.0 * states @ others.T
    near = np.partition(np.maximum(square, 0.0), k, axis=1)[:, k]  # the 0th is itself, where it is there
    return np.asarray(np.log1p(np.sqrt(near)), np.float32)


def sharpness(values: Float, share: float) -> float:
    """The factor by which action values [N, A] are logits of that share of the largest mean entropy."""
    low, high, most = -6.0, 12.0, np.log(values.shape[1])
    values = values - values.max(1, keepdims=True)
    for _ in range(24):
        middle = (low + high) / 2
        p = np.exp(values * np.exp(middle))
        p /= p.sum(1, keepdims=True)
        entropy = float(-(p * np.log(np.maximum(p, 1e-12))).sum(1).mean())
        low, high = (middle, high) if entropy > share * most else (low, middle)
    return float(np.exp(low))


class OffPolicyPractice(Practice):
    """What `Practice` is to PPO; `ppo` is SB3's DQN or SAC here."""

    ppo: Any

    def __init__(self, task: Task, seed: int, config: OffPolicyConfig) -> None:
        self.task, self.off = task, config
        self.config = PracticeConfig()
        rows, steps = (8, 128) if is_foreign(task) else (config.rows, config.steps)
        sim = simulate(task, rows, seed=seed * 1_000_003 + 17)
        self.env = SimulationVecEnv(sim, self._pay, stagger=np.random.default_rng([seed, 3]))
        with self._own_randomness():
            self.ppo = _algorithm(self.env, task, config, seed)
            self._torch = torch.get_rng_state()
            self._numpy = np.random.RandomState(seed)
        self.ppo.set_logger(configure(None, []))
        self.ppo.facts, self.ppo.random = RolloutFacts(), np.random.default_rng(seed)
        self.ppo.n_steps = steps
        self.past, self.bursts, self.exploring = deque(maxlen=self.config.past), 0, False
        self._reward: RewardArrays | None = None
        self._usual, self._unit, self._sharp = 0.0, None, 1.0
        self._recent, self._best = deque(maxlen=self.config.window), None
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
        _put_layers(self.ppo, policy)
        self._sharp = 1.0

    def set_reward(self, reward: RewardArrays | None) -> None:
        super().set_reward(reward)
        self._relabel()

    def _relabel(self) -> None:
        if not self.exploring:
            self.buffer.relabel(self._pay)

    def burst(self) -> int:
        """One rollout, and minibatches of all that is kept."""
        if not self.past or self.env_steps - self.past[-1][0] >= self.config.past_every:
            self.past.append((self.env_steps, self.policy))
        with one_thread():
            self._collect()
            self.bursts += 1
            if self._unit is None:
                self._measure_unit()
                self._relabel()
            with self._own_randomness():
                self._train()
        self._calm_down()
        self._recent.append(self.learned_return)
        return int(self.ppo.n_steps * self.env.num_envs)

    def _collect(self) -> None:
        sim, policy, random = self.env.simulation, self.policy, self.ppo.random
        discrete, buffer, first = policy.kind == "discrete", self.buffer, self.buffer.pos
        log: list[tuple[Any, ...]] = []
        keep = int(random.integers(self.ppo.n_steps))
        for t in range(self.ppo.n_steps):
            if t == keep:
                self.ppo.facts.states, self.ppo.facts.rng = sim.states.copy(), sim.rng.copy()
            obs = sim.obs.copy()
            actions = policy.act(obs, random)
            step = sim.step(actions)
            after, terms = step.last_obs.copy(), step.terms.copy()
            buffer.put(
                obs, after, actions if discrete else self.ppo.policy.scale_action(actions), terms, step.ended
            )
            log.append((obs, actions, after, terms))
        self.ppo.num_timesteps += self.ppo.n_steps * sim.rows
        obs, actions, after, terms = (np.stack(part) for part in zip(*log, strict=True))
        self._note(obs, actions.reshape(*obs.shape[:2], -1), after, terms, first)

    def _note(self, obs: Float, actions: Any, after: Float, terms: Float, first: int) -> None:
        """Pay for the newest rollout, and keep it for curves and questions."""
        facts, total = self.ppo.facts, obs.shape[0] * obs.shape[1]
        facts.obs, facts.actions, facts.next_obs, facts.terms = obs, actions, after, terms
        facts.terms_sum = terms.sum((0, 1))
        facts.terms_mean = facts.terms_sum / total
        facts.episodes = total / self.task.horizon
        paid = self._pay_all(after)
        at = (first + np.arange(len(obs))) % self.buffer.buffer_size
        self.buffer.rewards[at] = paid.reshape(obs.shape[:2])
        facts.reward_sum = float(paid.sum())

    def _pay_all(self, after: Float) -> Float:
        if not self.exploring:
            steps = self.newest_steps()
            assert steps is not None
            return self._pay(*steps)
        seen = after.reshape(-1, after.shape[-1])
        n = self.buffer.moments
        moments = self.ppo.random.integers(n, size=self.off.others)
        rows = self.ppo.random.integers(self.env.num_envs, size=self.off.others)
        found = nearest(seen, self.buffer.observations[moments, rows], self.off.neighbours)
        return np.asarray((found - found.mean()) / max(float(found.std()), 1e-3), np.float32)

    def _train(self) -> None:
        model, chunk = self.ppo, 1 if isinstance(self.ppo, SAC) else 4
        if chunk == 1:
            model.train(self.off.updates, self.off.batch)
            return
        for _ in range(self.off.updates // chunk):
            model.train(chunk, self.off.batch)
            tau = 1.0 - (1.0 - self.off.tau) ** chunk
            polyak_update(model.q_net.parameters(), model.q_net_target.parameters(), tau)

    def _calm_down(self) -> None:
        if isinstance(self.ppo, SAC):
            return
        facts, policy = self.ppo.facts, off_policy_arrays(self.ppo, 1.0)
        seen = facts.obs.reshape(-1, facts.obs.shape[-1])[:1024]
        share = max(self.off.calm, 0.95 * (1.0 - self.env_steps / self.off.calming))
        if self.exploring:
            share = max(share, 0.5)
        self._sharp = sharpness(forward(policy.layers, seen, policy.activation), share)

    def settle(self) -> None:
        """Nothing to go back to: old steps are practised on as long as they are kept."""

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
        for name, (part, adam) in _parts(self.ppo).items():
            held = checkpoint.policy_state(part, adam)
            found |= {f"{name}.{key}": value.copy() for key, value in held.items()}
        for index, (_, policy) in enumerate(self.past):
            found |= checkpoint.layer_arrays(f"past.{index}", policy.layers)
        buffer, n = self.buffer, self.buffer.moments
        each = buffer.observations[0].nbytes * 2 + 1
        order = (buffer.pos + np.arange(n)) % n if buffer.full else np.arange(n)
        newest = order[-max(1, KEPT_BYTES // each) :]
        for name in _KEPT:
            found[f"replay.{name}"] = getattr(buffer, name)[newest]
        return found

    def restore(self, facts: dict[str, Any], arrays: Arrays, reward: RewardArrays | None) -> None:
        for name, (part, adam) in _parts(self.ppo).items():
            head = f"{name}."
            own = {k[len(head) :]: v for k, v in arrays.items() if k.startswith(head)}
            checkpoint.restore_policy(part, adam, own)
        self._torch = torch.from_numpy(arrays["torch"].copy())
        word = facts["numpy"]
        key = np.array(word["key"], np.uint32)
        self._numpy.set_state({"bit_generator": "MT19937", "state": {"key": key, "pos": word["pos"]}})
        self.ppo.num_timesteps, self.bursts = facts["env_steps"], facts["bursts"]
        self.ppo.random.bit_generator.state = facts["random"]
        self._sharp, self.exploring = facts["sharp"], facts["exploring"]
        now = self.policy
        self.past.clear()
        for index, at in enumerate(facts["past"]):
            layers = checkpoint.layers_from(f"past.{index}", arrays)
            self.past.append((at, replace(now, layers=layers)))
        self._reward, self._unit, self._usual = reward, facts["unit"], facts["usual"]
        buffer, n = self.buffer, len(arrays["replay.rewards"])
        for name in _KEPT:
            getattr(buffer, name)[:n] = arrays[f"replay.{name}"]
        buffer.pos, buffer.full = n % buffer.buffer_size, n == buffer.buffer_size
        if not is_foreign(self.task):
            self._put(arrays["sim.states"], arrays["sim.rng"])


_KEPT = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts", "terms")


def _algorithm(env: SimulationVecEnv, task: Task, config: OffPolicyConfig, seed: int) -> DQN | SAC:
    discrete = isinstance(task.world.action_space, spaces.Discrete)
    each = len(task.world.obs_names) * 8 + len(task.world.terms) * 4
    more: dict[str, Any] = {"target_update_interval": 10**9} if discrete else {"tau": config.tau}
    return (DQN if discrete else SAC)(
        "MlpPolicy",
        env,
        learning_rate=config.rate,
        buffer_size=min(config.capacity, MOST_BYTES // each),
        batch_size=config.batch,
        gamma=config.gamma,
        replay_buffer_class=RelabelledBuffer,
        replay_buffer_kwargs={
            "terms": len(task.world.terms),
            "symmetries": task.world.symmetries,
            "n_steps": config.look,
            "gamma": config.gamma,
        },
        policy_kwargs={"net_arch": list(config.hidden)},
        seed=seed,
        device="cpu",
        **more,
    )


def off_policy_arrays(model: DQN | SAC, sharp: float = 1.0) -> PolicyArrays:
    """DQN: action values times `sharp` as logits. SAC: its squashed Gaussian, deviations by the state."""
    if isinstance(model, DQN):
        *inner, (weight, bias) = mlp_layers(model.q_net.q_net)
        scaled = np.float32(sharp)
        return PolicyArrays((*inner, (weight * scaled, bias * scaled)), "discrete", activation="relu")
    actor: Any = model.actor
    *inner, (mean, mean_bias), (spread, spread_bias) = mlp_layers(actor.latent_pi, actor.mu, actor.log_std)
    last = np.concatenate([mean, spread], 1), np.concatenate([mean_bias, spread_bias])
    space = model.action_space
    assert isinstance(space, spaces.Box)
    low, high = (np.asarray(bound, np.float32).reshape(-1) for bound in (space.low, space.high))
    return PolicyArrays((*inner, last), "squashed", low=low, high=high, activation="relu")


def _linear(*parts: torch.nn.Module) -> list[torch.nn.Linear]:
    return [m for part in parts for m in part.modules() if isinstance(m, torch.nn.Linear)]


def _put_layers(model: DQN | SAC, policy: PolicyArrays) -> None:
    """Set the acting net to `policy`. ValueError, a sentence, where the shapes are others."""
    own = off_policy_arrays(model)
    if [w.shape for w, _ in own.layers] != [w.shape for w, _ in policy.layers] or own.kind != policy.kind:
        raise ValueError(
            f"a {policy.kind} policy with layers of {[w.shape[1] for w, _ in policy.layers[:-1]]} can't be "
            f"gone on from: here they are {own.kind}, of {[w.shape[1] for w, _ in own.layers[:-1]]}"
        )
    layers = list(policy.layers)
    if isinstance(model, SAC):
        weight, bias = layers.pop()
        half = weight.shape[1] // 2
        layers += [(weight[:, :half], bias[:half]), (weight[:, half:], bias[half:])]
        actor: Any = model.actor
        nets = [_linear(actor.latent_pi, actor.mu, actor.log_std)]
    else:
        nets = [_linear(model.q_net), _linear(model.q_net_target)]
    for net in nets:
        for linear, (weight, bias) in zip(net, layers, strict=True):
            linear.weight.data = torch.from_numpy(weight.T.copy())
            linear.bias.data = torch.from_numpy(bias.copy())


def _parts(model: DQN | SAC) -> dict[str, tuple[Any, Any]]:
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
