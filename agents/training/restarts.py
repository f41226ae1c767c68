"""Trains more than once on one reward, and selects which of the policies is kept.

A try is one run of training on a reward. PPO passes through many policies, a little better or worse by
chance, so a try ends with one of three: the newest policy, the mean of the parameters of the late policies
(Izmailov et al. 2018, "Averaging weights leads to wider optima and better generalization"), or the late
policy whose rollouts had the highest value. They are compared by whole episodes under the reward as it is
estimated at the end; earlier estimates are not used. The best policy of all tries is kept only if it is
credibly better than the policy was after a tenth of the first try.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from stable_baselines3.common.policies import ActorCriticPolicy

from agents.checkpoint import StateDict
from agents.feedback.records import Record
from agents.policies import rollouts
from agents.policies.from_torch import policy_arrays
from agents.policies.policy_arrays import PolicyArrays
from agents.policies.rollouts import StepTerms
from agents.training.policy_history import PolicyHistory
from agents.training.trainer_config import TrainerConfig
from agents.training.trainer_protocol import EpisodeValue, IsCrediblyBetter, TermCounts
from agents.training.warm_start import BCWarmStart, Parameters
from envs.world import Array, Task

EARLY_SHARE = 0.1
"""The policy is set aside after this share of the training."""


@dataclass(frozen=True)
class Candidate:
    """A policy that was set aside: the value of an episode, the counts of each term in it, and its
    parameters."""

    value: float
    counts: TermCounts | None
    parameters: Parameters
    policy: PolicyArrays


class RecentPolicies:
    """The newest policies that were trained on one reward, with the values of their own rollouts."""

    def __init__(self, window: int, averaging_rate: float) -> None:
        """window: over how many rollouts a policy's value is averaged. averaging_rate: weight of the newest
        policy in the mean of the parameters."""
        self.values: deque[float] = deque(maxlen=window)
        self._averaging_rate = averaging_rate
        self.reset()

    def reset(self) -> None:
        """Forget the values: the reward, or its estimate, has changed."""
        self.values.clear()
        self.best: tuple[float, Parameters] | None = None
        self.mean_parameters: Parameters = {}
        self._n_added = 0

    def add(self, episode_value: float, parameters: Parameters) -> None:
        """Add a policy's newest rollout and a copy of its parameters."""
        self._n_added += 1
        share = max(self._averaging_rate, 1.0 / self._n_added)
        if not self.mean_parameters:
            self.mean_parameters = {name: value.clone() for name, value in parameters.items()}
        for name, value in self.mean_parameters.items():
            newest = parameters[name]
            if value.is_floating_point():
                value.lerp_(newest, share)
            else:  # counted, as batches are
                value.copy_(newest)
        self.values.append(episode_value)
        if len(self.values) == self.values.maxlen and (self.best is None or self.mean_value > self.best[0]):
            self.best = (self.mean_value, parameters)

    @property
    def mean_value(self) -> float:
        """Mean value over the window."""
        return float(np.mean(self.values))


