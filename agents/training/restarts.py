"""Practising more than once on one reward, and which of its policies is kept.

PPO passes through many policies, a little better or worse by chance. So a try ends in one of three: the
newest, the mean of the late ones' parameters (Izmailov et al. 2018, "Averaging weights leads to wider
optima and better generalization"), or the one whose rollouts were worth most. Whole episodes tell which,
judged by what is believed at the end: what was thought of a policy earlier says nothing about it any more.
What all the tries came to must be surely better than the policy was after a tenth of the first.
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
"""Share of practice after which the policy is kept aside."""


@dataclass(frozen=True)
class Candidate:
    """A policy kept aside: what an episode is worth, of each term in it, its parameters."""

    value: float
    counts: TermCounts | None
    parameters: Parameters
    policy: PolicyArrays


class RecentPolicies:
    """The newest policies that practised on one reward, and what they were worth by their own rollouts."""

    def __init__(self, window: int, averaging_rate: float) -> None:
        """window: rollouts that one is judged by. averaging_rate: share of the newest in the mean of
        parameters."""
        self.values: deque[float] = deque(maxlen=window)
        self._averaging_rate = averaging_rate
        self.reset()

    def reset(self) -> None:
        """Another reward, or another belief of it: what was thought of them counts no more."""
        self.values.clear()
        self.best: tuple[float, Parameters] | None = None
        self.mean_parameters: Parameters = {}
        self._n_added = 0

    def add(self, episode_value: float, parameters: Parameters) -> None:
        """A policy's newest rollout, and its parameters: a copy."""
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
        """Mean worth over the window."""
        return float(np.mean(self.values))


