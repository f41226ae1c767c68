"""What a reward learner does next: fit the reward, train the policy on it, ask, or wait."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from agents.checkpoint import StateDict
from envs.world import Task

COSTLY_PROXY_STEPS = 60_000
"""Environment steps on the proxy reward where a step takes long."""


def resolve_steps(steps: int | None, episodes: int, horizon: int) -> int:
    """The number of environment steps: as set, or else that of so many episodes."""
    return episodes * horizon if steps is None else steps


def capped_episodes(episodes: int, task: Task) -> int:
    """So many episodes, or as many as `COSTLY_PROXY_STEPS` last where a step takes long."""
    return max(1, min(episodes, COSTLY_PROXY_STEPS // task.horizon)) if task.is_costly else episodes


class TrainingStep(Enum):
    """One step of a reward learner."""

    TRAIN_ON_PROXY = auto()
    FIT_REWARD = auto()
    TRAIN = auto()
    SELECT_QUERIES = auto()
    WAIT = auto()


@dataclass
class TrainingSchedule:
    """Where learning stands on the feedback given so far.

    fitted_ids: ids of the records that the reward was fitted to. cloned_ids: ids of those that behavioural
    cloning has been given. steps_since_fit: environment steps trained on this fit. has_finished: training on
    this fit has come to its end. has_restarted: on this fit it began once more, because the agent had come to
    do nothing.
    """

    fitted_ids: frozenset[str] = frozenset()
    cloned_ids: frozenset[str] = frozenset()
    steps_since_fit: int = 0
    has_finished: bool = False
    has_restarted: bool = False

    def state_dict(self) -> StateDict:
        return StateDict({"since_fit": self.steps_since_fit, "fitted": sorted(self.fitted_ids)})

    def load_state_dict(self, state: StateDict) -> None:
        self.steps_since_fit, self.fitted_ids = state.facts["since_fit"], frozenset(state.facts["fitted"])

    def begin_fit(self) -> None:
        """The reward has just been fitted_ids: training on it begins."""
        self.steps_since_fit, self.has_restarted, self.has_finished = 0, False, False

    def next(
        self,
        ids: frozenset[str],
        *,
        is_on_proxy: bool,
        has_new_rule_answers: bool,
        has_budget: bool,
        has_queries: bool,
    ) -> TrainingStep:
        """What to do now, where the records that stand have these ids.

        is_on_proxy: the policy still learns from the proxy reward. has_budget: it may train longer on this
        fit. has_queries: questions are ready.
        """
        if is_on_proxy:
            return TrainingStep.TRAIN_ON_PROXY
        if ids != self.fitted_ids or has_new_rule_answers:
            return TrainingStep.FIT_REWARD
        if has_budget:
            return TrainingStep.TRAIN
        return TrainingStep.WAIT if has_queries else TrainingStep.SELECT_QUERIES
