"""Scores a policy by the true reward on layouts that it never saw. No learner uses this file.

Score 0 is the better of the random policy and standing still, 1 the oracle. Policies act by sampling at
temperature 1, as they do on screen (the likeliest actions differ by up to 0.2 and can loop).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.evaluation import reference_returns as kept
from agents.evaluation.reference_returns import ReferenceReturns
from agents.policies.policy_arrays import PolicyArrays
from agents.policies.rollouts import ActFunction, episode_steps, sampling_act
from agents.snapshot import PolicyEvaluator
from envs.simulate import random_actions
from envs.task_options import takes_option, with_options
from envs.world import Array, Task, TrueReward

Progress = Callable[[float, str], None]
N_TEST_LAYOUTS = 200
"""How many unseen layouts a score averages over (seeds 0..199 of split "test")."""


def test_task(task: Task) -> Task:
    """The same task on layouts that are kept for scoring."""
    if not takes_option(task, "split"):
        return task
    return with_options(task, {**task.options, "split": "test"})


def with_feature_obs(task: Task) -> Task:
    """The same task with observations of features."""
    if not {"observation", "view"} & set(task.options):
        return task
    return with_options(task, {k: v for k, v in task.options.items() if k not in ("observation", "view")})


MIN_ORACLE_SHARE = 1e-3
"""By what share of the return of random acting or standing still an oracle must do better to be one."""
MAX_SCORE = 1.02
"""A larger score is an error: see `OracleTooWeak`."""


class OracleTooWeak(RuntimeError):
    """A policy scored above the oracle, so it is not the best policy known. The text is a sentence."""


@dataclass(frozen=True)
class ReferenceMeans:
    """Mean true returns over the scored layouts."""

    random: float
    still: float
    oracle: float

    def score(self, mean_return: float) -> float:
        """0 at the better of random and still, 1 at the oracle."""
        zero = max(self.random, self.still)
        return (mean_return - zero) / max(self.oracle - zero, 1e-9)

    @property
    def remark(self) -> str:
        """A sentence where the oracle is none, so that a score says nothing; else ""."""
        zero = max(self.random, self.still)
        if self.oracle - zero > MIN_ORACLE_SHARE * abs(zero):
            return ""
        return (
            f"No score can be trusted here: the best return known, {self.oracle:.4g}, is no better than that "
            f"of {'random acting' if self.random >= self.still else 'standing still'}, {zero:.4g}, because "
            "long training on the true reward itself found nothing better."
        )

    def remark_on(self, mean_return: float) -> str:
        """A sentence where a score says more of the oracle than of who is scored, else ""."""
        score = self.score(mean_return)
        if self.remark or score <= MAX_SCORE:
            return self.remark
        best = f"the best known before, of return {self.oracle:.4g}, was too weak"
        return f"The score of {score:.2f} is over 1: {best}."

    def score_in(self, task: Task, mean_return: float) -> float:
        """The score; checked in our worlds, where the oracle is known to be one."""
        return self.score(mean_return) if task.is_costly else self.checked_score(mean_return)

    def checked_score(self, mean_return: float) -> float:
        """The score. Raises OracleTooWeak if it is so high that the oracle can't be the best policy known."""
        score = self.score(mean_return)
        if score > MAX_SCORE and self.remark:
            raise OracleTooWeak(self.remark)
        if score > MAX_SCORE:
            raise OracleTooWeak(
                f"a score of {score:.3f} is over {MAX_SCORE}: the oracle, of return {self.oracle:.2f}, is "
                f"too weak; make it anew with `teachbox references`"
            )
        return score


@dataclass(frozen=True)
class Episodes:
    """Whole episodes of N rows: sums of the true (or any other) reward, sums of terms, whether the task
    was done."""

    returns: NDArray[np.float64]  # [N]
    terms: NDArray[np.float64]  # [N, M]
    done: NDArray[np.bool_]  # [N]

    @property
    def mean(self) -> float:
        return float(self.returns.mean())


def run_episodes(task: Task, act: ActFunction, seeds: Array, *, by_state: bool = False) -> Episodes:
    """One whole episode from the start of each seed. `act` gets the observations, or the states if
    `by_state`."""
    returns = np.zeros(len(seeds))
    terms = np.zeros((len(seeds), len(task.world.terms)))
    for before, step in episode_steps(task, act, seeds, by_state=by_state):
        returns += task.true_reward(before, step.terms, step.last_states)
        terms += step.terms
    return Episodes(returns, terms, task.done(step.last_states))