class RestartSelection:
    """Trains again from another starting point, and keeps the policy that is credibly better."""

    def __init__(
        self,
        task: Task,
        seed: int,
        network: ActorCriticPolicy,
        history: PolicyHistory,
        config: TrainerConfig,
        episode_value: EpisodeValue | None = None,
    ) -> None:
        """network: the policy that is trained; it is read and overwritten. history: keeps rejected policies.
        episode_value: selects the best policy; None: the values of its rollouts do."""
        self.task, self.config, self.episode_value = task, config, episode_value
        self.further_terms: StepTerms | None = None
        """Further terms by which episodes are valued, beside those that the world names."""
        self._network, self._history = network, history
        self.warm_start = BCWarmStart(task, seed, network)
        self.recent_policies = RecentPolicies(config.value_window, config.averaging_rate)
        self.is_at_restart_point = True
        """Whether it has not been trained since it was the policy at the restart point."""
        self._restart_parameters = self.parameters()
        self._iterations_since_restart_point = 0
        self._must_warm_start = False  # whether a try is still to begin by imitating
        self._has_warm_started = False  # whether one did
        self._best_candidate: Candidate | None = None  # the best so far, while a further one is made
        self._early_parameters: Parameters | None = None  # of the policy after a tenth of practice

    @property
    def policy(self) -> PolicyArrays:
        return policy_arrays(self._network)

    def parameters(self) -> Parameters:
        """A copy of the network's."""
        return {name: value.clone() for name, value in self._network.state_dict().items()}

    def _load_parameters(self, parameters: Parameters) -> None:
        self._network.load_state_dict(parameters)

    def _revert_parameters(self, parameters: Parameters) -> None:
        self._load_parameters(parameters)
        self.recent_policies.reset()

    def begin_reward(self) -> None:
        """Training on another reward begins."""
        self.recent_policies.reset()
        self._early_parameters = None
        self.is_at_restart_point, self._has_warm_started = self._iterations_since_restart_point == 0, False

    def add_iteration(self, counts: TermCounts, learned_return: float, parameters: Parameters) -> None:
        """The policy with these parameters has made a rollout, and was then updated. counts [M]: terms per
        episode."""
        self._iterations_since_restart_point += 1
        value = None if self.episode_value is None else self.episode_value(counts)
        self.recent_policies.add(learned_return if value is None else value, parameters)

    def set_demonstrations(self, records: Sequence[Record]) -> None:
        """Set the demonstrations that a further try may imitate first."""
        self.warm_start.set_demonstrations(records)

    def reset_recent_policies(self) -> None:
        """Forget the values of the newest policies."""
        self.recent_policies.reset()

    def mark_restart_point(self) -> None:
        """Remember the current policy as the restart point."""
        self._restart_parameters, self._iterations_since_restart_point = self.parameters(), 0

    def return_to_restart_point(self) -> bool:
        """Go back to the policy of the restart point, or to the untrained one. Always returns True."""
        self._revert_parameters(self._restart_parameters)
        self._iterations_since_restart_point, self.is_at_restart_point = 0, True
        return True

    @property
    def candidate_policy(self) -> PolicyArrays | None:
        """The best policy so far, while a further try is running."""
        return None if self._best_candidate is None else self._best_candidate.policy

    @property
    def is_restarting(self) -> bool:
        """Whether a further try is running."""
        return self._best_candidate is not None

    @property
    def can_restart(self) -> bool:
        """Whether a further try on this reward would start from a policy that no earlier try has started
        from."""
        return not self.is_at_restart_point or (
            self.warm_start.has_demonstrations and not self._has_warm_started
        )

    def restart(self, counts: TermCounts) -> None:
        """Train on this reward once more, and set the best policy so far aside.

        Habits learned while they seemed good can keep an agent from what the new estimate says is better. So
        the new try starts from the restart point, and begins by imitating the demonstrations. counts [M]:
        terms per episode.
        """
        self._keep_if_better(self.select_best(counts))
        self._must_warm_start = self._has_warm_started = self.is_at_restart_point
        self.return_to_restart_point()

    @property
    def is_warm_starting(self) -> bool:
        """Whether it has to imitate demonstrations before it can train on the reward."""
        return self._must_warm_start and self.warm_start.has_demonstrations

    def warm_start_some(self) -> int:
        """Some minibatches of imitation. Returns the number of environment steps, which is 0. The clone
        itself is a candidate too."""
        if self.warm_start.train_some():
            clone = self.warm_start.parameters_with_critic(self._restart_parameters)
            judged = None if self.task.is_costly else self._evaluate_candidate(clone)
            if judged is not None:
                self._keep_if_better(judged)
            self._revert_parameters(clone)
            self._must_warm_start = False
        return 0

    def _keep_if_better(self, candidate: Candidate) -> None:
        best = self._best_candidate
        if best is None or candidate.value > best.value + self.config.value_margin:
            self._best_candidate = candidate

    def accept_or_revert(
        self, counts: TermCounts | None, is_credibly_better: IsCrediblyBetter
    ) -> TermCounts | None:
        """The last try has ended: keep its policy if it is clearly better than the best one before and
        credibly better than the early one. counts [M]: terms per episode now; returned: the kept one's."""
        ended, first = self.select_best(counts), self._best_candidate
        if first is not None and not ended.value > first.value + self.config.value_margin:  # neither known?
            return self._revert_to_early_policy(self.restore_candidate(counts), is_credibly_better)
        self._best_candidate = None
        return self._revert_to_early_policy(ended.counts, is_credibly_better)

    def keep_early_policy(self, before: float, now: float) -> None:
        """Set the policy aside when the share of training that is done passes a tenth."""
        if before < EARLY_SHARE <= now and not self.task.is_costly:
            self._early_parameters = self.parameters()

    def _revert_to_early_policy(
        self, counts: TermCounts | None, is_credibly_better: IsCrediblyBetter
    ) -> TermCounts | None:
        """Go back to the policy of early in training, unless the trained one is credibly better.

        The longer a policy trains on a learned reward, the more it exploits that reward's errors. The
        rejected policy is kept, so that clips of it can be asked about and the rejection corrected.
        """
        early, self._early_parameters = self._early_parameters, None
        if early is None or counts is None:
            return counts
        late, policy, judged = self.parameters(), self.policy, self._evaluate_candidate(early)
        if judged is None or judged.counts is None or is_credibly_better(counts, judged.counts):
            self._load_parameters(late)
            self._history.rejected = None
            return counts
        self._history.rejected = policy
        self.recent_policies.reset()
        return judged.counts

    def restore_candidate(self, counts: TermCounts | None) -> TermCounts | None:
        """Go back to the policy that was set aside, and return its counts, while a further try is running;
        else return `counts`."""
        if self._best_candidate is None:
            return counts
        first, self._best_candidate, self._iterations_since_restart_point, self._must_warm_start = (
            self._best_candidate,
            None,
            1,
            False,
        )
        self._revert_parameters(first.parameters)
        return first.counts

    def select_best(self, counts: TermCounts | None) -> Candidate:
        """Take the best of the late policies. counts [M]: terms per episode of the current one."""
        now = self.parameters()
        judged = None if self.task.is_costly else self._evaluate_candidate(now)
        if judged is None:
            return self._select_by_rollouts(counts, now)
        held = [judged, *(self._evaluate_candidate(one) for one in self._averaged_and_best_parameters())]
        best = max((one for one in held if one is not None), key=lambda one: one.value)
        self._load_parameters(best.parameters)
        return best

    def _averaged_and_best_parameters(self) -> list[Parameters]:
        """The averaged parameters, and those of the policy with the best rollouts."""
        found = [self.recent_policies.mean_parameters] if self.recent_policies.mean_parameters else []
        return found if self.recent_policies.best is None else [*found, self.recent_policies.best[1]]

    def _evaluate_candidate(self, parameters: Parameters) -> Candidate | None:
        """The value of whole episodes of the policy; None if the terms don't tell."""
        if self.episode_value is None:
            return None
        self._load_parameters(parameters)
        policy, starts = self.policy, np.arange(max(1, self.config.evaluation_steps // self.task.horizon))
        counts = self._count_terms(policy, starts)
        worth = self.episode_value(counts)
        return None if worth is None else Candidate(worth, counts, parameters, policy)

    def count_terms(self) -> TermCounts:
        """Each term [M + K] per episode of the current policy."""
        starts = np.arange(max(1, self.config.evaluation_steps // self.task.horizon))
        return self._count_terms(self.policy, starts)

    def _count_terms(self, policy: PolicyArrays, starts: Array) -> TermCounts:
        act = rollouts.sampling_act(policy)
        counted = rollouts.episode_terms(self.task, act, starts, self.further_terms)
        return np.asarray(counted.mean(0), np.float32)

    def _select_by_rollouts(self, counts: TermCounts | None, now: Parameters) -> Candidate:
        """Take the policy with the best rollouts if the current one is worse, because long training drifts.
        The value is minus infinity if training was too short to tell."""
        if self.recent_policies.best is None:
            return Candidate(-np.inf, counts, now, self.policy)
        worth, (best, parameters) = self.recent_policies.mean_value, self.recent_policies.best
        if worth < best - self.config.return_tolerance * abs(best):
            self._load_parameters(parameters)
            worth, now = best, parameters
        return Candidate(worth, counts, now, self.policy)

    # Stopping and going on.

    def state_dict(self) -> StateDict:
        first = self._best_candidate
        facts = {
            "since_origin": self._iterations_since_restart_point,
            "began_anew": self.is_at_restart_point,
            "clones": [self._must_warm_start, self._has_warm_started],
            "first": first and [first.value, np.asarray(first.counts).tolist()],
        }
        held = {
            "origin": self._restart_parameters,
            "first": None if first is None else first.parameters,
            "early": self._early_parameters,
        }
        arrays = {
            f"{part}.{name}": value.cpu().numpy()
            for part, parameters in held.items()
            for name, value in (parameters or {}).items()
        }
        return StateDict(facts, arrays)

    def load_state_dict(self, state: StateDict) -> None:
        """Restore the state. The network must be restored afterwards."""
        facts, arrays = state.facts, state.arrays
        names = self._network.state_dict()
        if facts.get("first") is not None:
            self._load_parameters({name: torch.from_numpy(arrays[f"first.{name}"]) for name in names})
            worth, counts = facts["first"]
            counted = np.array(counts, np.float32)
            self._best_candidate = Candidate(worth, counted, self.parameters(), self.policy)
        if any(name.startswith("early.") for name in arrays):
            early = {name: torch.from_numpy(arrays[f"early.{name}"].copy()) for name in names}
            self._early_parameters = early
        for name, value in self._restart_parameters.items():
            if f"origin.{name}" in arrays:  # an older version kept none
                value.copy_(torch.from_numpy(arrays[f"origin.{name}"]))
        self._iterations_since_restart_point = facts.get("since_origin", 1)
        self.is_at_restart_point = facts.get("began_anew", True)
        self._must_warm_start, self._has_warm_started = facts.get("clones", (False, False))