class RestartSelection:
    """Trains again from elsewhere, and keeps the policy that is clearly better."""

    def __init__(
        self,
        task: Task,
        seed: int,
        network: ActorCriticPolicy,
        history: PolicyHistory,
        config: TrainerConfig,
        episode_value: EpisodeValue | None = None,
    ) -> None:
        """network: the policy that is trained, which is read and overwritten. history: where a policy that
        is given up is kept. episode_value: by which the best policy is found; None: by its rollouts."""
        self.task, self.config, self.episode_value = task, config, episode_value
        self.further_terms: StepTerms | None = None
        """Terms beside the named ones by which episodes are valued."""
        self._network, self._history = network, history
        self.warm_start = BCWarmStart(task, seed, network)
        self.recent_policies = RecentPolicies(config.value_window, config.averaging_rate)
        self.is_at_restart_point = True
        """Whether it has practised on nothing else since it was the policy that can be started over from."""
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
        """Another reward is trained on from now on."""
        self.recent_policies.reset()
        self._early_parameters = None
        self.is_at_restart_point, self._has_warm_started = self._iterations_since_restart_point == 0, False

    def add_iteration(self, counts: TermCounts, learned_return: float, parameters: Parameters) -> None:
        """A rollout has been made by the policy of these parameters, and then its update. counts [M]."""
        self._iterations_since_restart_point += 1
        value = None if self.episode_value is None else self.episode_value(counts)
        self.recent_policies.add(learned_return if value is None else value, parameters)

    def set_demonstrations(self, records: Sequence[Record]) -> None:
        """What a try may begin by imitating."""
        self.warm_start.set_demonstrations(records)

    def reset_recent_policies(self) -> None:
        """What was thought of the newest policies counts no more."""
        self.recent_policies.reset()

    def mark_restart_point(self) -> None:
        """The policy of now is what can be started over from."""
        self._restart_parameters, self._iterations_since_restart_point = self.parameters(), 0

    def return_to_restart_point(self) -> bool:
        """Go back to the policy that was remembered, or else the untaught one; whether there was one."""
        self._revert_parameters(self._restart_parameters)
        self._iterations_since_restart_point, self.is_at_restart_point = 0, True
        return True

    @property
    def candidate_policy(self) -> PolicyArrays | None:
        """The best policy so far, while a further try is made."""
        return None if self._best_candidate is None else self._best_candidate.policy

    @property
    def is_restarting(self) -> bool:
        """Whether a further try is being made."""
        return self._best_candidate is not None

    @property
    def can_restart(self) -> bool:
        """Whether a further try on this reward would begin elsewhere than those made."""
        return not self.is_at_restart_point or (
            self.warm_start.has_demonstrations and not self._has_warm_started
        )

    def restart(self, counts: TermCounts) -> None:
        """Practise on this reward once more, and keep the best policy so far aside.

        What an agent took up while it was thought good can keep it from all that is thought better by now.
        So it begins where one can start over, and then by doing what was driven (`imitate`). counts [M]: of
        each term per episode.
        """
        self._keep_if_better(self.select_best(counts))
        self._must_warm_start = self._has_warm_started = self.is_at_restart_point
        self.return_to_restart_point()

    @property
    def is_warm_starting(self) -> bool:
        """Whether it must `imitate` before it can practise."""
        return self._must_warm_start and self.warm_start.has_demonstrations

    def warm_start_some(self) -> int:
        """Some minibatches of doing what the person did; the number of environment steps, which is none.

        The clone that it comes to is a candidate as well, as it is.
        """
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
        """The end of the last try, if it is clearly worth more than what was before and surely than early on.

        counts [M]: of each term per episode, now; the same of the policy that is kept.
        """
        ended, first = self.select_best(counts), self._best_candidate
        if first is not None and not ended.value > first.value + self.config.value_margin:  # neither known?
            return self._revert_to_early_policy(self.restore_candidate(counts), is_credibly_better)
        self._best_candidate = None
        return self._revert_to_early_policy(ended.counts, is_credibly_better)

    def keep_early_policy(self, before: float, now: float) -> None:
        """Keep the policy aside when practice passes a tenth of its length, by its shares before and now."""
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
        """The policy kept aside and its counts, while there is a further try; else the `counts` given."""
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
        """Go to the best of the late policies; counts [M] of each term per episode, as of now."""
        now = self.parameters()
        judged = None if self.task.is_costly else self._evaluate_candidate(now)
        if judged is None:
            return self._select_by_rollouts(counts, now)
        held = [judged, *(self._evaluate_candidate(one) for one in self._averaged_and_best_parameters())]
        best = max((one for one in held if one is not None), key=lambda one: one.value)
        self._load_parameters(best.parameters)
        return best

    def _averaged_and_best_parameters(self) -> list[Parameters]:
        """Of other policies than the newest."""
        found = [self.recent_policies.mean_parameters] if self.recent_policies.mean_parameters else []
        return found if self.recent_policies.best is None else [*found, self.recent_policies.best[1]]

    def _evaluate_candidate(self, parameters: Parameters) -> Candidate | None:
        """What whole episodes of it are worth; None where the terms don't tell."""
        if self.episode_value is None:
            return None
        self._load_parameters(parameters)
        policy, starts = self.policy, np.arange(max(1, self.config.evaluation_steps // self.task.horizon))
        counts = self._count_terms(policy, starts)
        worth = self.episode_value(counts)
        return None if worth is None else Candidate(worth, counts, parameters, policy)

    def count_terms(self) -> TermCounts:
        """Each term [M + K] per episode of the policy as it is."""
        starts = np.arange(max(1, self.config.evaluation_steps // self.task.horizon))
        return self._count_terms(self.policy, starts)

    def _count_terms(self, policy: PolicyArrays, starts: Array) -> TermCounts:
        act = rollouts.sampling_act(policy)
        counted = rollouts.episode_terms(self.task, act, starts, self.further_terms)
        return np.asarray(counted.mean(0), np.float32)

    def _select_by_rollouts(self, counts: TermCounts | None, now: Parameters) -> Candidate:
        """Go back to the best policy if the one of now is worse: long practice drifts.

        Minus infinity is what it is worth where practice was too short to tell.
        """
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
        """Go on from what was kept. The network must be restored afterwards."""
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
