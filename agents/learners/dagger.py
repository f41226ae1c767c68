"""`dagger`: imitation that goes on being corrected where its own driving leads it.

Every takeover says what should have been done in a state that the agent came to by itself; all of it
is kept together and learned anew (Ross, Gordon and Bagnell 2011, "A reduction of imitation learning",
algorithm 3.1). A person takes over by hand (Kelly et al. 2019, HG-DAgger); a scripted expert names
its action for each state on the way (`ask`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.checkpoint import StateDict
from agents.feedback.records import Record
from agents.imitation.cloner import CloningConfig
from agents.learners.bc import CloningLearner
from agents.learners.protocol import Prior
from agents.policies.from_torch import policy_arrays
from agents.renamed_settings import renamed_settings
from agents.snapshot import Snapshot
from envs.simulate import simulate
from envs.world import Array, Task

ExpertFunction = Callable[[NDArray[np.float32]], Array]
"""Observations [N, D] -> the actions [N] or [N, C] to take there."""


@renamed_settings(rows="n_envs", steps="n_steps", fading="beta_decay")
@dataclass(frozen=True)
class DaggerConfig(CloningConfig):
    """The settings of `bc`, and how a scripted expert is asked."""

    n_updates: int = 1_500
    learning_rate: float = 3e-3
    net_arch: tuple[int, ...] = (64, 64)
    n_members: int = 3
    input_dropout: float = 0.6
    logit_temperature: float = 4.0

    n_envs: int = 8  # episodes driven at once when a scripted expert is asked
    n_steps: int = 64  # of each in a round
    beta_decay: float = 0.5  # the expert drives with probability beta_decay^round (their beta_i)


class DaggerLearner(CloningLearner):
    """`bc` on demonstrations and takeovers, and on a scripted expert's actions in states that the agent
    visits."""

    name: ClassVar[str] = "dagger"
    kinds: ClassVar[frozenset[str]] = frozenset({"demonstration", "correction"})
    Config: ClassVar[type[CloningConfig]] = DaggerConfig
    config: DaggerConfig

    def __init__(self, task: Task, *, seed: int = 0, prior: Prior = "none", config: Any = None) -> None:
        super().__init__(task, seed=seed, prior=prior, config=config)
        self._random = np.random.default_rng([seed, 9])
        self._sim: Any = None
        self.rounds = 0
        self._labelled_obs = np.zeros((0, len(task.world.obs_names)), np.float32)
        self._labels: Array | None = None

    def query_expert(self, expert: ExpertFunction) -> int:
        """One round: drive, with the expert acting in the agent's place now and then; label every visited
        state with the expert's action; add them to the data. Returns how many states were labelled. `step`
        then learns from all data."""
        config = self.config
        if self._sim is None:
            self._sim = simulate(self.task, config.n_envs, seed=self.seed * 7919 + 1)
        policy, beta = policy_arrays(self.ppo.policy), config.beta_decay**self.rounds
        seen, said = [], []
        for _ in range(config.n_steps):
            obs = self._sim.obs.copy()
            label = np.asarray(expert(obs))
            own = policy.act(obs, self._random)
            gives = self._random.random(config.n_envs) < beta
            seen.append(obs)
            said.append(label)
            self._sim.step(np.where(gives if label.ndim == 1 else gives[:, None], label, own))
        self.rounds += 1
        self._labelled_obs = np.concatenate([self._labelled_obs, *seen])
        labels = np.concatenate(said)
        self._labels = labels if self._labels is None else np.concatenate([self._labels, labels])
        self.cloner.add_examples(np.concatenate(seen), labels)
        self._restart_training()
        return len(labels)

    def _set_records(self, records: list[Record]) -> None:
        super()._set_records(records)
        if self._labels is not None:
            self.cloner.add_examples(self._labelled_obs, self._labels)

    def snapshot(self) -> Snapshot:
        found = super().snapshot()
        labelled = {"labelled state": len(self._labelled_obs)} if len(self._labelled_obs) else {}
        return replace(found, feedback_counts=found.feedback_counts | labelled)

    def state_dict(self) -> StateDict:
        state = super().state_dict()
        if self._labels is None:
            return state
        labels = {"labels.obs": self._labelled_obs, "labels.actions": self._labels}
        return replace(state, arrays=state.arrays | labels)

    def load_state_dict(self, state: StateDict) -> None:
        super().load_state_dict(state)
        if "labels.obs" in state.arrays:
            self._labelled_obs, self._labels = state.arrays["labels.obs"], state.arrays["labels.actions"]