def evaluate_policy(
    task: Task, policy: PolicyArrays, layouts: int = N_TEST_LAYOUTS, seed: int = 0
) -> Episodes:
    """One sampled episode on each of `layouts` unseen layouts."""
    return run_episodes(test_task(task), sampling_act(policy, seed), np.arange(layouts))


def test_curve_values(test_episodes: Episodes) -> dict[str, float]:
    """Series of the learning curves that are only shown: no learner trains on them."""
    return {
        "done on unseen layouts": float(test_episodes.done.mean()),
        "wish (for watching only)": test_episodes.mean,
    }


def curve_evaluator(task: Task) -> PolicyEvaluator | None:
    """What is added to the curves of a learner by whoever runs it; None if whole episodes take too long."""
    if task.is_costly:
        return None
    return lambda policy: test_curve_values(evaluate_policy(task, policy))


def reference_means(task: Task, layouts: int = N_TEST_LAYOUTS) -> ReferenceMeans:
    """The three references of a task: shipped, else measured once and kept (seconds to minutes).

    They do not depend on the observation (features, grid, lidar, pixels), because that does not change what
    can be done in the task.
    """
    task = with_feature_obs(test_task(task))
    found = kept.load_shipped(task, layouts) or kept.load_cached(task, layouts)
    if found is None:
        found = measure_references(task, layouts)
        kept.save(task, found)
    means = (float(one[:layouts].mean()) for one in (found.random, found.still, found.oracle))
    return ReferenceMeans(*means)


def true_reward_of(task: Task) -> TrueReward:
    """The true reward as a reward to train on, to measure how learnable a task is and to find the oracle;
    never for a learner."""
    return task.true_reward


def measure_references(
    task: Task,
    layouts: int = N_TEST_LAYOUTS,
    steps: int | None = None,
    progress: Progress = lambda share, text: None,
) -> ReferenceReturns:
    """Returns of random actions, of standing still and of the oracle on the first layouts. `steps`: of
    PPO, if it must train."""
    seeds, random = np.arange(layouts), np.random.default_rng(0)
    progress(0.0, "random and standing still")
    at_random = [
        run_episodes(task, lambda obs: random_actions(task, len(obs), random), seeds) for _ in range(3)
    ]
    base = np.mean([some.returns for some in at_random], axis=0)
    still = run_episodes(task, lambda obs: task.idle_actions(len(obs)), seeds).returns
    planned = _planned_returns(task, seeds, progress)
    if planned is not None:
        return ReferenceReturns(base, still, planned, "plan")
    return _trained_references(task, base, still, steps, progress)


def _planned_returns(task: Task, seeds: Array, progress: Progress) -> Array | None:
    """The returns of exact plans; None if nothing plans for this true reward, or a layout is too large."""
    best_returns = task.world.hooks.best_returns
    if best_returns is None:
        return None
    found = []
    for done, seed in enumerate(seeds):
        progress(done / len(seeds), f"exact plan of layout {done + 1} of {len(seeds)}")
        best = best_returns(task, np.array([seed]))
        if best is None:
            return None
        found.append(best[0])
    return np.array(found)


def _trained_references(
    task: Task, random: Array, still: Array, steps: int | None, progress: Progress
) -> ReferenceReturns:
    """References whose oracle is the better of PPO on the true reward and a careful driver by rule."""
    from agents.evaluation import oracle

    seeds = np.arange(len(random))
    scored = seeds[:20] if task.is_costly else seeds
    budget = steps or (oracle.EXTERNAL_ORACLE_STEPS if task.is_costly else oracle.ORACLE_STEPS)
    best = oracle.train_oracle(
        task, task.true_reward, lambda act: run_episodes(task, act, scored).mean, budget, progress
    )
    returns = run_episodes(task, oracle.act_function(best.policy, best.deterministic), seeds).returns
    rule = oracle.rule_based_act(task)
    ruled = None if rule is None else run_episodes(task, rule, seeds).returns
    if ruled is not None and ruled.mean() > returns.mean():
        return ReferenceReturns(random, still, ruled, "rule")
    return ReferenceReturns(random, still, returns, "policy", best.policy, best.deterministic, budget)
