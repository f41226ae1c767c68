"""SB3's n-step replay buffer, relabelled when the reward changes; and how new a state is to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.buffers import NStepReplayBuffer
from stable_baselines3.common.type_aliases import ReplayBufferSamples

from envs.world import Array

Float = NDArray[np.float32]


class RelabelledBuffer(NStepReplayBuffer):
    """SB3's n-step replay buffer that keeps the terms too, so that rewards can be worked out anew."""

    def __init__(
        self, *args: Any, n_terms: int, symmetries: Sequence[tuple[Array, Array]] = (), **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self.terms = np.zeros((self.buffer_size, self.n_envs, n_terms), np.float32)
        self._symmetries = tuple(symmetries)

    @property
    def n_stored_steps(self) -> int:
        """How many steps of each row it holds."""
        return self.buffer_size if self.full else self.pos

    def add_steps(
        self, obs: Float, next_obs: Float, actions: Any, terms: Float, ended: Any, terminated: Any
    ) -> None:
        """One step of every row, without its reward. An end is the horizon's, and bootstrapped over, but for
        rows that are `terminated`: an early end, after which the rest is reckoned."""
        at = self.pos
        self.observations[at], self.next_observations[at], self.terms[at] = obs, next_obs, terms
        self.actions[at] = np.asarray(actions).reshape(self.n_envs, -1)
        self.dones[at], self.timeouts[at] = ended, ended & ~terminated
        self.pos = (at + 1) % self.buffer_size
        self.full |= self.pos == 0

    def relabel(
        self,
        reward: Callable[[Float, Any, Float, Float], Float],
        absorbing_return: float = 0.0,
        chunk_size: int = 16_384,
    ) -> None:
        """Every kept step's reward, by `reward(obs, actions, next_obs, terms)`; early ends get
        `absorbing_return` too."""
        n, rows = self.n_stored_steps, self.n_envs
        if n == 0:
            return
        whole = [a[:n].reshape(n * rows, -1) for a in (self.observations, self.next_observations, self.terms)]
        actions: Any = self.actions[:n].reshape(n * rows, -1)
        if isinstance(self.action_space, spaces.Discrete):
            actions = actions[:, 0]
        found = [
            reward(
                whole[0][i : i + chunk_size],
                actions[i : i + chunk_size],
                whole[1][i : i + chunk_size],
                whole[2][i : i + chunk_size],
            )
            for i in range(0, n * rows, chunk_size)
        ]
        self.rewards[:n] = np.concatenate(found).reshape(n, rows)
        self.rewards[:n] += absorbing_return * self.early_ends(slice(n))

    def early_ends(self, at: Any) -> Array:
        """Which of the kept steps `at` [..., rows] ended an episode before its horizon."""
        return (self.dones[at] > 0.0) & (self.timeouts[at] == 0.0)

    def _stored_indices(self) -> dict[str, Array]:
        """All that makes up a step, by its name in a checkpoint."""
        return {
            "replay.observations": self.observations,
            "replay.next_observations": self.next_observations,
            "replay.actions": self.actions,
            "replay.rewards": self.rewards,
            "replay.dones": self.dones,
            "replay.timeouts": self.timeouts,
            "replay.terms": self.terms,
        }

    def newest(self, most: int) -> dict[str, Array]:
        """At most so many of the newest steps of each row, the oldest first, for a checkpoint."""
        n = self.n_stored_steps
        order = (self.pos + np.arange(n)) % n if self.full else np.arange(n)
        return {name: values[order[-most:]] for name, values in self._stored_indices().items()}

    def restore_newest(self, arrays: Mapping[str, Array]) -> None:
        """Keep what `newest` gave, and nothing else."""
        n = len(arrays["replay.rewards"])
        for name, values in self._stored_indices().items():
            values[:n] = arrays[name]
        self.pos, self.full = n % self.buffer_size, n == self.buffer_size

    def _get_samples(self, batch_inds: Any, env: Any = None) -> ReplayBufferSamples:
        """A minibatch, seen in a turn or mirror of the world drawn at random."""
        drawn = super()._get_samples(batch_inds, env)
        if not self._symmetries:
            return drawn
        order, to = self._symmetries[np.random.randint(len(self._symmetries))]
        turned = torch.as_tensor(order, device=self.device)
        return drawn._replace(
            observations=drawn.observations[:, turned],
            next_observations=drawn.next_observations[:, turned],
            actions=torch.as_tensor(np.asarray(to), device=self.device)[drawn.actions],
        )


def log_knn_distance(states: Float, others: Float, k: int) -> Float:
    """log(1 + distance) from each state [N, D] to its k-th nearest of `others` [M, D], itself aside.

    A particle estimate of the entropy of the states visited, up to constants: Lee et al. 2021, eq. 4
    and 5 (there without the 1, which keeps it finite where states repeat).
    """
    square = (states**2).sum(1)[:, None] + (others**2).sum(1) - 2.0 * states @ others.T
    near = np.partition(np.maximum(square, 0.0), k, axis=1)[:, k]  # the 0th is itself, where it is there
    return np.asarray(np.log1p(np.sqrt(near)), np.float32)
